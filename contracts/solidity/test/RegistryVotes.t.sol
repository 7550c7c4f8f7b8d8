// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {Consortium} from "./support/Consortium.sol";

contract RegistryVotesTest is Consortium {
    function test_votes_cannot_be_delegated() public {
        vm.expectRevert(IConsortiumRegistry.RegistryVotesNotTransferable.selector);
        registry.delegate(address(1));
        vm.expectRevert(IConsortiumRegistry.RegistryVotesNotTransferable.selector);
        registry.delegateBySig(address(1), 0, type(uint256).max, 27, 0, 0);
        assertEq(registry.getVotes(address(1)), 0);
    }

    function test_clock_counts_seconds() public view {
        assertEq(registry.clock(), block.timestamp);
        assertEq(keccak256(bytes(registry.CLOCK_MODE())), keccak256("mode=timestamp"));
    }

    /// @dev Whatever governance does to whom, votes equal active organizations, one for each current vote key, and the
    /// history answers what was true at each second.
    function testFuzz_votes_are_conserved(uint8[12] calldata acts) public {
        uint256 nextKey = 500;
        uint256[12] memory history;
        uint256 start = block.timestamp;
        for (uint256 step = 0; step < acts.length; ++step) {
            uint256 member = acts[step] % FOUNDERS;
            asGovernance();
            if (acts[step] / 5 % 4 == 0) {
                try registry.suspend(idOf(member)) {} catch {}
            } else if (acts[step] / 5 % 4 == 1) {
                try registry.reinstate(idOf(member)) {} catch {}
            } else if (acts[step] / 5 % 4 == 2) {
                try registry.remove(idOf(member)) {} catch {}
            } else {
                try registry.replaceKey(idOf(member), vote(), vm.addr(nextKey++)) {} catch {}
            }
            history[step] = requireConserved();
            passSeconds(1);
        }
        for (uint256 step = 0; step < acts.length; ++step) {
            assertEq(registry.activeCountAt(start + step), history[step]);
            assertEq(registry.getPastTotalSupply(start + step), history[step]);
        }
    }

    function requireConserved() private view returns (uint256 active) {
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            bool isActive = registry.isActive(idOf(i));
            assertEq(registry.getVotes(registry.keyOf(idOf(i), vote())), isActive ? 1 : 0);
            if (isActive) ++active;
        }
        assertEq(registry.activeCount(), active);
        assertTrue(active >= 1);
    }

    function vote() private pure returns (IConsortiumRegistry.KeyPurpose) {
        return IConsortiumRegistry.KeyPurpose.Vote;
    }
}
