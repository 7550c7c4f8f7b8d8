// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {DecisionKind} from "../interfaces/DecisionRules.sol";
import {IDecisionBoard} from "../interfaces/IDecisionBoard.sol";
import {DecisionBook} from "./DecisionBook.sol";

/// @dev Opening a decision: rule, policy and base are fixed here.
abstract contract DecisionOpenings is DecisionBook {
    /// @notice Type of an opening, signed by the vote key of the author's organization.
    bytes32 public constant OPEN_DECISION_TYPEHASH = keccak256(
        "OpenDecision(uint8 kind,bytes32 subject,bytes32 policy,bytes32 author,bytes32[] owners,uint256 nonce,uint64 deadline)"
    );
    uint256 public constant MAX_OWNERS = 64;

    /// @inheritdoc IDecisionBoard
    function openDecision(
        DecisionKind kind,
        bytes32 subject,
        bytes32 policy,
        bytes32 author,
        bytes32[] calldata owners,
        uint64 deadline,
        bytes calldata signature
    ) external returns (bytes32 id) {
        require(block.timestamp <= deadline, BoardSignatureExpired(deadline));
        bytes32 ownersDigest = keccak256(abi.encodePacked(owners));
        id = _openingDigest(kind, subject, policy, author, ownersDigest, deadline);
        _requireVoteSignature(author, id, signature);
        ++_openings[author];
        _requireProposable(kind, subject, policy);
        _open(id, kind, subject, author);
        _setOwners(id, owners);
        _announce(id);
    }

    /// @dev The snapshot is the end of the second before: within one second the registry may still change.
    function _open(bytes32 id, DecisionKind kind, bytes32 subject, bytes32 author) private {
        Decision storage opened = _decisions[id];
        opened.rule = _registry.decisionRule(kind);
        opened.kind = kind;
        opened.state = DecisionState.Open;
        opened.openedAt = SafeCast.toUint48(block.timestamp);
        opened.closesAt = SafeCast.toUint48(block.timestamp + opened.rule.periodSeconds);
        opened.subject = subject;
        opened.policy = _registry.policyDigest();
        opened.author = author;
        bool wasMember = _registry.isActive(author) && _registry.wasActiveAt(author, block.timestamp - 1);
        require(wasMember, BoardOrganizationNotEligible(author));
        uint256 members = _registry.activeCountAt(block.timestamp - 1);
        opened.base = SafeCast.toUint16(opened.rule.excludeAuthor ? members - 1 : members);
        _latest[kind][subject] = id;
    }

    function _setOwners(bytes32 id, bytes32[] calldata owners) private {
        require(owners.length <= MAX_OWNERS, BoardTooManyOwners(owners.length, MAX_OWNERS));
        for (uint256 i = 0; i < owners.length; ++i) {
            bool wasMember = _registry.wasActiveAt(owners[i], block.timestamp - 1);
            require(wasMember && _registry.isActive(owners[i]), BoardOrganizationNotEligible(owners[i]));
            for (uint256 j = 0; j < i; ++j) {
                require(owners[j] != owners[i], BoardOwnerTwice(owners[i]));
            }
        }
        _owners[id] = owners;
    }

    function _announce(bytes32 id) private {
        Decision storage opened = _decisions[id];
        emit DecisionOpened(
            id,
            opened.kind,
            opened.subject,
            opened.policy,
            opened.author,
            _owners[id],
            opened.base,
            opened.openedAt,
            opened.closesAt,
            opened.rule
        );
    }

    function _requireProposable(DecisionKind kind, bytes32 subject, bytes32 policy) private view {
        require(kind != DecisionKind.None, BoardUnknownKind());
        require(subject != bytes32(0), BoardZeroSubject());
        bytes32 inForce = _registry.policyDigest();
        require(policy == inForce, BoardPolicyNotInForce(policy, inForce));
        bytes32 latest = _latest[kind][subject];
        DecisionState state = _decisions[latest].state;
        require(state != DecisionState.Open, BoardSubjectOpen(subject, latest));
        require(state != DecisionState.Approved, BoardSubjectApproved(subject, latest));
    }

    function _openingDigest(
        DecisionKind kind,
        bytes32 subject,
        bytes32 policy,
        bytes32 author,
        bytes32 ownersDigest,
        uint64 deadline
    ) private view returns (bytes32) {
        uint256 nonce = _openings[author];
        return _hashTypedDataV4(
            keccak256(abi.encode(OPEN_DECISION_TYPEHASH, kind, subject, policy, author, ownersDigest, nonce, deadline))
        );
    }
}
