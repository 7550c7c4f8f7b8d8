// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorSource} from "./interfaces/IValidatorSource.sol";

/// @title The list of block validators that QBFT reads in contract mode
/// @dev Predeployed in genesis, where no constructor runs: all state is in storage, nothing is immutable.
/// Layout: slot 0 length of the list, its elements from keccak256(0); slot 1 digest; slot 2 minimum; slot 3 writer;
/// slot 4 controller. An artifact test holds the layout, since the genesis builder writes these slots.
contract ValidatorSource is IValidatorSource {
    /// @dev Bounds every loop here; far above any consortium, far below a block's gas.
    uint256 private constant MAX_VALIDATORS = 64;

    address[] private _validators;
    bytes32 private _digest;
    uint256 private _minimum;
    address private _writer;
    address private _controller;

    /// @param minimum_ The fewest validators a write may leave: 4 on a real network (QBFT tolerates one fault from 4 on).
    /// @param controller_ The timelock.
    /// @param writer_ The registry.
    /// @param validators The first list, ascending.
    constructor(uint256 minimum_, address controller_, address writer_, address[] memory validators) {
        require(minimum_ != 0, ValidatorSourceZeroMinimum());
        require(controller_ != address(0) && writer_ != address(0), ValidatorSourceZeroAddress());
        _minimum = minimum_;
        _controller = controller_;
        _writer = writer_;
        _requireWellFormed(validators);
        _store(validators);
    }

    /// @inheritdoc IValidatorSource
    function replaceValidators(address[] calldata validators) external {
        require(msg.sender == _writer, ValidatorSourceNotWriter(msg.sender));
        _requireWellFormed(validators);
        (uint256 added, uint256 removed) = _changes(_validators, validators);
        require(added <= 1 && removed <= 1 && added + removed != 0, ValidatorSourceNotOneChange(added, removed));
        _store(validators);
    }

    /// @inheritdoc IValidatorSource
    function setWriter(address newWriter) external {
        _requireController(newWriter);
        emit WriterChanged(_writer, newWriter);
        _writer = newWriter;
    }

    /// @inheritdoc IValidatorSource
    function setController(address newController) external {
        _requireController(newController);
        emit ControllerChanged(_controller, newController);
        _controller = newController;
    }

    /// @inheritdoc IValidatorSource
    function getValidators() external view returns (address[] memory) {
        return _validators;
    }

    /// @inheritdoc IValidatorSource
    function digest() external view returns (bytes32) {
        return _digest;
    }

    /// @inheritdoc IValidatorSource
    function minimum() external view returns (uint256) {
        return _minimum;
    }

    /// @inheritdoc IValidatorSource
    function writer() external view returns (address) {
        return _writer;
    }

    /// @inheritdoc IValidatorSource
    function controller() external view returns (address) {
        return _controller;
    }

    function _store(address[] memory validators) private {
        _validators = validators;
        _digest = keccak256(abi.encodePacked(validators));
        emit ValidatorsReplaced(validators, _digest);
    }

    function _requireController(address successor) private view {
        require(msg.sender == _controller, ValidatorSourceNotController(msg.sender));
        require(successor != address(0), ValidatorSourceZeroAddress());
    }

    function _requireWellFormed(address[] memory validators) private view {
        require(validators.length >= _minimum, ValidatorSourceTooFew(validators.length, _minimum));
        require(validators.length <= MAX_VALIDATORS, ValidatorSourceTooMany(validators.length, MAX_VALIDATORS));
        address previous = address(0);
        for (uint256 i = 0; i < validators.length; ++i) {
            require(validators[i] > previous, ValidatorSourceNotAscending(i));
            previous = validators[i];
        }
    }

    /// @dev Merges two ascending lists and counts what is only in one of them.
    function _changes(address[] memory current, address[] memory next)
        private
        pure
        returns (uint256 added, uint256 removed)
    {
        uint256 i = 0;
        uint256 j = 0;
        while (i < current.length && j < next.length) {
            if (current[i] == next[j]) {
                ++i;
                ++j;
            } else if (current[i] < next[j]) {
                ++removed;
                ++i;
            } else {
                ++added;
                ++j;
            }
        }
        removed += current.length - i;
        added += next.length - j;
    }
}
