// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {ICrossConsortiumInbox} from "../interfaces/ICrossConsortiumInbox.sol";

/// @title Headers of a QBFT chain: what their hash covers, and what their seals sign
/// @notice extraData is RLP of [vanity, validators, vote, round, seals]. The block's hash is taken with round 0 and no
/// seals, the digest that validators sign with the real round and no seals, both items staying in place (EIP-650's
/// scheme as Besu has it). Further items would lie outside of both and are refused.
library QbftHeaders {
    using BlockHeader for Memory.Slice[];
    using Memory for Memory.Slice;
    using RLP for Memory.Slice;

    uint256 private constant EXTRA_DATA = uint256(BlockHeader.HeaderField.ExtraData);
    /// @dev Cancun has 20 members, Prague 21.
    uint256 private constant FEWEST_FIELDS = 20;
    uint256 private constant MOST_FIELDS = 21;
    uint256 private constant EXTRA_ITEMS = 5;
    uint256 private constant ROUND = 3;
    uint256 private constant SEALS = 4;
    uint256 private constant SEAL_BYTES = 65;

    struct Header {
        uint64 number;
        bytes32 hash;
        bytes32 parent;
        bytes32 stateRoot;
        bytes32 receiptsRoot;
        bytes32 signedDigest;
        bytes[] seals;
    }

    /// @notice Decode a header; its hash is computed, never taken from anybody.
    function parse(bytes memory raw) internal pure returns (Header memory header) {
        Memory.Slice[] memory fields = RLP.decodeList(raw);
        bool isWellFormed = fields.length >= FEWEST_FIELDS && fields.length <= MOST_FIELDS;
        require(isWellFormed, ICrossConsortiumInbox.InboxHeaderMalformed());
        header.number = SafeCast.toUint64(fields.getNumber());
        header.parent = fields.getParentHash();
        header.stateRoot = fields.getStateRoot();
        header.receiptsRoot = fields.getReceiptsRoot();
        Memory.Slice[] memory extra = RLP.decodeList(fields.getExtraData());
        require(extra.length == EXTRA_ITEMS, ICrossConsortiumInbox.InboxHeaderMalformed());
        header.seals = _strings(extra[SEALS].readList());
        bytes[] memory items = _raw(fields);
        header.signedDigest = _digest(items, extra, extra[ROUND].toBytes());
        header.hash = _digest(items, extra, hex"80");
    }

    /// @notice Make sure that enough members of the set have sealed the header, each once, and nobody else.
    function requireSealed(Header memory header, address[] memory validators) internal pure {
        // ceil(2n/3)
        uint256 quorum = (2 * validators.length + 2) / 3;
        uint256 given = header.seals.length;
        require(given >= quorum, ICrossConsortiumInbox.InboxTooFewSeals(given, quorum));
        uint256 seen = 0;
        for (uint256 i = 0; i < given; ++i) {
            address sealer = _recover(header.signedDigest, header.seals[i], i);
            uint256 place = _placeOf(validators, sealer);
            require(place < validators.length, ICrossConsortiumInbox.InboxSealNotOfValidator(i, sealer));
            require(seen & (1 << place) == 0, ICrossConsortiumInbox.InboxSealTwice(i, sealer));
            seen |= 1 << place;
        }
    }

    /// @dev Seals carry 0 or 1 where ecrecover wants 27 or 28. High values of s count: members are told apart by address,
    /// so malleability gains nothing, and refusing them would let one proposer make a true block unprovable.
    function _recover(bytes32 digest, bytes memory seal, uint256 index) private pure returns (address) {
        require(seal.length == SEAL_BYTES && uint8(seal[64]) < 2, ICrossConsortiumInbox.InboxSealMalformed(index));
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(seal, 0x20))
            s := mload(add(seal, 0x40))
        }
        address signer = ecrecover(digest, uint8(seal[64]) + 27, r, s);
        require(signer != address(0), ICrossConsortiumInbox.InboxSealMalformed(index));
        return signer;
    }

    /// @dev The list's length where it is absent.
    function _placeOf(address[] memory list, address item) private pure returns (uint256 place) {
        while (place < list.length && list[place] != item) {
            ++place;
        }
    }

    function _digest(bytes[] memory items, Memory.Slice[] memory extra, bytes memory round)
        private
        pure
        returns (bytes32)
    {
        bytes[] memory parts = _raw(extra);
        parts[ROUND] = round;
        parts[SEALS] = hex"c0";
        items[EXTRA_DATA] = RLP.encode(RLP.encode(parts));
        return keccak256(RLP.encode(items));
    }

    function _raw(Memory.Slice[] memory items) private pure returns (bytes[] memory raw) {
        raw = new bytes[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            raw[i] = items[i].toBytes();
        }
    }

    function _strings(Memory.Slice[] memory items) private pure returns (bytes[] memory strings) {
        strings = new bytes[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            strings[i] = items[i].readBytes();
        }
    }
}
