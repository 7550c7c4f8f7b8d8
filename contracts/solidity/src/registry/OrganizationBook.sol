// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {Governed} from "./Governed.sol";

/// @dev Organizations as they are kept and read.
abstract contract OrganizationBook is Governed {
    mapping(bytes32 id => Organization) internal _organizations;

    /// @inheritdoc IConsortiumRegistry
    function organization(bytes32 id) external view returns (Organization memory) {
        return _organizations[id];
    }

    /// @inheritdoc IConsortiumRegistry
    function keyOf(bytes32 id, KeyPurpose purpose) external view returns (address) {
        return _keyOf(_organizations[id], purpose);
    }

    /// @inheritdoc IConsortiumRegistry
    function isActive(bytes32 id) external view returns (bool) {
        return _organizations[id].status == OrganizationStatus.Active;
    }

    function _requireStatus(bytes32 id, OrganizationStatus status) internal view returns (Organization storage member) {
        member = _organizations[id];
        require(member.status == status, RegistryWrongStatus(id, member.status));
    }

    function _keyOf(Organization storage member, KeyPurpose purpose) internal view returns (address) {
        if (purpose == KeyPurpose.Vote) return member.voteKey;
        if (purpose == KeyPurpose.Site) return member.siteKey;
        if (purpose == KeyPurpose.Validator) return member.validator;
        revert RegistryKeyPurposeRefused(purpose);
    }
}
