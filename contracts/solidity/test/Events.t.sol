// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuditAnchor} from "../src/interfaces/IAuditAnchor.sol";
import {DecisionKind} from "../src/interfaces/DecisionRules.sol";
import {IConsentAnchor} from "../src/interfaces/IConsentAnchor.sol";
import {IConsortiumGovernor} from "../src/interfaces/IConsortiumGovernor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {ITrainingLedger} from "../src/interfaces/ITrainingLedger.sol";
import {IValidatorSource} from "../src/interfaces/IValidatorSource.sol";
import {SortedAddresses} from "../src/libraries/SortedAddresses.sol";
import {Training} from "./support/Training.sol";

/// @dev The projector rebuilds its read models from these alone, so each is held in full.
contract EventsTest is Training {
    using SortedAddresses for address[];

    function test_admission_and_activation_name_keys_profile_and_validators() public {
        IConsortiumRegistry.Admission memory given = admissionOf(5);
        vm.expectEmit(address(registry));
        emit IConsortiumRegistry.OrganizationAdmitted(
            given.id, given.voteKey, given.siteKey, given.validator, given.profile
        );
        asGovernance();
        registry.admit(given);

        address[] memory seats = source.getValidators().with(given.validator);
        vm.expectEmit(address(source));
        emit IValidatorSource.ValidatorsReplaced(seats, keccak256(abi.encodePacked(seats)));
        vm.expectEmit(address(registry));
        emit IConsortiumRegistry.ValidatorActivated(given.id, given.validator);
        asGovernance();
        registry.activateValidator(given.id);
    }

    function test_replaced_key_names_both_keys() public {
        address old = vm.addr(siteSecret(1));
        IConsortiumRegistry.KeyPurpose site = IConsortiumRegistry.KeyPurpose.Site;
        vm.expectEmit(address(registry));
        emit IConsortiumRegistry.KeyReplaced(idOf(1), site, old, address(7), true);
        asGovernance();
        registry.replaceKey(idOf(1), site, address(7));
    }

    function test_proposal_names_organization_kind_arguments_and_description() public {
        bytes memory arguments = abi.encode(idOf(4));
        vm.recordLogs();
        uint256 proposalId = propose(0, IConsortiumGovernor.ActKind.Suspend, arguments);
        bytes32[] memory topics = vm.getRecordedLogs()[1].topics;
        assertEq(topics[0], IConsortiumGovernor.ActProposed.selector);
        assertEq(uint256(topics[1]), proposalId);
        assertEq(topics[2], idOf(0));
        assertEq(uint256(topics[3]), uint256(IConsortiumGovernor.ActKind.Suspend));
    }

    function test_decision_names_rule_base_owners_and_tally() public {
        bytes32 id = typedDigest(
            "DecisionBoard", address(board), openingHash(DecisionKind.ReleaseModel, SUBJECT, 0, members(1))
        );
        uint48 openedAt = uint48(block.timestamp);
        bytes memory signature = openingSignature(voteSecret(0), DecisionKind.ReleaseModel, SUBJECT, 0, members(1));
        vm.expectEmit(address(board));
        emit IDecisionBoard.DecisionOpened(
            id,
            DecisionKind.ReleaseModel,
            SUBJECT,
            POLICY,
            idOf(0),
            members(1),
            5,
            openedAt,
            openedAt + 1 hours,
            rules()[1]
        );
        board.openDecision(DecisionKind.ReleaseModel, SUBJECT, POLICY, idOf(0), members(1), type(uint64).max, signature);
        signature = choiceSignature(voteSecret(1), 1, id, SUBJECT, IDecisionBoard.Choice.No);
        vm.expectEmit(address(board));
        emit IDecisionBoard.BallotCast(id, idOf(1), SUBJECT, IDecisionBoard.Choice.No);
        board.castBallot(id, SUBJECT, idOf(1), IDecisionBoard.Choice.No, signature);
        passSeconds(1 hours);
        vm.expectEmit(address(board));
        emit IDecisionBoard.DecisionClosed(id, DecisionKind.ReleaseModel, SUBJECT, false, 0, 1, 0);
        board.close(id);
    }

    function test_consents_name_epoch_and_every_revoked_subject() public {
        bytes32[] memory list = subjects(2);
        bytes32 chain = keccak256(abi.encode(keccak256(abi.encode(bytes32(0), list[0])), list[1]));
        bytes memory signature = revocationSignature(siteSecret(0), 0, 1, 2, list);
        vm.expectEmit(address(consents));
        emit IConsentAnchor.ConsentsRevoked(idOf(0), 1, 2, list, 2, chain);
        consents.revokeConsents(idOf(0), 1, 2, list, signature);

        signature = epochSignature(siteSecret(0), 0, 2, SUBJECT, 100, 3, now64());
        vm.expectEmit(address(consents));
        emit IConsentAnchor.ConsentEpochAnchored(idOf(0), 2, SUBJECT, 100, 3, now64());
        consents.anchorEpoch(idOf(0), 2, SUBJECT, 100, 3, now64(), signature);
    }

    function test_run_names_terms_commitments_results_and_its_end() public {
        vm.expectEmit(address(ledger));
        emit ITrainingLedger.RunOpened(RUN, PLAN, approval, idOf(0), INITIAL, terms());
        openRun(RUN);
        ITrainingLedger.Opening memory next = opening(RUN, 4);
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectEmit(address(ledger));
            emit ITrainingLedger.CommitmentAccepted(RUN, 1, idOf(i), next.commitments[i].commitment);
        }
        ledger.openAttempt(RUN, next);
        vm.expectEmit(address(ledger));
        emit ITrainingLedger.AttemptAbandoned(RUN, 1, 1, ITrainingLedger.AbandonReason.Blame);
        ledger.abandonAttempt(RUN, 1, 1, ITrainingLedger.AbandonReason.Blame);
        openNext(RUN, 4);
        ITrainingLedger.RoundClose memory ended = closing(RUN, 3);
        vm.expectEmit(address(ledger));
        emit ITrainingLedger.RoundClosed(
            RUN, 1, 2, 15, ended.maskedDigests, ended.aggregate, ended.nextWeights, members(3)
        );
        ledger.closeRound(RUN, ended);
        bytes memory signature = cancelSignature(siteSecret(0), RUN, SUBJECT);
        vm.expectEmit(address(ledger));
        emit ITrainingLedger.RunCanceled(RUN, SUBJECT);
        ledger.cancelRun(RUN, SUBJECT, signature);
    }

    function test_checkpoint_names_its_witnesses() public {
        bytes32 typehash = keccak256("Checkpoint(bytes32 log,uint64 size,bytes32 root)");
        bytes32 structHash = keccak256(abi.encode(typehash, SUBJECT, 8, POLICY));
        IAuditAnchor.Witness[] memory list = new IAuditAnchor.Witness[](3);
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory signature = signWith(siteSecret(i), "AuditAnchor", address(audits), structHash);
            list[i] = IAuditAnchor.Witness(idOf(i), signature);
        }
        vm.expectEmit(address(audits));
        emit IAuditAnchor.CheckpointAnchored(SUBJECT, 8, POLICY, members(3));
        audits.anchor(SUBJECT, 8, POLICY, list);
    }
}
