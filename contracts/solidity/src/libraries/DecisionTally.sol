// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionRule} from "../interfaces/DecisionRules.sol";

/// @title Arithmetic of a decision
/// @notice Pure, so that a test can hold it against a reference over every small case. `base` is the number of
/// organizations eligible at the opening; it never shrinks.
library DecisionTally {
    uint256 private constant WHOLE_BPS = 10_000;

    /// @param owners How many organizations must say yes for themselves; `ownersYes` is how many did.
    /// @param ownersRefused Whether an owner has cast another ballot than yes.
    struct Count {
        uint256 base;
        uint256 yes;
        uint256 no;
        uint256 abstain;
        uint256 owners;
        uint256 ownersYes;
        bool ownersRefused;
    }

    /// @notice The outcome if no further ballot is cast. A tie, or nobody eligible, is a rejection.
    function isApproved(DecisionRule memory rule, Count memory count) internal pure returns (bool) {
        return count.ownersYes == count.owners && _isQuorate(rule, count.base, count.yes + count.no + count.abstain)
            && _passes(rule, count.yes, count.no);
    }

    /// @notice Whether the missing ballots, however cast or not cast, leave the outcome as it is. An owner's yes that
    /// is counted stays one: an author's opening is such a yes, until its ballot says otherwise.
    function isSettled(DecisionRule memory rule, Count memory count) internal pure returns (bool) {
        uint256 cast = count.yes + count.no + count.abstain;
        uint256 missing = count.base - cast;
        if (isApproved(rule, count)) return _passes(rule, count.yes, count.no + missing);
        return count.ownersRefused || !_isQuorate(rule, count.base, count.base)
            || !_passes(rule, count.yes + missing, count.no);
    }

    function _isQuorate(DecisionRule memory rule, uint256 base, uint256 cast) private pure returns (bool) {
        return base != 0 && cast >= rule.minimumVotes && cast * WHOLE_BPS >= rule.quorumBps * base;
    }

    function _passes(DecisionRule memory rule, uint256 yes, uint256 no) private pure returns (bool) {
        return yes > no && yes * WHOLE_BPS >= rule.thresholdBps * (yes + no);
    }
}
