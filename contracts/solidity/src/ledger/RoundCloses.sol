// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RunBook} from "./RunBook.sol";

/// @dev Closing an attempt on the signatures of the sites that recomputed it.
abstract contract RoundCloses is RunBook {
    function _close(bytes32 run, RoundClose calldata closing) internal returns (Run storage known) {
        known = _requireOpenAttempt(run, closing.round, closing.attempt);
        require(closing.nextWeights != 0 && closing.aggregate != 0 && closing.maskedDigests != 0, LedgerZeroValue());
        bytes32[] memory roster = _rosters[run];
        _requireSurvivors(closing.survivors, roster.length, known.terms.threshold);
        bytes32[] memory verifiers = _requireVerifiers(run, closing, roster, known.terms.verifierQuorum);
        // nobody else's sum: the opening took these weights for this run
        _sums[known.plan][known.weights].isRevealed = true;
        known.weights = closing.nextWeights;
        known.attemptStatus = AttemptStatus.Closed;
        _announceClose(run, closing, verifiers);
    }

    function _announceClose(bytes32 run, RoundClose calldata closing, bytes32[] memory verifiers) private {
        emit RoundClosed(
            run,
            closing.round,
            closing.attempt,
            closing.survivors,
            closing.maskedDigests,
            closing.aggregate,
            closing.nextWeights,
            verifiers
        );
    }

    function _requireVerifiers(bytes32 run, RoundClose calldata closing, bytes32[] memory roster, uint256 quorum)
        private
        view
        returns (bytes32[] memory verifiers)
    {
        uint256 given = closing.signatures.length;
        require(given >= quorum, LedgerTooFewVerifiers(given, quorum));
        require(given <= roster.length, LedgerTooManyVerifiers(given, roster.length));
        bytes32 structHash = _resultHash(run, closing);
        verifiers = new bytes32[](given);
        for (uint256 i = 0; i < given; ++i) {
            bytes32 organization = closing.signatures[i].organization;
            bool isOnRoster = _contains(roster, roster.length, organization) && _registry.isActive(organization);
            require(isOnRoster, LedgerVerifierNotOnRoster(organization));
            require(!_contains(verifiers, i, organization), LedgerVerifierTwice(organization));
            bool isSigned = _isSignedBySite(organization, structHash, closing.signatures[i].signature);
            require(isSigned, LedgerBadSignature(organization));
            verifiers[i] = organization;
        }
    }

    function _resultHash(bytes32 run, RoundClose calldata closing) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ROUND_RESULT_TYPEHASH,
                run,
                closing.round,
                closing.attempt,
                closing.survivors,
                closing.maskedDigests,
                closing.aggregate,
                closing.nextWeights
            )
        );
    }

    function _requireSurvivors(uint256 survivors, uint256 roster, uint256 threshold) private pure {
        bool isWithin = survivors >> roster == 0;
        require(isWithin && _ones(survivors) >= threshold, LedgerSurvivorsRefused(survivors, roster, threshold));
    }

    /// @dev Bits set; each turn clears the lowest (Kernighan), so at most 64 turns on a checked roster.
    function _ones(uint256 bitmap) private pure returns (uint256 count) {
        for (; bitmap != 0; bitmap &= bitmap - 1) {
            ++count;
        }
    }
}
