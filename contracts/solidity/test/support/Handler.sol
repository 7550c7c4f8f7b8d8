// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Training} from "./Training.sol";

/// @notice A consortium that random calls drive. forge does not keep a warp from one call of an invariant's run to the
/// next, so the handler keeps the time itself.
abstract contract Handler is Training {
    uint256 private time;
    uint256 private height;

    modifier timed(uint256 seconds_) {
        vm.warp(time);
        vm.roll(height);
        passSeconds(1 + seconds_ % 90);
        _;
        (time, height) = (block.timestamp, block.number);
    }

    function setUp() public virtual override {
        super.setUp();
        (time, height) = (block.timestamp, block.number);
    }

    function tried(address target, bytes memory call) internal returns (bool isDone) {
        (isDone,) = target.call(call);
    }

    function governed(bytes memory call) internal returns (bool) {
        asGovernance();
        return tried(address(registry), call);
    }
}
