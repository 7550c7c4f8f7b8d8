// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TrainingLedger} from "../src/TrainingLedger.sol";
import {IConsentAnchor} from "../src/interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Neighbors} from "./support/Neighbors.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @dev A ledger whose open attempt has a roster of two, whatever else it holds.
contract LedgerWithRoster is TrainingLedger {
    constructor(address neighbors)
        TrainingLedger(IConsortiumRegistry(neighbors), IDecisionBoard(neighbors), IConsentAnchor(neighbors))
    {}

    function put(bytes32 run, bytes32[2] memory roster) external {
        bytes32[] storage kept = _rosters[run];
        // `delete` would walk over a list as long as the storage says, and it says anything
        assembly ("memory-safe") {
            sstore(kept.slot, 0)
        }
        kept.push(roster[0]);
        kept.push(roster[1]);
    }
}

/// @notice A run and its attempts, from any state by any call about it: forward only, and an end is final. Tried on
/// faulty ledgers: one that opens a run twice, closes or finishes an attempt that is not open, or opens an attempt beside
/// an open one fails the check of that call.
contract LedgerSymbolic is Symbolic {
    bytes32 private constant RUN = bytes32(uint256(5) << 128);
    bytes32 private constant OTHER = bytes32(uint256(6) << 128);
    uint64 private constant NOW = 1000;
    uint64 private constant HEAD = 100;
    LedgerWithRoster private ledger;

    function setUp() public {
        Neighbors neighbors = new Neighbors();
        ledger = new LedgerWithRoster(address(neighbors));
        svm.enableSymbolicStorage(address(neighbors));
        svm.enableSymbolicStorage(address(ledger));
    }

    /// @dev With all terms symbolic the bound of secure aggregation keeps the solver busy; it is fuzzed by itself.
    function check_opening_a_run_of_five_sites(
        bytes32 plan,
        bytes32 decision,
        bytes32 weights,
        uint32 rounds,
        uint16 maxRuns,
        uint32 minimumBand,
        bytes32 rule
    ) public {
        ITrainingLedger.RunTerms memory terms = ITrainingLedger.RunTerms({
            minimumSites: 5,
            threshold: 4,
            colluders: 1,
            verifierQuorum: 2,
            rounds: rounds,
            maxRuns: maxRuns,
            minimumBand: minimumBand,
            initialWeightsRule: rule
        });
        _check(abi.encodeCall(ledger.openRun, (RUN, plan, decision, weights, terms)));
    }

    function check_abandoning(uint32 round, uint32 attempt, uint8 reason) public {
        vm.assume(reason <= uint8(type(ITrainingLedger.AbandonReason).max));
        _check(abi.encodeCall(ledger.abandonAttempt, (RUN, round, attempt, ITrainingLedger.AbandonReason(reason))));
    }

    function check_canceling(bytes32 reason) public {
        _check(abi.encodeCall(ledger.cancelRun, (RUN, reason, signature("cancel"))));
    }

    function check_failing(bytes32 reason) public {
        _check(abi.encodeCall(ledger.failRun, (RUN, reason)));
    }

    function check_closing_a_round_of_two(ITrainingLedger.RoundClose memory closing, bytes32[2] memory roster) public {
        _check(abi.encodeCall(ledger.closeRound, (RUN, _closing(closing, roster))));
    }

    function check_finishing_a_run_of_two(ITrainingLedger.RoundClose memory closing, bytes32[2] memory roster) public {
        _check(abi.encodeCall(ledger.finishRun, (RUN, _closing(closing, roster))));
    }

    function check_opening_an_attempt_of_two(uint32 round, uint32 attempt) public {
        vm.warp(NOW);
        vm.roll(HEAD);
        _check(abi.encodeCall(ledger.openAttempt, (RUN, _opening(round, attempt))));
    }

    function _closing(ITrainingLedger.RoundClose memory closing, bytes32[2] memory roster)
        private
        returns (ITrainingLedger.RoundClose memory)
    {
        ledger.put(RUN, roster);
        closing.survivors = _ofTwo(closing.survivors);
        closing.signatures = new ITrainingLedger.VerifierSignature[](2);
        closing.signatures[0] = ITrainingLedger.VerifierSignature(roster[0], signature("first"));
        closing.signatures[1] = ITrainingLedger.VerifierSignature(roster[1], signature("second"));
        return closing;
    }

    /// @dev Each set of survivors on a path of its own, since counting bits of an unknown one has no end; other sets are
    /// no sets of two, and refused.
    function _ofTwo(uint256 survivors) private pure returns (uint256) {
        vm.assume(survivors < 4);
        if (survivors == 3) return 3;
        if (survivors == 2) return 2;
        return survivors == 1 ? 1 : 0;
    }

    /// @dev Two commitments that name this attempt and the block before; whether they are taken is up to the neighbors,
    /// who may know the organizations, their keys and their epoch, or not.
    function _opening(uint32 round, uint32 attempt) private view returns (ITrainingLedger.Opening memory opening) {
        (opening.round, opening.attempt) = (round, attempt);
        opening.commitments = new ITrainingLedger.SignedCommitment[](2);
        ITrainingLedger.Run memory known = ledger.runOf(RUN);
        for (uint256 i = 0; i < 2; ++i) {
            ITrainingLedger.Commitment memory made = opening.commitments[i].commitment;
            (made.run, made.round, made.attempt) = (RUN, round, attempt);
            (made.plan, made.weights) = (known.plan, known.weights);
            made.organization = bytes32((i + 1) << 128);
            (made.cohortRoot, made.band, made.validUntilBlock) = (bytes32(uint256(1)), 10, type(uint64).max);
            (made.asOf, made.blockNumber, made.blockHash) = (NOW, HEAD - 1, blockhash(HEAD - 1));
            (made.epoch, made.seq) = (1, 1);
            opening.commitments[i].signature = signature(i == 0 ? "by first" : "by second");
        }
    }

    function _check(bytes memory call) private {
        ITrainingLedger.Run memory before = ledger.runOf(RUN);
        bytes32 other = keccak256(abi.encode(ledger.runOf(OTHER)));
        vm.assume(isTaken(address(ledger), call));
        ITrainingLedger.Run memory later = ledger.runOf(RUN);
        assert(keccak256(abi.encode(ledger.runOf(OTHER))) == other);
        assert(!_isEnded(before.status));
        assert(uint8(later.status) >= uint8(before.status));
        assert(later.round > before.round || (later.round == before.round && later.attempt >= before.attempt));
        if (later.round == before.round && later.attempt == before.attempt) _checkAttempt(before, later);
        else assert(later.attemptStatus == ITrainingLedger.AttemptStatus.Open && _isNext(before, later));
        if (_isEnded(later.status)) assert(later.attemptStatus != ITrainingLedger.AttemptStatus.Open);
        if (before.status != ITrainingLedger.RunStatus.None) {
            assert(later.plan == before.plan && later.decision == before.decision && later.author == before.author);
        }
    }

    function _checkAttempt(ITrainingLedger.Run memory before, ITrainingLedger.Run memory later) private pure {
        if (later.attemptStatus == before.attemptStatus) return;
        assert(before.attemptStatus == ITrainingLedger.AttemptStatus.Open);
        assert(later.attemptStatus != ITrainingLedger.AttemptStatus.None);
    }

    /// @dev One step: the next attempt of the same round after an abandoned one, attempt 1 of the next round after a
    /// closed one or none, and nothing beside an open one.
    function _isNext(ITrainingLedger.Run memory before, ITrainingLedger.Run memory later) private pure returns (bool) {
        if (later.round == before.round) {
            return later.attempt == before.attempt + 1
                && before.attemptStatus == ITrainingLedger.AttemptStatus.Abandoned;
        }
        bool isOver = before.attemptStatus == ITrainingLedger.AttemptStatus.None
            || before.attemptStatus == ITrainingLedger.AttemptStatus.Closed;
        return isOver && later.round == before.round + 1 && later.attempt == 1;
    }

    function _isEnded(ITrainingLedger.RunStatus status) private pure returns (bool) {
        return status != ITrainingLedger.RunStatus.None && status != ITrainingLedger.RunStatus.Planned
            && status != ITrainingLedger.RunStatus.Running;
    }
}
