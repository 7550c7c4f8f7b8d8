// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorSuperQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorSuperQuorum.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IConsortiumGovernor} from "../interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../interfaces/IConsortiumRegistry.sol";

/// @dev Counts organizations, not addresses: a rotated vote key neither loses the vote nor wins a second one.
/// Quorum, threshold and early success are one number: yes from two thirds of the organizations active at the snapshot.
abstract contract OrganizationCounting is GovernorSuperQuorum, IConsortiumGovernor {
    uint8 private constant AGAINST = 0;
    uint8 private constant FOR = 1;
    uint8 private constant ABSTAIN = 2;

    /// @param yes Who said yes, at most as many as the registry has members.
    /// @param isClosed Whether the act was queued: it has passed then, whoever leaves afterwards.
    struct Tally {
        uint256 againstVotes;
        uint256 abstainVotes;
        bytes32[] yes;
        bool isClosed;
        mapping(bytes32 organization => bool) hasVoted;
    }

    IConsortiumRegistry private immutable _registry;
    mapping(uint256 proposalId => Tally) private _tallies;

    constructor(IConsortiumRegistry registry_) {
        _registry = registry_;
    }

    /// @notice The registry whose organizations vote.
    function registry() public view returns (IConsortiumRegistry) {
        return _registry;
    }

    /// @notice Unix seconds, as the registry's.
    function clock() public view override returns (uint48) {
        return SafeCast.toUint48(block.timestamp);
    }

    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function COUNTING_MODE() public pure override returns (string memory) {
        return "support=bravo&quorum=for";
    }

    /// @notice Whether the organization that holds `account` has voted.
    function hasVoted(uint256 proposalId, address account) public view override returns (bool) {
        (bytes32 organization,) = _registry.organizationOf(account);
        return organization != bytes32(0) && _tallies[proposalId].hasVoted[organization];
    }

    /// @inheritdoc IConsortiumGovernor
    function hasOrganizationVoted(uint256 proposalId, bytes32 organization) external view returns (bool) {
        return _tallies[proposalId].hasVoted[organization];
    }

    /// @notice Ballots as they were cast, struck ones among them.
    function proposalVotes(uint256 proposalId)
        public
        view
        override
        returns (uint256 againstVotes, uint256 forVotes, uint256 abstainVotes)
    {
        Tally storage tally = _tallies[proposalId];
        return (tally.againstVotes, tally.yes.length, tally.abstainVotes);
    }

    /// @notice Two thirds, rounded up, of the organizations active at `timepoint`; at least one.
    function quorum(uint256 timepoint) public view override returns (uint256) {
        uint256 yesNeeded = (2 * _registry.activeCountAt(timepoint) + 2) / 3;
        return yesNeeded == 0 ? 1 : yesNeeded;
    }

    function superQuorum(uint256 timepoint) public view override returns (uint256) {
        return quorum(timepoint);
    }

    /// @inheritdoc IConsortiumGovernor
    function standingYes(uint256 proposalId) public view returns (uint256 count) {
        bytes32[] storage yes = _tallies[proposalId].yes;
        uint256 deadline = proposalDeadline(proposalId);
        bool isOver = clock() > deadline;
        for (uint256 i = 0; i < yes.length; ++i) {
            if (isOver ? _registry.wasActiveAt(yes[i], deadline) : _registry.isActive(yes[i])) ++count;
        }
    }

    function _closeBallots(uint256 proposalId) internal {
        _tallies[proposalId].isClosed = true;
    }

    function _quorumReached(uint256 proposalId) internal view override returns (bool) {
        Tally storage tally = _tallies[proposalId];
        if (tally.isClosed) return true;
        uint256 needed = quorum(proposalSnapshot(proposalId));
        return tally.yes.length >= needed && standingYes(proposalId) >= needed;
    }

    /// @dev Yes from two thirds of all leaves no room for more against.
    function _voteSucceeded(uint256 proposalId) internal view override returns (bool) {
        return _quorumReached(proposalId);
    }

    /// @dev One for the current vote key of an organization that was active at the snapshot.
    function _getVotes(address account, uint256 timepoint, bytes memory) internal view override returns (uint256) {
        (bytes32 organization, IConsortiumRegistry.KeyPurpose purpose) = _registry.organizationOf(account);
        bool isVoter = purpose == IConsortiumRegistry.KeyPurpose.Vote && _registry.wasActiveAt(organization, timepoint);
        return isVoter ? 1 : 0;
    }

    function _countVote(uint256 proposalId, address account, uint8 support, uint256 weight, bytes memory)
        internal
        override
        returns (uint256)
    {
        (bytes32 organization,) = _registry.organizationOf(account);
        require(weight == 1 && _registry.isActive(organization), GovernorNotEligible(account));
        Tally storage tally = _tallies[proposalId];
        require(!tally.hasVoted[organization], IGovernor.GovernorAlreadyCastVote(account));
        tally.hasVoted[organization] = true;
        if (support == AGAINST) ++tally.againstVotes;
        else if (support == FOR) tally.yes.push(organization);
        else if (support == ABSTAIN) ++tally.abstainVotes;
        else revert IGovernor.GovernorInvalidVoteType();
        return weight;
    }
}
