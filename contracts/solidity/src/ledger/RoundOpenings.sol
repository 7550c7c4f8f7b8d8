// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentAnchor} from "../interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {Bands} from "../libraries/Bands.sol";
import {SecureAggregationBound} from "../libraries/SecureAggregationBound.sol";
import {RunBook} from "./RunBook.sol";

/// @dev Opening an attempt: each commitment is judged by itself, and a bad one keeps out its sender alone.
abstract contract RoundOpenings is RunBook {
    /// @notice Longest roster; survivor bitmaps have room for 256.
    uint256 public constant MAX_ROSTER = 64;

    function _openNext(bytes32 run, Opening calldata opening) internal {
        Run storage known = _requireLive(run);
        _requireNextAttempt(run, known, opening);
        if (known.status == RunStatus.Planned) _startRun(known);
        _sums[known.plan][known.weights].run = bytes16(run);
        if (opening.attempt == 1) (known.abandoned, known.withdrawals) = (0, 0);
        (known.round, known.attempt, known.attemptStatus) = (opening.round, opening.attempt, AttemptStatus.Open);
        bytes32[] memory roster = _acceptCommitments(run, known, opening.commitments);
        _requireRoster(known.terms, roster.length);
        _rosters[run] = roster;
        _announce(run, known, roster);
    }

    function _announce(bytes32 run, Run storage known, bytes32[] memory roster) private {
        emit RoundOpened(
            run,
            known.round,
            known.attempt,
            known.plan,
            known.weights,
            roster,
            keccak256(abi.encodePacked(roster)),
            blockhash(block.number - 1)
        );
    }

    function _acceptCommitments(bytes32 run, Run storage known, SignedCommitment[] calldata offered)
        private
        returns (bytes32[] memory roster)
    {
        require(offered.length <= MAX_ROSTER, LedgerTooManyCommitments(offered.length, MAX_ROSTER));
        IConsortiumRegistry.Parameters memory limits = _registry.parameters();
        roster = new bytes32[](offered.length);
        uint256 accepted = 0;
        for (uint256 i = 0; i < offered.length; ++i) {
            Commitment calldata commitment = offered[i].commitment;
            bytes32 organization = commitment.organization;
            RefusalReason reason = _contains(roster, accepted, organization)
                ? RefusalReason.Duplicate
                : _judge(run, known, offered[i], limits);
            if (reason == RefusalReason.None) {
                roster[accepted++] = organization;
                emit CommitmentAccepted(run, known.round, organization, commitment);
            } else {
                emit CommitmentRefused(run, known.round, organization, known.attempt, reason);
            }
        }
        // the list was made for all offered: cut it to the accepted
        assembly ("memory-safe") {
            mstore(roster, accepted)
        }
    }

    function _startRun(Run storage known) private {
        uint256 maxRuns = known.terms.maxRuns;
        require(_runsUsed[known.decision] < maxRuns, LedgerRunsUsedUp(known.decision, maxRuns));
        ++_runsUsed[known.decision];
        known.status = RunStatus.Running;
    }

    function _requireNextAttempt(bytes32 run, Run storage known, Opening calldata opening) private view {
        bool isIdle = known.attemptStatus != AttemptStatus.Open;
        require(isIdle, LedgerAttemptStillOpen(run, known.round, known.attempt));
        (uint32 round, uint32 attempt) = nextAttempt(run);
        bool isNext = opening.round == round && opening.attempt == attempt;
        require(isNext, LedgerWrongAttempt(round, attempt, opening.round, opening.attempt));
        require(round <= known.terms.rounds, LedgerLastRound(run, known.terms.rounds));
        if (attempt > 1) {
            uint256 maximum = _registry.parameters().maxAbandonedAttempts;
            require(known.abandoned < maximum, LedgerAttemptsUsedUp(run, round, maximum));
        }
        Sum storage sum = _sums[known.plan][known.weights];
        require(!sum.isRevealed, LedgerWeightsRevealed(known.plan, known.weights));
        bool isOurs = sum.run == 0 || sum.run == bytes16(run);
        require(isOurs, LedgerWeightsTaken(known.plan, known.weights, sum.run));
    }

    function _requireRoster(RunTerms memory terms, uint256 accepted) private pure {
        require(accepted >= terms.minimumSites, LedgerTooFewSites(accepted, terms.minimumSites));
        bool holds = SecureAggregationBound.holds(accepted, terms.threshold, terms.colluders);
        require(holds, LedgerBoundBroken(accepted, terms.threshold, terms.colluders));
    }

    /// @dev Cheap checks first, the signature last: a refusal names the first rule that was broken.
    function _judge(
        bytes32 run,
        Run storage known,
        SignedCommitment calldata offered,
        IConsortiumRegistry.Parameters memory limits
    ) private view returns (RefusalReason reason) {
        Commitment calldata commitment = offered.commitment;
        reason = _judgePlace(run, known, commitment);
        if (reason == RefusalReason.None) reason = _judgeSite(known.decision, commitment.organization);
        if (reason == RefusalReason.None) reason = _judgeCohort(known.terms.minimumBand, commitment, limits);
        if (reason == RefusalReason.None) reason = _judgeBlock(commitment, limits);
        if (reason != RefusalReason.None) return reason;
        bytes32 structHash = keccak256(abi.encode(COMMITMENT_TYPEHASH, commitment));
        bool isSigned = _isSignedBySite(commitment.organization, structHash, offered.signature);
        return isSigned ? RefusalReason.None : RefusalReason.BadSignature;
    }

    function _judgePlace(bytes32 run, Run storage known, Commitment calldata commitment)
        private
        view
        returns (RefusalReason)
    {
        bool isHere =
            commitment.run == run && commitment.round == known.round && commitment.attempt == known.attempt;
        if (!isHere) return RefusalReason.WrongAttempt;
        if (commitment.plan != known.plan) return RefusalReason.WrongPlan;
        if (commitment.weights != known.weights) return RefusalReason.WrongWeights;
        return RefusalReason.None;
    }

    function _judgeSite(bytes32 decision, bytes32 organization) private view returns (RefusalReason) {
        if (!_registry.isActive(organization)) return RefusalReason.NotActive;
        if (!_board.hasConsented(decision, organization)) return RefusalReason.NotConsented;
        return RefusalReason.None;
    }

    function _judgeCohort(
        uint32 minimumBand,
        Commitment calldata commitment,
        IConsortiumRegistry.Parameters memory limits
    ) private view returns (RefusalReason) {
        IConsentAnchor.ConsentState memory anchored = _anchor.stateOf(commitment.organization);
        if (anchored.epoch == 0) return RefusalReason.NoEpoch;
        bool isCurrent = commitment.epoch == anchored.epoch && commitment.seq == anchored.seq;
        if (!isCurrent) return RefusalReason.StaleConsents;
        uint256 asOf = commitment.asOf;
        uint256 distance = asOf > block.timestamp ? asOf - block.timestamp : block.timestamp - asOf;
        if (distance > limits.asOfToleranceSeconds) return RefusalReason.AsOfOutOfTolerance;
        if (!Bands.isLowerEdge(commitment.band)) return RefusalReason.NotABand;
        if (commitment.band < minimumBand || commitment.cohortRoot == 0) return RefusalReason.CohortTooSmall;
        return RefusalReason.None;
    }

    /// @dev BLOCKHASH of the current and of future blocks is zero, and no block hash is.
    function _judgeBlock(Commitment calldata commitment, IConsortiumRegistry.Parameters memory limits)
        private
        view
        returns (RefusalReason)
    {
        if (commitment.validUntilBlock < block.number) return RefusalReason.Expired;
        if (commitment.blockNumber >= block.number) return RefusalReason.WrongBlock;
        if (block.number - commitment.blockNumber > limits.commitmentMaxAgeBlocks) return RefusalReason.Expired;
        if (blockhash(commitment.blockNumber) != commitment.blockHash) return RefusalReason.WrongBlock;
        return RefusalReason.None;
    }
}
