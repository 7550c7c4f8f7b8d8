// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../../src/interfaces/DecisionRules.sol";
import {ITrainingLedger} from "../../src/interfaces/ITrainingLedger.sol";
import {Consents} from "./Consents.sol";

/// @notice A run of an approved plan, its commitments and closes; every founder has anchored its first epoch.
abstract contract Training is Consents {
    bytes32 internal constant PLAN = keccak256("plan");
    bytes32 internal constant RUN = bytes32(bytes16(keccak256("run")));
    bytes32 internal constant INITIAL = keccak256("initial weights");
    uint32 internal constant ROUNDS = 3;
    bytes32 internal approval;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < FOUNDERS; ++i) {
            anchor(i, 1, keccak256(abi.encode("root", i)), 50, 1);
        }
        approval = approve(DecisionKind.ApprovePlan, ledger.subjectOf(PLAN, terms()), members(5));
        passSeconds(5);
    }

    /// @notice A run's id: a UUID, left-aligned.
    function runNamed(string memory name) internal pure returns (bytes32) {
        return bytes32(bytes16(keccak256(bytes(name))));
    }

    function terms() internal pure returns (ITrainingLedger.RunTerms memory) {
        return ITrainingLedger.RunTerms({
            minimumSites: 4,
            threshold: 4,
            colluders: 1,
            verifierQuorum: 3,
            rounds: ROUNDS,
            maxRuns: 2,
            minimumBand: 25,
            initialWeightsRule: keccak256("rule")
        });
    }

    function openRun(bytes32 run) internal {
        ledger.openRun(run, PLAN, approval, INITIAL, terms());
    }

    /// @notice Open the run's next attempt with the first `count` founders.
    function openNext(bytes32 run, uint256 count) internal {
        ledger.openAttempt(run, opening(run, count));
    }

    function opening(bytes32 run, uint256 count) internal view returns (ITrainingLedger.Opening memory made) {
        (uint32 round, uint32 attempt) = ledger.nextAttempt(run);
        return openingOf(run, round, attempt, ledger.runOf(run).weights, count);
    }

    function openingOf(bytes32 run, uint32 round, uint32 attempt, bytes32 weights, uint256 count)
        internal
        view
        returns (ITrainingLedger.Opening memory made)
    {
        made.round = round;
        made.attempt = attempt;
        made.commitments = new ITrainingLedger.SignedCommitment[](count);
        for (uint256 i = 0; i < count; ++i) {
            made.commitments[i] = signed(siteSecret(i), commitment(i, run, round, attempt, weights));
        }
    }

    function commitment(uint256 member, bytes32 run, uint32 round, uint32 attempt, bytes32 weights)
        internal
        view
        returns (ITrainingLedger.Commitment memory made)
    {
        made.run = run;
        made.round = round;
        made.attempt = attempt;
        made.organization = idOf(member);
        made.plan = PLAN;
        made.weights = weights;
        made.cohortRoot = keccak256(abi.encode("cohort", member, round, attempt));
        made.band = 50;
        made.epoch = consents.epochOf(idOf(member));
        made.seq = consents.seqOf(idOf(member));
        made.asOf = now64();
        made.blockNumber = uint64(block.number - 1);
        made.blockHash = blockhash(block.number - 1);
        made.maskKeys = keccak256(abi.encode("keys", member, round, attempt));
        made.validUntilBlock = uint64(block.number + 10);
    }

    function signed(uint256 secret, ITrainingLedger.Commitment memory made)
        internal
        view
        returns (ITrainingLedger.SignedCommitment memory)
    {
        bytes32 typehash = keccak256(
            "Commitment(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 plan,bytes32 weights,bytes32 cohortRoot,uint32 band,uint64 epoch,uint64 seq,uint64 asOf,uint64 blockNumber,bytes32 blockHash,bytes32 maskKeys,bytes32 privacyEvent,uint64 validUntilBlock)"
        );
        bytes32 structHash = keccak256(abi.encode(typehash, made));
        return ITrainingLedger.SignedCommitment(made, signWith(secret, "TrainingLedger", address(ledger), structHash));
    }

    /// @notice A close of the open attempt with all of the roster surviving, signed by its first `verifiers` members.
    function closing(bytes32 run, uint256 verifiers) internal view returns (ITrainingLedger.RoundClose memory made) {
        ITrainingLedger.Run memory known = ledger.runOf(run);
        made.round = known.round;
        made.attempt = known.attempt;
        made.survivors = (1 << ledger.rosterOf(run).length) - 1;
        made.maskedDigests = keccak256(abi.encode("masked", run, known.round));
        made.aggregate = keccak256(abi.encode("aggregate", run, known.round));
        made.nextWeights = weightsAfter(run, known.round);
        signResult(run, made, verifiers);
    }

    function signResult(bytes32 run, ITrainingLedger.RoundClose memory made, uint256 verifiers) internal view {
        made.signatures = new ITrainingLedger.VerifierSignature[](verifiers);
        for (uint256 i = 0; i < verifiers; ++i) {
            bytes memory signature = resultSignature(siteSecret(i), run, made);
            made.signatures[i] = ITrainingLedger.VerifierSignature(idOf(i), signature);
        }
    }

    function resultSignature(uint256 secret, bytes32 run, ITrainingLedger.RoundClose memory made)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typehash = keccak256(
            "RoundResult(bytes32 run,uint32 round,uint32 attempt,uint256 survivors,bytes32 maskedDigests,bytes32 aggregate,bytes32 nextWeights)"
        );
        bytes32 structHash = keccak256(
            abi.encode(
                typehash,
                run,
                made.round,
                made.attempt,
                made.survivors,
                made.maskedDigests,
                made.aggregate,
                made.nextWeights
            )
        );
        return signWith(secret, "TrainingLedger", address(ledger), structHash);
    }

    function cancelSignature(uint256 secret, bytes32 run, bytes32 reason) internal view returns (bytes memory) {
        bytes32 structHash = keccak256(abi.encode(keccak256("CancelRun(bytes32 run,bytes32 reason)"), run, reason));
        return signWith(secret, "TrainingLedger", address(ledger), structHash);
    }

    function weightsAfter(bytes32 run, uint32 round) internal pure returns (bytes32) {
        return keccak256(abi.encode("weights", run, round));
    }

    /// @notice Run from the first round to the last.
    function complete(bytes32 run) internal {
        openRun(run);
        openNext(run, 5);
        for (uint32 round = 1; round < ROUNDS; ++round) {
            passSeconds(1);
            ITrainingLedger.RoundClose memory ended = closing(run, 3);
            ledger.advanceRound(run, ended, openingOf(run, round + 1, 1, ended.nextWeights, 5));
        }
        ledger.finishRun(run, closing(run, 3));
    }

    function requireStatus(bytes32 run, ITrainingLedger.RunStatus expected) internal view {
        assertEq(uint256(ledger.runOf(run).status), uint256(expected));
    }
}
