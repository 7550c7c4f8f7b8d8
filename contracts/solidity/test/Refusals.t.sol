// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsortiumRegistry} from "../src/ConsortiumRegistry.sol";
import {Guardian} from "../src/Guardian.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {IGuardian} from "../src/interfaces/IGuardian.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {IValidatorSource} from "../src/interfaces/IValidatorSource.sol";
import {Training} from "./support/Training.sol";

/// @dev Refusals at the edges of founding and admission, and of texts and numbers that are too long.
contract RefusalsTest is Training {
    function test_description_of_a_kilobyte_is_taken_and_one_byte_more_is_refused() public {
        proposeDescribed(new string(1024));
        assertEq(governor.proposalCount(), 1);
        string memory longer = new string(1025);
        bytes memory refusal =
            abi.encodeWithSelector(IConsortiumGovernor.GovernorDescriptionTooLong.selector, 1025, 1024);
        (bytes memory arguments, bytes memory signature) = signedProposal(longer);
        vm.expectRevert(refusal);
        governor.proposeActBySig(
            idOf(0), IConsortiumGovernor.ActKind.Suspend, arguments, longer, type(uint64).max, signature
        );
    }

    function test_founding_needs_governance_a_list_and_as_many_seats_as_its_own_minimum() public {
        IConsortiumRegistry.Admission[] memory all = founders();
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        new ConsortiumRegistry(address(0), source, all, rules(), someParameters(), POLICY, runners());
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        new ConsortiumRegistry(
            address(timelock), IValidatorSource(address(0)), all, rules(), someParameters(), POLICY, runners()
        );
        IConsortiumRegistry.Parameters memory numbers = someParameters();
        numbers.minimumValidators = 6;
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryTooFewValidators.selector, 5, 6));
        new ConsortiumRegistry(address(timelock), source, all, rules(), numbers, POLICY, runners());
    }

    function test_founding_with_a_seat_that_is_nobodys_is_refused() public {
        IConsortiumRegistry.Admission[] memory all = founders();
        all[4].validator = address(0);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryValidatorMismatch.selector, 4, 5));
        new ConsortiumRegistry(address(timelock), source, all, rules(), someParameters(), POLICY, runners());
    }

    function test_admission_without_id_profile_or_key_is_refused() public {
        IConsortiumRegistry.Admission memory bad = admissionOf(5);
        bad.id = 0;
        expectAdmissionRefused(bad);
        bad = admissionOf(5);
        bad.profile = 0;
        expectAdmissionRefused(bad);
        bad = admissionOf(5);
        bad.siteKey = address(0);
        expectAdmissionRefused(bad);
        assertEq(registry.activeCount(), FOUNDERS);
    }

    function test_more_than_64_guardians_are_refused() public {
        for (uint256 i = FOUNDERS; i < 65; ++i) {
            passSeconds(60);
            IConsortiumRegistry.Admission memory next = admissionOf(i);
            next.validator = address(0);
            asGovernance();
            registry.admit(next);
        }
        bytes32[] memory many = members(65);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianTooMany.selector, 64));
        new Guardian(registry, timelock, many, 2);
    }

    function test_site_that_never_anchored_is_not_on_the_roster() public {
        passSeconds(60);
        asGovernance();
        registry.remove(idOf(4));
        asGovernance();
        registry.admit(admissionOf(5));
        passSeconds(1);
        ITrainingLedger.RunTerms memory chosen = terms();
        (chosen.minimumSites, chosen.threshold) = (3, 3);
        bytes32[] memory owners = new bytes32[](0);
        bytes32 decision = open(DecisionKind.ApprovePlan, ledger.subjectOf(PLAN, chosen), 0, owners);
        for (uint256 i = 1; i < 6; ++i) {
            if (i != 4) ballot(i, decision, ledger.subjectOf(PLAN, chosen), IDecisionBoard.Choice.Yes);
        }
        board.close(decision);
        ledger.openRun(RUN, PLAN, decision, INITIAL, chosen);
        ITrainingLedger.Opening memory made = openingOf(RUN, 1, 1, INITIAL, 4);
        made.commitments[3] = signed(siteSecret(5), commitment(5, RUN, 1, 1, INITIAL));
        vm.expectEmit(address(ledger));
        emit ITrainingLedger.CommitmentRefused(RUN, 1, idOf(5), 1, ITrainingLedger.RefusalReason.NoEpoch);
        ledger.openAttempt(RUN, made);
        assertEq(ledger.rosterOf(RUN).length, 3);
    }

    function proposeDescribed(string memory description) private {
        (bytes memory arguments, bytes memory signature) = signedProposal(description);
        governor.proposeActBySig(
            idOf(0), IConsortiumGovernor.ActKind.Suspend, arguments, description, type(uint64).max, signature
        );
    }

    function signedProposal(string memory description)
        private
        view
        returns (bytes memory arguments, bytes memory signature)
    {
        arguments = abi.encode(idOf(4));
        bytes32 structHash = actHash(
            idOf(0),
            IConsortiumGovernor.ActKind.Suspend,
            arguments,
            description,
            governor.nonceOf(idOf(0)),
            type(uint64).max
        );
        signature = signWith(voteSecret(0), "ConsortiumGovernor", address(governor), structHash);
    }

    function expectAdmissionRefused(IConsortiumRegistry.Admission memory bad) private {
        passSeconds(60);
        asGovernance();
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        registry.admit(bad);
    }
}
