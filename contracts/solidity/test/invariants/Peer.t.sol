// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Invariants} from "../support/Invariants.sol";
import {PeerHandler} from "./PeerHandler.sol";

/// @dev A call makes a whole foreign block with its seals, so that fewer sequences than elsewhere have to do in CI.
/// forge-config: default.invariant.runs = 6
/// forge-config: default.invariant.depth = 40
/// forge-config: soak.invariant.runs = 128
/// forge-config: soak.invariant.depth = 200
contract PeerInvariants is Invariants {
    PeerHandler private handler;

    function setUp() public {
        handler = new PeerHandler();
        handler.setUp();
        bytes4[] memory calls = new bytes4[](2);
        calls[0] = handler.advance.selector;
        calls[1] = handler.deliver.selector;
        target(address(handler), calls);
    }

    function invariant_a_peer_s_height_grows_only() public view {
        assertFalse(handler.isLowered());
    }

    function invariant_a_recalled_model_never_comes_back() public view {
        assertFalse(handler.isResurrected());
    }

    function invariant_only_heights_sealed_by_the_set_in_force_count() public view {
        assertFalse(handler.isForged());
    }

    /// @dev Else the three above would hold of nothing: the handler's calls are taken where they should be.
    function test_the_handler_s_genuine_calls_are_taken() public {
        handler.advance(3, 0, 1, 3);
        handler.deliver(5, 1, 4, true);
        handler.deliver(5, 0, 4, false);
        assertEq(handler.advanced(), 1);
        assertEq(handler.delivered(), 1);
    }
}
