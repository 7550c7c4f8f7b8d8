// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What another consortium's chain has proven to this one
/// @notice Holds releases and recalls of models of other consortia (peers), each proven by a block header that the
/// peer's validators sealed and by the receipt of the peer's own ModelRegistry. Anybody delivers; nobody is trusted. Which
/// peers count is decided by vote (act SetPeer), by the digest of the peer's anchor; a vote may end it again.
/// @dev Assumptions, as printed by the off-line verifier: fewer than a third of each set of validators is faulty at its
/// time, keys of retired validators are not used, and no set of validators seals two chains (headers name no chain id).
/// Anchor and every set after it bind the second: a header has to lie above the last proven change.
interface ICrossConsortiumInbox {
    enum ForeignState {
        None,
        Released,
        Recalled
    }

    /// @notice Where trust in a peer begins, agreed outside of the chains.
    /// @param chainId The peer's chain; tells two peers apart, headers do not hold it.
    /// @param models The peer's ModelRegistry.
    /// @param source The peer's ValidatorSource.
    /// @param digestSlot Storage slot of the list's digest in `source`.
    /// @param height Block of the anchor: genesis, or later.
    /// @param blockHash Hash of that block.
    /// @param validators Digest of the set in force after that block (see IValidatorSource.digest).
    struct Anchor {
        uint64 chainId;
        address models;
        address source;
        uint256 digestSlot;
        uint64 height;
        bytes32 blockHash;
        bytes32 validators;
    }

    /// @param height Block after which `validators` is in force.
    struct Peer {
        address models;
        address source;
        uint256 digestSlot;
        uint64 height;
        bytes32 validators;
    }

    /// @param card Digest of the model's card at the peer, zero unless its registration was delivered.
    /// @param decision The peer's decision that released or recalled it.
    /// @param height The peer's block that says so.
    struct ForeignModel {
        ForeignState state;
        bytes32 card;
        bytes32 decision;
        uint64 height;
    }

    /// @param index Place of the transaction in its block.
    /// @param nodes Nodes of the receipts' trie from the root down.
    /// @param logIndex Place of the log in its receipt.
    struct ReceiptProof {
        uint256 index;
        bytes[] nodes;
        uint256 logIndex;
    }

    error InboxNotAPeer(bytes32 peer);
    error InboxPeerKnown(bytes32 peer);
    error InboxPeerUnknown(bytes32 peer);
    error InboxZeroValue();
    error InboxNotAbove(uint64 height, uint64 number);
    error InboxWrongValidators(bytes32 expected, bytes32 actual);
    error InboxTooFewSeals(uint256 seals, uint256 quorum);
    error InboxSealNotOfValidator(uint256 index, address recovered);
    error InboxSealTwice(uint256 index, address validator);
    error InboxSealMalformed(uint256 index);
    error InboxHeaderMalformed();
    error InboxNoHeaders();
    error InboxTooManyHeaders(uint256 count, uint256 maximum);
    error InboxNotLinked(uint256 index);
    error InboxTooManyValidators(uint256 count, uint256 maximum);
    error InboxReceiptMalformed();
    error InboxNoSuchLog(uint256 logIndex, uint256 count);
    error InboxForeignEmitter(address emitter);
    error InboxNotAMessage(bytes32 topic);
    error InboxNothingNew(bytes32 model, ForeignState state);

    /// @notice A peer's proven history begins.
    event PeerOpened(bytes32 indexed peer, Anchor anchor);
    /// @notice A header above all before it is proven; `validators` is in force after it.
    event HeaderProven(bytes32 indexed peer, uint64 indexed number, bytes32 blockHash, bytes32 validators);
    event ForeignModelRegistered(bytes32 indexed peer, bytes32 indexed model, bytes32 card, uint64 height);
    event ForeignModelReleased(bytes32 indexed peer, bytes32 indexed model, bytes32 decision, uint64 height);
    event ForeignModelRecalled(bytes32 indexed peer, bytes32 indexed model, bytes32 decision, uint64 height);

    /// @notice Begin a peer's history at an anchor that the members have voted for.
    /// @return peer keccak256(abi.encode(anchor)), the subject of the vote and the peer's name from here on.
    function open(Anchor calldata anchor) external returns (bytes32 peer);

    /// @notice Prove a header above the last one, and with it the set of validators in force after it. A change of the set
    /// has to be proven with the very block that made it, since that one is the last that the set before seals.
    /// @param header RLP of the header as the peer's nodes store it, round and seals included.
    /// @param validators The set in force, ascending.
    /// @param accountProof Nodes of the state trie down to the peer's ValidatorSource.
    /// @param slotProof Nodes of its storage trie down to the digest.
    function advance(
        bytes32 peer,
        bytes calldata header,
        address[] calldata validators,
        bytes[] calldata accountProof,
        bytes[] calldata slotProof
    ) external;

    /// @notice Take one event of the peer's ModelRegistry.
    /// @param headers From the block that holds the receipt on, each the parent of the next; the last one is proven
    /// already, or sealed by the set in force above all that is proven.
    /// @param validators The set in force, ascending; empty if the last header is proven already.
    function deliver(
        bytes32 peer,
        bytes[] calldata headers,
        address[] calldata validators,
        ReceiptProof calldata receipt
    ) external;

    function peerOf(bytes32 peer) external view returns (Peer memory);

    function isProven(bytes32 peer, bytes32 blockHash) external view returns (bool);

    function foreignModelOf(bytes32 peer, bytes32 model) external view returns (ForeignModel memory);

    /// @notice Whether the peer has released the model and not recalled it, as far as was delivered, and still counts.
    function isReleased(bytes32 peer, bytes32 model) external view returns (bool);
}
