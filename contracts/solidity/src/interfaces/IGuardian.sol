// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Veto of k member organizations during the timelock
/// @notice What was voted and waits in the timelock can be stopped by k of the n organizations that the members have
/// appointed, never by the operator: signatures are of members' vote keys, and anybody relays them. A veto is a demand to
/// vote again: the same call can be vetoed once and never a second time, so a guardian that misuses its right delays and
/// cannot prevent. It cannot veto a change of itself. An appointed organization that is not active signs nothing, so a
/// guardian whose members left fails open.
interface IGuardian {
    /// @param organization Appointed and active; its vote key signs Veto.
    struct GuardianSignature {
        bytes32 organization;
        bytes signature;
    }

    error GuardianNotGovernance(address caller);
    error GuardianZeroValue();
    error GuardianThresholdRefused(uint256 threshold, uint256 members);
    error GuardianUnchanged(bytes32 organization, bool isAppointed);
    error GuardianTooMany(uint256 maximum);
    error GuardianNotActive(bytes32 organization);
    error GuardianNothingPending(bytes32 operation);
    error GuardianOwnReplacement();
    error GuardianVetoedBefore(bytes32 subject);
    error GuardianTooFewSignatures(uint256 given, uint256 threshold);
    error GuardianTooManySignatures(uint256 given, uint256 members);
    error GuardianNotAppointed(bytes32 organization);
    error GuardianTwice(bytes32 organization);
    error GuardianBadSignature(bytes32 organization);

    event GuardianSet(bytes32 indexed organization, bool isAppointed, uint16 threshold, uint16 members);
    event ActVetoed(bytes32 indexed operation, bytes32 indexed subject, bytes32[] guardians);

    /// @notice Stop a call that waits in the timelock, signed by at least k guardians (Veto).
    /// @param target, data What would be executed.
    /// @param salt As the timelock's CallSalt event of the operation gives it.
    function veto(address target, bytes calldata data, bytes32 salt, GuardianSignature[] calldata signatures) external;

    /// @notice Appoint or dismiss one organization and set k, by vote; one change a call, since arguments have a fixed size.
    /// @param threshold k, at least 2: one organization alone stops nothing. At most n, so that k guardians can exist; with
    /// fewer than two appointed it is 2, and nobody can veto.
    function setGuardian(bytes32 organization, bool isAppointed, uint16 threshold) external;

    function isGuardian(bytes32 organization) external view returns (bool);

    /// @notice k and n.
    function numbers() external view returns (uint16 threshold, uint16 members);

    /// @notice Whether this call was vetoed before, and so cannot be vetoed again. `subject` is `subjectOf(target, data)`.
    function isVetoed(bytes32 subject) external view returns (bool);

    /// @notice The timelock's id of a call.
    function operationOf(address target, bytes calldata data, bytes32 salt) external view returns (bytes32);

    /// @notice What is vetoed once: `keccak256(abi.encode(target, data))`, whoever proposed it and however it was described.
    function subjectOf(address target, bytes calldata data) external pure returns (bytes32);
}
