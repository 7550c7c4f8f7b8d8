// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {IValidatorSource} from "../interfaces/IValidatorSource.sol";
import {SortedAddresses} from "../libraries/SortedAddresses.sol";
import {Governed} from "./Governed.sol";

/// @dev Writes of the validator list, one change a call.
abstract contract ValidatorSeats is Governed {
    using SortedAddresses for address[];

    IValidatorSource private immutable _source;

    constructor(IValidatorSource source) {
        require(address(source) != address(0), RegistryZeroValue());
        _source = source;
    }

    /// @inheritdoc IConsortiumRegistry
    function validatorSource() external view returns (address) {
        return address(_source);
    }

    function _takeSeat(address validator) internal {
        _source.replaceValidators(_source.getValidators().with(validator));
    }

    function _leaveSeat(address validator, uint256 minimum) internal {
        address[] memory remaining = _source.getValidators().without(validator);
        require(remaining.length >= minimum, RegistryTooFewValidators(remaining.length, minimum));
        _source.replaceValidators(remaining);
    }

    function _exchangeSeat(address leaving, address joining) internal {
        _source.replaceValidators(_source.getValidators().without(leaving).with(joining));
    }

    function _validators() internal view returns (address[] memory) {
        return _source.getValidators();
    }
}
