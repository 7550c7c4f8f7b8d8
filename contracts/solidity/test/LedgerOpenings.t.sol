// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {Training} from "./support/Training.sol";
import {Vm} from "./support/Vm.sol";

contract LedgerOpeningsTest is Training {
    function setUp() public override {
        super.setUp();
        openRun(RUN);
    }

    function test_roster_is_what_was_committed_in_order() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        (next.commitments[0], next.commitments[4]) = (next.commitments[4], next.commitments[0]);
        ledger.openAttempt(RUN, next);
        bytes32[] memory roster = ledger.rosterOf(RUN);
        assertEq(roster.length, 5);
        assertEq(roster[0], idOf(4));
        assertEq(roster[4], idOf(0));
    }

    function test_opening_announces_roster_digest_weights_and_parent_block() public {
        ITrainingLedger.Opening memory next = opening(RUN, 4);
        bytes32[] memory roster = members(4);
        vm.recordLogs();
        ledger.openAttempt(RUN, next);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 5);
        Vm.Log memory opened = logs[4];
        assertEq(opened.topics[0], ITrainingLedger.RoundOpened.selector);
        assertEq(opened.topics[1], RUN);
        bytes memory expected =
            abi.encode(PLAN, INITIAL, roster, keccak256(abi.encodePacked(roster)), blockhash(block.number - 1));
        assertEq(keccak256(opened.data), keccak256(expected));
    }

    function test_withdrawal_after_commitment_keeps_out_that_site_alone() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        revoke(2, 1, 2, subjects(1));
        expectRefusal(next, 2, ITrainingLedger.RefusalReason.StaleConsents);
        requireRosterWithout(2);
    }

    function test_new_epoch_after_commitment_keeps_out_that_site_alone() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        anchor(3, 2, keccak256("newer"), 50, 2);
        expectRefusal(next, 3, ITrainingLedger.RefusalReason.StaleConsents);
        requireRosterWithout(3);
    }

    function test_commitment_for_another_place_plan_or_weights_is_refused() public {
        ITrainingLedger.Commitment memory bad = honest();
        bad.run = keccak256("other run");
        requireExcluded(bad, ITrainingLedger.RefusalReason.WrongAttempt);
        bad = honest();
        bad.attempt = 2;
        requireExcluded(bad, ITrainingLedger.RefusalReason.WrongAttempt);
        bad = honest();
        bad.plan = keccak256("other plan");
        requireExcluded(bad, ITrainingLedger.RefusalReason.WrongPlan);
        bad = honest();
        bad.weights = keccak256("other weights");
        requireExcluded(bad, ITrainingLedger.RefusalReason.WrongWeights);
    }

    function test_commitment_with_a_bad_cohort_is_refused() public {
        ITrainingLedger.Commitment memory bad = honest();
        bad.seq = 7;
        requireExcluded(bad, ITrainingLedger.RefusalReason.StaleConsents);
        bad = honest();
        bad.asOf = now64() - 301;
        requireExcluded(bad, ITrainingLedger.RefusalReason.AsOfOutOfTolerance);
        bad = honest();
        bad.band = 59;
        requireExcluded(bad, ITrainingLedger.RefusalReason.NotABand);
        bad = honest();
        bad.band = 10;
        requireExcluded(bad, ITrainingLedger.RefusalReason.CohortTooSmall);
    }

    function test_commitment_with_a_bad_block_is_refused() public {
        ITrainingLedger.Commitment memory bad = honest();
        bad.blockHash = keccak256("fork");
        requireExcluded(bad, ITrainingLedger.RefusalReason.WrongBlock);
        bad = honest();
        bad.blockNumber = uint64(block.number);
        requireExcluded(bad, ITrainingLedger.RefusalReason.WrongBlock);
        bad = honest();
        bad.blockNumber = uint64(block.number - 21);
        bad.blockHash = blockhash(block.number - 21);
        requireExcluded(bad, ITrainingLedger.RefusalReason.Expired);
        bad = honest();
        bad.validUntilBlock = uint64(block.number - 1);
        requireExcluded(bad, ITrainingLedger.RefusalReason.Expired);
    }

    function test_oldest_block_and_last_valid_block_still_count() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        ITrainingLedger.Commitment memory edge = honest();
        edge.blockNumber = uint64(block.number - 20);
        edge.blockHash = blockhash(block.number - 20);
        edge.validUntilBlock = uint64(block.number);
        next.commitments[2] = signed(siteSecret(2), edge);
        ledger.openAttempt(RUN, next);
        assertEq(ledger.rosterOf(RUN).length, 5);
    }

    function test_foreign_vote_and_broken_signatures_are_refused() public {
        requireExcluded(signed(siteSecret(3), honest()), ITrainingLedger.RefusalReason.BadSignature);
        requireExcluded(signed(voteSecret(2), honest()), ITrainingLedger.RefusalReason.BadSignature);
        ITrainingLedger.SignedCommitment memory broken = signed(siteSecret(2), honest());
        broken.signature = hex"00";
        requireExcluded(broken, ITrainingLedger.RefusalReason.BadSignature);
        broken = signed(siteSecret(2), honest());
        broken.commitment.cohortRoot = keccak256("exchanged");
        requireExcluded(broken, ITrainingLedger.RefusalReason.BadSignature);
    }

    function test_suspended_organization_is_not_on_the_roster() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        asGovernance();
        registry.suspend(idOf(2));
        expectRefusal(next, 2, ITrainingLedger.RefusalReason.NotActive);
        requireRosterWithout(2);
    }

    function test_organization_without_its_own_yes_is_not_on_the_roster() public {
        asGovernance();
        registry.admit(admissionOf(5));
        anchor(5, 1, keccak256("root"), 50, 1);
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        next.commitments[2] = signed(siteSecret(5), commitment(5, RUN, 1, 1, INITIAL));
        expectRefusal(next, 5, ITrainingLedger.RefusalReason.NotConsented);
        requireRosterWithout(2);
    }

    function test_second_commitment_of_one_organization_is_refused() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        next.commitments[2] = next.commitments[1];
        expectRefusal(next, 1, ITrainingLedger.RefusalReason.Duplicate);
        requireRosterWithout(2);
    }

    function test_refused_forgery_does_not_keep_out_the_true_commitment() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        next.commitments[1] = signed(siteSecret(1), commitment(2, RUN, 1, 1, INITIAL));
        ledger.openAttempt(RUN, next);
        bytes32[] memory roster = ledger.rosterOf(RUN);
        assertEq(roster.length, 4);
        assertEq(roster[1], idOf(2));
    }

    function test_too_few_good_commitments_change_nothing() public {
        ITrainingLedger.Opening memory next = opening(RUN, 4);
        revoke(0, 1, 2, subjects(1));
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerTooFewSites.selector, 3, 4));
        ledger.openAttempt(RUN, next);
        requireStatus(RUN, ITrainingLedger.RunStatus.Planned);
        assertEq(ledger.runOf(RUN).round, 0);
        assertEq(ledger.runsOf(approval), 0);
    }

    function test_roster_that_breaks_the_bound_is_refused_whole() public {
        passSeconds(60);
        for (uint256 member = 5; member < 7; ++member) {
            asGovernance();
            registry.admit(admissionOf(member));
            anchor(member, 1, keccak256("root"), 50, 1);
            passSeconds(60);
        }
        bytes32 plan = keccak256("larger plan");
        ITrainingLedger.RunTerms memory larger = terms();
        bytes32 decision = approveBySeven(ledger.subjectOf(plan, larger));
        bytes32 run = runNamed("larger run");
        ledger.openRun(run, plan, decision, INITIAL, larger);
        ITrainingLedger.Opening memory next = openingOf(run, 1, 1, INITIAL, 7);
        for (uint256 i = 0; i < 7; ++i) {
            next.commitments[i].commitment.plan = plan;
            next.commitments[i] = signed(siteSecret(i), next.commitments[i].commitment);
        }
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerBoundBroken.selector, 7, 4, 1));
        ledger.openAttempt(run, next);
        requireStatus(run, ITrainingLedger.RunStatus.Planned);
    }

    function test_openings_out_of_turn_are_refused() public {
        bytes4 wrongAttempt = ITrainingLedger.LedgerWrongAttempt.selector;
        ITrainingLedger.Opening memory skipped = openingOf(RUN, 2, 1, INITIAL, 5);
        vm.expectRevert(abi.encodeWithSelector(wrongAttempt, 1, 1, 2, 1));
        ledger.openAttempt(RUN, skipped);
        openNext(RUN, 5);
        ITrainingLedger.Opening memory again = openingOf(RUN, 1, 2, INITIAL, 5);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerAttemptStillOpen.selector, RUN, 1, 1));
        ledger.openAttempt(RUN, again);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.TooFewSurvivors);
        ITrainingLedger.Opening memory repeated = openingOf(RUN, 1, 1, INITIAL, 5);
        vm.expectRevert(abi.encodeWithSelector(wrongAttempt, 1, 2, 1, 1));
        ledger.openAttempt(RUN, repeated);
        openNext(RUN, 4);
        assertEq(ledger.runOf(RUN).attempt, 2);
        assertEq(ledger.rosterOf(RUN).length, 4);
    }

    function test_more_commitments_than_a_roster_holds_are_refused() public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        next.commitments = new ITrainingLedger.SignedCommitment[](65);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerTooManyCommitments.selector, 65, 64));
        ledger.openAttempt(RUN, next);
    }

    function test_round_cannot_open_on_weights_that_another_run_has_revealed() public {
        bytes32 twin = runNamed("twin");
        openRun(twin);
        openNext(RUN, 5);
        ledger.closeRound(RUN, closing(RUN, 3));
        ITrainingLedger.Opening memory next = opening(twin, 5);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerWeightsRevealed.selector, PLAN, INITIAL));
        ledger.openAttempt(twin, next);
        assertTrue(ledger.isRevealed(PLAN, INITIAL));
    }

    function test_two_runs_of_a_plan_are_never_open_on_the_same_weights() public {
        bytes32 twin = runNamed("twin");
        openRun(twin);
        openNext(twin, 5);
        assertEq(ledger.holderOf(PLAN, INITIAL), twin);
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerWeightsTaken.selector, PLAN, INITIAL, twin);
        vm.expectRevert(refusal);
        ledger.openAttempt(RUN, next);
        // nor once the first one gave its attempt up: somebody may hold shares of it
        ledger.abandonAttempt(twin, 1, 1, ITrainingLedger.AbandonReason.Timeout);
        vm.expectRevert(refusal);
        ledger.openAttempt(RUN, next);
        ledger.failRun(RUN, 0);
        openNext(twin, 5);
    }

    /// @dev Any set of sites withdraws between commitment and opening: exactly these are missing, and below the minimum
    /// nothing opens.
    function testFuzz_stale_sites_are_missing_and_nobody_else(uint8 mask) public {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        uint256 fresh = 0;
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            if (mask >> i & 1 == 1) revoke(i, 1, 2, subjects(1));
            else ++fresh;
        }
        try ledger.openAttempt(RUN, next) {
            assertTrue(fresh >= 4);
            bytes32[] memory roster = ledger.rosterOf(RUN);
            assertEq(roster.length, fresh);
            for (uint256 i = 0; i < FOUNDERS; ++i) {
                assertTrue(contains(roster, idOf(i)) == (mask >> i & 1 == 0));
            }
        } catch {
            assertTrue(fresh < 4);
            requireStatus(RUN, ITrainingLedger.RunStatus.Planned);
        }
    }

    function honest() private view returns (ITrainingLedger.Commitment memory) {
        return commitment(2, RUN, 1, 1, INITIAL);
    }

    function requireExcluded(ITrainingLedger.Commitment memory bad, ITrainingLedger.RefusalReason reason) private {
        requireExcluded(signed(siteSecret(2), bad), reason);
    }

    /// @dev Opens with the bad commitment of member 2 among four good ones, then goes back, so that a test can try
    /// many.
    function requireExcluded(ITrainingLedger.SignedCommitment memory bad, ITrainingLedger.RefusalReason reason)
        private
    {
        ITrainingLedger.Opening memory next = opening(RUN, 5);
        next.commitments[2] = bad;
        uint256 snapshot = vm.snapshotState();
        expectRefusal(next, 2, reason);
        requireRosterWithout(2);
        assertTrue(vm.revertToState(snapshot));
    }

    function expectRefusal(ITrainingLedger.Opening memory next, uint256 member, ITrainingLedger.RefusalReason reason)
        private
    {
        vm.recordLogs();
        ledger.openAttempt(RUN, next);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != ITrainingLedger.CommitmentRefused.selector) continue;
            ++found;
            assertEq(logs[i].topics[3], idOf(member));
            (, uint256 given) = abi.decode(logs[i].data, (uint256, uint256));
            assertEq(given, uint256(reason));
        }
        assertEq(found, 1);
    }

    function requireRosterWithout(uint256 member) private view {
        bytes32[] memory roster = ledger.rosterOf(RUN);
        assertEq(roster.length, 4);
        assertFalse(contains(roster, idOf(member)));
    }

    function contains(bytes32[] memory list, bytes32 item) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == item) return true;
        }
        return false;
    }

    function approveBySeven(bytes32 subject) private returns (bytes32 decision) {
        decision = open(DecisionKind.ApprovePlan, subject, 0, members(7));
        for (uint256 i = 1; i < 7; ++i) {
            ballot(i, decision, subject, IDecisionBoard.Choice.Yes);
        }
        board.close(decision);
    }
}
