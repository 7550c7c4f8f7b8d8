// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IConsortiumGovernor} from "../interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {IGuardian} from "../interfaces/IGuardian.sol";
import {IValidatorSource} from "../interfaces/IValidatorSource.sol";

/// @dev Which function each kind of act calls. Arguments are all of fixed size: their length is their first check.
abstract contract ActRoutes is IConsortiumGovernor {
    uint256 private constant WORD = 32;
    /// @dev A delay that was mistaken for milliseconds would end governance.
    uint256 private constant MAX_DELAY_SECONDS = 90 days;

    address private immutable _guardian;

    constructor(address guardian_) {
        _guardian = guardian_;
    }

    /// @inheritdoc IConsortiumGovernor
    function guardian() public view returns (address) {
        return _guardian;
    }

    /// @inheritdoc IConsortiumGovernor
    function routeOf(ActKind kind) public view returns (address target, bytes4 selector, uint256 argumentsLength) {
        (selector, argumentsLength) = _registryFunction(kind);
        if (selector != 0) return (_registryAddress(), selector, argumentsLength);
        if (kind == ActKind.SetVotingDelay) return (address(this), GovernorSettings.setVotingDelay.selector, WORD);
        if (kind == ActKind.SetVotingPeriod) return (address(this), GovernorSettings.setVotingPeriod.selector, WORD);
        if (kind == ActKind.SetTimelockDelay) {
            return (_timelockAddress(), TimelockController.updateDelay.selector, WORD);
        }
        if (kind == ActKind.SetGuardian) return (guardian(), IGuardian.setGuardian.selector, 3 * WORD);
        address source = IConsortiumRegistry(_registryAddress()).validatorSource();
        if (kind == ActKind.SetValidatorWriter) return (source, IValidatorSource.setWriter.selector, WORD);
        if (kind == ActKind.SetValidatorController) return (source, IValidatorSource.setController.selector, WORD);
        revert GovernorActUnknown(kind);
    }

    /// @dev The arguments have the length of their kind already.
    function _requireHarmless(ActKind kind, bytes calldata arguments) internal view {
        if (kind >= ActKind.SetVotingDelay && kind <= ActKind.SetTimelockDelay) {
            require(abi.decode(arguments, (uint256)) <= MAX_DELAY_SECONDS, GovernorActLocksOut(kind));
        } else if (kind == ActKind.SetValidatorWriter || kind == ActKind.SetValidatorController) {
            require(abi.decode(arguments, (address)).code.length != 0, GovernorActLocksOut(kind));
        }
    }

    function _registryAddress() internal view virtual returns (address);

    function _timelockAddress() internal view virtual returns (address);

    function _registryFunction(ActKind kind) private pure returns (bytes4, uint256) {
        if (kind == ActKind.Admit) return (IConsortiumRegistry.admit.selector, 5 * WORD);
        if (kind == ActKind.Suspend) return (IConsortiumRegistry.suspend.selector, WORD);
        if (kind == ActKind.Reinstate) return (IConsortiumRegistry.reinstate.selector, WORD);
        if (kind == ActKind.Remove) return (IConsortiumRegistry.remove.selector, WORD);
        if (kind == ActKind.ActivateValidator) return (IConsortiumRegistry.activateValidator.selector, WORD);
        if (kind == ActKind.DeactivateValidator) return (IConsortiumRegistry.deactivateValidator.selector, WORD);
        if (kind == ActKind.SetPolicy) return (IConsortiumRegistry.setPolicy.selector, WORD);
        if (kind == ActKind.SetDecisionRule) return (IConsortiumRegistry.setDecisionRule.selector, 6 * WORD);
        if (kind == ActKind.SetRunner) return (IConsortiumRegistry.setRunner.selector, 2 * WORD);
        if (kind == ActKind.SetParameters) return (IConsortiumRegistry.setParameters.selector, 6 * WORD);
        if (kind == ActKind.SetPeer) return (IConsortiumRegistry.setPeer.selector, 2 * WORD);
        if (kind == ActKind.ReplaceKey) return (IConsortiumRegistry.replaceKey.selector, 3 * WORD);
        return (0, 0);
    }
}
