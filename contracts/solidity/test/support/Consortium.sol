// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {AuditAnchor} from "../../src/AuditAnchor.sol";
import {ConsentAnchor} from "../../src/ConsentAnchor.sol";
import {ConsortiumGovernor} from "../../src/ConsortiumGovernor.sol";
import {ConsortiumRegistry} from "../../src/ConsortiumRegistry.sol";
import {DecisionBoard} from "../../src/DecisionBoard.sol";
import {Guardian} from "../../src/Guardian.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {TrainingLedger} from "../../src/TrainingLedger.sol";
import {ValidatorSource} from "../../src/ValidatorSource.sol";
import {DecisionRule} from "../../src/interfaces/DecisionRules.sol";
import {IConsortiumGovernor} from "../../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../../src/interfaces/IConsortiumRegistry.sol";
import {IValidatorSource} from "../../src/interfaces/IValidatorSource.sol";
import {Members} from "./Members.sol";

/// @notice A whole consortium of five founders, numbered 0 to 4, each with a validator; deployed in the order that a real
/// one is, and left without a right for who did it.
abstract contract Consortium is Members {
    uint256 internal constant FOUNDERS = 5;
    uint256 internal constant OUTSIDER = 9;
    uint48 internal constant VOTING_DELAY = 10;
    uint32 internal constant VOTING_PERIOD = 100;
    uint256 internal constant TIMELOCK_DELAY = 20;
    uint16 internal constant GUARDIAN_THRESHOLD = 2;
    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant RUNNER = keccak256("first runner");
    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;

    TimelockController internal timelock;
    ValidatorSource internal source;
    ConsortiumRegistry internal registry;
    Guardian internal guardian;
    ConsortiumGovernor internal governor;
    DecisionBoard internal board;
    ConsentAnchor internal consents;
    TrainingLedger internal ledger;
    ModelRegistry internal models;
    AuditAnchor internal audits;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1_000);
        uint256 nonce = vm.getNonce(address(this));
        timelock = new TimelockController(TIMELOCK_DELAY, new address[](0), new address[](0), address(this));
        address[] memory seats = ascending(founderValidators());
        source = new ValidatorSource(4, address(timelock), vm.computeCreateAddress(address(this), nonce + 2), seats);
        registry = new ConsortiumRegistry(
            address(timelock), IValidatorSource(source), founders(), rules(), someParameters(), POLICY, runners()
        );
        guardian = new Guardian(registry, timelock, guardians(), GUARDIAN_THRESHOLD);
        governor = new ConsortiumGovernor(registry, timelock, address(guardian), VOTING_DELAY, VOTING_PERIOD);
        _handOver(timelock, governor, guardian);
        board = new DecisionBoard(registry);
        consents = new ConsentAnchor(registry);
        ledger = new TrainingLedger(registry, board, consents);
        models = new ModelRegistry(registry, board, ledger);
        audits = new AuditAnchor(registry);
        passSeconds(5);
    }

    function founders() internal pure returns (IConsortiumRegistry.Admission[] memory list) {
        list = new IConsortiumRegistry.Admission[](FOUNDERS);
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            list[i] = admissionOf(i);
        }
    }

    function founderValidators() internal pure returns (address[] memory list) {
        list = new address[](FOUNDERS);
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            list[i] = validatorOf(i);
        }
    }

    function runners() internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = RUNNER;
    }

    /// @notice The founders 0, 1 and 2; two of them veto.
    function guardians() internal pure returns (bytes32[] memory list) {
        list = new bytes32[](3);
        (list[0], list[1], list[2]) = (idOf(0), idOf(1), idOf(2));
    }

    function rules() internal pure returns (DecisionRule[4] memory list) {
        list[0] = DecisionRule(6_000, 6_667, 1 hours, 2, true);
        list[1] = DecisionRule(5_000, 5_000, 1 hours, 2, false);
        list[2] = DecisionRule(3_000, 5_000, 10 minutes, 1, false);
        list[3] = DecisionRule(5_000, 6_667, 1 hours, 2, true);
    }

    function someParameters() internal pure returns (IConsortiumRegistry.Parameters memory) {
        return IConsortiumRegistry.Parameters({
            witnessQuorum: 3,
            minimumValidators: 4,
            commitmentMaxAgeBlocks: 20,
            asOfToleranceSeconds: 300,
            maxAbandonedAttempts: 3,
            admissionIntervalSeconds: 60
        });
    }

    /// @notice Time and blocks go on together, one block a second.
    function passSeconds(uint256 number) internal {
        vm.warp(block.timestamp + number);
        vm.roll(block.number + number);
    }

    /// @notice The next call comes from the timelock.
    function asGovernance() internal {
        vm.prank(address(timelock));
    }

    function actHash(
        bytes32 organization,
        IConsortiumGovernor.ActKind kind,
        bytes memory arguments,
        string memory description,
        uint256 nonce,
        uint64 deadline
    ) internal pure returns (bytes32) {
        bytes32 typehash = keccak256(
            "ProposeAct(bytes32 organization,uint8 kind,bytes arguments,string description,uint256 nonce,uint64 deadline)"
        );
        bytes32 text = keccak256(bytes(description));
        return keccak256(abi.encode(typehash, organization, kind, keccak256(arguments), text, nonce, deadline));
    }

    function propose(uint256 member, IConsortiumGovernor.ActKind kind, bytes memory arguments)
        internal
        returns (uint256 proposalId)
    {
        bytes32 id = idOf(member);
        uint64 deadline = uint64(block.timestamp + 1 hours);
        bytes32 structHash = actHash(id, kind, arguments, "an act", governor.nonceOf(id), deadline);
        bytes memory signature = signWith(voteSecret(member), "ConsortiumGovernor", address(governor), structHash);
        return governor.proposeActBySig(id, kind, arguments, "an act", deadline, signature);
    }

    function voteAs(uint256 secret, uint256 proposalId, uint8 support) internal {
        address voter = vm.addr(secret);
        bytes memory signature = ballotSignature(secret, proposalId, support);
        governor.castVoteBySig(proposalId, support, voter, signature);
    }

    function ballotSignature(uint256 secret, uint256 proposalId, uint8 support) internal view returns (bytes memory) {
        address voter = vm.addr(secret);
        bytes32 typehash = keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)");
        bytes32 structHash = keccak256(abi.encode(typehash, proposalId, support, voter, governor.nonces(voter)));
        return signWith(secret, "ConsortiumGovernor", address(governor), structHash);
    }

    /// @notice Carry an act through from proposal to execution with the yes of the first `yes` founders.
    function enact(IConsortiumGovernor.ActKind kind, bytes memory arguments, uint256 yes)
        internal
        returns (uint256 proposalId)
    {
        proposalId = propose(0, kind, arguments);
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < yes; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        governor.queue(proposalId);
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
    }

    /// @notice Give each its one right, and keep none.
    function _handOver(TimelockController lock, ConsortiumGovernor proposer, Guardian canceller) internal {
        lock.grantRole(lock.PROPOSER_ROLE(), address(proposer));
        lock.grantRole(lock.EXECUTOR_ROLE(), address(proposer));
        lock.grantRole(lock.CANCELLER_ROLE(), address(canceller));
        lock.renounceRole(lock.DEFAULT_ADMIN_ROLE(), address(this));
    }
}
