// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {ICrossConsortiumInbox} from "../interfaces/ICrossConsortiumInbox.sol";

/// @title What lies below a header's roots: a slot of an account's storage, a log of a receipt
library ChainProofs {
    using RLP for Memory.Slice;

    uint256 private constant STORAGE_ROOT = 2;
    /// @dev A receipt is [status, cumulative gas, bloom, logs], a log [emitter, topics, data].
    uint256 private constant RECEIPT_ITEMS = 4;
    uint256 private constant LOGS = 3;
    uint256 private constant LOG_ITEMS = 3;
    /// @dev EIP-2718: up to here the first byte is a type, above it the receipt's list itself.
    uint8 private constant HIGHEST_TYPE = 0x7f;

    struct Log {
        address emitter;
        bytes32[] topics;
        bytes data;
    }

    /// @notice A slot of an account's storage in a state; a slot that holds zero is in no trie and has no proof.
    function slot(
        bytes32 stateRoot,
        address account,
        uint256 number,
        bytes[] memory accountProof,
        bytes[] memory slotProof
    ) internal pure returns (bytes32) {
        bytes memory accountKey = abi.encodePacked(keccak256(abi.encodePacked(account)));
        Memory.Slice[] memory fields = RLP.decodeList(TrieProof.traverse(stateRoot, accountKey, accountProof));
        bytes memory slotKey = abi.encodePacked(keccak256(abi.encode(number)));
        return RLP.decodeBytes32(TrieProof.traverse(fields[STORAGE_ROOT].readBytes32(), slotKey, slotProof));
    }

    /// @notice One log of a block that holds it.
    function logOf(bytes32 receiptsRoot, ICrossConsortiumInbox.ReceiptProof memory proof)
        internal
        pure
        returns (Log memory)
    {
        bytes memory receipt = TrieProof.traverse(receiptsRoot, RLP.encode(proof.index), proof.nodes);
        Memory.Slice[] memory fields = RLP.decodeList(_untyped(receipt));
        require(fields.length == RECEIPT_ITEMS, ICrossConsortiumInbox.InboxReceiptMalformed());
        Memory.Slice[] memory logs = fields[LOGS].readList();
        uint256 index = proof.logIndex;
        require(index < logs.length, ICrossConsortiumInbox.InboxNoSuchLog(index, logs.length));
        Memory.Slice[] memory parts = logs[index].readList();
        require(parts.length == LOG_ITEMS, ICrossConsortiumInbox.InboxReceiptMalformed());
        return Log(parts[0].readAddress(), _words(parts[1].readList()), parts[2].readBytes());
    }

    /// @dev Never empty: a trie holds no empty value, and `traverse` refuses one.
    function _untyped(bytes memory receipt) private pure returns (bytes memory list) {
        if (uint8(receipt[0]) > HIGHEST_TYPE) return receipt;
        list = new bytes(receipt.length - 1);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = receipt[i + 1];
        }
    }

    function _words(Memory.Slice[] memory items) private pure returns (bytes32[] memory words) {
        words = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            words[i] = items[i].readBytes32();
        }
    }
}
