// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The list of block validators that QBFT reads in contract mode
/// @notice Besu calls `getValidators()` on the state of the parent block, so a change made in block N binds from N+1.
/// If the call reverted or answered nonsense the chain would stop: every write is checked before it is stored.
interface IValidatorSource {
    error ValidatorSourceNotWriter(address caller);
    error ValidatorSourceNotController(address caller);
    error ValidatorSourceZeroAddress();
    error ValidatorSourceZeroMinimum();
    error ValidatorSourceTooFew(uint256 count, uint256 minimum);
    error ValidatorSourceTooMany(uint256 count, uint256 maximum);
    /// @dev The list must ascend strictly from above zero: this refuses zero, duplicates and disorder alike.
    error ValidatorSourceNotAscending(uint256 index);
    /// @dev One call may add one validator, remove one, or replace one by another; nothing else.
    error ValidatorSourceNotOneChange(uint256 added, uint256 removed);

    /// @notice The list became `validators`, whose digest is `digest`.
    event ValidatorsReplaced(address[] validators, bytes32 digest);
    event WriterChanged(address indexed previous, address indexed current);
    event ControllerChanged(address indexed previous, address indexed current);

    /// @notice The validators in ascending order; the view that QBFT reads.
    function getValidators() external view returns (address[] memory);

    /// @notice keccak256 over the list in ascending order, each address left-padded to a 32-byte word, no length word:
    /// `keccak256(abi.encodePacked(validators))` of an `address[]`. One storage slot (slot 1), so that one storage proof
    /// shows the set of a block.
    function digest() external view returns (bytes32);

    /// @notice The fewest validators that a write may leave.
    function minimum() external view returns (uint256);

    /// @notice The account that may replace the list: the registry.
    function writer() external view returns (address);

    /// @notice The account that may change writer and controller: the timelock.
    function controller() external view returns (address);

    /// @notice Replace the list by one that differs by one addition, one removal, or one of each.
    /// @param validators The whole new list, ascending.
    function replaceValidators(address[] calldata validators) external;

    /// @notice Name the account that may replace the list; the registry upgrades behind this address.
    function setWriter(address newWriter) external;

    /// @notice Hand over control, for a new timelock.
    function setController(address newController) external;
}
