// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Ascending lists of addresses, in memory
/// @notice For lists as short as the validators' (at most 64). Callers know that `item` is absent (with) or present
/// (without); ValidatorSource checks the outcome again.
library SortedAddresses {
    function contains(address[] memory list, address item) internal pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == item) return true;
        }
        return false;
    }

    function with(address[] memory list, address item) internal pure returns (address[] memory longer) {
        longer = new address[](list.length + 1);
        uint256 i = 0;
        for (; i < list.length && list[i] < item; ++i) {
            longer[i] = list[i];
        }
        longer[i] = item;
        for (; i < list.length; ++i) {
            longer[i + 1] = list[i];
        }
    }

    function without(address[] memory list, address item) internal pure returns (address[] memory shorter) {
        shorter = new address[](list.length - 1);
        uint256 kept = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] != item) shorter[kept++] = list[i];
        }
    }
}
