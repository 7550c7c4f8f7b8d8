// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {ConsortiumGovernor} from "../src/ConsortiumGovernor.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {Decisions} from "./support/Decisions.sol";
import {Guardians} from "./support/Guardians.sol";

/// @dev The sentences of protocol section 10 about votes, each with a test of its name.
contract GovernorRulesTest is Guardians, Decisions {
    IConsortiumGovernor.ActKind private constant SET_POLICY = IConsortiumGovernor.ActKind.SetPolicy;
    bytes private next = abi.encode(keccak256("next"));

    function test_nobody_votes_before_the_delay_is_over() public {
        uint256 proposalId = propose(0, SET_POLICY, next);
        passSeconds(VOTING_DELAY);
        requireState(proposalId, IGovernor.ProposalState.Pending);
        bytes memory early = ballotSignature(voteSecret(1), proposalId, FOR);
        address voter = vm.addr(voteSecret(1));
        try governor.castVoteBySig(proposalId, FOR, voter, early) {
            assertTrue(false);
        } catch {}
        passSeconds(1);
        governor.castVoteBySig(proposalId, FOR, voter, early);
    }

    function test_base_is_of_the_snapshot_and_never_reduced() public {
        uint256 proposalId = propose(0, SET_POLICY, next);
        passSeconds(VOTING_DELAY + 1);
        uint256 needed = governor.quorum(governor.proposalSnapshot(proposalId));
        asGovernance();
        registry.remove(idOf(3));
        asGovernance();
        registry.suspend(idOf(4));
        passSeconds(5);
        assertEq(governor.quorum(governor.proposalSnapshot(proposalId)), needed);
        for (uint256 i = 0; i < 3; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        // all who are left said yes, and it is not two thirds of the five
        requireState(proposalId, IGovernor.ProposalState.Active);
        passSeconds(VOTING_PERIOD);
        requireState(proposalId, IGovernor.ProposalState.Defeated);
    }

    function test_newcomer_does_not_widen_the_base_of_an_open_vote() public {
        uint256 proposalId = propose(0, SET_POLICY, next);
        passSeconds(VOTING_DELAY + 1);
        asGovernance();
        registry.admit(admissionOf(5));
        passSeconds(2);
        assertEq(governor.quorum(governor.proposalSnapshot(proposalId)), 4);
    }

    function test_member_removed_while_its_ballot_is_open_is_struck_from_the_count() public {
        uint256 proposalId = passed(0, SET_POLICY, next);
        requireState(proposalId, IGovernor.ProposalState.Succeeded);
        asGovernance();
        registry.remove(idOf(3));
        requireState(proposalId, IGovernor.ProposalState.Active);
        assertEq(governor.standingYes(proposalId), 3);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector,
                proposalId,
                IGovernor.ProposalState.Active,
                bytes32(1 << uint8(IGovernor.ProposalState.Succeeded))
            )
        );
        governor.queue(proposalId);
        voteAs(voteSecret(4), proposalId, FOR);
        requireState(proposalId, IGovernor.ProposalState.Succeeded);
    }

    function test_member_suspended_at_the_deadline_is_struck_and_its_return_changes_no_outcome() public {
        uint256 proposalId = passed(0, SET_POLICY, next);
        asGovernance();
        registry.suspend(idOf(3));
        passSeconds(VOTING_PERIOD + 1);
        requireState(proposalId, IGovernor.ProposalState.Defeated);
        asGovernance();
        registry.reinstate(idOf(3));
        passSeconds(1);
        requireState(proposalId, IGovernor.ProposalState.Defeated);
    }

    function test_member_removed_after_the_deadline_changes_no_outcome() public {
        uint256 proposalId = passed(0, SET_POLICY, next);
        passSeconds(VOTING_PERIOD + 1);
        asGovernance();
        registry.remove(idOf(3));
        passSeconds(1);
        requireState(proposalId, IGovernor.ProposalState.Succeeded);
        governor.queue(proposalId);
    }

    function test_what_is_queued_stays_passed_though_its_voters_are_removed() public {
        uint256 proposalId = queued(SET_POLICY, next);
        asGovernance();
        registry.remove(idOf(3));
        asGovernance();
        registry.suspend(idOf(2));
        requireState(proposalId, IGovernor.ProposalState.Queued);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        requireState(proposalId, IGovernor.ProposalState.Executed);
        assertEq(registry.policyDigest(), keccak256("next"));
    }

    function test_member_whose_removal_is_voted_on_votes_until_it_is_removed() public {
        uint256 proposalId = propose(0, IConsortiumGovernor.ActKind.Remove, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        voteAs(voteSecret(4), proposalId, AGAINST);
        for (uint256 i = 0; i < 4; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        governor.queue(proposalId);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        assertEq(registry.activeCount(), 4);
    }

    function test_tie_is_a_defeat() public {
        uint256 proposalId = propose(0, SET_POLICY, next);
        passSeconds(VOTING_DELAY + 1);
        voteAs(voteSecret(0), proposalId, FOR);
        voteAs(voteSecret(1), proposalId, FOR);
        voteAs(voteSecret(2), proposalId, AGAINST);
        voteAs(voteSecret(3), proposalId, AGAINST);
        voteAs(voteSecret(4), proposalId, ABSTAIN);
        passSeconds(VOTING_PERIOD + 1);
        requireState(proposalId, IGovernor.ProposalState.Defeated);
    }

    function test_with_nobody_eligible_an_act_still_needs_one_yes_and_is_defeated() public {
        // a time before the founding, when nobody was active
        assertEq(registry.activeCountAt(block.timestamp - 100), 0);
        assertEq(governor.quorum(block.timestamp - 100), 1);
        ConsortiumGovernor young = new ConsortiumGovernor(registry, timelock, address(guardian), 0, VOTING_PERIOD);
        assertEq(young.quorum(block.timestamp - 100), 1);
    }

    function test_lost_vote_key_is_recovered_by_vote_and_the_lost_one_is_dead() public {
        uint256 open = propose(1, SET_POLICY, next);
        passSeconds(VOTING_DELAY + 1);
        uint256 fresh = 771;
        IConsortiumRegistry.KeyPurpose vote = IConsortiumRegistry.KeyPurpose.Vote;
        enact(IConsortiumGovernor.ActKind.ReplaceKey, abi.encode(idOf(4), vote, vm.addr(fresh)), 4);
        bytes memory stolen = ballotSignature(voteSecret(4), open, FOR);
        address lost = vm.addr(voteSecret(4));
        vm.expectRevert(abi.encodeWithSelector(IConsortiumGovernor.GovernorNotEligible.selector, lost));
        governor.castVoteBySig(open, FOR, lost, stolen);
        voteAs(fresh, open, FOR);
        assertTrue(governor.hasOrganizationVoted(open, idOf(4)));
    }

    function test_two_admissions_that_passed_are_executed_one_a_timelock() public {
        uint256 first = queued(ADMIT, abi.encode(admissionOf(5)));
        uint256 second = queuedBy(1, ADMIT, abi.encode(admissionOf(6)));
        passSeconds(TIMELOCK_DELAY + 60);
        governor.execute(first);
        uint256 notBefore = block.timestamp + TIMELOCK_DELAY;
        assertEq(governor.nextAdmission(), notBefore);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumGovernor.GovernorAdmissionTooSoon.selector, notBefore));
        governor.execute(second);
        assertFalse(registry.isActive(idOf(6)));
        // the registry's own interval is longer here, and holds besides
        passSeconds(60);
        governor.execute(second);
        assertTrue(registry.isActive(idOf(6)));
    }

    function test_other_acts_do_not_wait_for_an_admission() public {
        uint256 first = queued(ADMIT, abi.encode(admissionOf(5)));
        uint256 second = queuedBy(1, SUSPEND, abi.encode(idOf(4)));
        passSeconds(TIMELOCK_DELAY + 60);
        governor.execute(first);
        governor.execute(second);
        assertFalse(registry.isActive(idOf(4)));
    }

    function test_acts_that_would_lock_everybody_out_are_refused_when_proposed() public {
        expectLockOut(IConsortiumGovernor.ActKind.SetVotingDelay, abi.encode(90 days + 1));
        expectLockOut(IConsortiumGovernor.ActKind.SetVotingPeriod, abi.encode(uint256(type(uint32).max)));
        expectLockOut(IConsortiumGovernor.ActKind.SetTimelockDelay, abi.encode(type(uint256).max));
        expectLockOut(IConsortiumGovernor.ActKind.SetValidatorWriter, abi.encode(address(0xBEEF)));
        expectLockOut(IConsortiumGovernor.ActKind.SetValidatorController, abi.encode(address(0)));
        propose(0, IConsortiumGovernor.ActKind.SetTimelockDelay, abi.encode(90 days));
    }

    function test_kinds_are_decided_in_exactly_one_contract() public view {
        uint256 last = uint256(type(IConsortiumGovernor.ActKind).max);
        for (uint256 i = 1; i <= last; ++i) {
            (address target, bytes4 selector, uint256 length) = governor.routeOf(IConsortiumGovernor.ActKind(i));
            bool isOfTheBoard = target == address(board) || target == address(models) || target == address(ledger);
            assertFalse(isOfTheBoard);
            assertTrue(length != 0);
            for (uint256 j = 1; j < i; ++j) {
                (address other, bytes4 its,) = governor.routeOf(IConsortiumGovernor.ActKind(j));
                assertFalse(other == target && its == selector);
            }
        }
    }

    function test_number_of_a_decision_is_the_registrys_and_no_word_of_the_proposer() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, nobody());
        IDecisionBoard.Decision memory opened = board.decision(decision);
        assertEq(opened.rule.thresholdBps, registry.decisionRule(DecisionKind.ReleaseModel).thresholdBps);
        assertEq(opened.policy, registry.policyDigest());
    }

    function test_decision_with_nobody_eligible_is_rejected() public {
        // all but the author leave, and the rule leaves the author out
        for (uint256 i = 1; i < FOUNDERS; ++i) {
            asGovernance();
            registry.suspend(idOf(i));
        }
        passSeconds(1);
        bytes32 decision = open(DecisionKind.ApprovePlan, SUBJECT, 0, nobody());
        assertEq(board.decision(decision).base, 0);
        board.close(decision);
        assertEq(uint256(board.decision(decision).state), uint256(IDecisionBoard.DecisionState.Rejected));
    }

    function expectLockOut(IConsortiumGovernor.ActKind kind, bytes memory arguments) private {
        bytes32 structHash = actHash(idOf(0), kind, arguments, "why", 0, type(uint64).max);
        bytes memory signature = signWith(voteSecret(0), "ConsortiumGovernor", address(governor), structHash);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumGovernor.GovernorActLocksOut.selector, kind));
        governor.proposeActBySig(idOf(0), kind, arguments, "why", type(uint64).max, signature);
    }
}
