// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CrossConsortiumInbox} from "../src/CrossConsortiumInbox.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {ICrossConsortiumInbox} from "../src/interfaces/ICrossConsortiumInbox.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {Consortium} from "./support/Consortium.sol";
import {PeerChain} from "./support/PeerChain.sol";

contract CrossConsortiumInboxTest is Consortium, PeerChain {
    bytes32 private constant MODEL = keccak256("model");
    bytes32 private constant DECISION = keccak256("decision");
    bytes32 private constant CARD = keccak256("card");
    uint64 private constant ANCHOR_HEIGHT = 10;
    uint256 private constant QUORUM_OF_FOUR = 3;
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    CrossConsortiumInbox private inbox;
    bytes32 private peer;
    uint256[] private four;
    Block private anchored;

    function setUp() public override {
        super.setUp();
        inbox = new CrossConsortiumInbox(registry);
        four = secretsOf(0, 4);
        anchored.number = ANCHOR_HEIGHT;
        anchored.validators = digestOf(four);
        accept(keccak256(abi.encode(anchor())), true);
        peer = inbox.open(anchor());
    }

    function test_a_release_and_a_recall_at_the_peer_are_proven_here() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelRegistered.selector));
        deliverSealed(made);
        made = blockWith(2, message(IModelRegistry.ModelReleased.selector));
        deliverSealed(made);
        assertTrue(inbox.isReleased(peer, MODEL));
        ICrossConsortiumInbox.ForeignModel memory known = inbox.foreignModelOf(peer, MODEL);
        assertEq(known.card, CARD);
        assertEq(known.decision, DECISION);
        assertEq(known.height, ANCHOR_HEIGHT + 2);
        deliverSealed(blockWith(5, message(IModelRegistry.ModelRecalled.selector)));
        assertFalse(inbox.isReleased(peer, MODEL));
    }

    function test_a_recall_is_final_whatever_the_order_of_delivery() public {
        Block memory released = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        deliverSealed(blockWith(2, message(IModelRegistry.ModelRecalled.selector)));
        refuseDelivery(
            released,
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(
                ICrossConsortiumInbox.InboxNothingNew.selector, MODEL, ICrossConsortiumInbox.ForeignState.Recalled
            )
        );
        assertFalse(inbox.isReleased(peer, MODEL));
    }

    function test_the_same_message_is_taken_once() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        deliverSealed(made);
        refuseDelivery(
            made,
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(
                ICrossConsortiumInbox.InboxNothingNew.selector, MODEL, ICrossConsortiumInbox.ForeignState.Released
            )
        );
        made = blockWith(1, message(IModelRegistry.ModelRegistered.selector));
        deliverSealed(made);
        refuseDelivery(
            made,
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(
                ICrossConsortiumInbox.InboxNothingNew.selector, MODEL, ICrossConsortiumInbox.ForeignState.Released
            )
        );
    }

    function test_only_a_peer_that_the_members_voted_for_is_opened_and_only_once() public {
        ICrossConsortiumInbox.Anchor memory other = anchor();
        other.chainId = 7;
        bytes32 id = keccak256(abi.encode(other));
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxNotAPeer.selector, id));
        inbox.open(other);
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxPeerKnown.selector, peer));
        inbox.open(anchor());
    }

    function test_an_anchor_that_lacks_a_part_is_refused() public {
        for (uint256 part = 0; part < 4; ++part) {
            ICrossConsortiumInbox.Anchor memory other = anchor();
            if (part == 0) other.models = address(0);
            else if (part == 1) other.source = address(0);
            else if (part == 2) other.validators = 0;
            else other.blockHash = 0;
            accept(keccak256(abi.encode(other)), true);
            vm.expectRevert(ICrossConsortiumInbox.InboxZeroValue.selector);
            inbox.open(other);
        }
    }

    function test_two_thirds_of_the_members_take_a_peer_on_and_leave_it_again() public {
        bytes32 id = keccak256("another anchor");
        enact(IConsortiumGovernor.ActKind.SetPeer, abi.encode(id, true), 4);
        assertTrue(registry.isPeer(id));
        deliverSealed(blockWith(1, message(IModelRegistry.ModelReleased.selector)));
        enact(IConsortiumGovernor.ActKind.SetPeer, abi.encode(peer, false), 4);
        assertFalse(inbox.isReleased(peer, MODEL));
        refuseDelivery(
            blockWith(2, message(IModelRegistry.ModelRecalled.selector)),
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxNotAPeer.selector, peer)
        );
    }

    function test_nobody_but_the_vote_names_peers() public {
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryNotGovernance.selector, address(this)));
        registry.setPeer(keccak256("mine"), true);
        asGovernance();
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        registry.setPeer(0, true);
    }

    function test_a_peer_that_was_accepted_and_not_opened_proves_nothing() public {
        bytes32 id = keccak256("accepted alone");
        accept(id, true);
        Block memory made = blockWith(1, "");
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxPeerUnknown.selector, id));
        inbox.advance(id, seal(made, four, 3), addressesOf(four), accountProofOf(made), slotProofOf(made));
    }

    function test_fewer_seals_than_two_thirds_prove_nothing() public {
        for (uint256 seals = 0; seals < QUORUM_OF_FOUR; ++seals) {
            refuseDelivery(
                blockWith(1, message(IModelRegistry.ModelReleased.selector)),
                seals,
                abi.encodeWithSelector(ICrossConsortiumInbox.InboxTooFewSeals.selector, seals, QUORUM_OF_FOUR)
            );
        }
    }

    function test_a_stranger_s_seal_and_a_doubled_one_are_refused_by_their_place() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        uint256[] memory sealers = secretsOf(0, 4);
        sealers[1] = foreignSecret(77);
        refuse(
            made,
            seal(made, sealers, 3),
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxSealNotOfValidator.selector, 1, vm.addr(sealers[1]))
        );
        sealers[1] = four[0];
        refuse(
            made,
            seal(made, sealers, 3),
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxSealTwice.selector, 1, vm.addr(four[0]))
        );
    }

    function test_the_seals_of_one_round_do_not_seal_another() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        bytes32 digest = keccak256(headerWith(made, extraOf(0, new bytes[](0))));
        bytes[] memory seals = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            seals[i] = sealBy(four[i], digest);
        }
        made.round = 1;
        vm.expectRevert();
        deliver(made, headerWith(made, extraOf(1, seals)));
        assertFalse(inbox.isReleased(peer, MODEL));
        deliverSealed(made);
        assertTrue(inbox.isReleased(peer, MODEL));
    }

    function test_malformed_seals_are_refused_by_their_place() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        bytes32 digest = keccak256(headerWith(made, extraOf(0, new bytes[](0))));
        bytes[] memory seals = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            seals[i] = sealBy(four[i], digest);
        }
        bytes memory refusal = abi.encodeWithSelector(ICrossConsortiumInbox.InboxSealMalformed.selector, 2);
        bytes memory good = seals[2];
        seals[2] = RLP.encode(abi.encodePacked(bytes32(0), bytes32(0), uint8(0)));
        refuse(made, headerWith(made, extraOf(0, seals)), refusal);
        seals[2] = RLP.encode(bytes("short"));
        refuse(made, headerWith(made, extraOf(0, seals)), refusal);
        good[good.length - 1] = 0x1b;
        seals[2] = good;
        refuse(made, headerWith(made, extraOf(0, seals)), refusal);
    }

    function test_a_seal_with_the_other_s_is_still_its_validator_s_and_counts_once() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        bytes32 digest = keccak256(headerWith(made, extraOf(0, new bytes[](0))));
        bytes[] memory seals = new bytes[](3);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(four[0], digest);
        seals[0] = sealBy(four[0], digest);
        seals[1] = RLP.encode(abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), uint8(1 - (v - 27))));
        seals[2] = sealBy(four[2], digest);
        bytes memory refusal =
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxSealTwice.selector, 1, vm.addr(four[0]));
        refuse(made, headerWith(made, extraOf(0, seals)), refusal);
        seals[0] = sealBy(four[1], digest);
        deliver(made, headerWith(made, extraOf(0, seals)));
        assertTrue(inbox.isReleased(peer, MODEL));
    }

    function test_further_items_behind_the_seals_and_missing_members_are_refused() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        bytes[] memory six = new bytes[](6);
        for (uint256 i = 0; i < six.length; ++i) {
            six[i] = hex"c0";
        }
        bytes4 refusal = ICrossConsortiumInbox.InboxHeaderMalformed.selector;
        refuse(made, headerWith(made, RLP.encode(six)), abi.encodeWithSelector(refusal));
        bytes[] memory short = new bytes[](19);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = RLP.encode(uint256(0));
        }
        refuse(made, RLP.encode(short), abi.encodeWithSelector(refusal));
    }

    function test_another_list_of_validators_than_the_one_in_force_is_refused() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        uint256[] memory others = secretsOf(10, 4);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICrossConsortiumInbox.InboxWrongValidators.selector, digestOf(four), digestOf(others)
            )
        );
        inbox.deliver(peer, single(seal(made, others, 3)), addressesOf(others), receiptProofOf(made));
        address[] memory many = new address[](65);
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxTooManyValidators.selector, 65, 64));
        inbox.deliver(peer, single(seal(made, four, 3)), many, receiptProofOf(made));
    }

    function test_a_change_of_validators_is_proven_by_the_block_that_made_it() public {
        uint256[] memory five = secretsOf(0, 5);
        Block memory change = blockWith(3, "");
        change.validators = digestOf(five);
        advanceBy(change, four, 3);
        ICrossConsortiumInbox.Peer memory known = inbox.peerOf(peer);
        assertEq(known.height, change.number);
        assertEq(known.validators, digestOf(five));
        assertTrue(inbox.isProven(peer, hashOf(change)));

        Block memory made = blockWith(4, message(IModelRegistry.ModelReleased.selector));
        bytes memory header = seal(made, five, 4);
        inbox.deliver(peer, single(header), addressesOf(five), receiptProofOf(made));
        assertTrue(inbox.isReleased(peer, MODEL));
    }

    function test_retired_validators_prove_nothing_after_their_change() public {
        uint256[] memory others = secretsOf(10, 4);
        Block memory change = blockWith(3, "");
        change.validators = digestOf(others);
        advanceBy(change, four, 3);
        Block memory forged = blockWith(9, message(IModelRegistry.ModelReleased.selector));
        refuseDelivery(
            forged,
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(
                ICrossConsortiumInbox.InboxWrongValidators.selector, digestOf(others), digestOf(four)
            )
        );
        Block memory before = blockWith(2, message(IModelRegistry.ModelReleased.selector));
        refuseDelivery(
            before,
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxNotAbove.selector, change.number, before.number)
        );
    }

    function test_a_change_that_was_passed_over_makes_later_headers_fail() public {
        uint256[] memory others = secretsOf(10, 4);
        Block memory made = blockWith(8, message(IModelRegistry.ModelReleased.selector));
        vm.expectRevert(
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxSealNotOfValidator.selector, 0, vm.addr(others[0]))
        );
        inbox.deliver(peer, single(seal(made, others, 3)), addressesOf(four), receiptProofOf(made));
        assertFalse(inbox.isReleased(peer, MODEL));
    }

    function test_an_older_block_is_proven_by_its_descendants() public {
        Block memory old = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        Block memory middle = child(old);
        Block memory last = child(middle);
        advanceBy(last, four, 3);
        bytes[] memory headers = new bytes[](3);
        // neither seals nor round of what is linked by hash matter
        headers[0] = seal(old, four, 0);
        headers[1] = seal(middle, four, 1);
        headers[2] = seal(last, four, 3);
        inbox.deliver(peer, headers, new address[](0), receiptProofOf(old));
        assertTrue(inbox.isReleased(peer, MODEL));
    }

    function test_headers_that_are_not_one_another_s_parents_are_refused() public {
        Block memory old = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        Block memory last = blockWith(2, "");
        bytes[] memory headers = new bytes[](2);
        headers[0] = seal(old, four, 3);
        headers[1] = seal(last, four, 3);
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxNotLinked.selector, 1));
        inbox.deliver(peer, headers, addressesOf(four), receiptProofOf(old));
        vm.expectRevert(ICrossConsortiumInbox.InboxNoHeaders.selector);
        inbox.deliver(peer, new bytes[](0), addressesOf(four), receiptProofOf(old));
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxTooManyHeaders.selector, 65, 64));
        inbox.deliver(peer, new bytes[](65), addressesOf(four), receiptProofOf(old));
    }

    function test_another_contract_s_event_and_another_event_are_no_messages() public {
        bytes32 released = IModelRegistry.ModelReleased.selector;
        bytes memory foreign = receiptOf(address(0xBAD), topicsOf(released), "");
        refuseDelivery(
            blockWith(1, foreign),
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxForeignEmitter.selector, address(0xBAD))
        );
        bytes32 other = keccak256("Other(bytes32,bytes32)");
        refuseDelivery(
            blockWith(1, message(other)),
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxNotAMessage.selector, other)
        );
        refuseDelivery(
            blockWith(1, receiptOf(FOREIGN_MODELS, new bytes32[](0), "")),
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxNotAMessage.selector, bytes32(0))
        );
    }

    function test_a_log_that_the_receipt_does_not_hold_is_refused() public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        ICrossConsortiumInbox.ReceiptProof memory proof = receiptProofOf(made);
        proof.logIndex = 1;
        bytes[] memory headers = single(seal(made, four, 3));
        address[] memory list = addressesOf(four);
        vm.expectRevert(abi.encodeWithSelector(ICrossConsortiumInbox.InboxNoSuchLog.selector, 1, 1));
        inbox.deliver(peer, headers, list, proof);
        Block memory empty = blockWith(1, hex"02c0");
        refuseDelivery(
            empty, QUORUM_OF_FOUR, abi.encodeWithSelector(ICrossConsortiumInbox.InboxReceiptMalformed.selector)
        );
    }

    function test_a_receipt_of_the_first_kind_has_no_type_before_its_list() public {
        bytes memory typed = message(IModelRegistry.ModelReleased.selector);
        bytes memory untyped = new bytes(typed.length - 1);
        for (uint256 i = 0; i < untyped.length; ++i) {
            untyped[i] = typed[i + 1];
        }
        deliverSealed(blockWith(1, untyped));
        assertTrue(inbox.isReleased(peer, MODEL));
    }

    function test_a_log_that_is_not_three_items_is_refused() public {
        bytes[] memory short = new bytes[](2);
        (short[0], short[1]) = (RLP.encode(FOREIGN_MODELS), RLP.encode(new bytes[](0)));
        bytes[] memory logs = new bytes[](1);
        logs[0] = RLP.encode(short);
        bytes[] memory receipt = new bytes[](4);
        (receipt[0], receipt[1]) = (RLP.encode(uint256(1)), RLP.encode(uint256(21_000)));
        (receipt[2], receipt[3]) = (RLP.encode(new bytes(256)), RLP.encode(logs));
        refuseDelivery(
            blockWith(1, bytes.concat(hex"02", RLP.encode(receipt))),
            QUORUM_OF_FOUR,
            abi.encodeWithSelector(ICrossConsortiumInbox.InboxReceiptMalformed.selector)
        );
    }

    function test_a_state_without_the_list_s_digest_advances_nothing() public {
        Block memory made = blockWith(1, "");
        made.validators = 0;
        bytes memory header = seal(made, four, 3);
        address[] memory list = addressesOf(four);
        bytes[] memory account = accountProofOf(made);
        bytes[] memory slot = slotProofOf(made);
        vm.expectRevert();
        inbox.advance(peer, header, list, account, slot);
        assertEq(inbox.peerOf(peer).height, ANCHOR_HEIGHT);
    }

    function testFuzz_one_flipped_bit_of_a_header_proves_nothing(uint256 place) public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        bytes memory header = seal(made, four, 3);
        uint256 bit = place % (header.length * 8);
        header[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool taken,) = address(inbox)
            .call(abi.encodeCall(inbox.deliver, (peer, single(header), addressesOf(four), receiptProofOf(made))));
        assertFalse(taken);
        assertFalse(inbox.isReleased(peer, MODEL));
    }

    function testFuzz_one_flipped_bit_of_a_receipt_s_proof_proves_nothing(uint256 place) public {
        Block memory made = blockWith(1, message(IModelRegistry.ModelReleased.selector));
        ICrossConsortiumInbox.ReceiptProof memory proof = receiptProofOf(made);
        uint256 bit = place % (proof.nodes[0].length * 8);
        proof.nodes[0][bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        bytes memory call = abi.encodeCall(inbox.deliver, (peer, single(seal(made, four, 3)), addressesOf(four), proof));
        (bool taken,) = address(inbox).call(call);
        assertFalse(taken);
        assertFalse(inbox.isReleased(peer, MODEL));
    }

    function anchor() private view returns (ICrossConsortiumInbox.Anchor memory) {
        return ICrossConsortiumInbox.Anchor({
            chainId: 20_261,
            models: FOREIGN_MODELS,
            source: FOREIGN_SOURCE,
            digestSlot: DIGEST_SLOT,
            height: ANCHOR_HEIGHT,
            blockHash: hashOf(anchored),
            validators: digestOf(four)
        });
    }

    function accept(bytes32 id, bool isAccepted) private {
        asGovernance();
        registry.setPeer(id, isAccepted);
    }

    function blockWith(uint64 above, bytes memory receipt) private view returns (Block memory) {
        return Block(ANCHOR_HEIGHT + above, hashOf(anchored), digestOf(four), receipt, 0);
    }

    function child(Block memory parent) private view returns (Block memory) {
        return Block(parent.number + 1, hashOf(parent), digestOf(four), "", 0);
    }

    function topicsOf(bytes32 kind) private pure returns (bytes32[] memory topics) {
        topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) = (kind, MODEL, DECISION);
    }

    function message(bytes32 kind) private pure returns (bytes memory) {
        return receiptOf(FOREIGN_MODELS, topicsOf(kind), abi.encode(CARD));
    }

    function single(bytes memory header) private pure returns (bytes[] memory headers) {
        headers = new bytes[](1);
        headers[0] = header;
    }

    function deliver(Block memory made, bytes memory header) private {
        inbox.deliver(peer, single(header), addressesOf(four), receiptProofOf(made));
    }

    function deliverSealed(Block memory made) private {
        deliver(made, seal(made, four, QUORUM_OF_FOUR));
    }

    function refuseDelivery(Block memory made, uint256 seals, bytes memory refusal) private {
        refuse(made, seal(made, four, seals), refusal);
    }

    /// @dev Nothing changed, too: a refusal reverts, and the model's state is looked at again.
    function refuse(Block memory made, bytes memory header, bytes memory refusal) private {
        bytes memory before = abi.encode(inbox.foreignModelOf(peer, MODEL), inbox.peerOf(peer));
        bytes[] memory headers = single(header);
        address[] memory list = addressesOf(four);
        ICrossConsortiumInbox.ReceiptProof memory proof = receiptProofOf(made);
        vm.expectRevert(refusal);
        inbox.deliver(peer, headers, list, proof);
        assertEq(keccak256(before), keccak256(abi.encode(inbox.foreignModelOf(peer, MODEL), inbox.peerOf(peer))));
    }

    function advanceBy(Block memory made, uint256[] memory secrets, uint256 seals) private {
        inbox.advance(peer, seal(made, secrets, seals), addressesOf(secrets), accountProofOf(made), slotProofOf(made));
    }
}
