// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ValidatorSource} from "../src/ValidatorSource.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @notice The list of validators, from every list of up to five to every list one can write.
contract ValidatorsSymbolic is Symbolic {
    address private constant CONTROLLER = address(1);
    address private constant WRITER = address(2);

    function check_one_change_from_1(address[1] memory current, address[2] memory next, uint256 minimum, address by) public {
        _check(_list(abi.encode(current), 1), _list(abi.encode(next), 2), minimum, by);
    }

    function check_nothing_from_1_to_0(address[1] memory current, uint256 minimum, address by) public {
        _check(_list(abi.encode(current), 1), new address[](0), minimum, by);
    }

    function check_one_change_from_2_to_2(address[2] memory current, address[2] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 2), _list(abi.encode(next), 2), minimum, by);
    }

    function check_one_change_from_3_to_2(address[3] memory current, address[2] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 3), _list(abi.encode(next), 2), minimum, by);
    }

    function check_one_change_from_3_to_5(address[3] memory current, address[5] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 3), _list(abi.encode(next), 5), minimum, by);
    }

    function check_one_change_from_4_to_4(address[4] memory current, address[4] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 4), _list(abi.encode(next), 4), minimum, by);
    }

    function check_one_change_from_4_to_5(address[4] memory current, address[5] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 4), _list(abi.encode(next), 5), minimum, by);
    }

    function check_one_change_from_5_to_4(address[5] memory current, address[4] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 5), _list(abi.encode(next), 4), minimum, by);
    }

    function check_one_change_from_5_to_5(address[5] memory current, address[5] memory next, uint256 minimum, address by)
        public
    {
        _check(_list(abi.encode(current), 5), _list(abi.encode(next), 5), minimum, by);
    }

    function _check(address[] memory current, address[] memory next, uint256 minimum, address by) private {
        ValidatorSource source = new ValidatorSource(minimum, CONTROLLER, WRITER, current);
        vm.prank(by);
        bool isDone = isTaken(address(source), abi.encodeCall(source.replaceValidators, (next)));
        address[] memory kept = source.getValidators();
        if (!isDone) {
            assert(source.digest() == keccak256(abi.encodePacked(current)));
            return;
        }
        assert(by == WRITER);
        assert(kept.length >= minimum && kept.length > 0);
        uint256 added = _missing(next, current);
        uint256 removed = _missing(current, next);
        assert(added <= 1 && removed <= 1 && added + removed > 0);
        for (uint256 i = 0; i < kept.length; ++i) {
            assert(kept[i] == next[i] && kept[i] != address(0) && (i == 0 || kept[i] > kept[i - 1]));
        }
        assert(source.digest() == keccak256(abi.encodePacked(kept)));
    }

    function _missing(address[] memory of_, address[] memory in_) private pure returns (uint256 count) {
        for (uint256 i = 0; i < of_.length; ++i) {
            uint256 found = 0;
            for (uint256 j = 0; j < in_.length; ++j) {
                // no branch: each comparison would double the paths
                bool isSame = of_[i] == in_[j];
                assembly ("memory-safe") {
                    found := or(found, isSame)
                }
            }
            count += 1 - found;
        }
    }

    function _list(bytes memory encoded, uint256 length) private pure returns (address[] memory list) {
        list = new address[](length);
        for (uint256 i = 0; i < length; ++i) {
            address item;
            assembly ("memory-safe") {
                item := mload(add(add(encoded, 32), mul(i, 32)))
            }
            list[i] = item;
        }
    }
}
