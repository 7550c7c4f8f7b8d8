// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsentAnchor} from "../interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../interfaces/IDecisionBoard.sol";
import {ITrainingLedger} from "../interfaces/ITrainingLedger.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {LedgerTypes} from "./LedgerTypes.sol";

/// @dev State of the ledger, its neighbors, and the checks that every part shares.
abstract contract RunBook is ITrainingLedger, LedgerTypes {
    using Signatures for bytes;

    /// @param run The run that opened on these weights first; no other one of the plan does.
    /// @param isRevealed Whether a sum over them was closed, or may be known without a close.
    struct Sum {
        bytes16 run;
        bool isRevealed;
    }

    IConsortiumRegistry internal immutable _registry;
    IDecisionBoard internal immutable _board;
    IConsentAnchor internal immutable _anchor;

    mapping(bytes32 run => Run) internal _runs;
    mapping(bytes32 run => bytes32[]) internal _rosters;
    mapping(bytes32 decision => uint256) internal _runsUsed;
    mapping(bytes32 plan => mapping(bytes32 weights => Sum)) internal _sums;

    constructor(IConsortiumRegistry registry, IDecisionBoard board, IConsentAnchor anchor) {
        _registry = registry;
        _board = board;
        _anchor = anchor;
    }

    /// @inheritdoc ITrainingLedger
    function runOf(bytes32 run) external view returns (Run memory) {
        return _runs[run];
    }

    /// @inheritdoc ITrainingLedger
    function rosterOf(bytes32 run) external view returns (bytes32[] memory) {
        return _rosters[run];
    }

    /// @inheritdoc ITrainingLedger
    function runsOf(bytes32 decision) external view returns (uint256) {
        return _runsUsed[decision];
    }

    /// @inheritdoc ITrainingLedger
    function isRevealed(bytes32 plan, bytes32 weights) external view returns (bool) {
        return _sums[plan][weights].isRevealed;
    }

    /// @inheritdoc ITrainingLedger
    function holderOf(bytes32 plan, bytes32 weights) external view returns (bytes32 run) {
        return _sums[plan][weights].run;
    }

    /// @inheritdoc ITrainingLedger
    function completion(bytes32 run, bytes32 weights) external view returns (bool isFinal, bytes32 author) {
        Run storage known = _runs[run];
        return (known.status == RunStatus.Completed && known.weights == weights, known.author);
    }

    /// @inheritdoc ITrainingLedger
    function nextAttempt(bytes32 run) public view returns (uint32 round, uint32 attempt) {
        Run storage known = _runs[run];
        if (known.attemptStatus == AttemptStatus.Abandoned) return (known.round, known.attempt + 1);
        return (known.round + 1, 1);
    }

    function _requireLive(bytes32 run) internal view returns (Run storage known) {
        known = _runs[run];
        bool isLive = known.status == RunStatus.Planned || known.status == RunStatus.Running;
        require(isLive, LedgerWrongStatus(run, known.status));
    }

    function _requireOpenAttempt(bytes32 run, uint32 round, uint32 attempt) internal view returns (Run storage known) {
        known = _requireLive(run);
        require(known.attemptStatus == AttemptStatus.Open, LedgerAttemptNotOpen(run, known.attemptStatus));
        bool isCurrent = round == known.round && attempt == known.attempt;
        require(isCurrent, LedgerWrongAttempt(known.round, known.attempt, round, attempt));
    }

    function _isSignedBySite(bytes32 organization, bytes32 structHash, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        address siteKey = _registry.keyOf(organization, IConsortiumRegistry.KeyPurpose.Site);
        return signature.isBy(siteKey, _hashTypedDataV4(structHash));
    }

    function _contains(bytes32[] memory list, uint256 length, bytes32 item) internal pure returns (bool) {
        for (uint256 i = 0; i < length; ++i) {
            if (list[i] == item) return true;
        }
        return false;
    }
}
