// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../../src/interfaces/DecisionRules.sol";
import {IConsentAnchor} from "../../src/interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "../../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../../src/interfaces/IDecisionBoard.sol";

/// @notice Stands for every contract that the one under test reads. Its storage is made symbolic, so that each of its
/// answers is anything, and the same for the same question.
contract Neighbors {
    IConsortiumRegistry.Parameters private _parameters;
    mapping(bytes32 organization => bool) public isActive;
    mapping(bytes32 organization => mapping(uint256 timepoint => bool)) public wasActiveAt;
    mapping(bytes32 organization => mapping(IConsortiumRegistry.KeyPurpose purpose => address)) public keyOf;
    mapping(DecisionKind kind => mapping(bytes32 subject => mapping(bytes32 id => bool))) public isApproved;
    mapping(bytes32 id => mapping(bytes32 organization => bool)) public hasConsented;
    mapping(bytes32 run => mapping(bytes32 weights => bool)) private _isFinal;
    mapping(bytes32 run => bytes32) private _authors;
    mapping(bytes32 organization => IConsentAnchor.ConsentState) private _consents;
    mapping(bytes32 operation => bool) public isOperationPending;

    function parameters() external view returns (IConsortiumRegistry.Parameters memory) {
        return _parameters;
    }

    function completion(bytes32 run, bytes32 weights) external view returns (bool, bytes32) {
        return (_isFinal[run][weights], _authors[run]);
    }

    function stateOf(bytes32 organization) external view returns (IConsentAnchor.ConsentState memory) {
        return _consents[organization];
    }

    function decision(bytes32 id) external view returns (IDecisionBoard.Decision memory known) {
        known.author = _authors[id];
    }

    function hashOperationBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(targets, values, payloads, predecessor, salt));
    }

    function cancel(bytes32 operation) external {
        isOperationPending[operation] = false;
    }
}
