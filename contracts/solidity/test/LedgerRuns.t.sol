// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Training} from "./support/Training.sol";

contract LedgerRunsTest is Training {
    bytes32 private constant REASON = keccak256("reason");

    function test_run_goes_from_plan_to_last_weights() public {
        openRun(RUN);
        requireStatus(RUN, ITrainingLedger.RunStatus.Planned);
        ITrainingLedger.RoundClose memory none;
        ledger.advanceRound(RUN, none, opening(RUN, 5));
        requireStatus(RUN, ITrainingLedger.RunStatus.Running);
        for (uint32 round = 1; round < ROUNDS; ++round) {
            ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
            ledger.advanceRound(RUN, ended, openingOf(RUN, round + 1, 1, ended.nextWeights, 5));
            assertEq(ledger.runOf(RUN).round, round + 1);
        }
        ledger.finishRun(RUN, closing(RUN, 3));
        requireStatus(RUN, ITrainingLedger.RunStatus.Completed);
        (bool isFinal, bytes32 author) = ledger.completion(RUN, weightsAfter(RUN, ROUNDS));
        assertTrue(isFinal);
        assertEq(author, idOf(0));
        (isFinal,) = ledger.completion(RUN, weightsAfter(RUN, ROUNDS - 1));
        assertFalse(isFinal);
    }

    function test_run_needs_an_approval_of_this_plan_under_these_terms() public {
        ITrainingLedger.RunTerms memory other = terms();
        other.rounds = ROUNDS + 1;
        bytes32 subject = ledger.subjectOf(PLAN, other);
        expectRunRefused(PLAN, approval, other, notApproved(subject, approval));
        subject = ledger.subjectOf(keccak256("other plan"), terms());
        expectRunRefused(keccak256("other plan"), approval, terms(), notApproved(subject, approval));
        subject = ledger.subjectOf(PLAN, terms());
        expectRunRefused(PLAN, keccak256("no decision"), terms(), notApproved(subject, keccak256("no decision")));
        requireStatus(RUN, ITrainingLedger.RunStatus.None);
    }

    function test_subject_binds_plan_and_every_term() public view {
        bytes32 expected = keccak256(abi.encode(PLAN, 4, 4, 1, 3, ROUNDS, 2, 25, keccak256("rule")));
        assertEq(ledger.subjectOf(PLAN, terms()), expected);
    }

    function test_terms_outside_the_bounds_are_refused() public {
        ITrainingLedger.RunTerms memory bad = terms();
        bad.colluders = 3;
        expectTermsRefused(bad);
        bad = terms();
        bad.threshold = 2;
        expectTermsRefused(bad);
        bad = terms();
        bad.verifierQuorum = 1;
        expectTermsRefused(bad);
        bad.verifierQuorum = 5;
        expectTermsRefused(bad);
        bad = terms();
        bad.rounds = 0;
        expectTermsRefused(bad);
        bad = terms();
        bad.maxRuns = 0;
        expectTermsRefused(bad);
        bad = terms();
        bad.minimumBand = 0;
        expectTermsRefused(bad);
        bad.minimumBand = 26;
        expectTermsRefused(bad);
        bad = terms();
        (bad.minimumSites, bad.threshold) = (65, 65);
        expectTermsRefused(bad);
    }

    function test_known_run_and_zero_values_are_refused() public {
        openRun(RUN);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerRunExists.selector, RUN));
        openRun(RUN);
        vm.expectRevert(ITrainingLedger.LedgerZeroValue.selector);
        ledger.openRun(0, PLAN, approval, INITIAL, terms());
        vm.expectRevert(ITrainingLedger.LedgerZeroValue.selector);
        ledger.openRun(runNamed("r"), PLAN, approval, 0, terms());
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerNoUuid.selector, keccak256("r")));
        ledger.openRun(keccak256("r"), PLAN, approval, INITIAL, terms());
    }

    function test_approval_covers_its_runs_and_a_run_counts_from_its_first_round() public {
        (bytes32 a, bytes32 b, bytes32 c) = (runNamed("a"), runNamed("b"), runNamed("c"));
        openRunFrom(a);
        openRunFrom(b);
        openRunFrom(c);
        assertEq(ledger.runsOf(approval), 0);
        openNext(a, 5);
        openNext(b, 5);
        assertEq(ledger.runsOf(approval), 2);
        ITrainingLedger.Opening memory third = opening(c, 5);
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerRunsUsedUp.selector, approval, 2);
        vm.expectRevert(refusal);
        ledger.openAttempt(c, third);
        vm.expectRevert(refusal);
        openRunFrom(runNamed("d"));
        requireStatus(c, ITrainingLedger.RunStatus.Planned);
    }

    function test_author_cancels_for_good_and_nobody_else() public {
        openRun(RUN);
        openNext(RUN, 5);
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerBadSignature.selector, idOf(0));
        bytes memory foreign = cancelSignature(siteSecret(1), RUN, REASON);
        vm.expectRevert(refusal);
        ledger.cancelRun(RUN, REASON, foreign);
        requireStatus(RUN, ITrainingLedger.RunStatus.Running);
        bytes memory own = cancelSignature(siteSecret(0), RUN, REASON);
        ledger.cancelRun(RUN, REASON, own);
        requireStatus(RUN, ITrainingLedger.RunStatus.Canceled);
        requireTerminal(RUN, ITrainingLedger.RunStatus.Canceled);
    }

    function test_run_fails_only_when_its_attempts_are_used_up() public {
        openRun(RUN);
        for (uint32 attempt = 1; attempt <= 3; ++attempt) {
            openNext(RUN, 5);
            vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerAttemptsLeft.selector, RUN, 1));
            ledger.failRun(RUN, REASON);
            ledger.abandonAttempt(RUN, 1, attempt, ITrainingLedger.AbandonReason.SiteLost);
        }
        ITrainingLedger.Opening memory fourth = opening(RUN, 5);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerAttemptsUsedUp.selector, RUN, 1, 3));
        ledger.openAttempt(RUN, fourth);
        ledger.failRun(RUN, REASON);
        requireStatus(RUN, ITrainingLedger.RunStatus.Failed);
        requireTerminal(RUN, ITrainingLedger.RunStatus.Failed);
    }

    function test_run_of_a_suspended_author_can_be_failed_but_not_canceled() public {
        openRun(RUN);
        asGovernance();
        registry.suspend(idOf(0));
        bytes memory own = cancelSignature(siteSecret(0), RUN, REASON);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerBadSignature.selector, idOf(0)));
        ledger.cancelRun(RUN, REASON, own);
        ledger.failRun(RUN, REASON);
        requireStatus(RUN, ITrainingLedger.RunStatus.Failed);
    }

    function test_run_that_was_revealed_and_not_closed_fails_and_its_weights_stay_revealed() public {
        openRun(RUN);
        openNext(RUN, 5);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerAttemptsLeft.selector, RUN, 1));
        ledger.failRun(RUN, REASON);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Revealed);
        assertTrue(ledger.isRevealed(PLAN, INITIAL));
        ITrainingLedger.Opening memory again = opening(RUN, 5);
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerWeightsRevealed.selector, PLAN, INITIAL);
        vm.expectRevert(refusal);
        ledger.openAttempt(RUN, again);
        ledger.failRun(RUN, REASON);
        requireTerminal(RUN, ITrainingLedger.RunStatus.Failed);

        bytes32 second = runNamed("second run");
        openRun(second);
        again = opening(second, 5);
        vm.expectRevert(refusal);
        ledger.openAttempt(second, again);
        ledger.failRun(second, REASON);
        assertEq(ledger.runsOf(approval), 1);
    }

    function test_only_revealed_among_the_reasons_marks_the_weights() public {
        ITrainingLedger.AbandonReason[3] memory plain = [
            ITrainingLedger.AbandonReason.Timeout,
            ITrainingLedger.AbandonReason.Withdrawal,
            ITrainingLedger.AbandonReason.ResultDisputed
        ];
        openRun(RUN);
        for (uint32 i = 0; i < plain.length; ++i) {
            openNext(RUN, 5);
            ledger.abandonAttempt(RUN, 1, i + 1, plain[i]);
        }
        assertFalse(ledger.isRevealed(PLAN, INITIAL));
    }

    function test_weights_of_an_attempt_that_was_open_when_its_run_was_canceled_count_as_revealed() public {
        openRun(RUN);
        openNext(RUN, 5);
        bytes memory own = cancelSignature(siteSecret(0), RUN, REASON);
        ledger.cancelRun(RUN, REASON, own);
        assertTrue(ledger.isRevealed(PLAN, INITIAL));
    }

    function test_completed_run_is_final() public {
        complete(RUN);
        requireTerminal(RUN, ITrainingLedger.RunStatus.Completed);
    }

    function requireTerminal(bytes32 run, ITrainingLedger.RunStatus status) private {
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerWrongStatus.selector, run, status);
        ITrainingLedger.Opening memory next = opening(run, 5);
        ITrainingLedger.RoundClose memory ended = closing(run, 3);
        bytes memory own = cancelSignature(siteSecret(0), run, REASON);
        vm.expectRevert(refusal);
        ledger.openAttempt(run, next);
        vm.expectRevert(refusal);
        ledger.advanceRound(run, ended, next);
        vm.expectRevert(refusal);
        ledger.closeRound(run, ended);
        vm.expectRevert(refusal);
        ledger.finishRun(run, ended);
        vm.expectRevert(refusal);
        ledger.abandonAttempt(run, ended.round, ended.attempt, ITrainingLedger.AbandonReason.Timeout);
        vm.expectRevert(refusal);
        ledger.cancelRun(run, REASON, own);
        vm.expectRevert(refusal);
        ledger.failRun(run, REASON);
        requireStatus(run, status);
    }

    function openRunFrom(bytes32 run) private {
        ledger.openRun(run, PLAN, approval, keccak256(abi.encode(run)), terms());
    }

    function notApproved(bytes32 subject, bytes32 decision) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainingLedger.LedgerPlanNotApproved.selector, subject, decision);
    }

    function expectTermsRefused(ITrainingLedger.RunTerms memory bad) private {
        expectRunRefused(PLAN, approval, bad, abi.encodePacked(ITrainingLedger.LedgerTermsRefused.selector));
    }

    function expectRunRefused(
        bytes32 plan,
        bytes32 decision,
        ITrainingLedger.RunTerms memory given,
        bytes memory refusal
    ) private {
        vm.expectRevert(refusal);
        ledger.openRun(RUN, plan, decision, INITIAL, given);
    }
}
