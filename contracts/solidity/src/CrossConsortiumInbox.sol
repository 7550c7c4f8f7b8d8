// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {ICrossConsortiumInbox} from "./interfaces/ICrossConsortiumInbox.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {ChainProofs} from "./crosschain/ChainProofs.sol";
import {QbftHeaders} from "./crosschain/QbftHeaders.sol";

/// @title Releases and recalls of other consortia's models, proven by their chains
/// @dev Parts in ./crosschain. No call leaves this contract but to the registry's views.
contract CrossConsortiumInbox is ICrossConsortiumInbox {
    using QbftHeaders for QbftHeaders.Header;

    /// @dev About 60,000 gas each: a gap that is longer is bridged by `advance` on the way.
    uint256 public constant MAX_HEADERS = 64;
    uint256 public constant MAX_VALIDATORS = 64;

    IConsortiumRegistry private immutable _registry;
    mapping(bytes32 peer => Peer) private _peers;
    mapping(bytes32 peer => mapping(bytes32 blockHash => bool)) private _proven;
    mapping(bytes32 peer => mapping(bytes32 model => ForeignModel)) private _models;

    constructor(IConsortiumRegistry registry) {
        _registry = registry;
    }

    /// @inheritdoc ICrossConsortiumInbox
    function open(Anchor calldata anchor) external returns (bytes32 peer) {
        peer = keccak256(abi.encode(anchor));
        require(_registry.isPeer(peer), InboxNotAPeer(peer));
        require(_peers[peer].validators == bytes32(0), InboxPeerKnown(peer));
        bool isWhole = anchor.models != address(0) && anchor.source != address(0) && anchor.validators != bytes32(0);
        require(isWhole && anchor.blockHash != bytes32(0), InboxZeroValue());
        _peers[peer] = Peer(anchor.models, anchor.source, anchor.digestSlot, anchor.height, anchor.validators);
        _proven[peer][anchor.blockHash] = true;
        emit PeerOpened(peer, anchor);
    }

    /// @inheritdoc ICrossConsortiumInbox
    function advance(
        bytes32 peer,
        bytes calldata header,
        address[] calldata validators,
        bytes[] calldata accountProof,
        bytes[] calldata slotProof
    ) external {
        Peer storage known = _requirePeer(peer);
        QbftHeaders.Header memory next = QbftHeaders.parse(header);
        _requireSealedAbove(known, next, validators);
        bytes32 digest = ChainProofs.slot(next.stateRoot, known.source, known.digestSlot, accountProof, slotProof);
        known.height = next.number;
        known.validators = digest;
        _proven[peer][next.hash] = true;
        emit HeaderProven(peer, next.number, next.hash, digest);
    }

    /// @inheritdoc ICrossConsortiumInbox
    function deliver(
        bytes32 peer,
        bytes[] calldata headers,
        address[] calldata validators,
        ReceiptProof calldata receipt
    ) external {
        Peer storage known = _requirePeer(peer);
        require(headers.length != 0, InboxNoHeaders());
        require(headers.length <= MAX_HEADERS, InboxTooManyHeaders(headers.length, MAX_HEADERS));
        QbftHeaders.Header memory first = QbftHeaders.parse(headers[0]);
        QbftHeaders.Header memory last = _lastOf(first, headers);
        if (!_proven[peer][last.hash]) _requireSealedAbove(known, last, validators);
        ChainProofs.Log memory found = ChainProofs.logOf(first.receiptsRoot, receipt);
        require(found.emitter == known.models, InboxForeignEmitter(found.emitter));
        _take(peer, first.number, found);
    }

    /// @inheritdoc ICrossConsortiumInbox
    function peerOf(bytes32 peer) external view returns (Peer memory) {
        return _peers[peer];
    }

    /// @inheritdoc ICrossConsortiumInbox
    function isProven(bytes32 peer, bytes32 blockHash) external view returns (bool) {
        return _proven[peer][blockHash];
    }

    /// @inheritdoc ICrossConsortiumInbox
    function foreignModelOf(bytes32 peer, bytes32 model) external view returns (ForeignModel memory) {
        return _models[peer][model];
    }

    /// @inheritdoc ICrossConsortiumInbox
    function isReleased(bytes32 peer, bytes32 model) external view returns (bool) {
        return _registry.isPeer(peer) && _models[peer][model].state == ForeignState.Released;
    }

    function _requirePeer(bytes32 peer) private view returns (Peer storage known) {
        require(_registry.isPeer(peer), InboxNotAPeer(peer));
        known = _peers[peer];
        require(known.validators != bytes32(0), InboxPeerUnknown(peer));
    }

    function _requireSealedAbove(Peer storage known, QbftHeaders.Header memory header, address[] calldata validators)
        private
        view
    {
        require(header.number > known.height, InboxNotAbove(known.height, header.number));
        require(validators.length <= MAX_VALIDATORS, InboxTooManyValidators(validators.length, MAX_VALIDATORS));
        bytes32 digest = keccak256(abi.encodePacked(validators));
        require(digest == known.validators, InboxWrongValidators(known.validators, digest));
        header.requireSealed(validators);
    }

    /// @dev Follows the hashes of the parents; the hash of a header covers all but its round and seals.
    function _lastOf(QbftHeaders.Header memory first, bytes[] calldata headers)
        private
        pure
        returns (QbftHeaders.Header memory last)
    {
        last = first;
        for (uint256 i = 1; i < headers.length; ++i) {
            QbftHeaders.Header memory next = QbftHeaders.parse(headers[i]);
            require(next.parent == last.hash, InboxNotLinked(i));
            last = next;
        }
    }

    function _take(bytes32 peer, uint64 height, ChainProofs.Log memory message) private {
        bytes32 kind = message.topics.length > 1 ? message.topics[0] : bytes32(0);
        if (kind == IModelRegistry.ModelRegistered.selector) {
            _takeCard(peer, message.topics[1], height, message.data);
        } else if (kind == IModelRegistry.ModelReleased.selector) {
            _move(peer, message.topics, ForeignState.Released, height);
            emit ForeignModelReleased(peer, message.topics[1], message.topics[2], height);
        } else if (kind == IModelRegistry.ModelRecalled.selector) {
            _move(peer, message.topics, ForeignState.Recalled, height);
            emit ForeignModelRecalled(peer, message.topics[1], message.topics[2], height);
        } else {
            revert InboxNotAMessage(kind);
        }
    }

    function _takeCard(bytes32 peer, bytes32 model, uint64 height, bytes memory data) private {
        ForeignModel storage known = _models[peer][model];
        require(known.card == bytes32(0), InboxNothingNew(model, known.state));
        known.card = abi.decode(data, (bytes32));
        emit ForeignModelRegistered(peer, model, known.card, height);
    }

    /// @dev Forward only, whatever the order of delivery: a recall is final, as it is at the peer.
    function _move(bytes32 peer, bytes32[] memory topics, ForeignState state, uint64 height) private {
        ForeignModel storage known = _models[peer][topics[1]];
        require(uint8(state) > uint8(known.state), InboxNothingNew(topics[1], known.state));
        known.state = state;
        known.decision = topics[2];
        known.height = height;
    }
}
