// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../../src/interfaces/IConsortiumRegistry.sol";
import {Handler} from "../support/Handler.sol";

/// @notice Members come, are silenced, return, leave, change keys and seats, in any order.
contract MembershipHandler is Handler {
    uint256 public constant MOST = 12;

    uint256 private keys;
    /// @notice How often anything was done at all: an invariant over nothing says nothing.
    uint256 public done;
    bool public isBypassed;

    function admit(uint256 member, uint256 seconds_) external timed(seconds_) {
        count(governed(abi.encodeCall(registry.admit, (admissionOf(member % MOST)))));
    }

    function suspend(uint256 member, uint256 seconds_) external timed(seconds_) {
        count(governed(abi.encodeCall(registry.suspend, (idOf(member % MOST)))));
    }

    function reinstate(uint256 member, uint256 seconds_) external timed(seconds_) {
        count(governed(abi.encodeCall(registry.reinstate, (idOf(member % MOST)))));
    }

    function remove(uint256 member, uint256 seconds_) external timed(seconds_) {
        count(governed(abi.encodeCall(registry.remove, (idOf(member % MOST)))));
    }

    function activate(uint256 member, uint256 seconds_) external timed(seconds_) {
        count(governed(abi.encodeCall(registry.activateValidator, (idOf(member % MOST)))));
    }

    function deactivate(uint256 member, uint256 seconds_) external timed(seconds_) {
        count(governed(abi.encodeCall(registry.deactivateValidator, (idOf(member % MOST)))));
    }

    function replaceKey(uint256 member, uint8 purpose, uint256 seconds_) external timed(seconds_) {
        IConsortiumRegistry.KeyPurpose chosen = IConsortiumRegistry.KeyPurpose(purpose % 4);
        address fresh = vm.addr(1_000_000 + ++keys);
        if (keys % 5 == 0) fresh = validatorOf(member / MOST % MOST);
        count(governed(abi.encodeCall(registry.replaceKey, (idOf(member % MOST), chosen, fresh))));
    }

    function writeTheListByHand(uint256 draw, uint256 seconds_) external timed(seconds_) {
        address[] memory chosen = new address[](draw % 7);
        for (uint256 i = 0; i < chosen.length; ++i) {
            chosen[i] = validatorOf((draw >> 8) % MOST + i);
        }
        if (tried(address(source), abi.encodeCall(source.replaceValidators, (ascending(chosen))))) isBypassed = true;
    }

    function delegate(uint256 member, uint256 seconds_) external timed(seconds_) {
        vm.prank(vm.addr(voteSecret(member % MOST)));
        if (tried(address(registry), abi.encodeCall(registry.delegate, (address(this))))) isBypassed = true;
    }

    /// @notice Sum of votes over all keys that members hold, organizations found active, and the registry's own count.
    function votes() external view returns (uint256 sum, uint256 active, uint256 counted) {
        for (uint256 i = 0; i < MOST; ++i) {
            IConsortiumRegistry.Organization memory member = registry.organization(idOf(i));
            bool isActive = member.status == IConsortiumRegistry.OrganizationStatus.Active;
            uint256 held = registry.getVotes(member.voteKey);
            assertEq(held, isActive ? 1 : 0);
            if (held == 1) assertEq(registry.delegates(member.voteKey), member.voteKey);
            sum += held;
            if (isActive) ++active;
        }
        counted = registry.activeCount();
    }

    function seated() external view returns (uint256 number) {
        for (uint256 i = 0; i < MOST; ++i) {
            if (registry.organization(idOf(i)).isValidating) ++number;
        }
    }

    function list() external view returns (address[] memory) {
        return source.getValidators();
    }

    function minimum() external view returns (uint256) {
        return source.minimum();
    }

    function slotOne() external view returns (bytes32) {
        return vm.load(address(source), bytes32(uint256(1)));
    }

    function count(bool isDone) private {
        if (isDone) ++done;
    }
}
