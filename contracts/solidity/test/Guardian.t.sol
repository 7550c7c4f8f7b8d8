// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Guardian} from "../src/Guardian.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IGuardian} from "../src/interfaces/IGuardian.sol";
import {Guardians} from "./support/Guardians.sol";

/// @dev Founders 0, 1 and 2 are the guardian; two of them veto.
contract GuardianTest is Guardians {
    bytes private suspension;

    function setUp() public override {
        super.setUp();
        suspension = abi.encodeCall(registry.suspend, (idOf(4)));
    }

    function test_guardian_is_k_of_n_member_organizations() public view {
        (uint16 threshold, uint16 members) = guardian.numbers();
        assertEq(threshold, 2);
        assertEq(members, 3);
        assertTrue(guardian.isGuardian(idOf(2)));
        assertFalse(guardian.isGuardian(idOf(3)));
        assertEq(address(guardian.registry()), address(registry));
        assertEq(guardian.timelock(), address(timelock));
        assertEq(governor.guardian(), address(guardian));
    }

    function test_two_of_three_veto_what_waits_and_it_is_never_executed() public {
        uint256 proposalId = queued(SUSPEND, abi.encode(idOf(4)));
        bytes32 salt = saltOf(proposalId);
        guardian.veto(address(registry), suspension, salt, vetoBy(two(0, 2), address(registry), suspension, salt));
        requireState(proposalId, IGovernor.ProposalState.Canceled);
        assertTrue(guardian.isVetoed(guardian.subjectOf(address(registry), suspension)));
        passSeconds(TIMELOCK_DELAY);
        try governor.execute(proposalId) {
            assertTrue(false);
        } catch {}
        assertTrue(registry.isActive(idOf(4)));
    }

    function test_one_guardian_alone_and_one_twice_veto_nothing() public {
        bytes32 salt = saltOf(queued(SUSPEND, abi.encode(idOf(4))));
        uint256[] memory one = new uint256[](1);
        expectRefused(one, salt, abi.encodeWithSelector(IGuardian.GuardianTooFewSignatures.selector, 1, 2));
        expectRefused(two(1, 1), salt, abi.encodeWithSelector(IGuardian.GuardianTwice.selector, idOf(1)));
        uint256[] memory four = new uint256[](4);
        expectRefused(four, salt, abi.encodeWithSelector(IGuardian.GuardianTooManySignatures.selector, 4, 3));
    }

    function test_member_that_is_no_guardian_and_a_suspended_guardian_veto_nothing() public {
        bytes32 salt = saltOf(queued(SUSPEND, abi.encode(idOf(4))));
        expectRefused(two(0, 3), salt, abi.encodeWithSelector(IGuardian.GuardianNotAppointed.selector, idOf(3)));
        asGovernance();
        registry.suspend(idOf(1));
        expectRefused(two(0, 1), salt, abi.encodeWithSelector(IGuardian.GuardianNotAppointed.selector, idOf(1)));
    }

    function test_operator_and_site_keys_veto_nothing() public {
        bytes32 salt = saltOf(queued(SUSPEND, abi.encode(idOf(4))));
        IGuardian.GuardianSignature[] memory given = vetoBy(two(0, 1), address(registry), suspension, salt);
        bytes32 digest = vetoHash(address(registry), suspension, salt);
        given[1].signature = signWith(siteSecret(1), "Guardian", address(guardian), digest);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianBadSignature.selector, idOf(1)));
        guardian.veto(address(registry), suspension, salt, given);
        given[1] = IGuardian.GuardianSignature(0, signWith(77, "Guardian", address(guardian), digest));
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianNotAppointed.selector, bytes32(0)));
        guardian.veto(address(registry), suspension, salt, given);
    }

    function test_signatures_for_one_act_veto_no_other() public {
        bytes32 salt = saltOf(queued(SUSPEND, abi.encode(idOf(4))));
        IGuardian.GuardianSignature[] memory given = vetoBy(two(0, 1), address(registry), suspension, salt);
        bytes memory other = abi.encodeCall(registry.suspend, (idOf(3)));
        bytes32 otherSalt = saltOf(queued(SUSPEND, abi.encode(idOf(3))));
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianBadSignature.selector, idOf(0)));
        guardian.veto(address(registry), other, otherSalt, given);
    }

    function test_nothing_is_vetoed_before_it_is_queued_and_after_it_is_done() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        bytes32 salt = saltOf(proposalId);
        bytes32 operation = guardian.operationOf(address(registry), suspension, salt);
        bytes memory refusal = abi.encodeWithSelector(IGuardian.GuardianNothingPending.selector, operation);
        expectRefused(two(0, 1), salt, refusal);
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 4; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        expectRefused(two(0, 1), salt, refusal);
        governor.queue(proposalId);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        expectRefused(two(0, 1), salt, refusal);
        assertFalse(registry.isActive(idOf(4)));
    }

    function test_guardian_misuse_delays_and_cannot_prevent_since_a_digest_is_vetoed_once() public {
        bytes32 salt = saltOf(queued(SUSPEND, abi.encode(idOf(4))));
        guardian.veto(address(registry), suspension, salt, vetoBy(two(0, 1), address(registry), suspension, salt));
        // another proposer and another description do not make another digest
        uint256 again = queuedBy(3, SUSPEND, abi.encode(idOf(4)));
        salt = saltOf(again);
        bytes32 subject = guardian.subjectOf(address(registry), suspension);
        expectRefused(two(0, 1), salt, abi.encodeWithSelector(IGuardian.GuardianVetoedBefore.selector, subject));
        passSeconds(TIMELOCK_DELAY);
        governor.execute(again);
        assertFalse(registry.isActive(idOf(4)));
    }

    function test_guardian_cannot_veto_its_own_replacement() public {
        bytes memory dismissal = abi.encode(idOf(0), false, uint16(2));
        uint256 proposalId = queued(IConsortiumGovernor.ActKind.SetGuardian, dismissal);
        bytes memory call = abi.encodeCall(guardian.setGuardian, (idOf(0), false, 2));
        bytes32 salt = saltOf(proposalId);
        IGuardian.GuardianSignature[] memory given = vetoBy(two(0, 1), address(guardian), call, salt);
        vm.expectRevert(IGuardian.GuardianOwnReplacement.selector);
        guardian.veto(address(guardian), call, salt, given);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        assertFalse(guardian.isGuardian(idOf(0)));
        (, uint16 members) = guardian.numbers();
        assertEq(members, 2);
    }

    function test_guardian_changes_by_vote_alone_and_one_organization_a_call() public {
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianNotGovernance.selector, address(this)));
        guardian.setGuardian(idOf(3), true, 2);
        expectChangeRefused(
            idOf(0), true, 2, abi.encodeWithSelector(IGuardian.GuardianUnchanged.selector, idOf(0), true)
        );
        expectChangeRefused(
            idOf(OUTSIDER), true, 2, abi.encodeWithSelector(IGuardian.GuardianNotActive.selector, idOf(OUTSIDER))
        );
        expectChangeRefused(idOf(3), true, 1, abi.encodeWithSelector(IGuardian.GuardianThresholdRefused.selector, 1, 4));
        expectChangeRefused(idOf(3), true, 5, abi.encodeWithSelector(IGuardian.GuardianThresholdRefused.selector, 5, 4));
        asGovernance();
        guardian.setGuardian(idOf(3), true, 3);
        (uint16 threshold, uint16 members) = guardian.numbers();
        assertEq(threshold, 3);
        assertEq(members, 4);
    }

    function test_consortium_without_a_guardian_has_no_veto() public {
        Guardian empty = new Guardian(registry, timelock, nobodyElse(), 2);
        (, uint16 members) = empty.numbers();
        assertEq(members, 0);
        uint256 proposalId = queued(SUSPEND, abi.encode(idOf(4)));
        IGuardian.GuardianSignature[] memory given =
            vetoBy(two(0, 1), address(registry), suspension, saltOf(proposalId));
        bytes32 salt = saltOf(proposalId);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianTooManySignatures.selector, 2, 0));
        empty.veto(address(registry), suspension, salt, given);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianThresholdRefused.selector, 3, 0));
        new Guardian(registry, timelock, nobodyElse(), 3);
        vm.expectRevert(IGuardian.GuardianZeroValue.selector);
        new Guardian(IConsortiumRegistry(address(0)), timelock, nobodyElse(), 2);
    }

    function test_guardian_whose_organization_was_removed_fails_open() public {
        asGovernance();
        registry.remove(idOf(1));
        asGovernance();
        registry.suspend(idOf(2));
        bytes memory policy = abi.encodeCall(registry.setPolicy, (keccak256("next")));
        uint256 proposalId = propose(0, IConsortiumGovernor.ActKind.SetPolicy, abi.encode(keccak256("next")));
        passSeconds(VOTING_DELAY + 1);
        voteAs(voteSecret(0), proposalId, FOR);
        voteAs(voteSecret(3), proposalId, FOR);
        governor.queue(proposalId);
        bytes32 salt = saltOf(proposalId);
        IGuardian.GuardianSignature[] memory given = vetoBy(two(0, 1), address(registry), policy, salt);
        vm.expectRevert(abi.encodeWithSelector(IGuardian.GuardianNotAppointed.selector, idOf(1)));
        guardian.veto(address(registry), policy, salt, given);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        assertEq(registry.policyDigest(), keccak256("next"));
    }

    function expectRefused(uint256[] memory signers, bytes32 salt, bytes memory refusal) private {
        IGuardian.GuardianSignature[] memory given = vetoBy(signers, address(registry), suspension, salt);
        vm.expectRevert(refusal);
        guardian.veto(address(registry), suspension, salt, given);
    }

    function expectChangeRefused(bytes32 id, bool isGuardian, uint16 threshold, bytes memory refusal) private {
        asGovernance();
        vm.expectRevert(refusal);
        guardian.setGuardian(id, isGuardian, threshold);
    }

    function nobodyElse() private pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }
}
