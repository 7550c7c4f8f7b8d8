// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {KeyBook} from "./KeyBook.sol";
import {MemberVotes} from "./MemberVotes.sol";
import {OrganizationBook} from "./OrganizationBook.sol";
import {ValidatorSeats} from "./ValidatorSeats.sol";

/// @dev Keys of organizations: rotated by their owner, recovered by vote. The vote follows its key, the seat its node.
abstract contract OrganizationKeys is OrganizationBook, KeyBook, MemberVotes, ValidatorSeats {
    using Signatures for bytes;

    /// @notice Type of an organization's own rotation of a key, signed by its vote key.
    bytes32 public constant ROTATE_KEY_TYPEHASH =
        keccak256("RotateKey(bytes32 organization,uint8 purpose,address newKey,uint256 nonce,uint64 deadline)");

    mapping(bytes32 id => uint256) private _rotations;

    /// @inheritdoc IConsortiumRegistry
    function replaceKey(bytes32 id, KeyPurpose purpose, address newKey) external onlyGovernance {
        OrganizationStatus status = _organizations[id].status;
        bool isMember = status == OrganizationStatus.Active || status == OrganizationStatus.Suspended;
        require(isMember, RegistryWrongStatus(id, status));
        _replaceKey(id, purpose, newKey, true);
    }

    /// @inheritdoc IConsortiumRegistry
    function rotateKey(bytes32 id, KeyPurpose purpose, address newKey, uint64 deadline, bytes calldata signature)
        external
    {
        Organization storage member = _requireStatus(id, OrganizationStatus.Active);
        require(block.timestamp <= deadline, RegistrySignatureExpired(deadline));
        // a node's address decides who seals blocks: only a vote changes it
        require(purpose != KeyPurpose.Validator, RegistryKeyPurposeRefused(purpose));
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(ROTATE_KEY_TYPEHASH, id, purpose, newKey, _rotations[id]++, deadline))
        );
        require(signature.isBy(member.voteKey, digest), RegistryBadSignature(id));
        _replaceKey(id, purpose, newKey, false);
    }

    /// @inheritdoc IConsortiumRegistry
    function nonceOf(bytes32 id) external view returns (uint256) {
        return _rotations[id];
    }

    function _replaceKey(bytes32 id, KeyPurpose purpose, address newKey, bool recovered) private {
        Organization storage member = _organizations[id];
        address previous = _keyOf(member, purpose);
        _enterKey(newKey, id, purpose);
        _retireKey(previous);
        if (purpose == KeyPurpose.Vote) {
            _moveVote(member, newKey);
        } else if (purpose == KeyPurpose.Site) {
            member.siteKey = newKey;
        } else {
            member.validator = newKey;
            if (member.isValidating) _exchangeSeat(previous, newKey);
        }
        emit KeyReplaced(id, purpose, previous, newKey, recovered);
    }

    function _moveVote(Organization storage member, address newKey) private {
        if (member.status == OrganizationStatus.Active) {
            _withdrawVote(member.voteKey);
            _grantVote(newKey);
        }
        member.voteKey = newKey;
    }
}
