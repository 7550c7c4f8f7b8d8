// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuditAnchor} from "../src/interfaces/IAuditAnchor.sol";
import {Consortium} from "./support/Consortium.sol";

contract AuditAnchorTest is Consortium {
    bytes32 private constant LOG = keccak256("log");
    bytes32 private constant ROOT = keccak256("root");

    function test_checkpoint_stands_with_three_witnesses_and_the_log_grows() public {
        audits.anchor(LOG, 10, ROOT, witnesses(3, LOG, 10, ROOT));
        audits.anchor(LOG, 11, keccak256("next"), witnesses(5, LOG, 11, keccak256("next")));
        assertEq(audits.latestOf(LOG).size, 11);
        assertEq(audits.latestOf(LOG).root, keccak256("next"));
        assertEq(audits.latestOf(LOG).anchoredAt, block.timestamp);
        assertEq(audits.latestOf(keccak256("other")).size, 0);
    }

    function test_log_that_did_not_grow_is_refused() public {
        audits.anchor(LOG, 10, ROOT, witnesses(3, LOG, 10, ROOT));
        expectRefused(10, witnesses(3, LOG, 10, ROOT), notGrown(10, 10));
        expectRefused(9, witnesses(3, LOG, 9, ROOT), notGrown(10, 9));
        assertEq(audits.latestOf(LOG).size, 10);
    }

    function test_too_few_doubled_and_too_many_witnesses_are_refused() public {
        bytes memory refusal = abi.encodeWithSelector(IAuditAnchor.AuditTooFewWitnesses.selector, 2, 3);
        expectRefused(10, witnesses(2, LOG, 10, ROOT), refusal);
        IAuditAnchor.Witness[] memory list = witnesses(3, LOG, 10, ROOT);
        list[2] = list[0];
        expectRefused(10, list, abi.encodeWithSelector(IAuditAnchor.AuditWitnessTwice.selector, idOf(0)));
        refusal = abi.encodeWithSelector(IAuditAnchor.AuditTooManyWitnesses.selector, 65, 64);
        expectRefused(10, new IAuditAnchor.Witness[](65), refusal);
        assertEq(audits.latestOf(LOG).size, 0);
    }

    function test_outsider_suspended_and_false_signatures_are_refused() public {
        IAuditAnchor.Witness[] memory list = witnesses(3, LOG, 10, ROOT);
        list[2] = witness(OUTSIDER, LOG, 10, ROOT);
        expectRefused(10, list, abi.encodeWithSelector(IAuditAnchor.AuditWitnessNotActive.selector, idOf(OUTSIDER)));
        list[2] = witness(2, LOG, 11, ROOT);
        expectRefused(10, list, abi.encodeWithSelector(IAuditAnchor.AuditBadSignature.selector, idOf(2)));
        asGovernance();
        registry.suspend(idOf(1));
        expectRefused(10, list, abi.encodeWithSelector(IAuditAnchor.AuditWitnessNotActive.selector, idOf(1)));
    }

    function test_zero_log_and_root_are_refused() public {
        vm.expectRevert(IAuditAnchor.AuditZeroValue.selector);
        audits.anchor(0, 10, ROOT, witnesses(3, 0, 10, ROOT));
        vm.expectRevert(IAuditAnchor.AuditZeroValue.selector);
        audits.anchor(LOG, 10, 0, witnesses(3, LOG, 10, 0));
    }

    /// @dev Whatever sizes are offered, the anchored size never shrinks.
    function testFuzz_anchored_size_only_grows(uint64[6] calldata sizes) public {
        uint64 largest = 0;
        for (uint256 i = 0; i < sizes.length; ++i) {
            try audits.anchor(LOG, sizes[i], ROOT, witnesses(3, LOG, sizes[i], ROOT)) {
                assertTrue(sizes[i] > largest);
                largest = sizes[i];
            } catch {
                assertTrue(sizes[i] <= largest);
            }
            assertEq(audits.latestOf(LOG).size, largest);
        }
    }

    function expectRefused(uint64 size, IAuditAnchor.Witness[] memory list, bytes memory refusal) private {
        vm.expectRevert(refusal);
        audits.anchor(LOG, size, ROOT, list);
    }

    function notGrown(uint64 size, uint64 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuditAnchor.AuditNotGrown.selector, LOG, size, given);
    }

    function witnesses(uint256 count, bytes32 log, uint64 size, bytes32 root)
        private
        view
        returns (IAuditAnchor.Witness[] memory list)
    {
        list = new IAuditAnchor.Witness[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = witness(i, log, size, root);
        }
    }

    function witness(uint256 member, bytes32 log, uint64 size, bytes32 root)
        private
        view
        returns (IAuditAnchor.Witness memory)
    {
        bytes32 typehash = keccak256("Checkpoint(bytes32 log,uint64 size,bytes32 root)");
        bytes32 structHash = keccak256(abi.encode(typehash, log, size, root));
        return
            IAuditAnchor.Witness(idOf(member), signWith(siteSecret(member), "AuditAnchor", address(audits), structHash));
    }
}
