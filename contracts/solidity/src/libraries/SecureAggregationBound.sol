// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The bound under which secure aggregation keeps a single update hidden
/// @notice Against the platform plus at most c sites: with 2t > n + c no two survivor sets of t signatures exist that
/// honest sites did not both sign; with t - c >= 2 a sum always hides at least two honest updates.
library SecureAggregationBound {
    /// @param roster n, the sites on the opened roster.
    /// @param threshold t, the shares and signatures needed.
    /// @param colluders c, the sites that may collude with the platform.
    function holds(uint256 roster, uint256 threshold, uint256 colluders) internal pure returns (bool) {
        return roster >= threshold && 2 * threshold > roster + colluders && threshold >= colluders + 2;
    }
}
