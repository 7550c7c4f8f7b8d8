// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "./interfaces/IDecisionBoard.sol";
import {DecisionTally} from "./libraries/DecisionTally.sol";
import {DecisionBook} from "./board/DecisionBook.sol";
import {DecisionOpenings} from "./board/DecisionOpenings.sol";

/// @title Frequent decisions of a consortium
/// @dev Parts in ./board; here ballots and the close.
contract DecisionBoard is DecisionOpenings {
    /// @notice Type of a ballot, signed by the organization's vote key.
    bytes32 public constant CAST_BALLOT_TYPEHASH =
        keccak256("CastBallot(bytes32 decision,bytes32 subject,bytes32 organization,uint8 choice)");

    constructor(IConsortiumRegistry registry) EIP712("DecisionBoard", "1") DecisionBook(registry) {}

    /// @inheritdoc IDecisionBoard
    function castBallot(bytes32 id, bytes32 subject, bytes32 organization, Choice choice, bytes calldata signature)
        external
    {
        Decision storage current = _requireOpen(id);
        require(block.timestamp < current.closesAt, BoardBallotsClosed(id, current.closesAt));
        require(subject == current.subject, BoardWrongSubject(id, subject));
        require(choice != Choice.None, BoardUnknownChoice());
        require(_isEligible(current, organization), BoardOrganizationNotEligible(organization));
        require(_ballots[id][organization] == Choice.None, BoardAlreadyVoted(id, organization));
        bytes32 structHash = keccak256(abi.encode(CAST_BALLOT_TYPEHASH, id, subject, organization, choice));
        _requireVoteSignature(organization, _hashTypedDataV4(structHash), signature);
        _ballots[id][organization] = choice;
        _voters[id].push(organization);
        _add(current, choice);
        emit BallotCast(id, organization, subject, choice);
    }

    /// @inheritdoc IDecisionBoard
    function close(bytes32 id) external {
        Decision storage current = _requireOpen(id);
        DecisionTally.Count memory count = _count(id);
        bool isOver = block.timestamp >= current.closesAt || DecisionTally.isSettled(current.rule, count);
        require(isOver, BoardNotSettled(id, current.closesAt));
        _strikeInactive(id);
        bool approved = DecisionTally.isApproved(current.rule, count);
        current.state = approved ? DecisionState.Approved : DecisionState.Rejected;
        current.yes = SafeCast.toUint16(count.yes);
        current.no = SafeCast.toUint16(count.no);
        current.abstain = SafeCast.toUint16(count.abstain);
        emit DecisionClosed(id, current.kind, current.subject, approved, current.yes, current.no, current.abstain);
    }

    function _add(Decision storage current, Choice choice) private {
        if (choice == Choice.Yes) ++current.yes;
        else if (choice == Choice.No) ++current.no;
        else ++current.abstain;
    }

    /// @dev At most as many voters as the registry has members.
    function _strikeInactive(bytes32 id) private {
        bytes32[] storage voters = _voters[id];
        for (uint256 i = 0; i < voters.length; ++i) {
            if (!_registry.isActive(voters[i])) emit BallotStruck(id, voters[i]);
        }
    }

    function _requireOpen(bytes32 id) private view returns (Decision storage current) {
        current = _decisions[id];
        require(current.state != DecisionState.None, BoardUnknownDecision(id));
        require(current.state == DecisionState.Open, BoardNotOpen(id, current.state));
    }

    function _isEligible(Decision storage current, bytes32 organization) private view returns (bool) {
        if (current.rule.excludeAuthor && organization == current.author) return false;
        return _registry.isActive(organization) && _registry.wasActiveAt(organization, current.openedAt - 1);
    }
}
