// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Invariants} from "../support/Invariants.sol";
import {TrainingHandler} from "./TrainingHandler.sol";

contract TrainingInvariants is Invariants {
    TrainingHandler private handler;

    function setUp() public {
        handler = new TrainingHandler();
        handler.setUp();
        bytes4[] memory calls = new bytes4[](10);
        calls[0] = handler.begin.selector;
        calls[1] = handler.openAttempt.selector;
        calls[2] = handler.openAttempt.selector;
        calls[3] = handler.closeRound.selector;
        calls[4] = handler.closeRound.selector;
        calls[5] = handler.abandon.selector;
        calls[6] = handler.fail.selector;
        calls[7] = handler.cancel.selector;
        calls[8] = bytes4(keccak256("revoke(uint8,uint256)"));
        calls[9] = handler.anchorOutOfTurn.selector;
        target(address(handler), calls);
    }

    function invariant_states_rounds_epochs_and_seq_never_go_back_and_ended_runs_never_change() public view {
        assertFalse(handler.isBackwards());
    }

    function invariant_stale_commitment_keeps_out_its_sender_alone() public view {
        assertFalse(handler.isRosterWrong());
    }

    function invariant_no_two_sums_over_the_same_weights() public view {
        assertFalse(handler.isSumTwice());
    }
}
