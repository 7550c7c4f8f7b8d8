// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsortiumRegistry} from "../src/ConsortiumRegistry.sol";
import {DecisionKind, DecisionRule} from "../src/interfaces/DecisionRules.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {Consortium} from "./support/Consortium.sol";

contract RegistryNumbersTest is Consortium {
    function test_founding_numbers_are_readable() public view {
        assertEq(registry.decisionRule(DecisionKind.ApprovePlan).thresholdBps, 6_667);
        assertEq(registry.decisionRule(DecisionKind.RecallModel).periodSeconds, 10 minutes);
        assertEq(registry.parameters().witnessQuorum, 3);
        assertEq(registry.policyDigest(), POLICY);
        assertTrue(registry.isRunner(RUNNER));
        assertFalse(registry.isRunner(keccak256("runner")));
        assertEq(registry.governance(), address(timelock));
        assertEq(registry.validatorSource(), address(source));
    }

    function test_governance_sets_rule_policy_runner_and_parameters() public {
        DecisionRule memory rule = DecisionRule(1, 2, 3, 4, true);
        asGovernance();
        registry.setDecisionRule(DecisionKind.GrantLicence, rule);
        assertEq(registry.decisionRule(DecisionKind.GrantLicence).minimumVotes, 4);
        asGovernance();
        registry.setPolicy(keccak256("next"));
        assertEq(registry.policyDigest(), keccak256("next"));
        asGovernance();
        registry.setRunner(keccak256("runner"), true);
        assertTrue(registry.isRunner(keccak256("runner")));
        asGovernance();
        registry.setRunner(keccak256("runner"), false);
        assertFalse(registry.isRunner(keccak256("runner")));
        IConsortiumRegistry.Parameters memory numbers = someParameters();
        numbers.witnessQuorum = 4;
        asGovernance();
        registry.setParameters(numbers);
        assertEq(registry.parameters().witnessQuorum, 4);
    }

    function test_strangers_set_nothing() public {
        bytes memory refusal = abi.encodeWithSelector(IConsortiumRegistry.RegistryNotGovernance.selector, address(this));
        vm.expectRevert(refusal);
        registry.setDecisionRule(DecisionKind.GrantLicence, DecisionRule(1, 2, 3, 4, true));
        vm.expectRevert(refusal);
        registry.setPolicy(keccak256("next"));
        vm.expectRevert(refusal);
        registry.setRunner(keccak256("runner"), true);
        vm.expectRevert(refusal);
        registry.setParameters(someParameters());
        assertEq(registry.policyDigest(), POLICY);
        assertFalse(registry.isRunner(keccak256("runner")));
    }

    function test_senseless_rules_are_refused() public {
        expectRuleRefused(DecisionKind.None, DecisionRule(5_000, 5_000, 60, 1, false));
        expectRuleRefused(DecisionKind.ApprovePlan, DecisionRule(10_001, 5_000, 60, 1, false));
        expectRuleRefused(DecisionKind.ApprovePlan, DecisionRule(5_000, 10_001, 60, 1, false));
        expectRuleRefused(DecisionKind.ApprovePlan, DecisionRule(5_000, 5_000, 0, 1, false));
        expectRuleRefused(DecisionKind.ApprovePlan, DecisionRule(5_000, 5_000, 91 days, 1, false));
        expectRuleRefused(DecisionKind.ApprovePlan, DecisionRule(5_000, 5_000, 60, 0, false));
        assertEq(registry.decisionRule(DecisionKind.ApprovePlan).quorumBps, 6_000);
    }

    function test_senseless_parameters_are_refused() public {
        IConsortiumRegistry.Parameters memory numbers = someParameters();
        numbers.witnessQuorum = 0;
        expectParametersRefused(numbers);
        numbers = someParameters();
        numbers.minimumValidators = 0;
        expectParametersRefused(numbers);
        numbers = someParameters();
        numbers.commitmentMaxAgeBlocks = 0;
        expectParametersRefused(numbers);
        numbers.commitmentMaxAgeBlocks = 256;
        expectParametersRefused(numbers);
        numbers = someParameters();
        numbers.asOfToleranceSeconds = 0;
        expectParametersRefused(numbers);
        numbers = someParameters();
        numbers.maxAbandonedAttempts = 0;
        expectParametersRefused(numbers);
        assertEq(registry.parameters().commitmentMaxAgeBlocks, 20);
    }

    function test_zero_policy_and_runner_are_refused() public {
        asGovernance();
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        registry.setPolicy(0);
        asGovernance();
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        registry.setRunner(0, true);
    }

    function test_founding_refuses_a_zero_runner_and_more_than_sixteen() public {
        IConsortiumRegistry.Admission[] memory all = founders();
        vm.expectRevert(IConsortiumRegistry.RegistryZeroValue.selector);
        new ConsortiumRegistry(address(timelock), source, all, rules(), someParameters(), POLICY, new bytes32[](1));
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryTooManyRunners.selector, 17, 16));
        new ConsortiumRegistry(address(timelock), source, all, rules(), someParameters(), POLICY, new bytes32[](17));
    }

    function expectRuleRefused(DecisionKind kind, DecisionRule memory rule) private {
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryRuleRefused.selector, kind));
        registry.setDecisionRule(kind, rule);
    }

    function expectParametersRefused(IConsortiumRegistry.Parameters memory numbers) private {
        asGovernance();
        vm.expectRevert(IConsortiumRegistry.RegistryParametersRefused.selector);
        registry.setParameters(numbers);
    }
}
