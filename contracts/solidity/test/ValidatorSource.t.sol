// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ValidatorSource} from "../src/ValidatorSource.sol";
import {IValidatorSource} from "../src/interfaces/IValidatorSource.sol";
import {Members} from "./support/Members.sol";

contract ValidatorSourceTest is Members {
    ValidatorSource private source;
    address private constant CONTROLLER = address(0xC0);

    function setUp() public {
        source = new ValidatorSource(4, CONTROLLER, address(this), numbers(5));
    }

    function test_addition_removal_and_replacement_are_one_change_each() public {
        source.replaceValidators(numbers(6));
        assertEq(source.getValidators().length, 6);
        source.replaceValidators(numbers(5));
        assertEq(source.getValidators().length, 5);
        address[] memory replaced = numbers(5);
        replaced[4] = address(99);
        source.replaceValidators(replaced);
        assertEq(source.getValidators()[4], address(99));
    }

    function test_digest_is_the_keccak_of_the_padded_words_in_slot_one() public {
        source.replaceValidators(numbers(4));
        bytes32 expected = keccak256(abi.encode(address(10), address(20), address(30), address(40)));
        assertEq(source.digest(), expected);
        assertEq(vm.load(address(source), bytes32(uint256(1))), expected);
    }

    function test_storage_lies_where_genesis_writes_it() public view {
        assertEq(uint256(vm.load(address(source), 0)), 5);
        bytes32 first = keccak256(abi.encode(uint256(0)));
        assertEq(address(uint160(uint256(vm.load(address(source), first)))), address(10));
        assertEq(uint256(vm.load(address(source), bytes32(uint256(2)))), 4);
        assertEq(address(uint160(uint256(vm.load(address(source), bytes32(uint256(3)))))), address(this));
        assertEq(address(uint160(uint256(vm.load(address(source), bytes32(uint256(4)))))), CONTROLLER);
    }

    function test_stranger_and_controller_may_not_write_the_list() public {
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotWriter.selector, CONTROLLER));
        source.replaceValidators(numbers(6));
        assertEq(source.getValidators().length, 5);
    }

    function test_fewer_than_the_minimum_are_refused() public {
        source.replaceValidators(numbers(4));
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceTooFew.selector, 3, 4));
        source.replaceValidators(numbers(3));
        assertEq(source.getValidators().length, 4);
    }

    function test_more_than_64_are_refused() public {
        ValidatorSource full = new ValidatorSource(1, CONTROLLER, address(this), numbers(64));
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceTooMany.selector, 65, 64));
        full.replaceValidators(numbers(65));
    }

    function test_zero_duplicate_and_disorder_are_refused() public {
        address[] memory list = numbers(5);
        list[0] = address(0);
        expectNotAscending(list, 0);
        list = numbers(5);
        list[2] = list[1];
        expectNotAscending(list, 2);
        list = numbers(5);
        (list[3], list[4]) = (list[4], list[3]);
        expectNotAscending(list, 4);
    }

    function test_two_changes_or_none_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotOneChange.selector, 2, 0));
        source.replaceValidators(numbers(7));
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotOneChange.selector, 0, 0));
        source.replaceValidators(numbers(5));
        address[] memory list = numbers(5);
        (list[3], list[4]) = (address(41), address(51));
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotOneChange.selector, 2, 2));
        source.replaceValidators(list);
    }

    function test_only_the_controller_names_writer_and_successor() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotController.selector, address(this)));
        source.setWriter(address(7));
        vm.prank(CONTROLLER);
        source.setWriter(address(7));
        assertEq(source.writer(), address(7));
        vm.prank(CONTROLLER);
        source.setController(address(8));
        assertEq(source.controller(), address(8));
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotController.selector, CONTROLLER));
        source.setController(CONTROLLER);
    }

    function test_zero_writer_controller_and_minimum_are_refused() public {
        vm.prank(CONTROLLER);
        vm.expectRevert(IValidatorSource.ValidatorSourceZeroAddress.selector);
        source.setWriter(address(0));
        vm.expectRevert(IValidatorSource.ValidatorSourceZeroAddress.selector);
        new ValidatorSource(1, address(0), address(this), numbers(1));
        vm.expectRevert(IValidatorSource.ValidatorSourceZeroMinimum.selector);
        new ValidatorSource(0, CONTROLLER, address(this), numbers(1));
    }

    /// @dev Subsets of twelve addresses that differ in up to three: accepted exactly when that is one change.
    function testFuzz_a_write_is_accepted_exactly_when_it_is_one_change(uint16 before, uint8 a, uint8 b, uint8 c)
        public
    {
        uint16 next = before ^ uint16(1 << a % 12) ^ uint16(1 << b % 12) ^ (c < 128 ? 0 : uint16(1 << c % 12));
        (address[] memory first, address[] memory second) = (subset(before), subset(next));
        if (first.length == 0) return;
        ValidatorSource fuzzed = new ValidatorSource(1, CONTROLLER, address(this), first);
        uint256 added = bits(next & ~before);
        uint256 removed = bits(before & ~next);
        bool isAllowed = second.length >= 1 && added <= 1 && removed <= 1 && added + removed > 0;

        try fuzzed.replaceValidators(second) {
            assertTrue(isAllowed);
            assertEq(keccak256(abi.encode(fuzzed.getValidators())), keccak256(abi.encode(second)));
        } catch {
            assertFalse(isAllowed);
            assertEq(keccak256(abi.encode(fuzzed.getValidators())), keccak256(abi.encode(first)));
        }
        assertEq(fuzzed.digest(), keccak256(abi.encodePacked(fuzzed.getValidators())));
    }

    function expectNotAscending(address[] memory list, uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotAscending.selector, index));
        source.replaceValidators(list);
    }

    function numbers(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = address(uint160(10 * (i + 1)));
        }
    }

    function subset(uint16 mask) private pure returns (address[] memory list) {
        list = new address[](bits(mask));
        uint256 next = 0;
        for (uint256 i = 0; i < 12; ++i) {
            if (mask >> i & 1 == 1) list[next++] = address(uint160(i + 1));
        }
    }

    function bits(uint16 mask) private pure returns (uint256 count) {
        for (uint256 i = 0; i < 12; ++i) {
            count += mask >> i & 1;
        }
    }
}
