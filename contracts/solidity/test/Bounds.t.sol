// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {Decisions} from "./support/Decisions.sol";

/// @dev Every loop has a bound, and at its bound the call fits half of what the relay sends at most.
contract BoundsTest is Decisions {
    uint256 private constant MOST_MEMBERS = 200;
    uint256 private constant MOST_GAS = 15_000_000;

    function setUp() public override {
        super.setUp();
        for (uint256 i = FOUNDERS; i < MOST_MEMBERS; ++i) {
            passSeconds(60);
            IConsortiumRegistry.Admission memory next = admissionOf(i);
            next.validator = address(0);
            asGovernance();
            registry.admit(next);
        }
        passSeconds(1);
    }

    function test_registry_takes_200_members_and_no_more() public {
        passSeconds(60);
        asGovernance();
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryTooManyOrganizations.selector, MOST_MEMBERS));
        registry.admit(admissionOf(MOST_MEMBERS));
        assertEq(registry.activeCount(), MOST_MEMBERS);
    }

    function test_decision_with_200_ballots_and_64_owners_closes_within_a_transaction() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, members(64));
        for (uint256 i = 0; i < MOST_MEMBERS; ++i) {
            ballot(i, decision, SUBJECT, IDecisionBoard.Choice.Yes);
        }
        uint256 before = gasleft();
        board.close(decision);
        assertTrue(before - gasleft() < MOST_GAS);
        assertTrue(board.isApproved(DecisionKind.ReleaseModel, SUBJECT, decision));
    }

    function test_act_of_200_members_is_queued_within_a_transaction() public {
        uint256 proposalId = propose(0, IConsortiumGovernor.ActKind.Suspend, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        // two thirds end the vote, so no more than these are ever counted
        for (uint256 i = 0; i < 134; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        passSeconds(VOTING_PERIOD + 1);
        uint256 before = gasleft();
        governor.queue(proposalId);
        assertTrue(before - gasleft() < MOST_GAS);
        assertEq(uint256(governor.state(proposalId)), uint256(IGovernor.ProposalState.Queued));
    }
}
