// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Checkpoints of audit logs
/// @notice A checkpoint stands only with the co-signatures of k active organizations, k being the registry's witness
/// quorum; a log only grows.
interface IAuditAnchor {
    /// @param organization The witness; its site key signs Checkpoint.
    struct Witness {
        bytes32 organization;
        bytes signature;
    }

    /// @param size Leaves in the tree (RFC 9162).
    struct Anchored {
        uint64 size;
        uint64 anchoredAt;
        bytes32 root;
    }

    error AuditZeroValue();
    error AuditNotGrown(bytes32 log, uint64 size, uint64 given);
    error AuditTooFewWitnesses(uint256 given, uint256 quorum);
    error AuditTooManyWitnesses(uint256 given, uint256 maximum);
    error AuditWitnessNotActive(bytes32 organization);
    error AuditWitnessTwice(bytes32 organization);
    error AuditBadSignature(bytes32 organization);

    event CheckpointAnchored(bytes32 indexed log, uint64 size, bytes32 root, bytes32[] witnesses);

    /// @notice Anchor a checkpoint that is larger than the last one of this log.
    /// @param log Digest of the log's origin.
    function anchor(bytes32 log, uint64 size, bytes32 root, Witness[] calldata witnesses) external;

    /// @notice The last checkpoint of a log; zeros before the first.
    function latestOf(bytes32 log) external view returns (Anchored memory);
}
