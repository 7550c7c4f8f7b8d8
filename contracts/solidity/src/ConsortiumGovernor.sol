// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorStorage} from "@openzeppelin/contracts/governance/extensions/GovernorStorage.sol";
import {GovernorSuperQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorSuperQuorum.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IConsortiumGovernor} from "./interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {ActRoutes} from "./governor/ActRoutes.sol";
import {OrganizationCounting} from "./governor/OrganizationCounting.sol";

/// @title Governor of a consortium
/// @dev Every door of OpenZeppelin's Governor that listens to msg.sender is shut: members sign, anybody relays. Half of
/// this file says to Solidity which of OpenZeppelin's extensions answers; parts in ./governor.
contract ConsortiumGovernor is
    GovernorSettings,
    GovernorStorage,
    OrganizationCounting,
    GovernorTimelockControl,
    ActRoutes
{
    using Signatures for bytes;

    /// @notice Type of a proposal, signed by the organization's vote key.
    bytes32 public constant PROPOSE_ACT_TYPEHASH = keccak256(
        "ProposeAct(bytes32 organization,uint8 kind,bytes arguments,string description,uint256 nonce,uint64 deadline)"
    );
    /// @dev Bytes; a sentence or two, the reasons are off chain.
    uint256 private constant MAX_DESCRIPTION_LENGTH = 1024;

    mapping(uint256 proposalId => Act) private _acts;
    mapping(bytes32 organization => uint256) private _proposals;
    uint48 private _lastAdmission;

    /// @param registry_ Whose organizations vote.
    /// @param timelock_ Executes what passed; this governor must be its only proposer and executor.
    /// @param guardian_ May veto what waits there; it must be its only canceller.
    /// @param votingDelaySeconds From proposal to snapshot: time to read before the vote.
    /// @param votingPeriodSeconds From snapshot to deadline.
    constructor(
        IConsortiumRegistry registry_,
        TimelockController timelock_,
        address guardian_,
        uint48 votingDelaySeconds,
        uint32 votingPeriodSeconds
    )
        Governor("ConsortiumGovernor")
        GovernorSettings(votingDelaySeconds, votingPeriodSeconds, 0)
        OrganizationCounting(registry_)
        GovernorTimelockControl(timelock_)
        ActRoutes(guardian_)
    {}

    /// @inheritdoc IConsortiumGovernor
    function proposeActBySig(
        bytes32 organization,
        ActKind kind,
        bytes calldata arguments,
        string calldata description,
        uint64 deadline,
        bytes calldata signature
    ) external returns (uint256 proposalId) {
        require(block.timestamp <= deadline, GovernorActSignatureExpired(deadline));
        require(registry().isActive(organization), GovernorOrganizationNotActive(organization));
        bytes32 digest = _actDigest(organization, kind, keccak256(arguments), keccak256(bytes(description)), deadline);
        require(signature.isBy(_voteKeyOf(organization), digest), GovernorActBadSignature(organization));
        proposalId = _proposeAct(organization, kind, arguments, description);
        ++_proposals[organization];
        _acts[proposalId] = Act(organization, kind, keccak256(arguments));
        emit ActProposed(proposalId, organization, kind, arguments, description);
    }

    /// @notice Refused: `proposeActBySig` is the only way to propose.
    function propose(address[] memory, uint256[] memory, bytes[] memory, string memory)
        public
        pure
        override
        returns (uint256)
    {
        revert GovernorOnlyActs();
    }

    /// @notice Refused: ballots are signed (`castVoteBySig`).
    function castVote(uint256, uint8) public pure override returns (uint256) {
        revert GovernorOnlySignedBallots();
    }

    /// @notice Refused: ballots are signed (`castVoteBySig`).
    function castVoteWithReason(uint256, uint8, string calldata) public pure override returns (uint256) {
        revert GovernorOnlySignedBallots();
    }

    /// @notice Refused: ballots are signed (`castVoteBySig`).
    function castVoteWithReasonAndParams(uint256, uint8, string calldata, bytes memory)
        public
        pure
        override
        returns (uint256)
    {
        revert GovernorOnlySignedBallots();
    }

    /// @notice Refused: the one ballot that members' signers know is OpenZeppelin's Ballot (`castVoteBySig`).
    function castVoteWithReasonAndParamsBySig(uint256, uint8, address, string calldata, bytes memory, bytes memory)
        public
        pure
        override
        returns (uint256)
    {
        revert GovernorOnlySignedBallots();
    }

    /// @inheritdoc IConsortiumGovernor
    function actOf(uint256 proposalId) external view returns (Act memory) {
        return _acts[proposalId];
    }

    /// @inheritdoc IConsortiumGovernor
    function nonceOf(bytes32 organization) external view returns (uint256) {
        return _proposals[organization];
    }

    /// @inheritdoc IConsortiumGovernor
    function nextAdmission() public view returns (uint256) {
        return _lastAdmission + TimelockController(payable(timelock())).getMinDelay();
    }

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingDelay();
    }

    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingPeriod();
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorSuperQuorum, GovernorTimelockControl)
        returns (ProposalState)
    {
        return super.state(proposalId);
    }

    function _proposeAct(bytes32 organization, ActKind kind, bytes calldata arguments, string calldata description)
        private
        returns (uint256)
    {
        string memory numbered = _numbered(description, organization);
        address[] memory targets = new address[](1);
        bytes[] memory calldatas = new bytes[](1);
        (targets[0], calldatas[0]) = _callOf(kind, arguments);
        return _propose(targets, new uint256[](1), calldatas, numbered, _voteKeyOf(organization));
    }

    function _callOf(ActKind kind, bytes calldata arguments) private view returns (address, bytes memory) {
        (address target, bytes4 selector, uint256 expected) = routeOf(kind);
        require(arguments.length == expected, GovernorActArgumentsMalformed(kind, expected, arguments.length));
        _requireHarmless(kind, arguments);
        return (target, bytes.concat(selector, arguments));
    }

    function _actDigest(
        bytes32 organization,
        ActKind kind,
        bytes32 argumentsDigest,
        bytes32 descriptionDigest,
        uint64 deadline
    ) private view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    PROPOSE_ACT_TYPEHASH,
                    organization,
                    kind,
                    argumentsDigest,
                    descriptionDigest,
                    _proposals[organization],
                    deadline
                )
            )
        );
    }

    /// @dev OpenZeppelin's id hashes the description: without the number an act could be proposed only once for ever.
    function _numbered(string calldata description, bytes32 organization) private view returns (string memory) {
        uint256 length = bytes(description).length;
        require(length <= MAX_DESCRIPTION_LENGTH, GovernorDescriptionTooLong(length, MAX_DESCRIPTION_LENGTH));
        string memory proposer = Strings.toHexString(uint256(organization), 32);
        return string.concat(description, " [", proposer, "/", Strings.toString(_proposals[organization]), "]");
    }

    function _voteKeyOf(bytes32 organization) private view returns (address) {
        return registry().keyOf(organization, IConsortiumRegistry.KeyPurpose.Vote);
    }

    function _registryAddress() internal view override returns (address) {
        return address(registry());
    }

    function _timelockAddress() internal view override returns (address) {
        return timelock();
    }

    /// @dev The members see who came, and may say no to the next, before it comes too.
    function _takeAdmissionTurn() private {
        uint256 notBefore = nextAdmission();
        require(block.timestamp >= notBefore, GovernorAdmissionTooSoon(notBefore));
        _lastAdmission = clock();
    }

    /// @dev Cancelling by the proposer's address would be a door for msg.sender; a veto comes from the guardian.
    function _validateCancel(uint256, address) internal pure override returns (bool) {
        return false;
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override(Governor, GovernorStorage) returns (uint256) {
        return super._propose(targets, values, calldatas, description, proposer);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        _closeBallots(proposalId);
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        if (_acts[proposalId].kind == ActKind.Admit) _takeAdmissionTurn();
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
