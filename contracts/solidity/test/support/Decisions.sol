// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../../src/interfaces/DecisionRules.sol";
import {IDecisionBoard} from "../../src/interfaces/IDecisionBoard.sol";
import {Consortium} from "./Consortium.sol";

/// @notice Openings and ballots of the DecisionBoard, signed as members sign them.
abstract contract Decisions is Consortium {
    bytes32 internal constant SUBJECT = keccak256("subject");

    function open(DecisionKind kind, bytes32 subject, uint256 author, bytes32[] memory owners)
        internal
        returns (bytes32)
    {
        bytes memory signature = openingSignature(voteSecret(author), kind, subject, author, owners);
        return board.openDecision(kind, subject, POLICY, idOf(author), owners, type(uint64).max, signature);
    }

    function openingSignature(
        uint256 secret,
        DecisionKind kind,
        bytes32 subject,
        uint256 author,
        bytes32[] memory owners
    ) internal view returns (bytes memory) {
        return signWith(secret, "DecisionBoard", address(board), openingHash(kind, subject, author, owners));
    }

    function openingHash(DecisionKind kind, bytes32 subject, uint256 author, bytes32[] memory owners)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256(
            "OpenDecision(uint8 kind,bytes32 subject,bytes32 policy,bytes32 author,bytes32[] owners,uint256 nonce,uint64 deadline)"
        );
        bytes32 ownersDigest = keccak256(abi.encodePacked(owners));
        uint256 nonce = board.nonceOf(idOf(author));
        return
            keccak256(abi.encode(typehash, kind, subject, POLICY, idOf(author), ownersDigest, nonce, type(uint64).max));
    }

    function ballot(uint256 member, bytes32 decision, bytes32 subject, IDecisionBoard.Choice choice) internal {
        bytes memory signature = choiceSignature(voteSecret(member), member, decision, subject, choice);
        board.castBallot(decision, subject, idOf(member), choice, signature);
    }

    function choiceSignature(
        uint256 secret,
        uint256 member,
        bytes32 decision,
        bytes32 subject,
        IDecisionBoard.Choice choice
    ) internal view returns (bytes memory) {
        bytes32 typehash = keccak256("CastBallot(bytes32 decision,bytes32 subject,bytes32 organization,uint8 choice)");
        bytes32 structHash = keccak256(abi.encode(typehash, decision, subject, idOf(member), choice));
        return signWith(secret, "DecisionBoard", address(board), structHash);
    }

    /// @notice Member 0 opens; everybody else says yes; closed.
    function approve(DecisionKind kind, bytes32 subject, bytes32[] memory owners) internal returns (bytes32 decision) {
        decision = open(kind, subject, 0, owners);
        for (uint256 i = 1; i < FOUNDERS; ++i) {
            ballot(i, decision, subject, IDecisionBoard.Choice.Yes);
        }
        board.close(decision);
    }

    function nobody() internal pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }

    function members(uint256 count) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = idOf(i);
        }
    }
}
