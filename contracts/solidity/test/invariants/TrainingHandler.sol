// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentAnchor} from "../../src/interfaces/IConsentAnchor.sol";
import {ITrainingLedger} from "../../src/interfaces/ITrainingLedger.sol";
import {Handler} from "../support/Handler.sol";

/// @notice Two runs of one plan, openings with stale commitments among them, closes, ends, and consents that change.
contract TrainingHandler is Handler {
    bool public isBackwards;
    bool public isRosterWrong;
    bool public isSumTwice;
    mapping(bytes32 run => ITrainingLedger.Run) private _last;
    mapping(uint256 member => IConsentAnchor.ConsentState) private _consents;
    mapping(bytes32 weights => uint256) private _sums;

    function begin(uint8 which, uint256 seconds_) external timed(seconds_) {
        tried(address(ledger), abi.encodeCall(ledger.openRun, (runOf(which), PLAN, approval, first(which), terms())));
        look(which);
    }

    /// @dev Bits of `stale`: whose consents are anchored anew between commitment and opening.
    function openAttempt(uint8 which, uint8 stale, uint256 seconds_) external timed(seconds_) {
        ITrainingLedger.Opening memory made = opening(runOf(which), FOUNDERS);
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            if (stale >> i & 1 == 1 && i != stale % 5) anchorNext(i);
        }
        bytes32[] memory fresh = freshOf(made);
        if (tried(address(ledger), abi.encodeCall(ledger.openAttempt, (runOf(which), made)))) {
            bytes32[] memory roster = ledger.rosterOf(runOf(which));
            if (keccak256(abi.encode(roster)) != keccak256(abi.encode(fresh))) isRosterWrong = true;
        }
        look(which);
    }

    function closeRound(uint8 which, uint8 how, uint256 seconds_) external timed(seconds_) {
        bytes32 run = runOf(which);
        bytes32 from = ledger.runOf(run).weights;
        ITrainingLedger.RoundClose memory ended = closing(run, 3);
        bytes memory call = how % 3 == 0
            ? abi.encodeCall(ledger.finishRun, (run, ended))
            : how % 3 == 1
                ? abi.encodeCall(ledger.closeRound, (run, ended))
                : abi.encodeCall(
                    ledger.advanceRound, (run, ended, openingOf(run, ended.round + 1, 1, ended.nextWeights, FOUNDERS))
                );
        if (tried(address(ledger), call) && ++_sums[from] > 1) isSumTwice = true;
        look(which);
    }

    function abandon(uint8 which, uint8 reason, uint256 seconds_) external timed(seconds_) {
        ITrainingLedger.Run memory known = ledger.runOf(runOf(which));
        ITrainingLedger.AbandonReason chosen =
            reason % 16 < 14 ? ITrainingLedger.AbandonReason.Timeout : ITrainingLedger.AbandonReason.Revealed;
        bytes memory call = abi.encodeCall(ledger.abandonAttempt, (runOf(which), known.round, known.attempt, chosen));
        bool isRevealed = chosen == ITrainingLedger.AbandonReason.Revealed;
        if (tried(address(ledger), call) && isRevealed && ++_sums[known.weights] > 1) isSumTwice = true;
        look(which);
    }

    function fail(uint8 which, uint256 seconds_) external timed(seconds_) {
        tried(address(ledger), abi.encodeCall(ledger.failRun, (runOf(which), bytes32(0))));
        look(which);
    }

    function cancel(uint8 which, uint8 draw, uint256 seconds_) external timed(seconds_) {
        uint256 secret = siteSecret(draw % 16 == 0 ? 0 : 1);
        bytes memory signature = cancelSignature(secret, runOf(which), 0);
        tried(address(ledger), abi.encodeCall(ledger.cancelRun, (runOf(which), 0, signature)));
        look(which);
    }

    function revoke(uint8 member, uint256 seconds_) external timed(seconds_) {
        IConsentAnchor.ConsentState memory state = consents.stateOf(idOf(member % FOUNDERS));
        revoke(member % FOUNDERS, state.epoch, state.seq + 1, subjects(1));
        lookAtConsents();
    }

    function anchorOutOfTurn(uint8 member, uint64 epoch, uint64 seq, uint256 seconds_) external timed(seconds_) {
        uint256 chosen = member % FOUNDERS;
        (epoch, seq) = (epoch % 8, seq % 16);
        bytes memory signature = epochSignature(siteSecret(chosen), chosen, epoch, "root", 50, seq, now64());
        tried(
            address(consents),
            abi.encodeCall(consents.anchorEpoch, (idOf(chosen), epoch, "root", 50, seq, now64(), signature))
        );
        lookAtConsents();
    }

    function anchorNext(uint256 member) private {
        IConsentAnchor.ConsentState memory state = consents.stateOf(idOf(member));
        anchor(member, state.epoch + 1, keccak256(abi.encode("root", member, state.epoch)), 50, state.seq + 1);
        lookAtConsents();
    }

    /// @dev Whose commitment names the consents that stand now.
    function freshOf(ITrainingLedger.Opening memory made) private view returns (bytes32[] memory list) {
        list = new bytes32[](FOUNDERS);
        uint256 kept = 0;
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            if (made.commitments[i].commitment.seq == consents.seqOf(idOf(i))) list[kept++] = idOf(i);
        }
        assembly ("memory-safe") {
            mstore(list, kept)
        }
    }

    function look(uint8 which) private {
        ITrainingLedger.Run memory before = _last[runOf(which)];
        ITrainingLedger.Run memory known = ledger.runOf(runOf(which));
        bool isOver = before.status > ITrainingLedger.RunStatus.Running;
        if (known.status < before.status || (isOver && keccak256(abi.encode(known)) != keccak256(abi.encode(before)))) {
            isBackwards = true;
        }
        bool isEarlier = known.round < before.round || (known.round == before.round && known.attempt < before.attempt);
        if (isEarlier) isBackwards = true;
        _last[runOf(which)] = known;
    }

    function lookAtConsents() private {
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            IConsentAnchor.ConsentState memory before = _consents[i];
            IConsentAnchor.ConsentState memory state = consents.stateOf(idOf(i));
            bool isGrown = state.seq >= before.seq && state.epoch >= before.epoch && state.asOf >= before.asOf;
            if (!isGrown || state.epoch > state.seq) isBackwards = true;
            _consents[i] = state;
        }
    }

    function runOf(uint8 which) private pure returns (bytes32) {
        return bytes32(bytes16(keccak256(abi.encode("run", which % 2))));
    }

    /// @dev Both runs begin from the same weights: the second sum over them must never come to be.
    function first(uint8) private pure returns (bytes32) {
        return INITIAL;
    }
}
