// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";
import {Governed} from "./Governed.sol";

/// @dev One vote an active organization, held by its vote key, never delegated; with the history of who was active.
abstract contract MemberVotes is Governed, Votes {
    using Checkpoints for Checkpoints.Trace208;

    mapping(address voteKey => uint256) private _units;
    mapping(bytes32 organization => Checkpoints.Trace208) private _activity;

    /// @inheritdoc Votes
    function clock() public view override returns (uint48) {
        return SafeCast.toUint48(block.timestamp);
    }

    /// @inheritdoc Votes
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice Refused: a vote belongs to the organization that was admitted.
    function delegate(address) public pure override {
        revert RegistryVotesNotTransferable();
    }

    /// @notice Refused: a vote belongs to the organization that was admitted.
    function delegateBySig(address, uint256, uint256, uint8, bytes32, bytes32) public pure override {
        revert RegistryVotesNotTransferable();
    }

    /// @inheritdoc IConsortiumRegistry
    function activeCount() public view returns (uint256) {
        return _getTotalSupply();
    }

    /// @inheritdoc IConsortiumRegistry
    function activeCountAt(uint256 timepoint) external view returns (uint256) {
        return getPastTotalSupply(timepoint);
    }

    /// @inheritdoc IConsortiumRegistry
    function wasActiveAt(bytes32 id, uint256 timepoint) external view returns (bool) {
        return _activity[id].upperLookupRecent(_validateTimepoint(timepoint)) == 1;
    }

    /// @dev The delegation comes first, while the key has no units, so that the transfer moves exactly one vote.
    function _grantVote(address voteKey) internal {
        if (delegates(voteKey) == address(0)) _delegate(voteKey, voteKey);
        _units[voteKey] = 1;
        _transferVotingUnits(address(0), voteKey, 1);
    }

    function _withdrawVote(address voteKey) internal {
        _units[voteKey] = 0;
        _transferVotingUnits(voteKey, address(0), 1);
    }

    function _recordActivity(bytes32 organization, bool isActive_) internal {
        _activity[organization].push(clock(), isActive_ ? 1 : 0);
    }

    function _getVotingUnits(address account) internal view override returns (uint256) {
        return _units[account];
    }
}
