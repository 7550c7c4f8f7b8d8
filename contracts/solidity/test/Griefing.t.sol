// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IConsentAnchor} from "../src/interfaces/IConsentAnchor.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Training} from "./support/Training.sol";

/// @dev What somebody without a right, or with a copy of a signature, can do: each door that anybody may call.
contract GriefingTest is Training {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    address private constant STRANGER = address(0x5712A63E12);

    function test_second_form_of_a_signature_on_the_curve_is_refused() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, nobody());
        bytes memory other = flipped(choiceSignature(voteSecret(1), 1, decision, SUBJECT, IDecisionBoard.Choice.Yes));
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(1)));
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.Yes, other);

        uint256 proposalId = propose(0, IConsortiumGovernor.ActKind.Suspend, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        address voter = vm.addr(voteSecret(1));
        other = flipped(ballotSignature(voteSecret(1), proposalId, FOR));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, voter));
        governor.castVoteBySig(proposalId, FOR, voter, other);

        other = flipped(epochSignature(siteSecret(1), 1, 2, keccak256("root"), 50, 2, now64()));
        vm.expectRevert(abi.encodeWithSelector(IConsentAnchor.ConsentBadSignature.selector, idOf(1)));
        consents.anchorEpoch(idOf(1), 2, keccak256("root"), 50, 2, now64(), other);
        assertEq(consents.seqOf(idOf(1)), 1);
    }

    function test_signature_for_another_chain_is_refused() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, nobody());
        bytes memory signature = choiceSignature(voteSecret(1), 1, decision, SUBJECT, IDecisionBoard.Choice.Yes);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(1)));
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.Yes, signature);
        vm.chainId(here);
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.Yes, signature);
    }

    function test_signature_made_before_a_rotation_is_refused_after_it() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, nobody());
        bytes memory ballot_ = choiceSignature(voteSecret(1), 1, decision, SUBJECT, IDecisionBoard.Choice.Yes);
        bytes memory epoch = epochSignature(siteSecret(1), 1, 2, keccak256("root"), 50, 2, now64());
        asGovernance();
        registry.replaceKey(idOf(1), IConsortiumRegistry.KeyPurpose.Vote, vm.addr(771));
        asGovernance();
        registry.replaceKey(idOf(1), IConsortiumRegistry.KeyPurpose.Site, vm.addr(772));
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(1)));
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.Yes, ballot_);
        vm.expectRevert(abi.encodeWithSelector(IConsentAnchor.ConsentBadSignature.selector, idOf(1)));
        consents.anchorEpoch(idOf(1), 2, keccak256("root"), 50, 2, now64(), epoch);
    }

    function test_who_submits_a_members_signature_first_gains_nothing_and_changes_nothing_of_it() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, nobody());
        bytes memory signature = choiceSignature(voteSecret(1), 1, decision, SUBJECT, IDecisionBoard.Choice.No);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardBadSignature.selector, idOf(1)));
        vm.prank(STRANGER);
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.Yes, signature);
        vm.prank(STRANGER);
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.No, signature);
        assertTrue(board.ballotOf(decision, idOf(1)) == IDecisionBoard.Choice.No);
        vm.expectRevert(abi.encodeWithSelector(IDecisionBoard.BoardAlreadyVoted.selector, decision, idOf(1)));
        board.castBallot(decision, SUBJECT, idOf(1), IDecisionBoard.Choice.No, signature);
    }

    function test_stranger_may_open_with_fewer_commitments_than_were_given_and_never_below_the_minimum() public {
        openRun(RUN);
        ITrainingLedger.Opening memory few = opening(RUN, 3);
        vm.expectRevert(abi.encodeWithSelector(ITrainingLedger.LedgerTooFewSites.selector, 3, 4));
        vm.prank(STRANGER);
        ledger.openAttempt(RUN, few);
        few = opening(RUN, 4);
        vm.prank(STRANGER);
        ledger.openAttempt(RUN, few);
        assertEq(ledger.rosterOf(RUN).length, 4);
    }

    function test_stranger_may_end_attempts_and_gets_neither_a_sum_nor_another_run() public {
        openRun(RUN);
        openNext(RUN, 5);
        vm.prank(STRANGER);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Revealed);
        vm.prank(STRANGER);
        ledger.failRun(RUN, 0);
        requireStatus(RUN, ITrainingLedger.RunStatus.Failed);
        assertEq(ledger.runOf(RUN).weights, INITIAL);
        // a run of the same plan by another id starts from other weights, and is none the worse
        bytes32 second = runNamed("second run");
        ledger.openRun(second, PLAN, approval, keccak256("its own weights"), terms());
        openNext(second, 5);
        requireStatus(second, ITrainingLedger.RunStatus.Running);
    }

    function test_stranger_may_queue_execute_and_close_what_is_due_and_nothing_earlier() public {
        uint256 proposalId = propose(0, IConsortiumGovernor.ActKind.Suspend, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 4; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        vm.prank(STRANGER);
        governor.queue(proposalId);
        vm.prank(STRANGER);
        try governor.execute(proposalId) {
            assertTrue(false);
        } catch {}
        passSeconds(TIMELOCK_DELAY);
        vm.prank(STRANGER);
        governor.execute(proposalId);
        assertFalse(registry.isActive(idOf(4)));
    }

    function test_no_contract_takes_money() public {
        address[8] memory all = [
            address(source),
            address(registry),
            address(governor),
            address(board),
            address(consents),
            address(ledger),
            address(models),
            address(audits)
        ];
        vm.deal(address(this), 1 ether);
        for (uint256 i = 0; i < all.length; ++i) {
            (bool isTaken,) = all[i].call{value: 1}("");
            assertFalse(isTaken);
        }
    }

    /// @dev (r, n - s) with the other v verifies too, where the upper half is not refused.
    function flipped(bytes memory signature) private pure returns (bytes memory) {
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
        }
        uint8 v = uint8(signature[64]) == 27 ? 28 : 27;
        return abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v);
    }
}
