// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bands} from "../src/libraries/Bands.sol";
import {SecureAggregationBound} from "../src/libraries/SecureAggregationBound.sol";
import {Test} from "./support/Test.sol";

contract BandsTest is Test {
    /// @dev Every edge a uint32 can hold, and every other number up to 20,000.
    function test_lower_edges_and_nothing_else_are_bands() public pure {
        assertTrue(Bands.isLowerEdge(0));
        uint32[9] memory tens =
            [uint32(10), 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
        for (uint256 i = 0; i < tens.length; ++i) {
            assertTrue(Bands.isLowerEdge(tens[i]));
            assertTrue(Bands.isLowerEdge(i < 8 ? tens[i] * 5 : 0));
            assertTrue(i == 0 || Bands.isLowerEdge(tens[i - 1] / 10 * 25));
        }
        uint256 edges = 0;
        for (uint32 count = 1; count <= 20_000; ++count) {
            if (Bands.isLowerEdge(count)) ++edges;
        }
        // 10 25 50 100 250 500 1000 2500 5000 10000
        assertEq(edges, 10);
        assertFalse(Bands.isLowerEdge(type(uint32).max));
    }

    function test_bound_of_secure_aggregation_at_its_edges() public pure {
        assertTrue(SecureAggregationBound.holds(5, 4, 1));
        assertTrue(SecureAggregationBound.holds(4, 4, 1));
        assertTrue(SecureAggregationBound.holds(6, 4, 1));
        assertFalse(SecureAggregationBound.holds(7, 4, 1));
        assertFalse(SecureAggregationBound.holds(3, 4, 1));
        assertTrue(SecureAggregationBound.holds(3, 3, 1));
        assertFalse(SecureAggregationBound.holds(3, 2, 1));
        assertFalse(SecureAggregationBound.holds(2, 2, 1));
        assertTrue(SecureAggregationBound.holds(2, 2, 0));
    }
}
