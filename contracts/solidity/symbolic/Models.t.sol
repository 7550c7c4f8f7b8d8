// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/ModelRegistry.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Neighbors} from "./support/Neighbors.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @notice A model's states, from any of them by any call.
contract ModelsSymbolic is Symbolic {
    Neighbors private neighbors;
    ModelRegistry private models;

    function setUp() public {
        neighbors = new Neighbors();
        address at = address(neighbors);
        models = new ModelRegistry(IConsortiumRegistry(at), IDecisionBoard(at), ITrainingLedger(at));
        svm.enableSymbolicStorage(address(neighbors));
        svm.enableSymbolicStorage(address(models));
    }

    function check_a_model_goes_forward_only_and_a_recall_is_final(bytes32 model) public {
        IModelRegistry.Model memory before = models.modelOf(model);
        vm.assume(isTaken(address(models), svm.createCalldata("ModelRegistry")));
        IModelRegistry.Model memory later = models.modelOf(model);
        assert(later.state == before.state || uint256(later.state) == uint256(before.state) + 1);
        if (later.state == before.state) assert(keccak256(abi.encode(before)) == keccak256(abi.encode(later)));
        if (before.state != IModelRegistry.ModelState.None) {
            assert(later.card == before.card && later.run == before.run && later.author == before.author);
        }
    }

    function check_no_release_without_a_decision_on_that_digest(bytes32 model, bytes32 other, bytes32 decision) public {
        vm.assume(isTaken(address(models), abi.encodeCall(models.release, (other, decision))));
        assert(neighbors.isApproved(DecisionKind.ReleaseModel, other, decision));
        if (model != other) return;
        assert(models.isReleased(model));
    }

    function check_no_recall_without_a_decision_on_that_digest(bytes32 model, bytes32 decision) public {
        vm.assume(isTaken(address(models), abi.encodeCall(models.recall, (model, decision))));
        assert(neighbors.isApproved(DecisionKind.RecallModel, model, decision));
        assert(!models.isReleased(model));
    }
}
