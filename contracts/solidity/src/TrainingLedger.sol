// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DecisionKind} from "./interfaces/DecisionRules.sol";
import {IConsentAnchor} from "./interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "./interfaces/IDecisionBoard.sol";
import {ITrainingLedger} from "./interfaces/ITrainingLedger.sol";
import {Bands} from "./libraries/Bands.sol";
import {SecureAggregationBound} from "./libraries/SecureAggregationBound.sol";
import {RoundCloses} from "./ledger/RoundCloses.sol";
import {RoundOpenings} from "./ledger/RoundOpenings.sol";
import {RunBook} from "./ledger/RunBook.sol";

/// @title Runs, rounds and attempts of federated training
/// @dev Parts in ./ledger; here the life of a run.
contract TrainingLedger is RoundOpenings, RoundCloses {
    /// @dev Keeps every counter far from its end.
    uint32 private constant MAX_ROUNDS = 100_000;
    /// @dev Protocol section 4: an open round is given up for a withdrawal at most twice.
    uint256 private constant MAX_WITHDRAWALS = 2;

    constructor(IConsortiumRegistry registry, IDecisionBoard board, IConsentAnchor anchor)
        EIP712("TrainingLedger", "1")
        RunBook(registry, board, anchor)
    {}

    /// @inheritdoc ITrainingLedger
    function openRun(bytes32 run, bytes32 plan, bytes32 decision, bytes32 initialWeights, RunTerms calldata terms)
        external
    {
        require(run != 0 && plan != 0 && initialWeights != 0, LedgerZeroValue());
        require(run == bytes16(run), LedgerNoUuid(run));
        Run storage planned = _runs[run];
        require(planned.status == RunStatus.None, LedgerRunExists(run));
        _requireSound(terms);
        bytes32 subject = subjectOf(plan, terms);
        bool approved = _board.isApproved(DecisionKind.ApprovePlan, subject, decision);
        require(approved, LedgerPlanNotApproved(subject, decision));
        require(_runsUsed[decision] < terms.maxRuns, LedgerRunsUsedUp(decision, terms.maxRuns));
        planned.status = RunStatus.Planned;
        planned.plan = plan;
        planned.decision = decision;
        planned.author = _board.decision(decision).author;
        planned.weights = initialWeights;
        planned.terms = terms;
        emit RunOpened(run, plan, decision, planned.author, initialWeights, terms);
    }

    /// @inheritdoc ITrainingLedger
    function advanceRound(bytes32 run, RoundClose calldata closing, Opening calldata opening) external {
        bool isFirst = closing.round == 0 && _runs[run].status == RunStatus.Planned;
        if (!isFirst) _close(run, closing);
        _openNext(run, opening);
    }

    /// @inheritdoc ITrainingLedger
    function openAttempt(bytes32 run, Opening calldata opening) external {
        _openNext(run, opening);
    }

    /// @inheritdoc ITrainingLedger
    function closeRound(bytes32 run, RoundClose calldata closing) external {
        Run storage known = _close(run, closing);
        require(known.round < known.terms.rounds, LedgerLastRound(run, known.terms.rounds));
    }

    /// @inheritdoc ITrainingLedger
    function finishRun(bytes32 run, RoundClose calldata closing) external {
        Run storage known = _close(run, closing);
        bool isLast = known.round == known.terms.rounds;
        require(isLast, LedgerNotLastRound(run, known.round, known.terms.rounds));
        known.status = RunStatus.Completed;
        emit RunCompleted(run, known.plan, known.weights);
    }

    /// @inheritdoc ITrainingLedger
    function abandonAttempt(bytes32 run, uint32 round, uint32 attempt, AbandonReason reason) external {
        Run storage known = _requireOpenAttempt(run, round, attempt);
        require(reason != AbandonReason.None, LedgerReasonMissing());
        if (reason == AbandonReason.Withdrawal) {
            require(known.withdrawals < MAX_WITHDRAWALS, LedgerWithdrawalLimit(run, round, MAX_WITHDRAWALS));
            ++known.withdrawals;
        }
        if (reason == AbandonReason.Revealed) _sums[known.plan][known.weights].isRevealed = true;
        ++known.abandoned;
        known.attemptStatus = AttemptStatus.Abandoned;
        emit AttemptAbandoned(run, round, attempt, reason);
    }

    /// @inheritdoc ITrainingLedger
    function cancelRun(bytes32 run, bytes32 reason, bytes calldata signature) external {
        Run storage known = _requireLive(run);
        bool isMember = _registry.isActive(known.author);
        bytes32 structHash = keccak256(abi.encode(CANCEL_RUN_TYPEHASH, run, reason));
        bool isSigned = isMember && _isSignedBySite(known.author, structHash, signature);
        require(isSigned, LedgerBadSignature(known.author));
        _end(known, RunStatus.Canceled);
        emit RunCanceled(run, reason);
    }

    /// @inheritdoc ITrainingLedger
    function failRun(bytes32 run, bytes32 reason) external {
        Run storage known = _requireLive(run);
        require(_isStuck(run, known) || !_registry.isActive(known.author), LedgerAttemptsLeft(run, known.round));
        _end(known, RunStatus.Failed);
        emit RunFailed(run, reason);
    }

    /// @inheritdoc ITrainingLedger
    function subjectOf(bytes32 plan, RunTerms calldata terms) public pure returns (bytes32) {
        return keccak256(abi.encode(plan, terms));
    }

    /// @dev Nothing is open, and `_requireNextAttempt` would refuse whatever came.
    function _isStuck(bytes32 run, Run storage known) private view returns (bool) {
        if (known.attemptStatus == AttemptStatus.Open) return false;
        Sum storage sum = _sums[known.plan][known.weights];
        if (sum.isRevealed || (sum.run != 0 && sum.run != bytes16(run))) return true;
        return known.attemptStatus == AttemptStatus.Abandoned
            && known.abandoned >= _registry.parameters().maxAbandonedAttempts;
    }

    /// @dev An attempt left open at the end of its run is abandoned with it. Whether shares were released by then is
    /// not known here, so its weights count as revealed.
    function _end(Run storage known, RunStatus status) private {
        if (known.attemptStatus == AttemptStatus.Open) {
            known.attemptStatus = AttemptStatus.Abandoned;
            _sums[known.plan][known.weights].isRevealed = true;
        }
        known.status = status;
    }

    function _requireSound(RunTerms calldata terms) private pure {
        uint256 sites = terms.minimumSites;
        bool isBound = SecureAggregationBound.holds(sites, terms.threshold, terms.colluders);
        bool isVerified = terms.verifierQuorum > terms.colluders && terms.verifierQuorum <= sites;
        bool isCounted = sites <= MAX_ROSTER && terms.rounds != 0 && terms.rounds <= MAX_ROUNDS && terms.maxRuns != 0;
        bool isBanded = terms.minimumBand != 0 && Bands.isLowerEdge(terms.minimumBand);
        require(isBound && isVerified && isCounted && isBanded, LedgerTermsRefused());
    }
}
