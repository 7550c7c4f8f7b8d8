// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Guardian} from "../src/Guardian.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IGuardian} from "../src/interfaces/IGuardian.sol";
import {Neighbors} from "./support/Neighbors.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @notice The guardian's counts, from any state: how many there are, how many sign, and what is vetoed once.
contract GuardiansSymbolic is Symbolic {
    bytes32 private constant NUMBERS_SLOT = bytes32(uint256(4));
    Neighbors private neighbors;
    Guardian private guardian;

    function setUp() public {
        neighbors = new Neighbors();
        address at = address(neighbors);
        guardian = new Guardian(IConsortiumRegistry(at), TimelockController(payable(at)), new bytes32[](0), 2);
        svm.enableSymbolicStorage(address(neighbors));
        svm.enableSymbolicStorage(address(guardian));
        // what the constructor wrote stays what it is: k and n, which share a word
        vm.store(address(guardian), NUMBERS_SLOT, svm.createBytes32("numbers"));
    }

    function check_a_change_is_of_one_by_the_timelock_and_k_stays_reachable(
        bytes32 organization,
        bytes32 other,
        bool isAppointed,
        uint16 threshold,
        address by
    ) public {
        (, uint16 before) = guardian.numbers();
        bool wasGuardian = guardian.isGuardian(organization);
        bool otherWas = guardian.isGuardian(other);
        vm.prank(by);
        vm.assume(
            isTaken(address(guardian), abi.encodeCall(guardian.setGuardian, (organization, isAppointed, threshold)))
        );
        (uint16 k, uint16 n) = guardian.numbers();
        assert(by == address(neighbors));
        assert(wasGuardian != isAppointed && guardian.isGuardian(organization) == isAppointed);
        assert(isAppointed ? n == before + 1 && n <= 64 : n == before - 1);
        assert(k == threshold && k >= 2 && (k <= n || k == 2));
        assert(other == organization || guardian.isGuardian(other) == otherWas);
    }

    function check_two_signatures_veto(bytes32[2] memory by, address target, bytes32 salt) public {
        IGuardian.GuardianSignature[] memory given = new IGuardian.GuardianSignature[](2);
        for (uint256 i = 0; i < 2; ++i) {
            given[i] = IGuardian.GuardianSignature(by[i], signature(i == 0 ? "first" : "second"));
        }
        _check(given, target, salt);
        assert(by[0] != by[1]);
    }

    function check_three_signatures_veto(bytes32[3] memory by, address target, bytes32 salt) public {
        IGuardian.GuardianSignature[] memory given = new IGuardian.GuardianSignature[](3);
        for (uint256 i = 0; i < 3; ++i) {
            given[i] = IGuardian.GuardianSignature(by[i], signature(i == 0 ? "first" : i == 1 ? "second" : "third"));
        }
        _check(given, target, salt);
        assert(by[0] != by[1] && by[0] != by[2] && by[1] != by[2]);
    }

    function _check(IGuardian.GuardianSignature[] memory given, address target, bytes32 salt) private {
        bytes memory call = svm.createBytes(36, "call");
        bytes32 operation = guardian.operationOf(target, call, salt);
        assert(!_veto(target, call, salt, given) || _isSound(given, target));
        assert(!neighbors.isOperationPending(operation));
        // the same call again is refused, under whatever salt
        assert(!_isVetoed(target, call, ~salt, given));
    }

    /// @dev Only vetoes that were taken go on; what must have been before is asked here.
    function _veto(address target, bytes memory call, bytes32 salt, IGuardian.GuardianSignature[] memory given)
        private
        returns (bool)
    {
        bool wasPending = neighbors.isOperationPending(guardian.operationOf(target, call, salt));
        bool wasVetoed = guardian.isVetoed(guardian.subjectOf(target, call));
        vm.assume(_isVetoed(target, call, salt, given));
        assert(wasPending && !wasVetoed && guardian.isVetoed(guardian.subjectOf(target, call)));
        return true;
    }

    function _isVetoed(address target, bytes memory call, bytes32 salt, IGuardian.GuardianSignature[] memory given)
        private
        returns (bool)
    {
        bytes memory whole = abi.encodeWithSelector(IGuardian.veto.selector, target, call, salt, given);
        return isTaken(address(guardian), whole);
    }

    function _isSound(IGuardian.GuardianSignature[] memory given, address target) private view returns (bool) {
        (uint16 k, uint16 n) = guardian.numbers();
        for (uint256 i = 0; i < given.length; ++i) {
            bytes32 organization = given[i].organization;
            if (!guardian.isGuardian(organization) || !neighbors.isActive(organization)) return false;
        }
        return given.length >= k && given.length <= n && target != address(guardian);
    }
}
