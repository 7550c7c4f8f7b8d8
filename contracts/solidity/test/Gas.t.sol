// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IAuditAnchor} from "../src/interfaces/IAuditAnchor.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {ICrossConsortiumInbox} from "../src/interfaces/ICrossConsortiumInbox.sol";
import {IGuardian} from "../src/interfaces/IGuardian.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {Consortium} from "./support/Consortium.sol";
import {Guardians} from "./support/Guardians.sol";
import {Peers} from "./support/Peers.sol";
import {Training} from "./support/Training.sol";

/// @dev What each act costs in a consortium of ten. Run with --isolate, each call is a transaction of its own: cold slots,
/// call data and the 21,000 of any transaction included. `make gas` compares with gas.json.
contract GasTest is Training, Guardians, Peers {
    uint256 private constant MEMBERS = 10;
    bytes32 private constant MODEL_CARD = keccak256("card");

    function setUp() public override(Consortium, Training) {
        Training.setUp();
        for (uint256 i = FOUNDERS; i < MEMBERS; ++i) {
            passSeconds(60);
            asGovernance();
            registry.admit(admissionOf(i));
            anchor(i, 1, keccak256(abi.encode("root", i)), 50, 1);
        }
        passSeconds(60);
    }

    function test_gas_of_governance() public {
        bytes memory arguments = abi.encode(admissionOf(MEMBERS));
        uint256 proposalId = propose(0, ADMIT, arguments);
        kept("propose an act");
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 7; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        kept("ballot on an act");
        governor.queue(proposalId);
        kept("queue an act (10 members, 7 yes)");
        passSeconds(TIMELOCK_DELAY);
        governor.execute(proposalId);
        kept("execute an admission");
        asGovernance();
        registry.activateValidator(idOf(MEMBERS - 1));
        kept("replace the validators (6 seats)");
    }

    function test_gas_of_a_veto() public {
        uint256 proposalId = propose(0, SUSPEND, abi.encode(idOf(4)));
        passSeconds(VOTING_DELAY + 1);
        for (uint256 i = 0; i < 7; ++i) {
            voteAs(voteSecret(i), proposalId, FOR);
        }
        governor.queue(proposalId);
        bytes memory call = abi.encodeCall(registry.suspend, (idOf(4)));
        bytes32 salt = saltOf(proposalId);
        IGuardian.GuardianSignature[] memory given = vetoBy(two(0, 1), address(registry), call, salt);
        guardian.veto(address(registry), call, salt, given);
        kept("veto (2 guardians)");
    }

    function test_gas_of_decisions() public {
        bytes32 decision = open(DecisionKind.ReleaseModel, SUBJECT, 0, members(5));
        kept("open a decision (5 owners)");
        for (uint256 i = 0; i < MEMBERS; ++i) {
            ballot(i, decision, SUBJECT, IDecisionBoard.Choice.Yes);
        }
        kept("ballot on a decision");
        board.close(decision);
        kept("close a decision (10 ballots, 5 owners)");
    }

    function test_gas_of_consents() public {
        anchor(0, 2, keccak256("next root"), 50, 2);
        kept("anchor an epoch");
        revoke(0, 2, 3, subjects(1));
        kept("revoke 1 consent");
        revoke(0, 2, 4, subjects(200));
        kept("revoke 200 consents");
    }

    function test_gas_of_rounds_of_3() public {
        rounds(3, 3, 1);
    }

    function test_gas_of_rounds_of_5() public {
        rounds(5, 4, 1);
    }

    function test_gas_of_rounds_of_10() public {
        rounds(10, 7, 2);
    }

    function test_gas_of_models() public {
        complete(RUN);
        bytes32 model = ledger.runOf(RUN).weights;
        bytes32 structHash = keccak256(
            abi.encode(keccak256("RegisterCandidate(bytes32 model,bytes32 run,bytes32 card)"), model, RUN, MODEL_CARD)
        );
        bytes memory signature = signWith(siteSecret(0), "ModelRegistry", address(models), structHash);
        models.registerCandidate(model, RUN, MODEL_CARD, signature);
        kept("register a candidate");
        bytes32 release = decided(DecisionKind.ReleaseModel, model, nobody());
        models.release(model, release);
        kept("release a model");
        bytes32 recall = decided(DecisionKind.RecallModel, model, nobody());
        models.recall(model, recall);
        kept("recall a model");
    }

    function test_gas_of_checkpoints() public {
        checkpoint(100);
        checkpoint(200);
        kept("anchor a log (3 witnesses)");
    }

    /// @dev Proofs of a chain as small as can be: a deeper trie costs more.
    function test_gas_of_a_peer() public {
        ICrossConsortiumInbox.Anchor memory anchor = acceptPeer();
        inbox.open(anchor);
        kept("open a peer");
        uint256[] memory secrets = secretsOf(0, 4);
        Block memory next = blockAt(1, 0, "");
        bytes memory header = seal(next, secrets, 3);
        inbox.advance(peer, header, addressesOf(secrets), accountProofOf(next), slotProofOf(next));
        kept("advance a peer (3 seals)");
        Block memory made = blockAt(2, 0, messageOf(IModelRegistry.ModelReleased.selector));
        inbox.deliver(peer, one(seal(made, secrets, 3)), addressesOf(secrets), receiptProofOf(made));
        kept("deliver a release (1 header, 3 seals)");
    }

    function rounds(uint16 sites, uint16 threshold, uint16 colluders) private {
        ITrainingLedger.RunTerms memory chosen = terms();
        (chosen.minimumSites, chosen.threshold, chosen.colluders) = (sites, threshold, colluders);
        chosen.verifierQuorum = threshold;
        chosen.rounds = 2;
        bytes32 decision = decided(DecisionKind.ApprovePlan, ledger.subjectOf(PLAN, chosen), members(sites));
        ledger.openRun(RUN, PLAN, decision, INITIAL, chosen);
        if (sites == 5) kept("open a run");
        openNext(RUN, sites);
        passSeconds(1);
        ITrainingLedger.RoundClose memory ended = closing(RUN, threshold);
        ledger.advanceRound(RUN, ended, openingOf(RUN, 2, 1, ended.nextWeights, sites));
        if (sites == 3) kept("advance a round of 3 sites (3 verifiers)");
        if (sites == 5) kept("advance a round of 5 sites (4 verifiers)");
        if (sites == 10) kept("advance a round of 10 sites (7 verifiers)");
        ledger.finishRun(RUN, closing(RUN, threshold));
        if (sites == 5) kept("finish a run of 5 sites (4 verifiers)");
    }

    function decided(DecisionKind kind, bytes32 subject, bytes32[] memory owners) private returns (bytes32 decision) {
        decision = open(kind, subject, 0, owners);
        for (uint256 i = 1; i < MEMBERS; ++i) {
            ballot(i, decision, subject, IDecisionBoard.Choice.Yes);
        }
        board.close(decision);
    }

    function checkpoint(uint64 size) private {
        bytes32 log = keccak256("log");
        bytes32 root = keccak256(abi.encode("root", size));
        bytes32 structHash =
            keccak256(abi.encode(keccak256("Checkpoint(bytes32 log,uint64 size,bytes32 root)"), log, size, root));
        IAuditAnchor.Witness[] memory witnesses = new IAuditAnchor.Witness[](3);
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory signature = signWith(siteSecret(i), "AuditAnchor", address(audits), structHash);
            witnesses[i] = IAuditAnchor.Witness(idOf(i), signature);
        }
        audits.anchor(log, size, root, witnesses);
    }

    function kept(string memory act) private {
        vm.snapshotGasLastCall("acts", act);
    }
}
