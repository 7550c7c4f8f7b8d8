// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {GovernedNumbers} from "./GovernedNumbers.sol";
import {OrganizationKeys} from "./OrganizationKeys.sol";

/// @dev Life of an organization: admitted, suspended, reinstated, removed; and its node's seat.
abstract contract Organizations is OrganizationKeys, GovernedNumbers {
    uint256 public constant MAX_ORGANIZATIONS = 200;

    uint48 private _lastAdmission;

    /// @inheritdoc IConsortiumRegistry
    function admit(Admission calldata admission) external onlyGovernance {
        uint256 notBefore = _lastAdmission + parameters().admissionIntervalSeconds;
        require(block.timestamp >= notBefore, RegistryAdmissionTooSoon(notBefore));
        _lastAdmission = clock();
        _admit(admission);
    }

    /// @inheritdoc IConsortiumRegistry
    function suspend(bytes32 id) external onlyGovernance {
        Organization storage member = _requireStatus(id, OrganizationStatus.Active);
        _silence(id, member.voteKey);
        member.status = OrganizationStatus.Suspended;
        emit OrganizationSuspended(id);
    }

    /// @inheritdoc IConsortiumRegistry
    function reinstate(bytes32 id) external onlyGovernance {
        Organization storage member = _requireStatus(id, OrganizationStatus.Suspended);
        member.status = OrganizationStatus.Active;
        _giveVoice(id, member.voteKey);
        emit OrganizationReinstated(id);
    }

    /// @inheritdoc IConsortiumRegistry
    function remove(bytes32 id) external onlyGovernance {
        Organization storage member = _organizations[id];
        bool isActive_ = member.status == OrganizationStatus.Active;
        require(isActive_ || member.status == OrganizationStatus.Suspended, RegistryWrongStatus(id, member.status));
        if (isActive_) _silence(id, member.voteKey);
        member.status = OrganizationStatus.Removed;
        _retireKey(member.voteKey);
        _retireKey(member.siteKey);
        _retireKey(member.validator);
        // the one call to another contract comes last
        if (member.isValidating) _deactivateValidator(id, member);
        emit OrganizationRemoved(id);
    }

    /// @inheritdoc IConsortiumRegistry
    function activateValidator(bytes32 id) external onlyGovernance {
        Organization storage member = _requireStatus(id, OrganizationStatus.Active);
        require(member.validator != address(0), RegistryNoValidator(id));
        require(!member.isValidating, RegistryValidatorState(id, true));
        member.isValidating = true;
        _takeSeat(member.validator);
        emit ValidatorActivated(id, member.validator);
    }

    /// @inheritdoc IConsortiumRegistry
    function deactivateValidator(bytes32 id) external onlyGovernance {
        Organization storage member = _organizations[id];
        require(member.isValidating, RegistryValidatorState(id, false));
        _deactivateValidator(id, member);
    }

    function _admit(Admission memory admission) internal {
        bytes32 id = admission.id;
        require(id != bytes32(0) && admission.profile != bytes32(0), RegistryZeroValue());
        Organization storage member = _organizations[id];
        require(member.status == OrganizationStatus.None, RegistryOrganizationExists(id));
        _enterKey(admission.voteKey, id, KeyPurpose.Vote);
        _enterKey(admission.siteKey, id, KeyPurpose.Site);
        if (admission.validator != address(0)) _enterKey(admission.validator, id, KeyPurpose.Validator);
        member.status = OrganizationStatus.Active;
        member.admittedAt = clock();
        member.voteKey = admission.voteKey;
        member.siteKey = admission.siteKey;
        member.validator = admission.validator;
        member.profile = admission.profile;
        _giveVoice(id, admission.voteKey);
        emit OrganizationAdmitted(id, admission.voteKey, admission.siteKey, admission.validator, admission.profile);
    }

    /// @dev A founder's node validates from genesis on.
    function _markFounding(bytes32 id) internal {
        _organizations[id].isValidating = true;
        emit ValidatorActivated(id, _organizations[id].validator);
    }

    function _giveVoice(bytes32 id, address voteKey) private {
        require(activeCount() < MAX_ORGANIZATIONS, RegistryTooManyOrganizations(MAX_ORGANIZATIONS));
        _recordActivity(id, true);
        _grantVote(voteKey);
    }

    /// @dev Without an active organization nobody could ever vote again.
    function _silence(bytes32 id, address voteKey) private {
        require(activeCount() > 1, RegistryLastOrganization(id));
        _recordActivity(id, false);
        _withdrawVote(voteKey);
    }

    function _deactivateValidator(bytes32 id, Organization storage member) private {
        member.isValidating = false;
        _leaveSeat(member.validator, parameters().minimumValidators);
        emit ValidatorDeactivated(id, member.validator);
    }
}
