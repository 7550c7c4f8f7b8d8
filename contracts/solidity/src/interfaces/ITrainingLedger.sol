// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Runs, rounds and attempts of federated training
/// @notice A run opens on an approved plan alone. Rounds count from 1, close once and in order; an attempt that fails is
/// abandoned and the round tried again. A commitment that is stale or bad keeps out its own sender only. Terminal states
/// are final. Weights belong to the run of a plan that opens on them first, so that two open attempts can never reveal
/// two sums over the same weights. One transaction a round: `advanceRound` closes round t and opens t+1.
interface ITrainingLedger {
    enum RunStatus {
        None,
        Planned,
        Running,
        Completed,
        Canceled,
        Failed
    }

    enum AttemptStatus {
        None,
        Open,
        Closed,
        Abandoned
    }

    enum RefusalReason {
        None,
        WrongAttempt,
        WrongPlan,
        WrongWeights,
        NotActive,
        NotConsented,
        Duplicate,
        NoEpoch,
        StaleConsents,
        AsOfOutOfTolerance,
        NotABand,
        CohortTooSmall,
        WrongBlock,
        Expired,
        BadSignature
    }

    /// @dev Revealed: shares were released, so somebody may know the sum, and it could not be closed. The weights count
    /// as revealed from then on.
    enum AbandonReason {
        None,
        TooFewSurvivors,
        SiteLost,
        Blame,
        ResultDisputed,
        Withdrawal,
        Timeout,
        Revealed
    }

    /// @notice What the vote on a plan fixes besides the plan itself; see `subjectOf`.
    /// @param minimumSites The fewest sites a round opens with.
    /// @param threshold t, survivors and shares needed.
    /// @param colluders c, sites that may collude with the platform: 2t > n + c and t - c >= 2 on every opened roster.
    /// @param verifierQuorum Signatures that close a round; at least c + 1.
    /// @param rounds The last round.
    /// @param maxRuns Runs that the approval covers; a run counts once its first round opens.
    /// @param minimumBand The smallest cohort, as the lower edge of a band.
    /// @param initialWeightsRule Digest of the rule by which sites derive the initial weights from the run's id.
    struct RunTerms {
        uint16 minimumSites;
        uint16 threshold;
        uint16 colluders;
        uint16 verifierQuorum;
        uint32 rounds;
        uint16 maxRuns;
        uint32 minimumBand;
        bytes32 initialWeightsRule;
    }

    /// @param round The round of the current or last attempt, 0 before the first.
    /// @param abandoned Abandoned attempts of this round.
    /// @param weights The weights that the next round starts from: initial, then those closed last.
    struct Run {
        RunStatus status;
        AttemptStatus attemptStatus;
        uint32 round;
        uint32 attempt;
        uint16 abandoned;
        uint16 withdrawals;
        bytes32 plan;
        bytes32 decision;
        bytes32 author;
        bytes32 weights;
        RunTerms terms;
    }

    /// @notice What a site signs to take part in one attempt.
    /// @param weights Digest of the global weights: those closed last.
    /// @param cohortRoot Root over the cohort's leaves, with a fresh nonce each attempt.
    /// @param epoch Epoch and `seq` of the consent state that the cohort was chosen under.
    /// @param asOf Unix second at which the leaves' validity was judged.
    /// @param blockNumber The block that the site read; at least one below the block that opens.
    /// @param maskKeys Digest of the attempt's masking keys.
    /// @param privacyEvent Digest of the reserved privacy event, zero without differential privacy.
    /// @param validUntilBlock The last block that may open on this commitment.
    struct Commitment {
        bytes32 run;
        uint32 round;
        uint32 attempt;
        bytes32 organization;
        bytes32 plan;
        bytes32 weights;
        bytes32 cohortRoot;
        uint32 band;
        uint64 epoch;
        uint64 seq;
        uint64 asOf;
        uint64 blockNumber;
        bytes32 blockHash;
        bytes32 maskKeys;
        bytes32 privacyEvent;
        uint64 validUntilBlock;
    }

    struct SignedCommitment {
        Commitment commitment;
        bytes signature;
    }

    /// @param commitments At most MAX_ROSTER; the accepted ones make the roster, in this order.
    struct Opening {
        uint32 round;
        uint32 attempt;
        SignedCommitment[] commitments;
    }

    struct VerifierSignature {
        bytes32 organization;
        bytes signature;
    }

    /// @param survivors Bitmap over the roster: bit i is roster[i].
    /// @param maskedDigests keccak256 over the survivors' SHA-256 digests of masked vectors, in roster order.
    /// @param aggregate Digest of the unmasked sum.
    /// @param nextWeights SHA-256 of the next global weights.
    /// @param signatures Of distinct roster members over RoundResult, by site key.
    struct RoundClose {
        uint32 round;
        uint32 attempt;
        uint256 survivors;
        bytes32 maskedDigests;
        bytes32 aggregate;
        bytes32 nextWeights;
        VerifierSignature[] signatures;
    }

    error LedgerRunExists(bytes32 run);
    error LedgerNoUuid(bytes32 run);
    error LedgerZeroValue();
    error LedgerTermsRefused();
    error LedgerPlanNotApproved(bytes32 subject, bytes32 decision);
    error LedgerRunsUsedUp(bytes32 decision, uint256 maxRuns);
    error LedgerWrongStatus(bytes32 run, RunStatus status);
    error LedgerAttemptNotOpen(bytes32 run, AttemptStatus status);
    error LedgerAttemptStillOpen(bytes32 run, uint32 round, uint32 attempt);
    error LedgerWrongAttempt(uint32 round, uint32 attempt, uint32 givenRound, uint32 givenAttempt);
    error LedgerLastRound(bytes32 run, uint32 rounds);
    error LedgerNotLastRound(bytes32 run, uint32 round, uint32 rounds);
    error LedgerAttemptsUsedUp(bytes32 run, uint32 round, uint256 maximum);
    error LedgerAttemptsLeft(bytes32 run, uint32 round);
    error LedgerTooManyCommitments(uint256 count, uint256 maximum);
    error LedgerTooFewSites(uint256 accepted, uint256 minimum);
    error LedgerBoundBroken(uint256 roster, uint256 threshold, uint256 colluders);
    error LedgerWeightsRevealed(bytes32 plan, bytes32 weights);
    error LedgerWeightsTaken(bytes32 plan, bytes32 weights, bytes32 run);
    error LedgerSurvivorsRefused(uint256 survivors, uint256 roster, uint256 threshold);
    error LedgerTooFewVerifiers(uint256 given, uint256 quorum);
    error LedgerTooManyVerifiers(uint256 given, uint256 roster);
    error LedgerVerifierNotOnRoster(bytes32 organization);
    error LedgerVerifierTwice(bytes32 organization);
    error LedgerBadSignature(bytes32 organization);
    error LedgerReasonMissing();
    error LedgerWithdrawalLimit(bytes32 run, uint32 round, uint256 maximum);

    event RunOpened(
        bytes32 indexed run,
        bytes32 indexed plan,
        bytes32 indexed decision,
        bytes32 author,
        bytes32 initialWeights,
        RunTerms terms
    );
    /// @param reason Why the sender is not on the roster; nobody else is concerned.
    event CommitmentRefused(
        bytes32 indexed run, uint32 indexed round, bytes32 indexed organization, uint32 attempt, RefusalReason reason
    );
    event CommitmentAccepted(
        bytes32 indexed run, uint32 indexed round, bytes32 indexed organization, Commitment commitment
    );
    /// @param roster In the order that survivor bitmaps count by.
    /// @param rosterDigest keccak256 over the roster's 32-byte ids in order.
    /// @param parentHash Hash of the block before.
    event RoundOpened(
        bytes32 indexed run,
        uint32 indexed round,
        uint32 indexed attempt,
        bytes32 plan,
        bytes32 weights,
        bytes32[] roster,
        bytes32 rosterDigest,
        bytes32 parentHash
    );
    event RoundClosed(
        bytes32 indexed run,
        uint32 indexed round,
        uint32 indexed attempt,
        uint256 survivors,
        bytes32 maskedDigests,
        bytes32 aggregate,
        bytes32 nextWeights,
        bytes32[] verifiers
    );
    event AttemptAbandoned(bytes32 indexed run, uint32 indexed round, uint32 indexed attempt, AbandonReason reason);
    event RunCompleted(bytes32 indexed run, bytes32 indexed plan, bytes32 finalWeights);
    event RunCanceled(bytes32 indexed run, bytes32 reason);
    event RunFailed(bytes32 indexed run, bytes32 reason);

    /// @notice Open a run of an approved plan. The decision's subject must be `subjectOf(plan, terms)`.
    /// @param run UUID bytes, left-aligned, zero-padded.
    /// @param initialWeights SHA-256 of the weights that the plan's rule derives from the run's id.
    function openRun(bytes32 run, bytes32 plan, bytes32 decision, bytes32 initialWeights, RunTerms calldata terms)
        external;

    /// @notice Close the open attempt and open attempt 1 of the next round. With `closing.round` 0, on a run without a
    /// round yet, only open.
    function advanceRound(bytes32 run, RoundClose calldata closing, Opening calldata opening) external;

    /// @notice Open the next attempt: of the same round after an abandoned one, else attempt 1 of the next round.
    function openAttempt(bytes32 run, Opening calldata opening) external;

    /// @notice Close the open attempt of any but the last round and open nothing yet.
    function closeRound(bytes32 run, RoundClose calldata closing) external;

    /// @notice Close the last round; the run is completed.
    function finishRun(bytes32 run, RoundClose calldata closing) external;

    /// @notice Give up the open attempt. Nothing of it was closed, so nobody signs; the registry bounds how often. With
    /// AbandonReason.Revealed the weights are marked as revealed: no later attempt, of this run or another run of the
    /// plan, opens on them, and the run can only fail. Said wrongly it costs a run, never a second sum.
    function abandonAttempt(bytes32 run, uint32 round, uint32 attempt, AbandonReason reason) external;

    /// @notice End a run for good, signed by the site key of the author's organization (CancelRun).
    /// @param reason Digest of the reason, which is off chain.
    function cancelRun(bytes32 run, bytes32 reason, bytes calldata signature) external;

    /// @notice End a run that cannot go on: its attempts are used up, or nothing is open and the weights that it would
    /// start from are revealed or another run's, or its author is no longer active.
    function failRun(bytes32 run, bytes32 reason) external;

    function runOf(bytes32 run) external view returns (Run memory);

    /// @notice The roster of the current or last attempt.
    function rosterOf(bytes32 run) external view returns (bytes32[] memory);

    /// @notice Round and attempt that the next opening must carry.
    function nextAttempt(bytes32 run) external view returns (uint32 round, uint32 attempt);

    /// @notice How many runs of a decision have opened a round.
    function runsOf(bytes32 decision) external view returns (uint256);

    /// @notice Whether a sum over these weights was closed for a plan, or released without a close, in any run.
    function isRevealed(bytes32 plan, bytes32 weights) external view returns (bool);

    /// @notice The run of a plan that opened on these weights, zero for none: no other run of the plan will.
    function holderOf(bytes32 plan, bytes32 weights) external view returns (bytes32 run);

    /// @notice Whether a run is completed and its last weights are these; `author` is its plan's author.
    function completion(bytes32 run, bytes32 weights) external view returns (bool isFinal, bytes32 author);

    /// @notice What the vote on a plan decides: `keccak256(abi.encode(plan, terms))`.
    function subjectOf(bytes32 plan, RunTerms calldata terms) external pure returns (bytes32);
}
