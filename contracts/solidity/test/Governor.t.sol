// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {DecisionKind, DecisionRule} from "../src/interfaces/DecisionRules.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {Consortium} from "./support/Consortium.sol";

contract GovernorTest is Consortium {
    IConsortiumGovernor.ActKind private constant ADMIT = IConsortiumGovernor.ActKind.Admit;
    IConsortiumGovernor.ActKind private constant SUSPEND = IConsortiumGovernor.ActKind.Suspend;
    IConsortiumGovernor.ActKind private constant SET_POLICY = IConsortiumGovernor.ActKind.SetPolicy;

    function test_four_of_five_admit_a_sixth_and_it_then_validates() public {
        enact(ADMIT, abi.encode(admissionOf(5)), 4);
        assertTrue(registry.isActive(idOf(5)));
        enact(IConsortiumGovernor.ActKind.ActivateValidator, abi.encode(idOf(5)), 4);
        assertEq(source.getValidators().length, 6);
    }

    function test_every_kind_reaches_its_function() public {
        enact(SUSPEND, abi.encode(idOf(4)), 4);
        assertFalse(registry.isActive(idOf(4)));
        enact(IConsortiumGovernor.ActKind.Reinstate, abi.encode(idOf(4)), 3);
        assertTrue(registry.isActive(idOf(4)));
        enact(IConsortiumGovernor.ActKind.DeactivateValidator, abi.encode(idOf(4)), 4);
        assertEq(source.getValidators().length, 4);
        IConsortiumRegistry.KeyPurpose site = IConsortiumRegistry.KeyPurpose.Site;
        enact(IConsortiumGovernor.ActKind.ReplaceKey, abi.encode(idOf(4), site, address(0xBEEF)), 4);
        assertEq(registry.keyOf(idOf(4), site), address(0xBEEF));
        enact(IConsortiumGovernor.ActKind.Remove, abi.encode(idOf(4)), 4);
        assertEq(registry.activeCount(), 4);
        enact(SET_POLICY, abi.encode(keccak256("next")), 3);
        assertEq(registry.policyDigest(), keccak256("next"));
        enact(IConsortiumGovernor.ActKind.SetRunner, abi.encode(keccak256("runner"), true), 3);
        assertTrue(registry.isRunner(keccak256("runner")));
    }

    function test_every_number_is_set_by_vote() public {
        DecisionRule memory rule = DecisionRule(1, 2, 3, 4, true);
        enact(IConsortiumGovernor.ActKind.SetDecisionRule, abi.encode(DecisionKind.ApprovePlan, rule), 4);
        assertEq(registry.decisionRule(DecisionKind.ApprovePlan).minimumVotes, 4);
        IConsortiumRegistry.Parameters memory numbers = someParameters();
        numbers.witnessQuorum = 2;
        enact(IConsortiumGovernor.ActKind.SetParameters, abi.encode(numbers), 4);
        assertEq(registry.parameters().witnessQuorum, 2);
        enact(IConsortiumGovernor.ActKind.SetVotingDelay, abi.encode(VOTING_DELAY - 5), 4);
        assertEq(governor.votingDelay(), VOTING_DELAY - 5);
        enact(IConsortiumGovernor.ActKind.SetVotingPeriod, abi.encode(200), 4);
        assertEq(governor.votingPeriod(), 200);
        enact(IConsortiumGovernor.ActKind.SetTimelockDelay, abi.encode(TIMELOCK_DELAY - 1), 4);
        assertEq(timelock.getMinDelay(), TIMELOCK_DELAY - 1);
        enact(IConsortiumGovernor.ActKind.SetValidatorWriter, abi.encode(address(board)), 4);
        assertEq(source.writer(), address(board));
        enact(IConsortiumGovernor.ActKind.SetValidatorController, abi.encode(address(models)), 4);
        assertEq(source.controller(), address(models));
    }

    function test_three_of_five_yes_are_not_two_thirds() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 3; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        voteAs(voteSecret(3), proposalId, ABSTAIN);
        requireState(proposalId, IGovernor.ProposalState.Active);
        passSeconds(VOTING_PERIOD);
        requireState(proposalId, IGovernor.ProposalState.Defeated);
        assertTrue(registry.isActive(idOf(4)));
    }

    function test_proposal_succeeds_at_once_when_two_thirds_said_yes() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        requireState(proposalId, IGovernor.ProposalState.Pending);
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 4; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        requireState(proposalId, IGovernor.ProposalState.Succeeded);
        governor.queue(proposalId);
        requireState(proposalId, IGovernor.ProposalState.Queued);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        requireState(proposalId, IGovernor.ProposalState.Executed);
    }

    function test_execution_waits_for_the_timelock() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 4; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        governor.queue(proposalId);
        passSeconds(TIMELOCK_DELAY - 1);
        try governor.execute(proposalId) {
            assertTrue(false);
        } catch {}
        assertTrue(registry.isActive(idOf(4)));
    }

    function test_unknown_kind_and_malformed_arguments_are_refused() public {
        expectProposalRefused(
            IConsortiumGovernor.ActKind.None,
            "",
            abi.encodeWithSelector(IConsortiumGovernor.GovernorActUnknown.selector, IConsortiumGovernor.ActKind.None)
        );
        expectProposalRefused(
            SUSPEND,
            abi.encode(idOf(1), uint256(1)),
            abi.encodeWithSelector(IConsortiumGovernor.GovernorActArgumentsMalformed.selector, SUSPEND, 32, 64)
        );
    }

    function test_foreign_expired_and_replayed_proposals_are_refused() public {
        bytes memory arguments = abi.encode(idOf(4));
        uint64 deadline = uint64(block.timestamp + 10);
        bytes32 structHash = actHash(idOf(0), SUSPEND, arguments, "why", 0, deadline);
        bytes memory signature = signWith(voteSecret(1), "ConsortiumGovernor", address(governor), structHash);
        bytes memory badSignature =
            abi.encodeWithSelector(IConsortiumGovernor.GovernorActBadSignature.selector, idOf(0));
        vm.expectRevert(badSignature);
        governor.proposeActBySig(idOf(0), SUSPEND, arguments, "why", deadline, signature);

        signature = signWith(voteSecret(0), "ConsortiumGovernor", address(governor), structHash);
        governor.proposeActBySig(idOf(0), SUSPEND, arguments, "why", deadline, signature);
        assertEq(governor.nonceOf(idOf(0)), 1);
        vm.expectRevert(badSignature);
        governor.proposeActBySig(idOf(0), SUSPEND, arguments, "why", deadline, signature);

        passSeconds(11);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumGovernor.GovernorActSignatureExpired.selector, deadline));
        governor.proposeActBySig(idOf(0), SUSPEND, arguments, "why", deadline, signature);
        assertEq(governor.proposalCount(), 1);
    }

    function test_stranger_and_suspended_organization_cannot_propose() public {
        bytes memory notActive =
            abi.encodeWithSelector(IConsortiumGovernor.GovernorOrganizationNotActive.selector, idOf(OUTSIDER));
        vm.expectRevert(notActive);
        governor.proposeActBySig(idOf(OUTSIDER), SUSPEND, abi.encode(idOf(0)), "", type(uint64).max, "");
        asGovernance();
        registry.suspend(idOf(1));
        vm.expectRevert(abi.encodeWithSelector(IConsortiumGovernor.GovernorOrganizationNotActive.selector, idOf(1)));
        governor.proposeActBySig(idOf(1), SUSPEND, abi.encode(idOf(0)), "", type(uint64).max, "");
    }

    function test_doors_that_listen_to_the_sender_are_shut() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        address[] memory targets = new address[](1);
        uint256[] memory values = new uint256[](1);
        bytes[] memory calldatas = new bytes[](1);
        vm.expectRevert(IConsortiumGovernor.GovernorOnlyActs.selector);
        governor.propose(targets, values, calldatas, "");
        vm.prank(vm.addr(voteSecret(0)));
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, proposalId, vm.addr(voteSecret(0)))
        );
        governor.cancel(proposalId);
        passSeconds(VOTING_DELAY + 1);
        vm.prank(vm.addr(voteSecret(0)));
        vm.expectRevert(IConsortiumGovernor.GovernorOnlySignedBallots.selector);
        governor.castVote(proposalId, FOR);
        vm.expectRevert(IConsortiumGovernor.GovernorOnlySignedBallots.selector);
        governor.castVoteWithReason(proposalId, FOR, "");
        vm.expectRevert(IConsortiumGovernor.GovernorOnlySignedBallots.selector);
        governor.castVoteWithReasonAndParams(proposalId, FOR, "", "");
        vm.expectRevert(IConsortiumGovernor.GovernorOnlySignedBallots.selector);
        governor.castVoteWithReasonAndParamsBySig(proposalId, FOR, vm.addr(voteSecret(0)), "", "", "");
        requireNoVotes(proposalId);
    }

    function test_timelock_obeys_the_governor_alone() public {
        bytes memory call = abi.encodeCall(registry.suspend, (idOf(0)));
        try timelock.schedule(address(registry), 0, call, 0, 0, TIMELOCK_DELAY) {
            assertTrue(false);
        } catch {}
        assertTrue(timelock.hasRole(timelock.PROPOSER_ROLE(), address(governor)));
        assertTrue(timelock.hasRole(timelock.EXECUTOR_ROLE(), address(governor)));
        assertFalse(timelock.hasRole(timelock.CANCELLER_ROLE(), address(governor)));
        assertTrue(timelock.hasRole(timelock.CANCELLER_ROLE(), address(guardian)));
        assertFalse(timelock.hasRole(timelock.EXECUTOR_ROLE(), address(guardian)));
        assertFalse(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), address(this)));
        assertFalse(timelock.hasRole(timelock.EXECUTOR_ROLE(), address(0)));
    }

    function test_rotated_key_keeps_the_vote_and_wins_no_second_one() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        voteAs(voteSecret(1), proposalId, FOR);
        replaceVoteKey(1, 771);
        replaceVoteKey(2, 772);

        bytes memory again = ballotSignature(771, proposalId, FOR);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, vm.addr(771)));
        governor.castVoteBySig(proposalId, FOR, vm.addr(771), again);
        expectNotEligible(voteSecret(2), proposalId);
        voteAs(772, proposalId, FOR);
        (, uint256 yes,) = governor.proposalVotes(proposalId);
        assertEq(yes, 2);
        assertTrue(governor.hasOrganizationVoted(proposalId, idOf(2)));
        assertTrue(governor.hasVoted(proposalId, vm.addr(772)));
    }

    function test_only_organizations_active_at_snapshot_and_now_vote() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        asGovernance();
        registry.admit(admissionOf(5));
        passSeconds(1);
        expectNotEligible(voteSecret(5), proposalId);
        asGovernance();
        registry.suspend(idOf(1));
        expectNotEligible(voteSecret(1), proposalId);
        expectNotEligible(siteSecret(2), proposalId);
        requireNoVotes(proposalId);
    }

    function test_second_ballot_foreign_signature_and_unknown_support_are_refused() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        bytes memory foreign = ballotSignature(voteSecret(1), proposalId, FOR);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, vm.addr(voteSecret(0))));
        governor.castVoteBySig(proposalId, FOR, vm.addr(voteSecret(0)), foreign);
        bytes memory unknown = ballotSignature(voteSecret(0), proposalId, 3);
        vm.expectRevert(IGovernor.GovernorInvalidVoteType.selector);
        governor.castVoteBySig(proposalId, 3, vm.addr(voteSecret(0)), unknown);
        voteAs(voteSecret(0), proposalId, AGAINST);
        bytes memory second = ballotSignature(voteSecret(0), proposalId, FOR);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, vm.addr(voteSecret(0))));
        governor.castVoteBySig(proposalId, FOR, vm.addr(voteSecret(0)), second);
        (uint256 against, uint256 yes,) = governor.proposalVotes(proposalId);
        assertEq(against, 1);
        assertEq(yes, 0);
    }

    function test_same_act_can_be_tried_again_after_a_defeat() public {
        uint256 first = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + VOTING_PERIOD + 1);
        requireState(first, IGovernor.ProposalState.Defeated);
        uint256 second = propose(0, SUSPEND, abi.encode(idOf(4)));
        assertFalse(first == second);
        IConsortiumGovernor.Act memory act = governor.actOf(second);
        assertEq(act.organization, idOf(0));
        assertTrue(act.kind == SUSPEND);
        assertEq(act.argumentsDigest, keccak256(abi.encode(idOf(4))));
    }

    /// @dev Any pattern of ballots: success exactly when yes reach two thirds of five, that is four.
    function testFuzz_success_is_two_thirds_of_all(uint8[5] calldata ballots) public {
        uint256 proposalId = propose(0, SET_POLICY, abi.encode(keccak256("fuzzed")));
        passSeconds(VOTING_DELAY + 1);
        uint256 yes = 0;
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            uint8 support = ballots[i] % 5 == 0 ? AGAINST : FOR;
            if (ballots[i] % 7 == 0 || yes == 4) continue;
            voteAs(voteSecret(i), proposalId, support);
            if (support == FOR) ++yes;
        }
        passSeconds(VOTING_PERIOD);
        bool isPassed = governor.state(proposalId) == IGovernor.ProposalState.Succeeded;
        assertTrue(isPassed == (yes >= 4));
    }

    function replaceVoteKey(uint256 member, uint256 secret) private {
        asGovernance();
        registry.replaceKey(idOf(member), IConsortiumRegistry.KeyPurpose.Vote, vm.addr(secret));
    }

    function expectProposalRefused(IConsortiumGovernor.ActKind kind, bytes memory arguments, bytes memory refusal)
        private
    {
        bytes32 structHash = actHash(idOf(0), kind, arguments, "why", 0, type(uint64).max);
        bytes memory signature = signWith(voteSecret(0), "ConsortiumGovernor", address(governor), structHash);
        vm.expectRevert(refusal);
        governor.proposeActBySig(idOf(0), kind, arguments, "why", type(uint64).max, signature);
        assertEq(governor.proposalCount(), 0);
    }

    function expectNotEligible(uint256 secret, uint256 proposalId) private {
        bytes memory signature = ballotSignature(secret, proposalId, FOR);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumGovernor.GovernorNotEligible.selector, vm.addr(secret)));
        governor.castVoteBySig(proposalId, FOR, vm.addr(secret), signature);
    }

    function requireNoVotes(uint256 proposalId) private view {
        (uint256 against, uint256 yes, uint256 abstain) = governor.proposalVotes(proposalId);
        assertEq(against + yes + abstain, 0);
    }

    function requireState(uint256 proposalId, IGovernor.ProposalState expected) private view {
        assertEq(uint256(governor.state(proposalId)), uint256(expected));
    }
}
