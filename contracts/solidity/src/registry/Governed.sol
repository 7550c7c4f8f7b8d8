// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";

/// @dev The one account whose calls count: the timelock that executes what the governor decided.
abstract contract Governed is IConsortiumRegistry {
    address private immutable _governance;

    modifier onlyGovernance() {
        require(msg.sender == _governance, RegistryNotGovernance(msg.sender));
        _;
    }

    constructor(address governance_) {
        require(governance_ != address(0), RegistryZeroValue());
        _governance = governance_;
    }

    /// @inheritdoc IConsortiumRegistry
    function governance() external view returns (address) {
        return _governance;
    }
}
