// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Size bands
/// @notice A size on chain is the lower edge of its band: 0, 10, 25, 50, 100, 250, 500, 1000, and so on. A contract that
/// refuses every other number cannot be given an exact small count by mistake.
library Bands {
    /// @notice Whether `band` is a lower edge: 0, or 1, 2.5 or 5 times a power of ten, from 10 on.
    function isLowerEdge(uint32 band) internal pure returns (bool) {
        if (band == 0) return true;
        if (band < 10) return false;
        // at most nine turns: a uint32 has ten digits
        while (band % 10 == 0) band /= 10;
        return band == 1 || band == 5 || band == 25;
    }
}
