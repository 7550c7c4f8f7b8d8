// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {IGuardian} from "./interfaces/IGuardian.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title Veto of k member organizations during the timelock
/// @dev Holds the timelock's canceller role, and no other right. It reads what waits from the timelock itself, so it
/// needs to know no governor.
contract Guardian is IGuardian, EIP712 {
    using Signatures for bytes;

    /// @notice Type of a guardian's signature, by its organization's vote key.
    bytes32 public constant VETO_TYPEHASH = keccak256("Veto(bytes32 operation,bytes32 subject)");
    uint256 public constant MAX_GUARDIANS = 64;
    uint16 private constant LOWEST_THRESHOLD = 2;

    IConsortiumRegistry private immutable _registry;
    TimelockController private immutable _timelock;
    mapping(bytes32 organization => bool) private _guardians;
    mapping(bytes32 subject => bool) private _vetoed;
    uint16 private _threshold = LOWEST_THRESHOLD;
    uint16 private _members;

    /// @param guardians The first n organizations, all active; none for a consortium that wants no guardian.
    /// @param threshold k.
    constructor(
        IConsortiumRegistry registry_,
        TimelockController timelock_,
        bytes32[] memory guardians,
        uint16 threshold
    ) EIP712("Guardian", "1") {
        require(address(registry_) != address(0) && address(timelock_) != address(0), GuardianZeroValue());
        _registry = registry_;
        _timelock = timelock_;
        for (uint256 i = 0; i < guardians.length; ++i) {
            _change(guardians[i], true);
        }
        _setThreshold(threshold);
        for (uint256 i = 0; i < guardians.length; ++i) {
            emit GuardianSet(guardians[i], true, threshold, _members);
        }
    }

    /// @inheritdoc IGuardian
    function veto(address target, bytes calldata data, bytes32 salt, GuardianSignature[] calldata signatures) external {
        bytes32 operation = operationOf(target, data, salt);
        require(_timelock.isOperationPending(operation), GuardianNothingPending(operation));
        require(target != address(this), GuardianOwnReplacement());
        bytes32 subject = subjectOf(target, data);
        require(!_vetoed[subject], GuardianVetoedBefore(subject));
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(VETO_TYPEHASH, operation, subject)));
        bytes32[] memory names = _requireGuardians(digest, signatures);
        _vetoed[subject] = true;
        emit ActVetoed(operation, subject, names);
        _timelock.cancel(operation);
    }

    /// @inheritdoc IGuardian
    function setGuardian(bytes32 organization, bool isAppointed, uint16 threshold) external {
        require(msg.sender == address(_timelock), GuardianNotGovernance(msg.sender));
        _change(organization, isAppointed);
        _setThreshold(threshold);
        emit GuardianSet(organization, isAppointed, threshold, _members);
    }

    /// @inheritdoc IGuardian
    function isGuardian(bytes32 organization) external view returns (bool) {
        return _guardians[organization];
    }

    /// @inheritdoc IGuardian
    function numbers() external view returns (uint16 threshold, uint16 members) {
        return (_threshold, _members);
    }

    /// @inheritdoc IGuardian
    function isVetoed(bytes32 subject) external view returns (bool) {
        return _vetoed[subject];
    }

    /// @notice Whose organizations sign.
    function registry() external view returns (IConsortiumRegistry) {
        return _registry;
    }

    /// @notice Where it cancels.
    function timelock() external view returns (address) {
        return address(_timelock);
    }

    /// @inheritdoc IGuardian
    function operationOf(address target, bytes calldata data, bytes32 salt) public view returns (bytes32) {
        address[] memory targets = new address[](1);
        bytes[] memory payloads = new bytes[](1);
        (targets[0], payloads[0]) = (target, data);
        return _timelock.hashOperationBatch(targets, new uint256[](1), payloads, bytes32(0), salt);
    }

    /// @inheritdoc IGuardian
    function subjectOf(address target, bytes calldata data) public pure returns (bytes32) {
        return keccak256(abi.encode(target, data));
    }

    function _change(bytes32 organization, bool isAppointed) private {
        require(_guardians[organization] != isAppointed, GuardianUnchanged(organization, isAppointed));
        require(!isAppointed || _registry.isActive(organization), GuardianNotActive(organization));
        require(!isAppointed || _members < MAX_GUARDIANS, GuardianTooMany(MAX_GUARDIANS));
        _guardians[organization] = isAppointed;
        _members = isAppointed ? _members + 1 : _members - 1;
    }

    function _setThreshold(uint16 threshold) private {
        bool isReachable = threshold <= _members || threshold == LOWEST_THRESHOLD;
        bool isSound = threshold >= LOWEST_THRESHOLD && isReachable;
        require(isSound, GuardianThresholdRefused(threshold, _members));
        _threshold = threshold;
    }

    function _requireGuardians(bytes32 digest, GuardianSignature[] calldata signatures)
        private
        view
        returns (bytes32[] memory names)
    {
        uint256 given = signatures.length;
        require(given >= _threshold, GuardianTooFewSignatures(given, _threshold));
        require(given <= _members, GuardianTooManySignatures(given, _members));
        names = new bytes32[](given);
        for (uint256 i = 0; i < given; ++i) {
            bytes32 organization = signatures[i].organization;
            bool isAppointed = _guardians[organization] && _registry.isActive(organization);
            require(isAppointed, GuardianNotAppointed(organization));
            for (uint256 j = 0; j < i; ++j) {
                require(names[j] != organization, GuardianTwice(organization));
            }
            address voteKey = _registry.keyOf(organization, IConsortiumRegistry.KeyPurpose.Vote);
            require(signatures[i].signature.isBy(voteKey, digest), GuardianBadSignature(organization));
            names[i] = organization;
        }
    }
}
