// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentAnchor} from "../src/interfaces/IConsentAnchor.sol";
import {Consents} from "./support/Consents.sol";

contract ConsentAnchorTest is Consents {
    bytes32 private constant ROOT = keccak256("root");

    function test_epochs_follow_each_other_and_seq_counts_all_that_is_anchored() public {
        anchor(0, 1, ROOT, 50, 1);
        revoke(0, 1, 2, subjects(2));
        anchor(0, 2, keccak256("next"), 25, 3);
        IConsentAnchor.ConsentState memory current = consents.stateOf(idOf(0));
        assertEq(current.epoch, 2);
        assertEq(current.seq, 3);
        assertEq(current.band, 25);
        assertEq(current.root, keccak256("next"));
        assertEq(current.revoked, 0);
        assertEq(current.revocations, 0);
        assertEq(consents.epochOf(idOf(1)), 0);
    }

    function test_revocations_are_chained_in_order() public {
        anchor(0, 1, ROOT, 50, 1);
        bytes32[] memory list = subjects(3);
        revoke(0, 1, 2, list);
        bytes32 chain = 0;
        for (uint256 i = 0; i < 3; ++i) {
            chain = keccak256(abi.encode(chain, list[i]));
        }
        assertEq(consents.stateOf(idOf(0)).revocations, chain);
        assertEq(consents.stateOf(idOf(0)).revoked, 3);
        assertEq(consents.seqOf(idOf(0)), 2);
    }

    function test_skipped_and_repeated_epoch_or_seq_are_refused() public {
        expectAnchorRefused(0, 2, ROOT, 50, 1, now64(), wrong(IConsentAnchor.ConsentWrongEpoch.selector, 0, 1, 2));
        expectAnchorRefused(0, 1, ROOT, 50, 2, now64(), wrong(IConsentAnchor.ConsentWrongSeq.selector, 0, 1, 2));
        anchor(0, 1, ROOT, 50, 1);
        expectAnchorRefused(0, 1, ROOT, 50, 1, now64(), wrong(IConsentAnchor.ConsentWrongSeq.selector, 0, 2, 1));
        expectAnchorRefused(0, 1, ROOT, 50, 2, now64(), wrong(IConsentAnchor.ConsentWrongEpoch.selector, 0, 2, 1));
        assertEq(consents.seqOf(idOf(0)), 1);
    }

    function test_signature_of_another_organization_or_key_is_refused() public {
        bytes memory refusal = abi.encodeWithSelector(IConsentAnchor.ConsentBadSignature.selector, idOf(0));
        bytes memory foreign = epochSignature(siteSecret(1), 0, 1, ROOT, 50, 1, now64());
        vm.expectRevert(refusal);
        consents.anchorEpoch(idOf(0), 1, ROOT, 50, 1, now64(), foreign);
        bytes memory voteKey = epochSignature(voteSecret(0), 0, 1, ROOT, 50, 1, now64());
        vm.expectRevert(refusal);
        consents.anchorEpoch(idOf(0), 1, ROOT, 50, 1, now64(), voteKey);
        bytes memory otherRoot = epochSignature(siteSecret(0), 0, 1, ROOT, 50, 1, now64());
        vm.expectRevert(refusal);
        consents.anchorEpoch(idOf(0), 1, keccak256("forged"), 50, 1, now64(), otherRoot);
        assertEq(consents.epochOf(idOf(0)), 0);
    }

    function test_suspended_organization_and_stranger_anchor_nothing() public {
        bytes memory refusal = abi.encodeWithSelector(IConsentAnchor.ConsentNotActive.selector, idOf(OUTSIDER));
        expectAnchorRefused(OUTSIDER, 1, ROOT, 50, 1, now64(), refusal);
        asGovernance();
        registry.suspend(idOf(0));
        refusal = abi.encodeWithSelector(IConsentAnchor.ConsentNotActive.selector, idOf(0));
        expectAnchorRefused(0, 1, ROOT, 50, 1, now64(), refusal);
    }

    function test_as_of_stays_near_the_block_and_never_goes_back() public {
        uint64 early = now64() - 301;
        uint64 late = now64() + 301;
        bytes4 outOfTolerance = IConsentAnchor.ConsentAsOfOutOfTolerance.selector;
        bytes memory refusal = abi.encodeWithSelector(outOfTolerance, early, block.timestamp);
        expectAnchorRefused(0, 1, ROOT, 50, 1, early, refusal);
        refusal = abi.encodeWithSelector(outOfTolerance, late, block.timestamp);
        expectAnchorRefused(0, 1, ROOT, 50, 1, late, refusal);
        anchorAsOf(0, 1, ROOT, 50, 1, now64() - 300);
        anchorAsOf(0, 2, ROOT, 50, 2, now64() + 300);
        refusal = abi.encodeWithSelector(IConsentAnchor.ConsentAsOfBackwards.selector, now64() + 299, now64() + 300);
        expectAnchorRefused(0, 3, ROOT, 50, 3, now64() + 299, refusal);
    }

    function test_exact_counts_and_zero_roots_are_refused() public {
        bytes memory refusal = abi.encodeWithSelector(IConsentAnchor.ConsentNotABand.selector, 59);
        expectAnchorRefused(0, 1, ROOT, 59, 1, now64(), refusal);
        expectAnchorRefused(0, 1, 0, 50, 1, now64(), abi.encodePacked(IConsentAnchor.ConsentZeroRoot.selector));
    }

    function test_revocation_needs_the_current_epoch_and_one_to_256_subjects() public {
        vm.expectRevert(abi.encodeWithSelector(IConsentAnchor.ConsentNoEpoch.selector, idOf(0)));
        consents.revokeConsents(idOf(0), 0, 1, subjects(1), "");
        anchor(0, 1, ROOT, 50, 1);
        expectRevokeRefused(2, 2, subjects(1), wrong(IConsentAnchor.ConsentWrongEpoch.selector, 0, 1, 2));
        expectRevokeRefused(1, 1, subjects(1), wrong(IConsentAnchor.ConsentWrongSeq.selector, 0, 2, 1));
        bytes4 count = IConsentAnchor.ConsentSubjectCount.selector;
        expectRevokeRefused(1, 2, subjects(0), abi.encodeWithSelector(count, 0, 256));
        expectRevokeRefused(1, 2, subjects(257), abi.encodeWithSelector(count, 257, 256));
        revoke(0, 1, 2, subjects(256));
        assertEq(consents.stateOf(idOf(0)).revoked, 256);
    }

    function test_revocation_signed_over_other_subjects_is_refused() public {
        anchor(0, 1, ROOT, 50, 1);
        bytes memory signature = revocationSignature(siteSecret(0), 0, 1, 2, subjects(2));
        vm.expectRevert(abi.encodeWithSelector(IConsentAnchor.ConsentBadSignature.selector, idOf(0)));
        consents.revokeConsents(idOf(0), 1, 2, subjects(3), signature);
        assertEq(consents.seqOf(idOf(0)), 1);
    }

    function expectAnchorRefused(
        uint256 member,
        uint64 epoch,
        bytes32 root,
        uint32 band,
        uint64 seq,
        uint64 asOf,
        bytes memory refusal
    ) private {
        bytes memory signature = epochSignature(siteSecret(member), member, epoch, root, band, seq, asOf);
        vm.expectRevert(refusal);
        consents.anchorEpoch(idOf(member), epoch, root, band, seq, asOf, signature);
    }

    function expectRevokeRefused(uint64 epoch, uint64 seq, bytes32[] memory list, bytes memory refusal) private {
        bytes memory signature = revocationSignature(siteSecret(0), 0, epoch, seq, list);
        vm.expectRevert(refusal);
        consents.revokeConsents(idOf(0), epoch, seq, list, signature);
    }

    function wrong(bytes4 selector, uint256 member, uint64 expected, uint64 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, idOf(member), expected, given);
    }
}
