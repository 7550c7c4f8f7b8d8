// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DecisionKind} from "../interfaces/DecisionRules.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../interfaces/IDecisionBoard.sol";
import {DecisionTally} from "../libraries/DecisionTally.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @dev Decisions, owners and ballots as they are kept, read and counted.
abstract contract DecisionBook is IDecisionBoard, EIP712 {
    using Signatures for bytes;

    IConsortiumRegistry internal immutable _registry;

    mapping(bytes32 id => Decision) internal _decisions;
    mapping(bytes32 id => bytes32[]) internal _owners;
    mapping(bytes32 id => bytes32[]) internal _voters;
    mapping(bytes32 id => mapping(bytes32 organization => Choice)) internal _ballots;
    mapping(DecisionKind kind => mapping(bytes32 subject => bytes32 id)) internal _latest;
    mapping(bytes32 organization => uint256) internal _openings;

    constructor(IConsortiumRegistry registry) {
        _registry = registry;
    }

    /// @inheritdoc IDecisionBoard
    function decision(bytes32 id) external view returns (Decision memory) {
        return _decisions[id];
    }

    /// @inheritdoc IDecisionBoard
    function ownersOf(bytes32 id) external view returns (bytes32[] memory) {
        return _owners[id];
    }

    /// @inheritdoc IDecisionBoard
    function ballotOf(bytes32 id, bytes32 organization) external view returns (Choice) {
        return _ballots[id][organization];
    }

    /// @inheritdoc IDecisionBoard
    function isApproved(DecisionKind kind, bytes32 subject, bytes32 id) external view returns (bool) {
        Decision storage known = _decisions[id];
        return known.state == DecisionState.Approved && known.kind == kind && known.subject == subject;
    }

    /// @inheritdoc IDecisionBoard
    function hasConsented(bytes32 id, bytes32 organization) public view returns (bool) {
        bool isAuthor = organization != bytes32(0) && _decisions[id].author == organization;
        return _ballots[id][organization] == Choice.Yes || (isAuthor && _ballots[id][organization] == Choice.None);
    }

    /// @inheritdoc IDecisionBoard
    function isClosable(bytes32 id) external view returns (bool) {
        Decision storage current = _decisions[id];
        return current.state == DecisionState.Open
            && (block.timestamp >= current.closesAt || DecisionTally.isSettled(current.rule, _count(id)));
    }

    /// @inheritdoc IDecisionBoard
    function nonceOf(bytes32 organization) external view returns (uint256) {
        return _openings[organization];
    }

    /// @dev Only ballots of organizations that are active now. A struck ballot counts as missing: its organization may
    /// be reinstated before the period ends.
    function _count(bytes32 id) internal view returns (DecisionTally.Count memory count) {
        count.base = _decisions[id].base;
        bytes32[] storage voters = _voters[id];
        for (uint256 i = 0; i < voters.length; ++i) {
            if (!_registry.isActive(voters[i])) continue;
            Choice choice = _ballots[id][voters[i]];
            if (choice == Choice.Yes) ++count.yes;
            else if (choice == Choice.No) ++count.no;
            else ++count.abstain;
        }
        _countOwners(id, count);
    }

    function _requireVoteSignature(bytes32 organization, bytes32 digest, bytes calldata signature) internal view {
        address voteKey = _registry.keyOf(organization, IConsortiumRegistry.KeyPurpose.Vote);
        require(signature.isBy(voteKey, digest), BoardBadSignature(organization));
    }

    function _countOwners(bytes32 id, DecisionTally.Count memory count) private view {
        bytes32[] storage owners = _owners[id];
        count.owners = owners.length;
        for (uint256 i = 0; i < owners.length; ++i) {
            if (!_registry.isActive(owners[i])) continue;
            if (hasConsented(id, owners[i])) ++count.ownersYes;
            else if (_ballots[id][owners[i]] != Choice.None) count.ownersRefused = true;
        }
    }
}
