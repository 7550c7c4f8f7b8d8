// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DecisionKind} from "./interfaces/DecisionRules.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "./interfaces/IDecisionBoard.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {ITrainingLedger} from "./interfaces/ITrainingLedger.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title Models of a consortium and whether they may serve
contract ModelRegistry is IModelRegistry, EIP712 {
    using Signatures for bytes;

    /// @notice Type of a registration, signed by the site key of the plan author's organization.
    bytes32 public constant REGISTER_CANDIDATE_TYPEHASH =
        keccak256("RegisterCandidate(bytes32 model,bytes32 run,bytes32 card)");

    IConsortiumRegistry private immutable _registry;
    IDecisionBoard private immutable _board;
    ITrainingLedger private immutable _ledger;
    mapping(bytes32 model => Model) private _models;

    constructor(IConsortiumRegistry registry, IDecisionBoard board, ITrainingLedger ledger)
        EIP712("ModelRegistry", "1")
    {
        _registry = registry;
        _board = board;
        _ledger = ledger;
    }

    /// @inheritdoc IModelRegistry
    function registerCandidate(bytes32 model, bytes32 run, bytes32 card, bytes calldata signature) external {
        _requireState(model, ModelState.None);
        require(card != bytes32(0), ModelZeroCard());
        (bool isFinal, bytes32 author) = _ledger.completion(run, model);
        require(isFinal, ModelNotFinal(model, run));
        require(_registry.isActive(author), ModelAuthorNotActive(author));
        address siteKey = _registry.keyOf(author, IConsortiumRegistry.KeyPurpose.Site);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(REGISTER_CANDIDATE_TYPEHASH, model, run, card)));
        require(signature.isBy(siteKey, digest), ModelBadSignature(author));
        _models[model] = Model(ModelState.Candidate, run, card, author);
        emit ModelRegistered(model, run, card, author);
    }

    /// @inheritdoc IModelRegistry
    function release(bytes32 model, bytes32 decision) external {
        _requireState(model, ModelState.Candidate);
        _requireDecided(DecisionKind.ReleaseModel, model, decision);
        _models[model].state = ModelState.Released;
        emit ModelReleased(model, decision);
    }

    /// @inheritdoc IModelRegistry
    function recall(bytes32 model, bytes32 decision) external {
        _requireState(model, ModelState.Released);
        _requireDecided(DecisionKind.RecallModel, model, decision);
        _models[model].state = ModelState.Recalled;
        emit ModelRecalled(model, decision);
    }

    /// @inheritdoc IModelRegistry
    function modelOf(bytes32 model) external view returns (Model memory) {
        return _models[model];
    }

    /// @inheritdoc IModelRegistry
    function isReleased(bytes32 model) external view returns (bool) {
        return _models[model].state == ModelState.Released;
    }

    /// @dev A decision moves a model once: no state comes back, and each is left by another kind of decision.
    function _requireDecided(DecisionKind kind, bytes32 model, bytes32 decision) private view {
        require(_board.isApproved(kind, model, decision), ModelNotDecided(model, decision));
    }

    function _requireState(bytes32 model, ModelState expected) private view {
        ModelState state = _models[model].state;
        require(state == expected, ModelWrongState(model, state));
    }
}
