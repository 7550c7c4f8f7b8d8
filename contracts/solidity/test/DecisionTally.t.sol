// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionRule} from "../src/interfaces/DecisionRules.sol";
import {DecisionTally} from "../src/libraries/DecisionTally.sol";
import {Test} from "./support/Test.sol";

/// @dev The reference plays out every way in which the missing ballots can fall.
contract DecisionTallyTest is Test {
    uint256 private constant LARGEST_BASE = 7;

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_settled_means_that_every_completion_agrees(uint256 seed) public pure {
        (DecisionRule memory rule, DecisionTally.Count memory count) = draw(seed);
        (bool anyApproved, bool anyRejected) = completions(rule, count);
        assertTrue(DecisionTally.isSettled(rule, count) == (anyApproved != anyRejected));
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_outcome_equals_the_rule_in_words(uint256 seed) public pure {
        (DecisionRule memory rule, DecisionTally.Count memory count) = draw(seed);
        uint256 pending = count.owners - count.ownersYes;
        bool expected = isApprovedInWords(rule, count, count.yes, count.no, count.abstain, pending);
        assertTrue(DecisionTally.isApproved(rule, count) == expected);
    }

    function test_tie_is_a_rejection() public pure {
        DecisionTally.Count memory count = DecisionTally.Count(4, 2, 2, 0, 0, 0, false);
        assertFalse(DecisionTally.isApproved(DecisionRule(0, 0, 60, 1, false), count));
    }

    function test_nobody_eligible_is_a_settled_rejection() public pure {
        DecisionTally.Count memory nobody;
        DecisionRule memory rule = DecisionRule(0, 0, 60, 1, true);
        assertFalse(DecisionTally.isApproved(rule, nobody));
        assertTrue(DecisionTally.isSettled(rule, nobody));
    }

    function test_threshold_and_quorum_count_their_edge() public pure {
        DecisionRule memory rule = DecisionRule(6_000, 7_500, 60, 1, false);
        assertTrue(DecisionTally.isApproved(rule, DecisionTally.Count(5, 3, 0, 0, 0, 0, false)));
        assertFalse(DecisionTally.isApproved(rule, DecisionTally.Count(6, 3, 0, 0, 0, 0, false)));
        assertTrue(DecisionTally.isApproved(rule, DecisionTally.Count(4, 3, 1, 0, 0, 0, false)));
        assertFalse(DecisionTally.isApproved(rule, DecisionTally.Count(5, 3, 2, 0, 0, 0, false)));
    }

    function test_missing_owner_prevents_approval_and_refusing_owner_settles() public pure {
        DecisionRule memory rule = DecisionRule(0, 0, 60, 1, false);
        DecisionTally.Count memory count = DecisionTally.Count(3, 2, 0, 0, 1, 0, false);
        assertFalse(DecisionTally.isApproved(rule, count));
        assertFalse(DecisionTally.isSettled(rule, count));
        count.ownersRefused = true;
        assertTrue(DecisionTally.isSettled(rule, count));
    }

    function draw(uint256 seed) private pure returns (DecisionRule memory rule, DecisionTally.Count memory count) {
        rule.quorumBps = uint16(pick(seed, 1, 10_000));
        rule.thresholdBps = uint16(pick(seed, 2, 10_000));
        rule.minimumVotes = uint16(1 + pick(seed, 3, 4));
        count.base = pick(seed, 4, LARGEST_BASE);
        count.yes = pick(seed, 5, count.base);
        count.no = pick(seed, 6, count.base - count.yes);
        count.abstain = pick(seed, 7, count.base - count.yes - count.no);
        uint256 missing = count.base - count.yes - count.no - count.abstain;
        // an owner has said yes, is still missing, or has refused
        count.ownersYes = pick(seed, 8, count.yes);
        count.owners = count.ownersYes + pick(seed, 9, missing);
        if (count.no + count.abstain > 0 && pick(seed, 10, 3) == 0) {
            count.ownersRefused = true;
            ++count.owners;
        }
    }

    function completions(DecisionRule memory rule, DecisionTally.Count memory count)
        private
        pure
        returns (bool anyApproved, bool anyRejected)
    {
        uint256 missing = count.base - count.yes - count.no - count.abstain;
        uint256 pending = count.owners - count.ownersYes;
        for (uint256 yes = 0; yes <= missing; ++yes) {
            for (uint256 no = 0; yes + no <= missing; ++no) {
                for (uint256 abstain = 0; yes + no + abstain <= missing; ++abstain) {
                    uint256 unheard = pending > yes ? pending - yes : 0;
                    bool approved = isApprovedInWords(
                        rule, count, count.yes + yes, count.no + no, count.abstain + abstain, unheard
                    );
                    if (approved) anyApproved = true;
                    else anyRejected = true;
                }
            }
        }
    }

    function isApprovedInWords(
        DecisionRule memory rule,
        DecisionTally.Count memory count,
        uint256 yes,
        uint256 no,
        uint256 abstain,
        uint256 unheardOwners
    ) private pure returns (bool) {
        if (count.base == 0 || count.ownersRefused || unheardOwners != 0) return false;
        uint256 cast = yes + no + abstain;
        // quorum: the smallest whole number of ballots not below the fraction of the base
        uint256 needed = (count.base * rule.quorumBps + 9_999) / 10_000;
        if (cast < needed || cast < rule.minimumVotes) return false;
        if (yes <= no) return false;
        return yes >= ((yes + no) * rule.thresholdBps + 9_999) / 10_000;
    }

    function pick(uint256 seed, uint256 salt, uint256 highest) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % (highest + 1);
    }
}
