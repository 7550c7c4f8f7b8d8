// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IConsortiumGovernor} from "../../src/interfaces/IConsortiumGovernor.sol";
import {IGuardian} from "../../src/interfaces/IGuardian.sol";
import {Consortium} from "./Consortium.sol";

/// @notice Acts that wait in the timelock, and vetoes signed as guardians sign them.
abstract contract Guardians is Consortium {
    IConsortiumGovernor.ActKind internal constant ADMIT = IConsortiumGovernor.ActKind.Admit;
    IConsortiumGovernor.ActKind internal constant SUSPEND = IConsortiumGovernor.ActKind.Suspend;

    /// @notice Propose, vote and queue; founders 0 to 3 say yes.
    function queued(IConsortiumGovernor.ActKind kind, bytes memory arguments) internal returns (uint256) {
        return queuedBy(0, kind, arguments);
    }

    function queuedBy(uint256 member, IConsortiumGovernor.ActKind kind, bytes memory arguments)
        internal
        returns (uint256 proposalId)
    {
        proposalId = passed(member, kind, arguments);
        governor.queue(proposalId);
    }

    function passed(uint256 member, IConsortiumGovernor.ActKind kind, bytes memory arguments)
        internal
        returns (uint256 proposalId)
    {
        proposalId = propose(member, kind, arguments);
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 4; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
    }

    /// @notice The salt under which the governor schedules a proposal, as the timelock's CallSalt event has it.
    function saltOf(uint256 proposalId) internal view returns (bytes32) {
        (,,, bytes32 descriptionHash) = governor.proposalDetails(proposalId);
        return bytes20(address(governor)) ^ descriptionHash;
    }

    function vetoHash(address target, bytes memory data, bytes32 salt) internal view returns (bytes32) {
        bytes32 operation = guardian.operationOf(target, data, salt);
        bytes32 subject = keccak256(abi.encode(target, data));
        return keccak256(abi.encode(keccak256("Veto(bytes32 operation,bytes32 subject)"), operation, subject));
    }

    function vetoBy(uint256[] memory members, address target, bytes memory data, bytes32 salt)
        internal
        view
        returns (IGuardian.GuardianSignature[] memory list)
    {
        bytes32 structHash = vetoHash(target, data, salt);
        list = new IGuardian.GuardianSignature[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            bytes memory signature = signWith(voteSecret(members[i]), "Guardian", address(guardian), structHash);
            list[i] = IGuardian.GuardianSignature(idOf(members[i]), signature);
        }
    }

    function two(uint256 first, uint256 second) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (first, second);
    }

    function requireState(uint256 proposalId, IGovernor.ProposalState expected) internal view {
        assertEq(uint256(governor.state(proposalId)), uint256(expected));
    }
}
