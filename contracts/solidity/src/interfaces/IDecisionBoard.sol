// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind, DecisionRule} from "./DecisionRules.sol";

/// @title Frequent decisions of a consortium
/// @notice A proposer gives kind and subject only. Rule and policy are the registry's at the opening; the base is what
/// was active at the end of the second before the opening, and is never reduced. One organization, one ballot.
interface IDecisionBoard {
    enum DecisionState {
        None,
        Open,
        Approved,
        Rejected
    }

    enum Choice {
        None,
        Yes,
        No,
        Abstain
    }

    /// @param subject keccak256 or SHA-256 digest of what is decided on.
    /// @param base Organizations eligible at the opening, less the author where the rule excludes it.
    /// @param yes Ballots cast; after the close, ballots counted.
    struct Decision {
        DecisionKind kind;
        DecisionState state;
        uint48 openedAt;
        uint48 closesAt;
        uint16 base;
        uint16 yes;
        uint16 no;
        uint16 abstain;
        bytes32 subject;
        bytes32 policy;
        bytes32 author;
        DecisionRule rule;
    }

    error BoardUnknownKind();
    error BoardZeroSubject();
    error BoardUnknownDecision(bytes32 decision);
    error BoardSubjectOpen(bytes32 subject, bytes32 decision);
    error BoardSubjectApproved(bytes32 subject, bytes32 decision);
    error BoardPolicyNotInForce(bytes32 given, bytes32 inForce);
    error BoardSignatureExpired(uint64 deadline);
    error BoardBadSignature(bytes32 organization);
    error BoardOrganizationNotEligible(bytes32 organization);
    error BoardTooManyOwners(uint256 count, uint256 maximum);
    error BoardOwnerTwice(bytes32 owner);
    error BoardNotOpen(bytes32 decision, DecisionState state);
    error BoardBallotsClosed(bytes32 decision, uint256 closedAt);
    error BoardAlreadyVoted(bytes32 decision, bytes32 organization);
    error BoardWrongSubject(bytes32 decision, bytes32 subject);
    error BoardUnknownChoice();
    error BoardNotSettled(bytes32 decision, uint256 closesAt);

    event DecisionOpened(
        bytes32 indexed decision,
        DecisionKind indexed kind,
        bytes32 indexed subject,
        bytes32 policy,
        bytes32 author,
        bytes32[] owners,
        uint16 base,
        uint48 openedAt,
        uint48 closesAt,
        DecisionRule rule
    );
    event BallotCast(bytes32 indexed decision, bytes32 indexed organization, bytes32 indexed subject, Choice choice);
    /// @notice A ballot did not count, its organization being no longer active at the close.
    event BallotStruck(bytes32 indexed decision, bytes32 indexed organization);
    event DecisionClosed(
        bytes32 indexed decision,
        DecisionKind indexed kind,
        bytes32 indexed subject,
        bool isApproved,
        uint16 yes,
        uint16 no,
        uint16 abstain
    );

    /// @notice Open a decision, signed by the vote key of the author's organization (OpenDecision).
    /// @param policy The registry's policy digest, so that the author signs the policy it is decided under.
    /// @param owners Organizations whose data or rights are concerned: each must vote yes for itself. The author says
    /// yes for itself by opening.
    /// @return decision The EIP-712 digest of the signed OpenDecision.
    function openDecision(
        DecisionKind kind,
        bytes32 subject,
        bytes32 policy,
        bytes32 author,
        bytes32[] calldata owners,
        uint64 deadline,
        bytes calldata signature
    ) external returns (bytes32 decision);

    /// @notice Cast an organization's ballot, signed by its vote key (CastBallot).
    function castBallot(
        bytes32 decision,
        bytes32 subject,
        bytes32 organization,
        Choice choice,
        bytes calldata signature
    ) external;

    /// @notice Count and close, after the period or once the missing ballots cannot change the outcome. An opening is
    /// its author's yes for its own data: an author that takes it back votes no before the others have settled it.
    function close(bytes32 decision) external;

    function decision(bytes32 id) external view returns (Decision memory);

    function ownersOf(bytes32 id) external view returns (bytes32[] memory);

    function ballotOf(bytes32 id, bytes32 organization) external view returns (Choice);

    /// @notice Whether exactly this decision of this kind approved exactly this subject.
    function isApproved(DecisionKind kind, bytes32 subject, bytes32 id) external view returns (bool);

    /// @notice Whether an organization said yes for itself: by opening or by ballot. Says nothing about the outcome.
    function hasConsented(bytes32 id, bytes32 organization) external view returns (bool);

    /// @notice Whether `close` would be accepted now.
    function isClosable(bytes32 id) external view returns (bool);

    /// @notice The number that the organization's next OpenDecision must carry.
    function nonceOf(bytes32 organization) external view returns (uint256);
}
