// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionRule} from "../src/interfaces/DecisionRules.sol";
import {DecisionTally} from "../src/libraries/DecisionTally.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @notice The arithmetic of a decision, for every count up to 255 ballots (the registry takes 200
/// organizations) and every rule.
contract TallySymbolic is Symbolic {
    struct Ballots {
        uint8 base;
        uint8 yes;
        uint8 no;
        uint8 abstain;
        uint8 owners;
        uint8 ownersYes;
    }

    /// @dev Fails if the contract asks for more than `minimumVotes` ballots (`>` for `>=`), tried by hand.
    function check_approved_if_and_only_if_the_numbers_say_so(DecisionRule memory rule, Ballots memory given) public pure {
        uint256 cast = uint256(given.yes) + given.no + given.abstain;
        vm.assume(cast <= given.base && rule.quorumBps <= 10_000 && rule.thresholdBps <= 10_000);
        bool isApproved = DecisionTally.isApproved(rule, countOf(given));

        bool isQuorate = given.base > 0 && cast >= rule.minimumVotes && cast * 10_000 >= uint256(rule.quorumBps) * given.base;
        bool isCarried = given.yes > given.no
            && uint256(given.yes) * 10_000 >= uint256(rule.thresholdBps) * (uint256(given.yes) + given.no);
        assert(isApproved == (isQuorate && isCarried && given.ownersYes == given.owners));
    }

    function check_a_tie_is_never_approved(DecisionRule memory rule, Ballots memory given) public pure {
        vm.assume(given.yes == given.no);
        assert(!DecisionTally.isApproved(rule, countOf(given)));
    }

    /// @dev Without a turn from no to yes that an owner makes: owners are counted beside.
    function check_a_yes_more_never_loses_what_was_approved(DecisionRule memory rule, Ballots memory given) public pure {
        vm.assume(uint256(given.yes) + given.no + given.abstain < given.base && rule.thresholdBps <= 10_000);
        DecisionTally.Count memory count = countOf(given);
        vm.assume(DecisionTally.isApproved(rule, count));
        ++count.yes;
        assert(DecisionTally.isApproved(rule, count));
    }

    /// @dev A struck ballot counts as missing: a yes that is struck never carries a decision.
    /// Fails if a decision passes by `yes != no` for `yes > no`, tried by hand.
    function check_a_yes_struck_never_carries(DecisionRule memory rule, Ballots memory given) public pure {
        vm.assume(given.yes > 0 && rule.thresholdBps <= 10_000);
        vm.assume(uint256(given.yes) + given.no + given.abstain <= given.base);
        DecisionTally.Count memory count = countOf(given);
        vm.assume(!DecisionTally.isApproved(rule, count));
        --count.yes;
        assert(!DecisionTally.isApproved(rule, count));
    }

    /// @dev The missing ballots fall as they like, those of owners among them if they have not refused.
    function unanswered_what_is_settled_stays_however_the_missing_vote(
        DecisionRule memory rule,
        Ballots memory given,
        uint8 moreYes,
        uint8 moreNo,
        uint8 moreAbstain
    ) public pure {
        uint256 cast = uint256(given.yes) + given.no + given.abstain;
        vm.assume(rule.quorumBps <= 10_000 && rule.thresholdBps <= 10_000 && given.ownersYes == given.owners);
        vm.assume(cast + moreYes + moreNo + moreAbstain <= given.base);
        DecisionTally.Count memory count = countOf(given);
        vm.assume(DecisionTally.isSettled(rule, count));
        bool isApproved = DecisionTally.isApproved(rule, count);
        count.yes += moreYes;
        count.no += moreNo;
        count.abstain += moreAbstain;
        assert(DecisionTally.isApproved(rule, count) == isApproved);
    }

    function countOf(Ballots memory given) private pure returns (DecisionTally.Count memory count) {
        (count.base, count.yes, count.no, count.abstain) = (given.base, given.yes, given.no, given.abstain);
        (count.owners, count.ownersYes) = (given.owners, given.ownersYes);
    }
}
