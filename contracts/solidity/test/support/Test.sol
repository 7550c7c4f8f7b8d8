// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @notice The base of every test: cheat codes, equality that says what differs, bounds for fuzzed numbers.
abstract contract Test {
    error NotEqualNumbers(uint256 actual, uint256 expected);
    error NotEqualWords(bytes32 actual, bytes32 expected);
    error NotEqualAddresses(address actual, address expected);
    error NotTrue();
    error NotFalse();

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function assertEq(uint256 actual, uint256 expected) internal pure {
        require(actual == expected, NotEqualNumbers(actual, expected));
    }

    function assertEq(bytes32 actual, bytes32 expected) internal pure {
        require(actual == expected, NotEqualWords(actual, expected));
    }

    function assertEq(address actual, address expected) internal pure {
        require(actual == expected, NotEqualAddresses(actual, expected));
    }

    function assertTrue(bool actual) internal pure {
        require(actual, NotTrue());
    }

    function assertFalse(bool actual) internal pure {
        require(!actual, NotFalse());
    }

    function within(uint256 number, uint256 lowest, uint256 highest) internal pure returns (uint256) {
        return lowest + number % (highest - lowest + 1);
    }
}
