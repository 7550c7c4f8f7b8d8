// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Constitutional acts of a consortium
/// @notice A proposal is one act of a fixed kind: target and selector are code, only the arguments are the proposer's, so
/// no arbitrary call can be voted in. An act passes with yes from two thirds (rounded up) of all organizations active at
/// its snapshot, and may then be queued at once; abstaining and silence count as not yes, so a tie is a defeat, and so is
/// a base of nobody. Organizations vote once, whichever vote key they hold at the time; one without its vote key votes
/// again once the others have replaced it (ReplaceKey). The base is that of the snapshot and never reduced. A ballot counts
/// if its organization is active when voting ends, which is the queueing, at the latest the deadline: one suspended or
/// removed before is struck. What is queued stays passed. Admissions are executed one a timelock. Acts of these kinds are
/// decided here alone; plans, models and licences on the DecisionBoard alone.
/// @dev Proposal states, queueing and execution are OpenZeppelin's Governor behind a TimelockController.
interface IConsortiumGovernor {
    /// @dev The number is part of what members sign: append, never reorder.
    enum ActKind {
        None,
        Admit,
        Suspend,
        Reinstate,
        Remove,
        ActivateValidator,
        DeactivateValidator,
        SetPolicy,
        SetDecisionRule,
        SetRunner,
        SetParameters,
        ReplaceKey,
        SetVotingDelay,
        SetVotingPeriod,
        SetTimelockDelay,
        SetValidatorWriter,
        SetValidatorController,
        SetGuardian,
        SetPeer
    }

    /// @param argumentsDigest keccak256 of the ABI-encoded arguments.
    struct Act {
        bytes32 organization;
        ActKind kind;
        bytes32 argumentsDigest;
    }

    error GovernorOnlyActs();
    error GovernorOnlySignedBallots();
    error GovernorActUnknown(ActKind kind);
    error GovernorActArgumentsMalformed(ActKind kind, uint256 expectedLength, uint256 actualLength);
    error GovernorDescriptionTooLong(uint256 length, uint256 maximum);
    error GovernorActSignatureExpired(uint64 deadline);
    error GovernorActBadSignature(bytes32 organization);
    error GovernorOrganizationNotActive(bytes32 organization);
    error GovernorNotEligible(address voter);
    error GovernorAdmissionTooSoon(uint256 notBefore);
    /// @dev A delay above 90 days, or a writer or controller of the validators without code: nobody could undo it in time.
    error GovernorActLocksOut(ActKind kind);

    /// @notice An organization proposed an act. OpenZeppelin's ProposalCreated of the same transaction gives snapshot and
    /// deadline; its description carries organization and nonce behind `description`, so that an act may be tried again.
    event ActProposed(
        uint256 indexed proposalId,
        bytes32 indexed organization,
        ActKind indexed kind,
        bytes arguments,
        string description
    );

    /// @notice Propose an act, signed by the organization's vote key (ProposeAct, with the nonce of `nonceOf`).
    /// @param arguments ABI encoding of the function's arguments, without selector; all are of fixed size.
    /// @param deadline Unix second after which the signature is refused.
    function proposeActBySig(
        bytes32 organization,
        ActKind kind,
        bytes calldata arguments,
        string calldata description,
        uint64 deadline,
        bytes calldata signature
    ) external returns (uint256 proposalId);

    /// @notice What a proposal is about; zeros for an unknown one.
    function actOf(uint256 proposalId) external view returns (Act memory);

    /// @notice Target, selector and argument length of a kind.
    function routeOf(ActKind kind) external view returns (address target, bytes4 selector, uint256 argumentsLength);

    /// @notice Who may veto during the timelock; the target of SetGuardian.
    function guardian() external view returns (address);

    /// @notice The earliest second at which the next admission may be executed.
    function nextAdmission() external view returns (uint256);

    /// @notice Yes of organizations that are active: now while the vote is open, at the deadline afterwards. Once an act
    /// is queued it stays passed, whatever this says later.
    function standingYes(uint256 proposalId) external view returns (uint256);

    /// @notice Whether an organization has cast its ballot on a proposal.
    function hasOrganizationVoted(uint256 proposalId, bytes32 organization) external view returns (bool);

    /// @notice The number that the organization's next ProposeAct must carry.
    function nonceOf(bytes32 organization) external view returns (uint256);
}
