// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Invariants} from "../support/Invariants.sol";
import {MembershipHandler} from "./MembershipHandler.sol";

contract MembershipInvariants is Invariants {
    MembershipHandler private handler;

    function setUp() public {
        handler = new MembershipHandler();
        handler.setUp();
        bytes4[] memory calls = new bytes4[](9);
        calls[0] = handler.admit.selector;
        calls[1] = handler.suspend.selector;
        calls[2] = handler.reinstate.selector;
        calls[3] = handler.remove.selector;
        calls[4] = handler.activate.selector;
        calls[5] = handler.deactivate.selector;
        calls[6] = handler.replaceKey.selector;
        calls[7] = handler.writeTheListByHand.selector;
        calls[8] = handler.delegate.selector;
        target(address(handler), calls);
    }

    function afterInvariant() public view {
        assertTrue(handler.done() != 0);
    }

    function invariant_votes_are_one_an_active_organization_and_never_delegated() public view {
        (uint256 sum, uint256 active, uint256 counted) = handler.votes();
        assertEq(sum, active);
        assertEq(counted, active);
        assertTrue(active != 0);
    }

    function invariant_validators_are_never_below_the_minimum_and_sorted_and_their_digest_is_in_its_slot() public view {
        address[] memory list = handler.list();
        assertTrue(list.length >= handler.minimum());
        assertTrue(list[0] != address(0));
        for (uint256 i = 1; i < list.length; ++i) {
            assertTrue(list[i - 1] < list[i]);
        }
        assertEq(handler.slotOne(), keccak256(abi.encodePacked(list)));
    }

    function invariant_nobody_but_governance_writes_the_list_and_nobody_delegates() public view {
        assertFalse(handler.isBypassed());
    }

    function invariant_seats_are_those_of_the_organizations_that_validate() public view {
        assertEq(handler.list().length, handler.seated());
    }
}
