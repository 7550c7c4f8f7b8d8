// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What each organization has anchored of its consents
/// @notice Roots, bands and salted commitments only. `seq` counts every epoch and every urgent revocation of an
/// organization, so that one number tells whether a commitment to a round is current.
interface IConsentAnchor {
    /// @param root Root of the trie of the epoch's leaves; the exact count is inside its preimage.
    /// @param band Lower edge of the band of the count of leaves.
    /// @param revoked Subjects revoked since the epoch.
    /// @param revocations keccak256 chain over the revoked subjects in order, from zero:
    /// `next = keccak256(previous || subject)`.
    struct ConsentState {
        uint64 epoch;
        uint64 seq;
        uint64 asOf;
        uint32 band;
        uint32 revoked;
        bytes32 root;
        bytes32 revocations;
    }

    error ConsentNotActive(bytes32 organization);
    error ConsentWrongEpoch(bytes32 organization, uint64 expected, uint64 given);
    error ConsentWrongSeq(bytes32 organization, uint64 expected, uint64 given);
    error ConsentZeroRoot();
    error ConsentNotABand(uint32 band);
    error ConsentAsOfOutOfTolerance(uint64 asOf, uint256 blockTime);
    error ConsentAsOfBackwards(uint64 asOf, uint64 previous);
    error ConsentBadSignature(bytes32 organization);
    error ConsentSubjectCount(uint256 count, uint256 maximum);
    error ConsentNoEpoch(bytes32 organization);

    event ConsentEpochAnchored(
        bytes32 indexed organization, uint64 indexed epoch, bytes32 root, uint32 band, uint64 seq, uint64 asOf
    );
    event ConsentsRevoked(
        bytes32 indexed organization,
        uint64 indexed epoch,
        uint64 seq,
        bytes32[] subjects,
        uint32 revoked,
        bytes32 revocations
    );

    /// @notice Anchor the next epoch, signed by the site key (AnchorEpoch). Epoch and seq are each one above the last.
    /// @param asOf Unix second of the state; within the registry's tolerance of the block's time, never going back.
    function anchorEpoch(
        bytes32 organization,
        uint64 epoch,
        bytes32 root,
        uint32 band,
        uint64 seq,
        uint64 asOf,
        bytes calldata signature
    ) external;

    /// @notice Revoke subjects of the current epoch at once, signed by the site key (RevokeConsents).
    /// @param subjects The keys S of the leaves: 1 to 256 salted commitments.
    function revokeConsents(
        bytes32 organization,
        uint64 epoch,
        uint64 seq,
        bytes32[] calldata subjects,
        bytes calldata signature
    ) external;

    function stateOf(bytes32 organization) external view returns (ConsentState memory);

    /// @notice The last anchored epoch, from 1; 0 before the first.
    function epochOf(bytes32 organization) external view returns (uint64);

    /// @notice Epochs and revocations anchored so far.
    function seqOf(bytes32 organization) external view returns (uint64);
}
