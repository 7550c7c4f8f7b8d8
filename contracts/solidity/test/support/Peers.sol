// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CrossConsortiumInbox} from "../../src/CrossConsortiumInbox.sol";
import {ICrossConsortiumInbox} from "../../src/interfaces/ICrossConsortiumInbox.sol";
import {Consortium} from "./Consortium.sol";
import {PeerChain} from "./PeerChain.sol";

/// @notice A peer of four validators that the members accepted, and its chain from the anchor on.
abstract contract Peers is Consortium, PeerChain {
    bytes32 internal constant FOREIGN_MODEL = keccak256("model");
    uint64 internal constant ANCHOR_HEIGHT = 10;

    CrossConsortiumInbox internal inbox;
    Block internal anchored;
    bytes32 internal peer;

    /// @notice The anchor whose set is validators 0 to 3, accepted and not yet opened.
    function acceptPeer() internal returns (ICrossConsortiumInbox.Anchor memory anchor) {
        inbox = new CrossConsortiumInbox(registry);
        bytes32 validators = digestOf(secretsOf(0, 4));
        (anchored.number, anchored.validators) = (ANCHOR_HEIGHT, validators);
        anchor = ICrossConsortiumInbox.Anchor({
            chainId: 20_261,
            models: FOREIGN_MODELS,
            source: FOREIGN_SOURCE,
            digestSlot: DIGEST_SLOT,
            height: ANCHOR_HEIGHT,
            blockHash: hashOf(anchored),
            validators: validators
        });
        peer = keccak256(abi.encode(anchor));
        asGovernance();
        registry.setPeer(peer, true);
    }

    /// @notice A block `above` the anchor whose state holds validators `from` to `from + 3`.
    function blockAt(uint64 above, uint256 from, bytes memory receipt) internal view returns (Block memory) {
        return Block(ANCHOR_HEIGHT + above, hashOf(anchored), digestOf(secretsOf(from, 4)), receipt, 0);
    }

    function messageOf(bytes32 kind) internal pure returns (bytes memory) {
        bytes32[] memory topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) = (kind, FOREIGN_MODEL, keccak256("decision"));
        return receiptOf(FOREIGN_MODELS, topics, abi.encode(keccak256("card")));
    }

    function one(bytes memory header) internal pure returns (bytes[] memory headers) {
        headers = new bytes[](1);
        headers[0] = header;
    }
}
