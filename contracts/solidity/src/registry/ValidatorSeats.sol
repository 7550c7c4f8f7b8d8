// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {IValidatorSource} from "../interfaces/IValidatorSource.sol";
import {SortedAddresses} from "../libraries/SortedAddresses.sol";
import {Governed} from "./Governed.sol";

/// @dev Writes of the validator list, one change a call. A registry that took the list over may find a seat taken or left
/// already, by the one before it (ADR 10): it then writes nothing, and its own record is right again.
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
        address[] memory seats = _source.getValidators();
        if (!seats.contains(validator)) _source.replaceValidators(seats.with(validator));
    }

    function _leaveSeat(address validator, uint256 minimum) internal {
        address[] memory seats = _source.getValidators();
        if (!seats.contains(validator)) return;
        address[] memory remaining = seats.without(validator);
        require(remaining.length >= minimum, RegistryTooFewValidators(remaining.length, minimum));
        _source.replaceValidators(remaining);
    }

    function _exchangeSeat(address leaving, address joining) internal {
        address[] memory seats = _source.getValidators();
        if (seats.contains(leaving)) seats = seats.without(leaving);
        _source.replaceValidators(seats.contains(joining) ? seats : seats.with(joining));
    }

    function _validators() internal view returns (address[] memory) {
        return _source.getValidators();
    }
}
