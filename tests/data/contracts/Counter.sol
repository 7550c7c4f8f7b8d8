// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A contract of the tests alone: events, structs, custom errors, and calls that depend on earlier ones.
contract Counter {
    struct Step {
        uint64 by;
        bytes32 reason;
    }

    error CounterTooLarge(uint256 limit, uint256 asked);

    event Counted(bytes32 indexed reason, address indexed caller, uint256 total, string note);
    event Stepped(Step[] steps);

    uint256 public immutable limit;
    uint256 public total;
    Step[] private taken;

    constructor(uint256 limit_) {
        limit = limit_;
        emit Counted("created", msg.sender, 0, "");
    }

    function add(uint256 amount, bytes32 reason, string calldata note) external {
        if (total + amount > limit) revert CounterTooLarge(limit, total + amount);
        total += amount;
        emit Counted(reason, msg.sender, total, note);
    }

    function walk(Step[] calldata path) external {
        for (uint256 i = 0; i < path.length; ++i) {
            taken.push(path[i]);
        }
        emit Stepped(path);
        emit Counted("walked", msg.sender, total, "");
    }

    function addAfterOthers(uint256 expected) external {
        require(total == expected, "not yet");
        total += 1;
        emit Counted("after", msg.sender, total, "");
    }

    function divide(uint256 by) external view returns (uint256) {
        return total / by;
    }

    function burn() external {
        for (;;) ++total;
    }

    function lastStep() external view returns (Step memory step, uint256 count) {
        return (taken[taken.length - 1], taken.length);
    }

    function steps() external view returns (Step[] memory) {
        return taken;
    }
}
