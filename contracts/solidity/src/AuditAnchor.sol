// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAuditAnchor} from "./interfaces/IAuditAnchor.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title Checkpoints of audit logs
contract AuditAnchor is IAuditAnchor, EIP712 {
    using Signatures for bytes;

    /// @notice Type of a co-signature, by a witness's site key.
    bytes32 public constant CHECKPOINT_TYPEHASH = keccak256("Checkpoint(bytes32 log,uint64 size,bytes32 root)");
    uint256 public constant MAX_WITNESSES = 64;

    IConsortiumRegistry private immutable _registry;
    mapping(bytes32 log => Anchored) private _latest;

    constructor(IConsortiumRegistry registry) EIP712("AuditAnchor", "1") {
        _registry = registry;
    }

    /// @inheritdoc IAuditAnchor
    function anchor(bytes32 log, uint64 size, bytes32 root, Witness[] calldata witnesses) external {
        require(log != bytes32(0) && root != bytes32(0), AuditZeroValue());
        uint64 previous = _latest[log].size;
        require(size > previous, AuditNotGrown(log, previous, size));
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(CHECKPOINT_TYPEHASH, log, size, root)));
        bytes32[] memory names = _requireWitnesses(digest, witnesses);
        _latest[log] = Anchored(size, SafeCast.toUint64(block.timestamp), root);
        emit CheckpointAnchored(log, size, root, names);
    }

    /// @inheritdoc IAuditAnchor
    function latestOf(bytes32 log) external view returns (Anchored memory) {
        return _latest[log];
    }

    function _requireWitnesses(bytes32 digest, Witness[] calldata witnesses)
        private
        view
        returns (bytes32[] memory names)
    {
        uint256 quorum = _registry.parameters().witnessQuorum;
        require(witnesses.length >= quorum, AuditTooFewWitnesses(witnesses.length, quorum));
        require(witnesses.length <= MAX_WITNESSES, AuditTooManyWitnesses(witnesses.length, MAX_WITNESSES));
        names = new bytes32[](witnesses.length);
        for (uint256 i = 0; i < witnesses.length; ++i) {
            bytes32 organization = witnesses[i].organization;
            require(_registry.isActive(organization), AuditWitnessNotActive(organization));
            for (uint256 j = 0; j < i; ++j) {
                require(names[j] != organization, AuditWitnessTwice(organization));
            }
            address siteKey = _registry.keyOf(organization, IConsortiumRegistry.KeyPurpose.Site);
            require(witnesses[i].signature.isBy(siteKey, digest), AuditBadSignature(organization));
            names[i] = organization;
        }
    }
}
