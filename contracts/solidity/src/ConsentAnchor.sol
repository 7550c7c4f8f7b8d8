// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IConsentAnchor} from "./interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {Bands} from "./libraries/Bands.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title What each organization has anchored of its consents
contract ConsentAnchor is IConsentAnchor, EIP712 {
    using Signatures for bytes;

    /// @notice Type of an epoch, signed by the site key.
    bytes32 public constant ANCHOR_EPOCH_TYPEHASH =
        keccak256("AnchorEpoch(bytes32 organization,uint64 epoch,bytes32 root,uint32 band,uint64 seq,uint64 asOf)");
    /// @notice Type of an urgent revocation, signed by the site key.
    bytes32 public constant REVOKE_CONSENTS_TYPEHASH =
        keccak256("RevokeConsents(bytes32 organization,uint64 epoch,uint64 seq,bytes32[] subjects)");
    uint256 public constant MAX_SUBJECTS = 256;

    IConsortiumRegistry private immutable _registry;
    mapping(bytes32 organization => ConsentState) private _states;

    constructor(IConsortiumRegistry registry) EIP712("ConsentAnchor", "1") {
        _registry = registry;
    }

    /// @inheritdoc IConsentAnchor
    function anchorEpoch(
        bytes32 organization,
        uint64 epoch,
        bytes32 root,
        uint32 band,
        uint64 seq,
        uint64 asOf,
        bytes calldata signature
    ) external {
        _requireNext(organization, seq);
        require(root != bytes32(0), ConsentZeroRoot());
        require(Bands.isLowerEdge(band), ConsentNotABand(band));
        _requireTimely(organization, asOf);
        bytes32 structHash = keccak256(abi.encode(ANCHOR_EPOCH_TYPEHASH, organization, epoch, root, band, seq, asOf));
        _requireSiteSignature(organization, structHash, signature);
        ConsentState storage current = _states[organization];
        require(epoch == current.epoch + 1, ConsentWrongEpoch(organization, current.epoch + 1, epoch));
        _states[organization] = ConsentState(epoch, seq, asOf, band, 0, root, bytes32(0));
        emit ConsentEpochAnchored(organization, epoch, root, band, seq, asOf);
    }

    /// @inheritdoc IConsentAnchor
    function revokeConsents(
        bytes32 organization,
        uint64 epoch,
        uint64 seq,
        bytes32[] calldata subjects,
        bytes calldata signature
    ) external {
        ConsentState storage current = _requireNext(organization, seq);
        require(current.epoch != 0, ConsentNoEpoch(organization));
        require(epoch == current.epoch, ConsentWrongEpoch(organization, current.epoch, epoch));
        uint256 count = subjects.length;
        require(count != 0 && count <= MAX_SUBJECTS, ConsentSubjectCount(count, MAX_SUBJECTS));
        bytes32 subjectsDigest = keccak256(abi.encodePacked(subjects));
        bytes32 structHash = keccak256(abi.encode(REVOKE_CONSENTS_TYPEHASH, organization, epoch, seq, subjectsDigest));
        _requireSiteSignature(organization, structHash, signature);
        current.seq = seq;
        current.revoked += SafeCast.toUint32(count);
        current.revocations = _extend(current.revocations, subjects);
        emit ConsentsRevoked(organization, epoch, seq, subjects, current.revoked, current.revocations);
    }

    /// @inheritdoc IConsentAnchor
    function stateOf(bytes32 organization) external view returns (ConsentState memory) {
        return _states[organization];
    }

    /// @inheritdoc IConsentAnchor
    function epochOf(bytes32 organization) external view returns (uint64) {
        return _states[organization].epoch;
    }

    /// @inheritdoc IConsentAnchor
    function seqOf(bytes32 organization) external view returns (uint64) {
        return _states[organization].seq;
    }

    function _requireNext(bytes32 organization, uint64 seq) private view returns (ConsentState storage current) {
        require(_registry.isActive(organization), ConsentNotActive(organization));
        current = _states[organization];
        require(seq == current.seq + 1, ConsentWrongSeq(organization, current.seq + 1, seq));
    }

    function _requireTimely(bytes32 organization, uint64 asOf) private view {
        uint256 distance = asOf > block.timestamp ? asOf - block.timestamp : block.timestamp - asOf;
        bool isWithin = distance <= _registry.parameters().asOfToleranceSeconds;
        require(isWithin, ConsentAsOfOutOfTolerance(asOf, block.timestamp));
        uint64 previous = _states[organization].asOf;
        require(asOf >= previous, ConsentAsOfBackwards(asOf, previous));
    }

    function _requireSiteSignature(bytes32 organization, bytes32 structHash, bytes calldata signature) private view {
        address siteKey = _registry.keyOf(organization, IConsortiumRegistry.KeyPurpose.Site);
        require(signature.isBy(siteKey, _hashTypedDataV4(structHash)), ConsentBadSignature(organization));
    }

    function _extend(bytes32 chain, bytes32[] calldata subjects) private pure returns (bytes32) {
        for (uint256 i = 0; i < subjects.length; ++i) {
            chain = keccak256(abi.encodePacked(chain, subjects[i]));
        }
        return chain;
    }
}
