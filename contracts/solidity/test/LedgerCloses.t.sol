// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Training} from "./support/Training.sol";

contract LedgerClosesTest is Training {
    function setUp() public override {
        super.setUp();
        openRun(RUN);
        openNext(RUN, 5);
    }

    function test_close_moves_the_weights_and_marks_the_old_ones_revealed() public {
        ledger.closeRound(RUN, closing(RUN, 3));
        assertEq(ledger.runOf(RUN).weights, weightsAfter(RUN, 1));
        assertTrue(ledger.isRevealed(PLAN, INITIAL));
        (uint32 round, uint32 attempt) = ledger.nextAttempt(RUN);
        assertEq(round, 2);
        assertEq(attempt, 1);
    }

    function test_closed_attempt_closes_only_once() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ledger.closeRound(RUN, ended);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITrainingLedger.LedgerAttemptNotOpen.selector, RUN, ITrainingLedger.AttemptStatus.Closed
            )
        );
        ledger.closeRound(RUN, ended);
        assertEq(ledger.runOf(RUN).round, 1);
    }

    function test_signatures_of_one_round_or_attempt_do_not_close_another() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Timeout);
        openNext(RUN, 5);
        expectRefused(ended, abi.encodeWithSelector(ITrainingLedger.LedgerWrongAttempt.selector, 1, 2, 1, 1));
        ended.attempt = 2;
        expectRefused(ended, abi.encodeWithSelector(ITrainingLedger.LedgerBadSignature.selector, idOf(0)));
        assertFalse(ledger.isRevealed(PLAN, INITIAL));
    }

    function test_too_few_doubled_and_foreign_verifiers_are_refused() public {
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerTooFewVerifiers.selector, 2, 3);
        expectRefused(closing(RUN, 2), refusal);
        refusal = abi.encodeWithSelector(ITrainingLedger.LedgerTooManyVerifiers.selector, 6, 5);
        expectRefused(closing(RUN, 6), refusal);
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ended.signatures[2] = ended.signatures[0];
        expectRefused(ended, abi.encodeWithSelector(ITrainingLedger.LedgerVerifierTwice.selector, idOf(0)));
        ended = closing(RUN, 3);
        ended.signatures[2].organization = idOf(OUTSIDER);
        refusal = abi.encodeWithSelector(ITrainingLedger.LedgerVerifierNotOnRoster.selector, idOf(OUTSIDER));
        expectRefused(ended, refusal);
        ended = closing(RUN, 3);
        ended.signatures[2].signature = resultSignature(voteSecret(2), RUN, ended);
        expectRefused(ended, abi.encodeWithSelector(ITrainingLedger.LedgerBadSignature.selector, idOf(2)));
        assertEq(ledger.runOf(RUN).weights, INITIAL);
    }

    function test_suspended_member_verifies_nothing() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        asGovernance();
        registry.suspend(idOf(1));
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerVerifierNotOnRoster.selector, idOf(1));
        expectRefused(ended, refusal);
    }

    function test_one_changed_digest_breaks_every_signature() public {
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerBadSignature.selector, idOf(0));
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ended.nextWeights = keccak256("forged");
        expectRefused(ended, refusal);
        ended = closing(RUN, 3);
        ended.aggregate = keccak256("forged");
        expectRefused(ended, refusal);
        ended = closing(RUN, 3);
        ended.maskedDigests = keccak256("forged");
        expectRefused(ended, refusal);
        ended = closing(RUN, 3);
        ended.survivors = 15;
        expectRefused(ended, refusal);
    }

    function test_survivors_are_of_the_roster_and_at_least_t() public {
        requireSurvivorsRefused(7);
        requireSurvivorsRefused(63);
        requireSurvivorsRefused(0);
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ended.survivors = 30;
        signResult(RUN, ended, 3);
        ledger.closeRound(RUN, ended);
        assertEq(ledger.runOf(RUN).weights, weightsAfter(RUN, 1));
    }

    function test_zero_digests_are_refused() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ended.nextWeights = 0;
        expectRefused(ended, abi.encodePacked(ITrainingLedger.LedgerZeroValue.selector));
        ended = closing(RUN, 3);
        ended.aggregate = 0;
        expectRefused(ended, abi.encodePacked(ITrainingLedger.LedgerZeroValue.selector));
    }

    function test_failing_opening_takes_the_close_back() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ITrainingLedger.Opening memory next = openingOf(RUN, 2, 1, ended.nextWeights, 3);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerTooFewSites.selector, 3, 4));
        ledger.advanceRound(RUN, ended, next);
        assertEq(ledger.runOf(RUN).weights, INITIAL);
        assertFalse(ledger.isRevealed(PLAN, INITIAL));
        assertEq(ledger.rosterOf(RUN).length, 5);
    }

    function test_next_round_must_start_from_the_weights_just_closed() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ITrainingLedger.Opening memory next = openingOf(RUN, 2, 1, INITIAL, 5);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerTooFewSites.selector, 0, 4));
        ledger.advanceRound(RUN, ended, next);
        assertEq(ledger.runOf(RUN).round, 1);
    }

    function test_first_and_last_round_are_kept() public {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerNotLastRound.selector, RUN, 1, ROUNDS));
        ledger.finishRun(RUN, ended);
        for (uint32 round = 1; round < ROUNDS; ++round) {
            ended = closing(RUN, 3);
            ledger.advanceRound(RUN, ended, openingOf(RUN, round + 1, 1, ended.nextWeights, 5));
        }
        ended = closing(RUN, 3);
        bytes memory refusal = abi.encodeWithSelector(ITrainingLedger.LedgerLastRound.selector, RUN, ROUNDS);
        vm.expectRevert(refusal);
        ledger.closeRound(RUN, ended);
        ITrainingLedger.Opening memory beyond = openingOf(RUN, ROUNDS + 1, 1, ended.nextWeights, 5);
        vm.expectRevert(refusal);
        ledger.advanceRound(RUN, ended, beyond);
        requireStatus(RUN, ITrainingLedger.RunStatus.Running);
    }

    function test_abandoning_names_the_open_attempt_and_a_reason() public {
        vm.expectRevert(ITrainingLedger.LedgerReasonMissing.selector);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.None);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerWrongAttempt.selector, 1, 1, 1, 2));
        ledger.abandonAttempt(RUN, 1, 2, ITrainingLedger.AbandonReason.Timeout);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Timeout);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITrainingLedger.LedgerAttemptNotOpen.selector, RUN, ITrainingLedger.AttemptStatus.Abandoned
            )
        );
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Timeout);
        assertEq(ledger.runOf(RUN).abandoned, 1);
    }

    function test_round_is_given_up_for_a_withdrawal_at_most_twice() public {
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Withdrawal);
        openNext(RUN, 5);
        ledger.abandonAttempt(RUN, 1, 2, ITrainingLedger.AbandonReason.Withdrawal);
        openNext(RUN, 5);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerWithdrawalLimit.selector, RUN, 1, 2));
        ledger.abandonAttempt(RUN, 1, 3, ITrainingLedger.AbandonReason.Withdrawal);
        ledger.closeRound(RUN, closing(RUN, 3));
        openNext(RUN, 5);
        assertEq(ledger.runOf(RUN).withdrawals, 0);
        assertEq(ledger.runOf(RUN).abandoned, 0);
    }

    function requireSurvivorsRefused(uint256 survivors) private {
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        ended.survivors = survivors;
        signResult(RUN, ended, 3);
        bytes4 selector = ITrainingLedger.LedgerSurvivorsRefused.selector;
        expectRefused(ended, abi.encodeWithSelector(selector, survivors, 5, 4));
    }

    function expectRefused(ITrainingLedger.RoundClose memory ended, bytes memory refusal) private {
        vm.expectRevert(refusal);
        ledger.closeRound(RUN, ended);
    }
}
