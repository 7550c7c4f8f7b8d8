// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../../src/interfaces/DecisionRules.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Invariants} from "../support/Invariants.sol";
import {ReleaseHandler} from "./ReleaseHandler.sol";

contract ReleaseInvariants is Invariants {
    ReleaseHandler private handler;

    function setUp() public {
        handler = new ReleaseHandler();
        handler.setUp();
        bytes4[] memory calls = new bytes4[](7);
        calls[0] = handler.openDecision.selector;
        calls[1] = handler.castBallot.selector;
        calls[2] = handler.castBallot.selector;
        calls[3] = handler.castBallot.selector;
        calls[4] = handler.close.selector;
        calls[5] = handler.release.selector;
        calls[6] = handler.anchorLog.selector;
        target(address(handler), calls);
    }

    function invariant_no_model_is_released_or_recalled_without_a_decision_on_its_digest() public view {
        IModelRegistry.ModelState state = handler.state();
        if (state == IModelRegistry.ModelState.Candidate) return;
        assertTrue(handler.isDecided(DecisionKind.ReleaseModel));
        if (state == IModelRegistry.ModelState.Recalled) assertTrue(handler.isDecided(DecisionKind.RecallModel));
    }

    function invariant_sizes_of_a_log_grow_only() public view {
        assertFalse(handler.isShrunk());
    }
}
