// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Training} from "./support/Training.sol";

/// @dev Drives a run by random calls beside a model of the rules in plain words, and compares after each.
contract LedgerStatesTest is Training {
    struct Model {
        ITrainingLedger.RunStatus status;
        ITrainingLedger.AttemptStatus attemptStatus;
        uint32 round;
        uint32 attempt;
        uint256 abandoned;
        bool isRevealed;
        bytes32 weights;
    }

    function testFuzz_run_follows_the_model(uint8[24] calldata acts) public {
        openRun(RUN);
        Model memory model;
        model.status = ITrainingLedger.RunStatus.Planned;
        model.weights = INITIAL;
        for (uint256 i = 0; i < acts.length; ++i) {
            passSeconds(1);
            // weighted, so that runs get somewhere before they are ended
            uint256 act = uint8(bytes(hex"0000000000010102020202030303040405060700")[acts[i] % 20]);
            bool isAllowed = allowed(model, act);
            bool isDone = perform(model, act);
            assertTrue(isDone == isAllowed);
            if (isDone) follow(model, act);
            requireSame(model);
        }
    }

    /// @dev 0 open, 1 close, 2 advance, 3 finish, 4 abandon, 5 cancel, 6 fail, 7 abandon as revealed.
    function allowed(Model memory model, uint256 act) private pure returns (bool) {
        bool isLive =
            model.status == ITrainingLedger.RunStatus.Planned || model.status == ITrainingLedger.RunStatus.Running;
        bool isOpen = model.attemptStatus == ITrainingLedger.AttemptStatus.Open;
        bool isUsedUp = model.attemptStatus == ITrainingLedger.AttemptStatus.Abandoned && model.abandoned >= 3;
        bool isStuck = isUsedUp || (model.isRevealed && !isOpen);
        if (!isLive) return false;
        if (act == 0) return !isOpen && !isStuck;
        if (act == 1 || act == 2) return isOpen && model.round < ROUNDS;
        if (act == 3) return isOpen && model.round == ROUNDS;
        if (act == 4 || act == 7) return isOpen;
        if (act == 5) return model.round >= 2;
        return isStuck;
    }

    function perform(Model memory model, uint256 act) private returns (bool) {
        if (act == 0) return performOpening();
        if (act == 4) return performAbandoning(model, ITrainingLedger.AbandonReason.SiteLost);
        if (act == 7) return performAbandoning(model, ITrainingLedger.AbandonReason.Revealed);
        // the author waits for the second round, so that most runs get somewhere
        uint256 secret = model.round >= 2 ? siteSecret(0) : siteSecret(1);
        if (act == 5) return tried(abi.encodeCall(ledger.cancelRun, (RUN, 0, cancelSignature(secret, RUN, 0))));
        if (act == 6) return tried(abi.encodeCall(ledger.failRun, (RUN, bytes32(0))));
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        if (act == 1) return tried(abi.encodeCall(ledger.closeRound, (RUN, ended)));
        if (act == 3) return tried(abi.encodeCall(ledger.finishRun, (RUN, ended)));
        ITrainingLedger.Opening memory next = openingOf(RUN, model.round + 1, 1, ended.nextWeights, 5);
        return tried(abi.encodeCall(ledger.advanceRound, (RUN, ended, next)));
    }

    function performAbandoning(Model memory model, ITrainingLedger.AbandonReason reason) private returns (bool) {
        return tried(abi.encodeCall(ledger.abandonAttempt, (RUN, model.round, model.attempt, reason)));
    }

    function performOpening() private returns (bool) {
        return tried(abi.encodeCall(ledger.openAttempt, (RUN, opening(RUN, 5))));
    }

    function tried(bytes memory call) private returns (bool isDone) {
        (isDone,) = address(ledger).call(call);
    }

    function follow(Model memory model, uint256 act) private pure {
        if (act == 1 || act == 2 || act == 3) {
            model.attemptStatus = ITrainingLedger.AttemptStatus.Closed;
            model.weights = weightsAfter(RUN, model.round);
        }
        if (act == 0 || act == 2) followOpening(model);
        if (act == 3) model.status = ITrainingLedger.RunStatus.Completed;
        if (act == 4 || act == 7) {
            model.attemptStatus = ITrainingLedger.AttemptStatus.Abandoned;
            ++model.abandoned;
            if (act == 7) model.isRevealed = true;
        }
        if (act == 5 || act == 6) {
            model.status = act == 5 ? ITrainingLedger.RunStatus.Canceled : ITrainingLedger.RunStatus.Failed;
            if (model.attemptStatus == ITrainingLedger.AttemptStatus.Open) {
                model.attemptStatus = ITrainingLedger.AttemptStatus.Abandoned;
            }
        }
    }

    function followOpening(Model memory model) private pure {
        if (model.attemptStatus == ITrainingLedger.AttemptStatus.Abandoned) {
            ++model.attempt;
        } else {
            (model.round, model.attempt, model.abandoned) = (model.round + 1, 1, 0);
        }
        model.attemptStatus = ITrainingLedger.AttemptStatus.Open;
        model.status = ITrainingLedger.RunStatus.Running;
    }

    function requireSame(Model memory model) private view {
        ITrainingLedger.Run memory known = ledger.runOf(RUN);
        assertEq(uint256(known.status), uint256(model.status));
        assertEq(uint256(known.attemptStatus), uint256(model.attemptStatus));
        assertEq(known.round, model.round);
        assertEq(known.attempt, model.attempt);
        assertEq(known.abandoned, model.abandoned);
        assertEq(known.weights, model.weights);
    }
}
