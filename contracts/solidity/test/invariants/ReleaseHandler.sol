// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionKind} from "../../src/interfaces/DecisionRules.sol";
import {IAuditAnchor} from "../../src/interfaces/IAuditAnchor.sol";
import {IDecisionBoard} from "../../src/interfaces/IDecisionBoard.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Handler} from "../support/Handler.sol";

/// @notice Decisions of every kind on one model and on others, ballots at random, and tries to release by any of them.
contract ReleaseHandler is Handler {
    bytes32 public model;
    bytes32[] private _decisions;
    uint64 private _size;
    bool public isShrunk;

    function setUp() public override {
        super.setUp();
        complete(RUN);
        model = ledger.runOf(RUN).weights;
        bytes32 typehash = keccak256("RegisterCandidate(bytes32 model,bytes32 run,bytes32 card)");
        bytes32 structHash = keccak256(abi.encode(typehash, model, RUN, SUBJECT));
        models.registerCandidate(
            model, RUN, SUBJECT, signWith(siteSecret(0), "ModelRegistry", address(models), structHash)
        );
    }

    function openDecision(uint8 kind, bool isAboutModel, uint8 author, uint256 seconds_) external timed(seconds_) {
        DecisionKind chosen = DecisionKind(1 + kind % 4);
        bytes32 subject = isAboutModel ? model : keccak256(abi.encode(kind));
        uint256 member = author % FOUNDERS;
        bytes memory signature = openingSignature(voteSecret(member), chosen, subject, member, nobody());
        bytes memory call = abi.encodeCall(
            board.openDecision, (chosen, subject, POLICY, idOf(member), nobody(), type(uint64).max, signature)
        );
        (bool isDone, bytes memory answer) = address(board).call(call);
        if (isDone) _decisions.push(abi.decode(answer, (bytes32)));
    }

    function castBallot(uint256 draw, uint8 member, uint8 choice, uint256 seconds_) external timed(seconds_) {
        if (_decisions.length == 0) return;
        bytes32 id = _decisions[draw % _decisions.length];
        bytes32 subject = board.decision(id).subject;
        uint256 voter = member % FOUNDERS;
        IDecisionBoard.Choice chosen = IDecisionBoard.Choice(choice % 8 < 6 ? 1 : 2);
        bytes memory signature = choiceSignature(voteSecret(voter), voter, id, subject, chosen);
        tried(address(board), abi.encodeCall(board.castBallot, (id, subject, idOf(voter), chosen, signature)));
    }

    function close(uint256 draw, uint256 seconds_) external timed(seconds_) {
        if (_decisions.length == 0) return;
        tried(address(board), abi.encodeCall(board.close, (_decisions[draw % _decisions.length])));
    }

    function release(uint256 draw, bool isRecall, uint256 seconds_) external timed(seconds_) {
        if (_decisions.length == 0) return;
        bytes32 id = _decisions[draw % _decisions.length];
        tried(
            address(models),
            isRecall ? abi.encodeCall(models.recall, (model, id)) : abi.encodeCall(models.release, (model, id))
        );
    }

    function anchorLog(uint64 size, uint256 seconds_) external timed(seconds_) {
        size %= 1_000;
        bytes32 typehash = keccak256("Checkpoint(bytes32 log,uint64 size,bytes32 root)");
        bytes32 structHash = keccak256(abi.encode(typehash, SUBJECT, size, SUBJECT));
        IAuditAnchor.Witness[] memory witnesses = new IAuditAnchor.Witness[](3);
        for (uint256 i = 0; i < 3; ++i) {
            witnesses[i] =
                IAuditAnchor.Witness(idOf(i), signWith(siteSecret(i), "AuditAnchor", address(audits), structHash));
        }
        tried(address(audits), abi.encodeCall(audits.anchor, (SUBJECT, size, SUBJECT, witnesses)));
        uint64 known = audits.latestOf(SUBJECT).size;
        if (known < _size) isShrunk = true;
        _size = known;
    }

    function state() external view returns (IModelRegistry.ModelState) {
        return models.modelOf(model).state;
    }

    /// @notice Whether a decision of this kind about exactly the model was approved.
    function isDecided(DecisionKind kind) external view returns (bool) {
        for (uint256 i = 0; i < _decisions.length; ++i) {
            if (board.isApproved(kind, model, _decisions[i])) return true;
        }
        return false;
    }
}
