// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice halmos' own cheat codes that these checks use: values that may be anything, storage that may hold anything.
interface Svm {
    function createBytes(uint256 size, string calldata name) external pure returns (bytes memory);
    function createBytes32(string calldata name) external pure returns (bytes32);
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
    function enableSymbolicStorage(address account) external;
}

interface Assumptions {
    function assume(bool condition) external pure;
    function store(address account, bytes32 slot, bytes32 value) external;
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 number) external;
}

/// @notice The base of every check. A check holds if no `assert` in it can fail, whatever the values: reverts are ways
/// out, not failures, so that each check says what happened *if* a call was taken.
abstract contract Symbolic {
    Svm internal constant svm = Svm(0xF3993A62377BCd56AE39D773740A5390411E8BC9);
    Assumptions internal constant vm = Assumptions(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant SIGNATURE_BYTES = 65;

    function signature(string memory name) internal pure returns (bytes memory) {
        return svm.createBytes(SIGNATURE_BYTES, name);
    }

    function isTaken(address target, bytes memory call) internal returns (bool isDone) {
        (isDone,) = target.call(call);
    }
}
