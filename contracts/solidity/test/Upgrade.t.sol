// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ConsortiumGovernor} from "../src/ConsortiumGovernor.sol";
import {ConsortiumRegistry} from "../src/ConsortiumRegistry.sol";
import {Guardian} from "../src/Guardian.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IValidatorSource} from "../src/interfaces/IValidatorSource.sol";
import {Training} from "./support/Training.sol";

/// @dev ADR 10, walked from end to end: a second generation of contracts takes over the list of validators by vote of the
/// first, while the chain never is without a valid list and the first one's runs go on.
contract UpgradeTest is Training {
    struct Generation {
        TimelockController timelock;
        ConsortiumRegistry registry;
        Guardian guardian;
        ConsortiumGovernor governor;
    }

    IConsortiumGovernor.ActKind private constant SET_WRITER = IConsortiumGovernor.ActKind.SetValidatorWriter;
    IConsortiumGovernor.ActKind private constant SET_CONTROLLER = IConsortiumGovernor.ActKind.SetValidatorController;
    IConsortiumGovernor.ActKind private constant DEACTIVATE = IConsortiumGovernor.ActKind.DeactivateValidator;

    function test_second_registry_takes_over_the_validators_by_vote_and_the_list_is_valid_throughout() public {
        address[] memory before = source.getValidators();
        Generation memory second = foundSecond();
        requireList(before.length);

        enact(SET_WRITER, abi.encode(address(second.registry)), 4);
        requireList(before.length);
        assertEq(source.writer(), address(second.registry));
        assertEq(source.controller(), address(timelock));

        enact(SET_CONTROLLER, abi.encode(address(second.timelock)), 4);
        requireList(before.length);
        assertEq(source.controller(), address(second.timelock));

        actIn(second);
        enact(DEACTIVATE, abi.encode(idOf(4)), 4);
        requireList(before.length - 1);
        enact(IConsortiumGovernor.ActKind.ActivateValidator, abi.encode(idOf(4)), 4);
        requireList(before.length);
    }

    function test_first_governance_writes_no_list_and_names_no_writer_after_the_handover() public {
        ConsortiumRegistry first = registry;
        TimelockController lock = timelock;
        handOver(foundSecond());
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotWriter.selector, address(first)));
        vm.prank(address(lock));
        first.deactivateValidator(idOf(4));
        vm.expectRevert(abi.encodeWithSelector(IValidatorSource.ValidatorSourceNotController.selector, address(lock)));
        vm.prank(address(lock));
        source.setWriter(address(first));
        requireList(FOUNDERS);
    }

    function test_first_governance_takes_the_list_back_as_long_as_it_controls_it() public {
        Generation memory second = foundSecond();
        enact(SET_WRITER, abi.encode(address(second.registry)), 4);
        enact(SET_WRITER, abi.encode(address(registry)), 4);
        enact(DEACTIVATE, abi.encode(idOf(4)), 4);
        requireList(FOUNDERS - 1);
    }

    function test_members_keys_and_seats_are_the_same_in_the_second_registry() public {
        Generation memory second = foundSecond();
        assertEq(second.registry.activeCount(), registry.activeCount());
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            IConsortiumRegistry.Organization memory old = registry.organization(idOf(i));
            IConsortiumRegistry.Organization memory carried = second.registry.organization(idOf(i));
            assertEq(carried.voteKey, old.voteKey);
            assertEq(carried.siteKey, old.siteKey);
            assertEq(carried.validator, old.validator);
            assertTrue(carried.isValidating == old.isValidating);
        }
    }

    function test_registry_that_names_other_seats_than_the_list_cannot_be_founded() public {
        asGovernance();
        registry.deactivateValidator(idOf(4));
        TimelockController lock = new TimelockController(1, new address[](0), new address[](0), address(this));
        IConsortiumRegistry.Admission[] memory all = founders();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryValidatorMismatch.selector, 5, 4));
        new ConsortiumRegistry(address(lock), source, all, rules(), someParameters(), POLICY, runners());
    }

    function test_seats_that_changed_before_the_handover_are_put_right_member_by_member() public {
        Generation memory second = foundSecond();
        // the first registry still writes: a seat is left, after the second was founded with it
        enact(DEACTIVATE, abi.encode(idOf(4)), 4);
        handOver(second);
        requireList(4);
        assertTrue(registry.organization(idOf(4)).isValidating);
        asGovernance();
        registry.deactivateValidator(idOf(4));
        requireList(4);
        assertFalse(registry.organization(idOf(4)).isValidating);
        asGovernance();
        registry.activateValidator(idOf(4));
        requireList(5);
    }

    function test_seat_that_was_taken_before_the_handover_is_found_taken() public {
        asGovernance();
        registry.deactivateValidator(idOf(4));
        Generation memory second = foundSecondWith(withoutNode(4));
        asGovernance();
        registry.activateValidator(idOf(4));
        handOver(second);
        requireList(5);
        asGovernance();
        registry.replaceKey(idOf(4), IConsortiumRegistry.KeyPurpose.Validator, validatorOf(4));
        asGovernance();
        registry.activateValidator(idOf(4));
        requireList(5);
        asGovernance();
        registry.replaceKey(idOf(4), IConsortiumRegistry.KeyPurpose.Validator, validatorOf(OUTSIDER));
        requireList(5);
    }

    function test_run_under_way_ends_under_the_contracts_it_was_opened_on() public {
        openRun(RUN);
        openNext(RUN, 5);
        handOver(foundSecond());
        passSeconds(1);
        for (uint32 round = 1; round < ROUNDS; ++round) {
            passSeconds(1);
            bytes32 next = weightsAfter(RUN, round);
            ledger.advanceRound(RUN, closing(RUN, 3), openingOf(RUN, round + 1, 1, next, 5));
        }
        ledger.finishRun(RUN, closing(RUN, 3));
        (bool isFinal,) = ledger.completion(RUN, weightsAfter(RUN, ROUNDS));
        assertTrue(isFinal);
    }

    function test_ballot_for_the_first_governor_means_nothing_to_the_second() public {
        uint256 old = propose(0, DEACTIVATE, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        bytes memory ballot_ = ballotSignature(voteSecret(1), old, FOR);
        handOver(foundSecond());
        uint256 fresh = propose(0, DEACTIVATE, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        address voter = vm.addr(voteSecret(1));
        try governor.castVoteBySig(fresh, FOR, voter, ballot_) {
            assertTrue(false);
        } catch {}
        assertFalse(governor.hasOrganizationVoted(fresh, idOf(1)));
    }

    function foundSecond() private returns (Generation memory) {
        return foundSecondWith(founders());
    }

    /// @dev As a founding, with the members of today and the list that stands.
    function foundSecondWith(IConsortiumRegistry.Admission[] memory list) private returns (Generation memory made) {
        made.timelock = new TimelockController(TIMELOCK_DELAY, new address[](0), new address[](0), address(this));
        made.registry =
            new ConsortiumRegistry(address(made.timelock), source, list, rules(), someParameters(), POLICY, runners());
        made.guardian = new Guardian(made.registry, made.timelock, guardians(), GUARDIAN_THRESHOLD);
        made.governor =
            new ConsortiumGovernor(made.registry, made.timelock, address(made.guardian), VOTING_DELAY, VOTING_PERIOD);
        _handOver(made.timelock, made.governor, made.guardian);
        passSeconds(5);
    }

    function handOver(Generation memory second) private {
        enact(SET_WRITER, abi.encode(address(second.registry)), 4);
        enact(SET_CONTROLLER, abi.encode(address(second.timelock)), 4);
        actIn(second);
    }

    /// @dev From here on helpers speak to the second generation; board and ledger stay the first one's.
    function actIn(Generation memory second) private {
        (timelock, registry) = (second.timelock, second.registry);
        (guardian, governor) = (second.guardian, second.governor);
    }

    function withoutNode(uint256 member) private pure returns (IConsortiumRegistry.Admission[] memory list) {
        list = founders();
        list[member].validator = address(0);
    }

    function requireList(uint256 count) private view {
        address[] memory list = source.getValidators();
        assertEq(list.length, count);
        assertTrue(list.length >= source.minimum());
        for (uint256 i = 1; i < list.length; ++i) {
            assertTrue(list[i - 1] < list[i]);
        }
        assertEq(vm.load(address(source), bytes32(uint256(1))), keccak256(abi.encodePacked(list)));
    }
}
