// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind, DecisionRule} from "../src/interfaces/DecisionRules.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {DecisionTally} from "../src/libraries/DecisionTally.sol";
import {Decisions} from "./support/Decisions.sol";

contract DecisionBoardTest is Decisions {
    DecisionKind private constant PLAN = DecisionKind.ApprovePlan;
    DecisionKind private constant RELEASE = DecisionKind.ReleaseModel;
    IDecisionBoard.Choice private constant YES = IDecisionBoard.Choice.Yes;
    IDecisionBoard.Choice private constant NO = IDecisionBoard.Choice.No;
    IDecisionBoard.Choice private constant ABSTAINED = IDecisionBoard.Choice.Abstain;

    function test_decision_is_named_by_its_signed_digest_and_copies_rule_and_policy() public {
        bytes32 expected = typedDigest("DecisionBoard", address(board), openingHash(PLAN, SUBJECT, 0, members(2)));
        bytes32 id = open(PLAN, SUBJECT, 0, members(2));
        assertEq(id, expected);
        IDecisionBoard.Decision memory opened = board.decision(id);
        assertEq(opened.base, 4);
        assertEq(opened.rule.thresholdBps, 6_667);
        assertEq(opened.policy, POLICY);
        assertEq(opened.closesAt, block.timestamp + 1 hours);
        assertEq(board.ownersOf(id).length, 2);

        asGovernance();
        registry.setDecisionRule(PLAN, DecisionRule(1, 1, 1, 1, false));
        assertEq(board.decision(id).rule.thresholdBps, 6_667);
    }

    function test_plan_is_approved_by_the_others_and_its_author_consents_by_opening() public {
        bytes32 id = approve(PLAN, SUBJECT, members(5));
        assertTrue(board.isApproved(PLAN, SUBJECT, id));
        assertFalse(board.isApproved(RELEASE, SUBJECT, id));
        assertFalse(board.isApproved(PLAN, keccak256("other"), id));
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            assertTrue(board.hasConsented(id, idOf(i)));
        }
        assertFalse(board.hasConsented(id, idOf(OUTSIDER)));
        assertFalse(board.hasConsented(keccak256("unknown"), 0));
    }

    function test_excluded_author_casts_no_ballot_and_is_outside_the_base() public {
        bytes32 id = open(PLAN, SUBJECT, 0, nobody());
        expectNotEligible(0, id);
        bytes32 release = open(RELEASE, SUBJECT, 0, nobody());
        assertEq(board.decision(release).base, 5);
        ballot(0, release, SUBJECT, YES);
        assertEq(board.decision(release).yes, 1);
    }

    function test_closes_early_only_once_the_outcome_is_settled() public {
        bytes32 id = open(RELEASE, SUBJECT, 0, nobody());
        ballot(0, id, SUBJECT, YES);
        ballot(1, id, SUBJECT, YES);
        assertFalse(board.isClosable(id));
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardNotSettled.selector, id, block.timestamp + 1 hours));
        board.close(id);
        ballot(2, id, SUBJECT, YES);
        assertTrue(board.isClosable(id));
        board.close(id);
        assertTrue(board.isApproved(RELEASE, SUBJECT, id));
    }

    function test_owner_must_say_yes_for_itself() public {
        bytes32[] memory owner = new bytes32[](1);
        owner[0] = idOf(3);
        bytes32 id = open(RELEASE, SUBJECT, 0, owner);
        for (uint256 i = 0; i < 3; ++i) {
            ballot(i, id, SUBJECT, YES);
        }
        ballot(4, id, SUBJECT, YES);
        assertFalse(board.isClosable(id));
        ballot(3, id, SUBJECT, ABSTAINED);
        board.close(id);
        assertTrue(board.decision(id).state == IDecisionBoard.DecisionState.Rejected);
        assertFalse(board.hasConsented(id, idOf(3)));
    }

    function test_silence_and_tie_are_rejections_after_the_period() public {
        bytes32 id = open(RELEASE, SUBJECT, 0, nobody());
        ballot(0, id, SUBJECT, YES);
        ballot(1, id, SUBJECT, NO);
        ballot(2, id, SUBJECT, ABSTAINED);
        passSeconds(1 hours);
        board.close(id);
        assertTrue(board.decision(id).state == IDecisionBoard.DecisionState.Rejected);
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionBoard.BoardNotOpen.selector, id, IDecisionBoard.DecisionState.Rejected)
        );
        board.close(id);
    }

    function test_ballot_of_a_removed_organization_is_struck_and_the_base_stays() public {
        bytes32 id = open(RELEASE, SUBJECT, 0, nobody());
        for (uint256 i = 0; i < 3; ++i) {
            ballot(i, id, SUBJECT, YES);
        }
        asGovernance();
        registry.remove(idOf(2));
        assertFalse(board.isClosable(id));
        passSeconds(1 hours);
        vm.expectEmit(address(board));
        emit IDecisionBoard.BallotStruck(id, idOf(2));
        board.close(id);
        IDecisionBoard.Decision memory closed = board.decision(id);
        assertEq(closed.base, 5);
        assertEq(closed.yes, 2);
        assertTrue(closed.state == IDecisionBoard.DecisionState.Rejected);
    }

    function test_late_doubled_foreign_and_misdirected_ballots_are_refused() public {
        bytes32 id = open(RELEASE, SUBJECT, 0, nobody());
        bytes memory foreign = choiceSignature(voteSecret(1), 0, id, SUBJECT, YES);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(0)));
        board.castBallot(id, SUBJECT, idOf(0), YES, foreign);
        bytes memory changed = choiceSignature(voteSecret(0), 0, id, SUBJECT, NO);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(0)));
        board.castBallot(id, SUBJECT, idOf(0), YES, changed);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardWrongSubject.selector, id, keccak256("other")));
        board.castBallot(id, keccak256("other"), idOf(0), YES, "");
        vm.expectRevert(IDecisionBoard.BoardUnknownChoice.selector);
        board.castBallot(id, SUBJECT, idOf(0), IDecisionBoard.Choice.None, "");
        ballot(0, id, SUBJECT, YES);
        bytes memory second = choiceSignature(voteSecret(0), 0, id, SUBJECT, NO);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardAlreadyVoted.selector, id, idOf(0)));
        board.castBallot(id, SUBJECT, idOf(0), NO, second);
        passSeconds(1 hours);
        bytes memory late = choiceSignature(voteSecret(1), 1, id, SUBJECT, YES);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBallotsClosed.selector, id, block.timestamp));
        board.castBallot(id, SUBJECT, idOf(1), YES, late);
        assertEq(board.decision(id).yes, 1);
    }

    function test_outsider_newcomer_and_suspended_cast_no_ballot() public {
        bytes32 id = open(RELEASE, SUBJECT, 0, nobody());
        expectNotEligible(OUTSIDER, id);
        asGovernance();
        registry.admit(admissionOf(5));
        passSeconds(1);
        expectNotEligible(5, id);
        asGovernance();
        registry.suspend(idOf(1));
        expectNotEligible(1, id);
        assertEq(board.decision(id).base, 5);
    }

    function test_opening_refuses_what_is_not_in_order() public {
        bytes memory signature = openingSignature(voteSecret(1), RELEASE, SUBJECT, 0, nobody());
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(0)));
        board.openDecision(RELEASE, SUBJECT, POLICY, idOf(0), nobody(), type(uint64).max, signature);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardSignatureExpired.selector, block.timestamp - 1));
        board.openDecision(RELEASE, SUBJECT, POLICY, idOf(0), nobody(), uint64(block.timestamp - 1), signature);
        expectOpenRefused(
            DecisionKind.None, SUBJECT, 0, nobody(), abi.encodePacked(IDecisionBoard.BoardUnknownKind.selector)
        );
        expectOpenRefused(RELEASE, 0, 0, nobody(), abi.encodePacked(IDecisionBoard.BoardZeroSubject.selector));
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = (idOf(1), idOf(1));
        bytes memory refusal = abi.encodeWithSelector(IDecisionBoard.BoardOwnerTwice.selector, idOf(1));
        expectOpenRefused(RELEASE, SUBJECT, 0, twice, refusal);
        twice[1] = idOf(OUTSIDER);
        refusal = abi.encodeWithSelector(IDecisionBoard.BoardOrganizationNotEligible.selector, idOf(OUTSIDER));
        expectOpenRefused(RELEASE, SUBJECT, 0, twice, refusal);
        refusal = abi.encodeWithSelector(IDecisionBoard.BoardTooManyOwners.selector, 65, 64);
        expectOpenRefused(RELEASE, SUBJECT, 0, new bytes32[](65), refusal);
        assertEq(board.nonceOf(idOf(0)), 0);
    }

    function test_opening_under_another_policy_is_refused() public {
        asGovernance();
        registry.setPolicy(keccak256("next"));
        bytes memory refusal =
            abi.encodeWithSelector(IDecisionBoard.BoardPolicyNotInForce.selector, POLICY, keccak256("next"));
        expectOpenRefused(RELEASE, SUBJECT, 0, nobody(), refusal);
    }

    function test_suspended_author_cannot_open() public {
        asGovernance();
        registry.suspend(idOf(0));
        passSeconds(2);
        bytes memory refusal = abi.encodeWithSelector(IDecisionBoard.BoardOrganizationNotEligible.selector, idOf(0));
        expectOpenRefused(RELEASE, SUBJECT, 0, nobody(), refusal);
    }

    function test_subject_is_proposed_again_only_after_a_rejection() public {
        bytes32 first = open(RELEASE, SUBJECT, 0, nobody());
        bytes memory refusal = abi.encodeWithSelector(IDecisionBoard.BoardSubjectOpen.selector, SUBJECT, first);
        expectOpenRefused(RELEASE, SUBJECT, 1, nobody(), refusal);
        passSeconds(1 hours);
        board.close(first);
        bytes32 second = open(RELEASE, SUBJECT, 1, nobody());
        for (uint256 i = 0; i < 3; ++i) {
            ballot(i, second, SUBJECT, YES);
        }
        board.close(second);
        refusal = abi.encodeWithSelector(IDecisionBoard.BoardSubjectApproved.selector, SUBJECT, second);
        expectOpenRefused(RELEASE, SUBJECT, 2, nobody(), refusal);
    }

    function test_unknown_decision_is_neither_voted_nor_closed() public {
        bytes memory refusal = abi.encodeWithSelector(IDecisionBoard.BoardUnknownDecision.selector, SUBJECT);
        vm.expectRevert(refusal);
        board.castBallot(SUBJECT, SUBJECT, idOf(0), YES, "");
        vm.expectRevert(refusal);
        board.close(SUBJECT);
    }

    /// @dev Random ballots and random removals: the board closes as the tally of the ballots that stand says.
    function testFuzz_board_agrees_with_the_tally(uint8[5] calldata draws, uint8 removed) public {
        bytes32 id = open(RELEASE, SUBJECT, 0, nobody());
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            if (draws[i] % 4 != 0) ballot(i, id, SUBJECT, IDecisionBoard.Choice(draws[i] % 4));
        }
        uint256 gone = removed % 6;
        asGovernance();
        if (gone < FOUNDERS) registry.suspend(idOf(gone));
        DecisionTally.Count memory count;
        count.base = FOUNDERS;
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            if (i == gone) continue;
            if (draws[i] % 4 == 1) ++count.yes;
            if (draws[i] % 4 == 2) ++count.no;
            if (draws[i] % 4 == 3) ++count.abstain;
        }
        DecisionRule memory rule = rules()[1];
        assertTrue(board.isClosable(id) == DecisionTally.isSettled(rule, count));
        passSeconds(1 hours);
        board.close(id);
        assertTrue(board.isApproved(RELEASE, SUBJECT, id) == DecisionTally.isApproved(rule, count));
        assertEq(board.decision(id).yes, count.yes);
        assertEq(board.decision(id).no, count.no);
    }

    function expectNotEligible(uint256 member, bytes32 id) private {
        bytes memory signature = choiceSignature(voteSecret(member), member, id, SUBJECT, YES);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardOrganizationNotEligible.selector, idOf(member)));
        board.castBallot(id, SUBJECT, idOf(member), YES, signature);
    }

    function expectOpenRefused(
        DecisionKind kind,
        bytes32 subject,
        uint256 author,
        bytes32[] memory owners,
        bytes memory refusal
    ) private {
        bytes memory signature = openingSignature(voteSecret(author), kind, subject, author, owners);
        vm.expectRevert(refusal);
        board.openDecision(kind, subject, POLICY, idOf(author), owners, type(uint64).max, signature);
    }
}
