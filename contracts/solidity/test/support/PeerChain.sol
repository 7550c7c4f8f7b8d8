// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {ICrossConsortiumInbox} from "../../src/interfaces/ICrossConsortiumInbox.sol";
import {Members} from "./Members.sol";

/// @notice A foreign QBFT chain, as small as can be: blocks with one receipt, a state with one account that has one slot.
/// Hashes, seals and proofs are the real ones; only who makes them is the test.
abstract contract PeerChain is Members {
    address internal constant FOREIGN_MODELS = address(0xF0);
    address internal constant FOREIGN_SOURCE = address(0x7777);
    uint256 internal constant DIGEST_SLOT = 1;
    bytes32 private constant NO_SLOT = keccak256("nothing");

    /// @param validators Digest of the set that the block's state holds.
    /// @param receipt The block's one receipt, encoded.
    struct Block {
        uint64 number;
        bytes32 parent;
        bytes32 validators;
        bytes receipt;
        uint256 round;
    }

    function foreignSecret(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("foreign validator", number))) >> 1;
    }

    /// @notice Secrets of validators `from` to `from + count - 1`, by ascending address.
    function secretsOf(uint256 from, uint256 count) internal pure returns (uint256[] memory secrets) {
        secrets = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 secret = foreignSecret(from + i);
            uint256 j = i;
            for (; j > 0 && vm.addr(secrets[j - 1]) > vm.addr(secret); --j) {
                secrets[j] = secrets[j - 1];
            }
            secrets[j] = secret;
        }
    }

    function addressesOf(uint256[] memory secrets) internal pure returns (address[] memory list) {
        list = new address[](secrets.length);
        for (uint256 i = 0; i < secrets.length; ++i) {
            list[i] = vm.addr(secrets[i]);
        }
    }

    function digestOf(uint256[] memory secrets) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(addressesOf(secrets)));
    }

    /// @notice The header with the seals of the first `count` secrets.
    function seal(Block memory made, uint256[] memory secrets, uint256 count) internal pure returns (bytes memory) {
        bytes32 digest = keccak256(headerWith(made, extraOf(made.round, new bytes[](0))));
        bytes[] memory seals = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            seals[i] = sealBy(secrets[i], digest);
        }
        return headerWith(made, extraOf(made.round, seals));
    }

    function sealBy(uint256 secret, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, digest);
        return RLP.encode(abi.encodePacked(r, s, v - 27));
    }

    function hashOf(Block memory made) internal pure returns (bytes32) {
        return keccak256(headerWith(made, extraOf(0, new bytes[](0))));
    }

    function extraOf(uint256 round, bytes[] memory seals) internal pure returns (bytes memory) {
        bytes[] memory items = new bytes[](5);
        items[0] = RLP.encode(bytes32(0));
        items[1] = hex"c0";
        items[2] = hex"c0";
        items[3] = RLP.encode(round);
        items[4] = RLP.encode(seals);
        return RLP.encode(items);
    }

    function headerWith(Block memory made, bytes memory extra) internal pure returns (bytes memory) {
        bytes[] memory items = new bytes[](20);
        for (uint256 i = 0; i < items.length; ++i) {
            items[i] = RLP.encode(uint256(0));
        }
        items[0] = RLP.encode(made.parent);
        items[3] = RLP.encode(keccak256(accountProofOf(made)[0]));
        items[5] = RLP.encode(keccak256(receiptProofOf(made).nodes[0]));
        items[8] = RLP.encode(uint256(made.number));
        items[12] = RLP.encode(extra);
        return RLP.encode(items);
    }

    function accountProofOf(Block memory made) internal pure returns (bytes[] memory) {
        bytes[] memory account = new bytes[](4);
        account[0] = RLP.encode(uint256(1));
        account[1] = RLP.encode(uint256(0));
        account[2] = RLP.encode(keccak256(slotProofOf(made)[0]));
        account[3] = RLP.encode(keccak256("code"));
        return _leaf(keccak256(abi.encodePacked(FOREIGN_SOURCE)), RLP.encode(account));
    }

    function slotProofOf(Block memory made) internal pure returns (bytes[] memory) {
        bytes32 held = made.validators == bytes32(0) ? NO_SLOT : made.validators;
        uint256 slot = made.validators == bytes32(0) ? DIGEST_SLOT + 1 : DIGEST_SLOT;
        return _leaf(keccak256(abi.encode(slot)), RLP.encode(held));
    }

    function receiptProofOf(Block memory made) internal pure returns (ICrossConsortiumInbox.ReceiptProof memory proof) {
        proof.nodes = new bytes[](1);
        // the key of item 0 is RLP of 0, one byte 0x80; 0x20 says: a leaf, and an even number of nibbles
        proof.nodes[0] = _pair(hex"2080", made.receipt.length == 0 ? bytes("none") : made.receipt);
    }

    /// @notice A receipt of type 2 with one log.
    function receiptOf(address emitter, bytes32[] memory topics, bytes memory data)
        internal
        pure
        returns (bytes memory)
    {
        bytes[] memory words = new bytes[](topics.length);
        for (uint256 i = 0; i < topics.length; ++i) {
            words[i] = RLP.encode(topics[i]);
        }
        bytes[] memory log = new bytes[](3);
        log[0] = RLP.encode(emitter);
        log[1] = RLP.encode(words);
        log[2] = RLP.encode(data);
        bytes[] memory logs = new bytes[](1);
        logs[0] = RLP.encode(log);
        bytes[] memory receipt = new bytes[](4);
        receipt[0] = RLP.encode(uint256(1));
        receipt[1] = RLP.encode(uint256(21_000));
        receipt[2] = RLP.encode(new bytes(256));
        receipt[3] = RLP.encode(logs);
        return bytes.concat(hex"02", RLP.encode(receipt));
    }

    function _leaf(bytes32 key, bytes memory value) private pure returns (bytes[] memory nodes) {
        nodes = new bytes[](1);
        nodes[0] = _pair(bytes.concat(hex"20", key), value);
    }

    function _pair(bytes memory path, bytes memory value) private pure returns (bytes memory) {
        bytes[] memory node = new bytes[](2);
        node[0] = RLP.encode(path);
        node[1] = RLP.encode(value);
        return RLP.encode(node);
    }
}
