// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsortiumRegistry} from "../src/ConsortiumRegistry.sol";
import {ValidatorSource} from "../src/ValidatorSource.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IValidatorSource} from "../src/interfaces/IValidatorSource.sol";
import {Consortium} from "./support/Consortium.sol";

contract RegistryMembershipTest is Consortium {
    function test_founders_are_active_with_one_vote_and_a_validator_each() public view {
        assertEq(registry.activeCount(), FOUNDERS);
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            IConsortiumRegistry.Organization memory member = registry.organization(idOf(i));
            assertTrue(member.status == IConsortiumRegistry.OrganizationStatus.Active);
            assertTrue(member.isValidating);
            assertEq(registry.getVotes(vm.addr(voteSecret(i))), 1);
        }
    }

    function test_every_governed_function_refuses_a_stranger() public {
        bytes32 id = idOf(0);
        expectNotGovernance();
        registry.admit(admissionOf(5));
        expectNotGovernance();
        registry.suspend(id);
        expectNotGovernance();
        registry.reinstate(id);
        expectNotGovernance();
        registry.remove(id);
        expectNotGovernance();
        registry.activateValidator(id);
        expectNotGovernance();
        registry.deactivateValidator(id);
        expectNotGovernance();
        registry.replaceKey(id, IConsortiumRegistry.KeyPurpose.Vote, address(1));
        assertEq(registry.activeCount(), FOUNDERS);
    }

    function test_admitted_organization_votes_but_does_not_validate_until_activated() public {
        asGovernance();
        registry.admit(admissionOf(5));
        assertTrue(registry.isActive(idOf(5)));
        assertEq(registry.getVotes(vm.addr(voteSecret(5))), 1);
        assertEq(source.getValidators().length, 5);

        asGovernance();
        registry.activateValidator(idOf(5));
        assertEq(source.getValidators().length, 6);
        assertTrue(registry.organization(idOf(5)).isValidating);
    }

    function test_second_admission_waits_for_the_interval() public {
        asGovernance();
        registry.admit(admissionOf(5));
        uint256 notBefore = block.timestamp + 60;
        passSeconds(59);
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryAdmissionTooSoon.selector, notBefore));
        registry.admit(admissionOf(6));
        passSeconds(1);
        asGovernance();
        registry.admit(admissionOf(6));
        assertEq(registry.activeCount(), 7);
    }

    function test_known_organization_and_taken_keys_are_refused() public {
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryOrganizationExists.selector, idOf(0)));
        registry.admit(admissionOf(0));

        IConsortiumRegistry.Admission memory thief = admissionOf(5);
        thief.siteKey = vm.addr(voteSecret(2));
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryKeyTaken.selector, thief.siteKey));
        registry.admit(thief);

        thief = admissionOf(5);
        thief.siteKey = thief.voteKey;
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryKeyTaken.selector, thief.voteKey));
        registry.admit(thief);
        assertFalse(registry.isActive(idOf(5)));
    }

    function test_suspension_takes_the_vote_and_reinstatement_gives_it_back() public {
        uint256 before = block.timestamp;
        passSeconds(1);
        asGovernance();
        registry.suspend(idOf(1));
        uint256 suspendedAt = block.timestamp;
        passSeconds(1);
        assertFalse(registry.isActive(idOf(1)));
        assertEq(registry.getVotes(vm.addr(voteSecret(1))), 0);
        assertTrue(registry.wasActiveAt(idOf(1), before));
        assertFalse(registry.wasActiveAt(idOf(1), suspendedAt));
        assertEq(registry.activeCountAt(before), 5);
        assertEq(registry.activeCountAt(suspendedAt), 4);
        assertEq(source.getValidators().length, 5);

        asGovernance();
        registry.reinstate(idOf(1));
        assertTrue(registry.isActive(idOf(1)));
        assertEq(registry.getVotes(vm.addr(voteSecret(1))), 1);
    }

    function test_removal_drops_the_validator_in_the_same_act_and_is_final() public {
        asGovernance();
        registry.remove(idOf(1));
        assertEq(source.getValidators().length, 4);
        assertEq(registry.activeCount(), 4);
        (bytes32 holder,) = registry.organizationOf(vm.addr(voteSecret(1)));
        assertEq(holder, 0);

        expectWrongStatus(1, IConsortiumRegistry.OrganizationStatus.Removed);
        registry.reinstate(idOf(1));
        expectWrongStatus(1, IConsortiumRegistry.OrganizationStatus.Removed);
        registry.remove(idOf(1));
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryOrganizationExists.selector, idOf(1)));
        registry.admit(admissionOf(1));
    }

    function test_suspended_organization_can_be_removed_but_not_suspended_twice() public {
        asGovernance();
        registry.suspend(idOf(1));
        expectWrongStatus(1, IConsortiumRegistry.OrganizationStatus.Suspended);
        registry.suspend(idOf(1));
        asGovernance();
        registry.remove(idOf(1));
        assertEq(registry.activeCount(), 4);
    }

    function test_removal_below_the_minimum_of_validators_is_refused() public {
        asGovernance();
        registry.remove(idOf(0));
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryTooFewValidators.selector, 3, 4));
        registry.remove(idOf(1));
        assertTrue(registry.isActive(idOf(1)));
        assertEq(source.getValidators().length, 4);
    }

    function test_validator_steps_refuse_the_wrong_state() public {
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryValidatorState.selector, idOf(0), true));
        registry.activateValidator(idOf(0));
        asGovernance();
        registry.deactivateValidator(idOf(0));
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryValidatorState.selector, idOf(0), false));
        registry.deactivateValidator(idOf(0));
        IConsortiumRegistry.Admission memory bare = admissionOf(5);
        bare.validator = address(0);
        asGovernance();
        registry.admit(bare);
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryNoValidator.selector, idOf(5)));
        registry.activateValidator(idOf(5));
    }

    function test_last_active_organization_cannot_be_silenced() public {
        IConsortiumRegistry.Admission[] memory alone = new IConsortiumRegistry.Admission[](1);
        alone[0] = admissionOf(0);
        ConsortiumRegistry lonely = foundWith(alone, seatsOf(alone));
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryLastOrganization.selector, idOf(0)));
        lonely.suspend(idOf(0));
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryLastOrganization.selector, idOf(0)));
        lonely.remove(idOf(0));
    }

    function test_founding_with_other_validators_than_the_list_is_refused() public {
        IConsortiumRegistry.Admission[] memory two = new IConsortiumRegistry.Admission[](2);
        (two[0], two[1]) = (admissionOf(0), admissionOf(1));
        address[] memory foreign = new address[](1);
        foreign[0] = validatorOf(OUTSIDER);
        ValidatorSource list = new ValidatorSource(1, address(timelock), address(this), foreign);
        IConsortiumRegistry.Parameters memory small = someParameters();
        small.minimumValidators = 1;
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryValidatorMismatch.selector, 2, 1));
        new ConsortiumRegistry(address(timelock), IValidatorSource(list), two, rules(), small, POLICY, runners());
    }

    function test_founding_without_founders_is_refused() public {
        IConsortiumRegistry.Admission[] memory none = new IConsortiumRegistry.Admission[](0);
        vm.expectRevert(IConsortiumRegistry.RegistryNoFounders.selector);
        new ConsortiumRegistry(
            address(timelock), IValidatorSource(source), none, rules(), someParameters(), POLICY, runners()
        );
    }

    function foundWith(IConsortiumRegistry.Admission[] memory list, address[] memory seats)
        private
        returns (ConsortiumRegistry)
    {
        ValidatorSource small = new ValidatorSource(1, address(timelock), address(this), seats);
        IConsortiumRegistry.Parameters memory numbers = someParameters();
        numbers.minimumValidators = 1;
        return
            new ConsortiumRegistry(
                address(timelock), IValidatorSource(small), list, rules(), numbers, POLICY, runners()
            );
    }

    function seatsOf(IConsortiumRegistry.Admission[] memory list) private pure returns (address[] memory seats) {
        seats = new address[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            seats[i] = list[i].validator;
        }
        return ascending(seats);
    }

    function expectNotGovernance() private {
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryNotGovernance.selector, address(this)));
    }

    function expectWrongStatus(uint256 member, IConsortiumRegistry.OrganizationStatus status) private {
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryWrongStatus.selector, idOf(member), status));
    }
}
