// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @notice Names to forge what it may call: the listed functions of one handler.
abstract contract Invariants is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    FuzzSelector[] private _targets;

    function targetSelectors() public view returns (FuzzSelector[] memory) {
        return _targets;
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](_targets.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = _targets[i].addr;
        }
    }

    function target(address handler, bytes4[] memory selectors) internal {
        _targets.push(FuzzSelector(handler, selectors));
    }
}
