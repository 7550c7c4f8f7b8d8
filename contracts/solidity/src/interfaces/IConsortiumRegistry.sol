// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind, DecisionRule} from "./DecisionRules.sol";

/// @title Organizations of a consortium, their keys, and the numbers they govern by
/// @notice Changed only by governance (the timelock), save an organization's own rotation of a key. One active
/// organization has one vote, which follows its vote key and cannot be delegated. Timepoints are Unix seconds (ERC-6372).
interface IConsortiumRegistry {
    enum OrganizationStatus {
        None,
        Active,
        Suspended,
        Removed
    }

    /// @notice What a key is for. Vote: ballots and proposals. Site: consents, commitments, results, co-signatures.
    /// Validator: the address of the organization's node.
    enum KeyPurpose {
        None,
        Vote,
        Site,
        Validator
    }

    /// @param id UUID bytes, left-aligned, zero-padded.
    /// @param validator Address of the organization's node, or zero while it has none.
    /// @param profile Salted digest of the profile held off chain (names, node address, contacts).
    struct Admission {
        bytes32 id;
        address voteKey;
        address siteKey;
        address validator;
        bytes32 profile;
    }

    struct Organization {
        OrganizationStatus status;
        bool isValidating;
        uint48 admittedAt;
        address voteKey;
        address siteKey;
        address validator;
        bytes32 profile;
    }

    /// @param witnessQuorum k, the co-signatures an audit checkpoint needs.
    /// @param minimumValidators The fewest validators the registry leaves; ValidatorSource has a floor of its own.
    /// @param commitmentMaxAgeBlocks Age of the block that a commitment names, 1 to 255 (older hashes are out of reach).
    /// @param asOfToleranceSeconds How far a signed `asOf` may lie from the block's time.
    /// @param maxAbandonedAttempts Abandoned attempts after which a round opens no further one.
    /// @param admissionIntervalSeconds Shortest time between two admissions: one admission a timelock.
    struct Parameters {
        uint16 witnessQuorum;
        uint16 minimumValidators;
        uint16 commitmentMaxAgeBlocks;
        uint32 asOfToleranceSeconds;
        uint16 maxAbandonedAttempts;
        uint32 admissionIntervalSeconds;
    }

    error RegistryNotGovernance(address caller);
    error RegistryZeroValue();
    error RegistryNoFounders();
    error RegistryTooManyOrganizations(uint256 maximum);
    error RegistryTooManyRunners(uint256 count, uint256 maximum);
    error RegistryOrganizationExists(bytes32 organization);
    error RegistryWrongStatus(bytes32 organization, OrganizationStatus status);
    error RegistryKeyTaken(address key);
    error RegistryKeyPurposeRefused(KeyPurpose purpose);
    error RegistryLastOrganization(bytes32 organization);
    error RegistryAdmissionTooSoon(uint256 notBefore);
    error RegistryNoValidator(bytes32 organization);
    error RegistryValidatorState(bytes32 organization, bool isValidating);
    error RegistryTooFewValidators(uint256 count, uint256 minimum);
    error RegistryValidatorMismatch(uint256 founders, uint256 source);
    error RegistryRuleRefused(DecisionKind kind);
    error RegistryParametersRefused();
    error RegistrySignatureExpired(uint64 deadline);
    error RegistryBadSignature(bytes32 organization);
    error RegistryVotesNotTransferable();

    event OrganizationAdmitted(
        bytes32 indexed organization, address voteKey, address siteKey, address validator, bytes32 profile
    );
    event OrganizationSuspended(bytes32 indexed organization);
    event OrganizationReinstated(bytes32 indexed organization);
    event OrganizationRemoved(bytes32 indexed organization);
    event ValidatorActivated(bytes32 indexed organization, address indexed validator);
    event ValidatorDeactivated(bytes32 indexed organization, address indexed validator);
    /// @notice A key changed, by its owner's signature or, where `recovered`, by vote.
    event KeyReplaced(
        bytes32 indexed organization,
        KeyPurpose indexed purpose,
        address previousKey,
        address indexed newKey,
        bool recovered
    );
    event DecisionRuleSet(DecisionKind indexed kind, DecisionRule rule);
    event PolicySet(bytes32 indexed policy);
    event RunnerSet(bytes32 indexed runner, bool isAccepted);
    event ParametersSet(Parameters parameters);
    event PeerSet(bytes32 indexed peer, bool isAccepted);

    /// @notice Admit an organization with a vote. Its validator stays idle until `activateValidator`: a chain must not
    /// count on a node that nobody has seen.
    function admit(Admission calldata admission) external;

    /// @notice Take vote and rights from an active organization for a time; its validator goes on.
    function suspend(bytes32 id) external;

    /// @notice Give vote and rights back to a suspended organization.
    function reinstate(bytes32 id) external;

    /// @notice Remove an organization for good, and its validator in the same act.
    function remove(bytes32 id) external;

    /// @notice Put an active organization's node on the list of validators.
    function activateValidator(bytes32 id) external;

    /// @notice Take an organization's node off the list of validators.
    function deactivateValidator(bytes32 id) external;

    /// @notice Replace a lost or stolen key by vote. An active validator is exchanged in one step.
    function replaceKey(bytes32 id, KeyPurpose purpose, address newKey) external;

    /// @notice Replace the organization's vote or site key, signed by its vote key.
    function rotateKey(bytes32 id, KeyPurpose purpose, address newKey, uint64 deadline, bytes calldata signature)
        external;

    /// @notice Set the numbers of one kind of decision; open decisions keep those they opened with.
    function setDecisionRule(DecisionKind kind, DecisionRule calldata rule) external;

    /// @notice Set the digest of the policy in force.
    function setPolicy(bytes32 policy) external;

    /// @notice Accept or retire a runner by its digest.
    function setRunner(bytes32 runner, bool isAccepted) external;

    function setParameters(Parameters calldata newParameters) external;

    /// @notice Accept or leave another consortium, by the digest of its anchor (see ICrossConsortiumInbox).
    function setPeer(bytes32 peer, bool isAccepted) external;

    /// @notice All that is known of an organization; status None and zeros for a stranger.
    function organization(bytes32 id) external view returns (Organization memory);

    /// @notice The current key of a purpose, zero for a stranger or none. Says nothing about the status.
    function keyOf(bytes32 id, KeyPurpose purpose) external view returns (address);

    /// @notice Whose current key this is, and for what; zeros for a stranger and for a retired key.
    function organizationOf(address key) external view returns (bytes32 id, KeyPurpose purpose);

    function isActive(bytes32 id) external view returns (bool);

    function activeCount() external view returns (uint256);

    /// @notice Whether the organization was active at the end of a past second.
    function wasActiveAt(bytes32 id, uint256 timepoint) external view returns (bool);

    /// @notice How many organizations were active at the end of a past second.
    function activeCountAt(uint256 timepoint) external view returns (uint256);

    function decisionRule(DecisionKind kind) external view returns (DecisionRule memory);

    function parameters() external view returns (Parameters memory);

    function policyDigest() external view returns (bytes32);

    function isRunner(bytes32 runner) external view returns (bool);

    /// @notice Whether another consortium's proofs count here.
    function isPeer(bytes32 peer) external view returns (bool);

    /// @notice The number that the organization's next RotateKey must carry.
    function nonceOf(bytes32 id) external view returns (uint256);

    function governance() external view returns (address);

    function validatorSource() external view returns (address);
}
