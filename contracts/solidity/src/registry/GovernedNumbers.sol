// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind, DecisionRule} from "../interfaces/DecisionRules.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {Governed} from "./Governed.sol";

/// @dev Rules of decisions, parameters, policy and runners: what a vote sets and other contracts read.
abstract contract GovernedNumbers is Governed {
    uint16 private constant WHOLE_BPS = 10_000;
    uint32 private constant MAX_PERIOD_SECONDS = 90 days;
    /// @dev BLOCKHASH reaches 256 blocks back.
    uint16 private constant MAX_BLOCK_AGE = 255;

    /// @dev Bounds the founding's loop; a consortium knows one runner, or two while it changes over.
    uint256 private constant MAX_FOUNDING_RUNNERS = 16;

    mapping(DecisionKind kind => DecisionRule) private _rules;
    mapping(bytes32 runner => bool) private _runners;
    mapping(bytes32 peer => bool) private _peers;
    bytes32 private _policy;
    Parameters private _parameters;

    /// @inheritdoc IConsortiumRegistry
    function setDecisionRule(DecisionKind kind, DecisionRule calldata rule) external onlyGovernance {
        _setDecisionRule(kind, rule);
    }

    /// @inheritdoc IConsortiumRegistry
    function setPolicy(bytes32 policy) external onlyGovernance {
        _setPolicy(policy);
    }

    /// @inheritdoc IConsortiumRegistry
    function setRunner(bytes32 runner, bool isAccepted) external onlyGovernance {
        _setRunner(runner, isAccepted);
    }

    /// @inheritdoc IConsortiumRegistry
    function setPeer(bytes32 peer, bool isAccepted) external onlyGovernance {
        require(peer != bytes32(0), RegistryZeroValue());
        _peers[peer] = isAccepted;
        emit PeerSet(peer, isAccepted);
    }

    /// @inheritdoc IConsortiumRegistry
    function setParameters(Parameters calldata newParameters) external onlyGovernance {
        _setParameters(newParameters);
    }

    /// @inheritdoc IConsortiumRegistry
    function decisionRule(DecisionKind kind) external view returns (DecisionRule memory) {
        return _rules[kind];
    }

    /// @inheritdoc IConsortiumRegistry
    function parameters() public view returns (Parameters memory) {
        return _parameters;
    }

    /// @inheritdoc IConsortiumRegistry
    function policyDigest() external view returns (bytes32) {
        return _policy;
    }

    /// @inheritdoc IConsortiumRegistry
    function isRunner(bytes32 runner) external view returns (bool) {
        return _runners[runner];
    }

    /// @inheritdoc IConsortiumRegistry
    function isPeer(bytes32 peer) external view returns (bool) {
        return _peers[peer];
    }

    function _setDecisionRule(DecisionKind kind, DecisionRule memory rule) internal {
        bool isSound = kind != DecisionKind.None && rule.quorumBps <= WHOLE_BPS && rule.thresholdBps <= WHOLE_BPS
            && rule.periodSeconds != 0 && rule.periodSeconds <= MAX_PERIOD_SECONDS && rule.minimumVotes != 0;
        require(isSound, RegistryRuleRefused(kind));
        _rules[kind] = rule;
        emit DecisionRuleSet(kind, rule);
    }

    function _acceptRunners(bytes32[] memory runners) internal {
        require(runners.length <= MAX_FOUNDING_RUNNERS, RegistryTooManyRunners(runners.length, MAX_FOUNDING_RUNNERS));
        for (uint256 i = 0; i < runners.length; ++i) {
            _setRunner(runners[i], true);
        }
    }

    function _setRunner(bytes32 runner, bool isAccepted) private {
        require(runner != bytes32(0), RegistryZeroValue());
        _runners[runner] = isAccepted;
        emit RunnerSet(runner, isAccepted);
    }

    function _setPolicy(bytes32 policy) internal {
        require(policy != bytes32(0), RegistryZeroValue());
        _policy = policy;
        emit PolicySet(policy);
    }

    function _setParameters(Parameters memory proposed) internal {
        bool isSound = proposed.witnessQuorum != 0 && proposed.minimumValidators != 0
            && proposed.commitmentMaxAgeBlocks != 0 && proposed.commitmentMaxAgeBlocks <= MAX_BLOCK_AGE
            && proposed.asOfToleranceSeconds != 0 && proposed.maxAbandonedAttempts != 0;
        require(isSound, RegistryParametersRefused());
        _parameters = proposed;
        emit ParametersSet(proposed);
    }
}
