// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {Training} from "./support/Training.sol";

contract ModelRegistryTest is Training {
    bytes32 private constant CARD = keccak256("card");
    bytes32 private model;

    function setUp() public override {
        super.setUp();
        complete(RUN);
        model = weightsAfter(RUN, ROUNDS);
    }

    function test_last_weights_become_candidate_released_and_recalled() public {
        register();
        assertFalse(models.isReleased(model));
        models.release(model, approve(DecisionKind.ReleaseModel, model, nobody()));
        assertTrue(models.isReleased(model));
        models.recall(model, approve(DecisionKind.RecallModel, model, nobody()));
        assertFalse(models.isReleased(model));
        IModelRegistry.Model memory known = models.modelOf(model);
        assertTrue(known.state == IModelRegistry.ModelState.Recalled);
        assertEq(known.run, RUN);
        assertEq(known.card, CARD);
        assertEq(known.author, idOf(0));
    }

    function test_other_weights_and_unfinished_runs_are_no_candidates() public {
        expectNotFinal(weightsAfter(RUN, ROUNDS - 1), RUN);
        expectNotFinal(model, keccak256("no run"));
        bytes32 second = runNamed("second");
        ledger.openRun(second, PLAN, approval, keccak256("other initial"), terms());
        expectNotFinal(keccak256("other initial"), second);
    }

    function test_only_the_plan_author_s_site_key_registers() public {
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.ModelBadSignature.selector, idOf(0));
        bytes memory foreign = cardSignature(siteSecret(1), model, RUN);
        vm.expectRevert(refusal);
        models.registerCandidate(model, RUN, CARD, foreign);
        bytes memory voteKey = cardSignature(voteSecret(0), model, RUN);
        vm.expectRevert(refusal);
        models.registerCandidate(model, RUN, CARD, voteKey);
        vm.expectRevert(IModelRegistry.ModelZeroCard.selector);
        models.registerCandidate(model, RUN, 0, foreign);
        asGovernance();
        registry.suspend(idOf(0));
        bytes memory own = cardSignature(siteSecret(0), model, RUN);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelAuthorNotActive.selector, idOf(0)));
        models.registerCandidate(model, RUN, CARD, own);
        assertTrue(models.modelOf(model).state == IModelRegistry.ModelState.None);
    }

    function test_each_step_refuses_every_other_state() public {
        bytes32 release = approve(DecisionKind.ReleaseModel, model, nobody());
        bytes32 recall = approve(DecisionKind.RecallModel, model, nobody());
        expectWrongState(IModelRegistry.ModelState.None);
        models.release(model, release);
        register();
        expectWrongState(IModelRegistry.ModelState.Candidate);
        models.recall(model, recall);
        expectWrongState(IModelRegistry.ModelState.Candidate);
        models.registerCandidate(model, RUN, CARD, "");
        models.release(model, release);
        expectWrongState(IModelRegistry.ModelState.Released);
        models.release(model, release);
        models.recall(model, recall);
        expectWrongState(IModelRegistry.ModelState.Recalled);
        models.release(model, release);
        expectWrongState(IModelRegistry.ModelState.Recalled);
        models.recall(model, recall);
    }

    function test_release_needs_a_release_decision_on_this_digest() public {
        register();
        bytes32 other = approve(DecisionKind.ReleaseModel, keccak256("other model"), nobody());
        expectNotDecided(other);
        models.release(model, other);
        bytes32 recall = approve(DecisionKind.RecallModel, model, nobody());
        expectNotDecided(recall);
        models.release(model, recall);
        bytes32 stillOpen = open(DecisionKind.ReleaseModel, model, 0, nobody());
        expectNotDecided(stillOpen);
        models.release(model, stillOpen);
        assertFalse(models.isReleased(model));
    }

    function register() private {
        models.registerCandidate(model, RUN, CARD, cardSignature(siteSecret(0), model, RUN));
    }

    function cardSignature(uint256 secret, bytes32 digest, bytes32 run) private view returns (bytes memory) {
        bytes32 typehash = keccak256("RegisterCandidate(bytes32 model,bytes32 run,bytes32 card)");
        bytes32 structHash = keccak256(abi.encode(typehash, digest, run, CARD));
        return signWith(secret, "ModelRegistry", address(models), structHash);
    }

    function expectNotFinal(bytes32 digest, bytes32 run) private {
        bytes memory signature = cardSignature(siteSecret(0), digest, run);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelNotFinal.selector, digest, run));
        models.registerCandidate(digest, run, CARD, signature);
    }

    function expectWrongState(IModelRegistry.ModelState state) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelWrongState.selector, model, state));
    }

    function expectNotDecided(bytes32 decision) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelNotDecided.selector, model, decision));
    }
}
