// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {Governed} from "./Governed.sol";

/// @dev Which address belongs to which organization and purpose. An address is written once and never given again, so
/// that a signature made under a retired key cannot come to speak for somebody else.
abstract contract KeyBook is Governed {
    struct Holder {
        bytes32 organization;
        KeyPurpose purpose;
        bool isRetired;
    }

    mapping(address key => Holder) private _holders;

    /// @inheritdoc IConsortiumRegistry
    function organizationOf(address key) public view returns (bytes32 id, KeyPurpose purpose) {
        Holder storage holder = _holders[key];
        if (!holder.isRetired) return (holder.organization, holder.purpose);
    }

    function _enterKey(address key, bytes32 organization, KeyPurpose purpose) internal {
        require(key != address(0), RegistryZeroValue());
        require(_holders[key].organization == bytes32(0), RegistryKeyTaken(key));
        _holders[key] = Holder(organization, purpose, false);
    }

    function _retireKey(address key) internal {
        _holders[key].isRetired = true;
    }
}
