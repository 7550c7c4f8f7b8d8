"""Point 6: the changes through its life, who approved them, and the log that tells of them."""

from audit.compliance.ai_act_annex_iv.common import CHAIN, NAME, RECORDS, REGULATION, model_of
from audit.compliance.documents import Field, Part, Table, Value, absent, found, tabled
from audit.compliance.evidence import Evidence, Record
from audit.compliance.training_facts import VoteFacts

_KINDS = {
    "approve_plan": "Approval of the plan",
    "release_model": "Release of the model",
    "recall_model": "Recall of the model",
}
_CHANGES = {
    "training.plan.draft": "Plan drafted",
    "training.plan.propose": "Plan put to the vote",
    "training.plan.decide": "Plan decided",
    "training.run.create": "Run created",
    "model.candidate.register": "Candidate registered",
    "model.release.propose": "Release put to the vote",
    "model.release.decide": "Release decided",
    "model.recall.decide": "Recall decided",
}


def changes(evidence: Evidence) -> Part:
    """Return point 6, with the approvals that made each change."""
    model = model_of(evidence)
    return Part(
        name=f"{NAME}_6",
        title="6. Changes through its life, and who approved them",
        regulation=f"{REGULATION} 6, with Art. 12 and 14",
        introduction=(
            "An organization votes by the key of a person with the role of voter; who it was, the organization alone "
            "knows. Ballots are signatures on the members' chain."
        ),
        fields=(
            found(
                "released_block",
                "Released in block",
                model.released_block or "not released",
                CHAIN,
                otherwise="",
            ),
            found(
                "recalled_block",
                "Recalled in block",
                model.recalled_block or "not recalled",
                CHAIN,
                otherwise="",
            ),
            absent(
                "voters",
                "Names of the people who voted",
                "Known to each organization alone: its agent keeps who approved a ballot.",
            ),
            *_event_log(evidence),
        ),
        tables=(_decisions(evidence), _ballots(evidence), _change_log(evidence), _anchors(evidence)),
    )


def _event_log(evidence: Evidence) -> list[Field]:
    log = evidence.log
    covered = max((anchor.size for anchor in evidence.anchors), default=None)
    return [
        found("log_origin", "Event log (Art. 12)", log.origin, "checkpoints/", otherwise=""),
        found("log_records", "Records under the last checkpoint", log.size, "checkpoints/", otherwise=""),
        found("log_root", "Root of the log", log.root, "checkpoints/", otherwise=""),
        found(
            "log_anchored",
            "Records under a checkpoint on the members' chain",
            covered,
            "chain/anchors.json",
            otherwise="No checkpoint was anchored yet.",
        ),
    ]


def _decisions(evidence: Evidence) -> Table:
    rows = [
        (
            _KINDS.get(vote.kind, vote.kind),
            evidence.name_of(vote.author),
            vote.state,
            f"{vote.count('yes')} yes, {vote.count('no')} no, {vote.count('abstain')} abstained",
            vote.base,
            vote.decided or "-",
            vote.block or "-",
        )
        for vote in model_of(evidence).votes
    ]
    columns = ("Decision", "Proposed by", "State", "Ballots", "May vote", "Decided", "Block")
    return tabled(
        "decisions",
        "Decisions of the members",
        columns,
        rows,
        CHAIN,
        otherwise="No decision on this model was opened in the period.",
    )


def _ballots(evidence: Evidence) -> Table:
    rows = [row for vote in model_of(evidence).votes for row in _ballot_rows(evidence, vote)]
    columns = ("Decision", "Organization", "Role", "Choice", "Time", "Block")
    return tabled(
        "ballots", "Ballots", columns, rows, CHAIN, otherwise="No ballot on this model was cast in the period."
    )


def _ballot_rows(evidence: Evidence, vote: VoteFacts) -> list[tuple[Value, ...]]:
    what = _KINDS.get(vote.kind, vote.kind)
    return [
        (what, evidence.name_of(one.organization), "voter", one.choice, one.time or "-", one.block or "-")
        for one in vote.ballots
    ]


def _change_log(evidence: Evidence) -> Table:
    rows = [
        (
            record["recorded_at"],
            _CHANGES[record["action"]],
            record["data"].get("outcome", "-"),
            record["data"].get("block") or "-",
        )
        for record in evidence.records
        if record["action"] in _CHANGES and _is_about(evidence, record)
    ]
    columns = ("Time", "Change", "Outcome", "Block")
    return tabled(
        "change_log",
        "Change log",
        columns,
        rows,
        RECORDS,
        otherwise="No change of this model is on record in the period.",
    )


def _is_about(evidence: Evidence, record: Record) -> bool:
    """Say whether a record is about the model, its run or its plan: by id, or by the digest that it names."""
    model = model_of(evidence)
    named = {record["subject"].get("id"), record["data"].get("digest"), record["data"].get("plan")}
    return bool(named & {model.id, model.digest, model.run.id, model.run.plan_digest})


def _anchors(evidence: Evidence) -> Table:
    rows = [(one.size, one.block, one.block_time, one.transaction) for one in evidence.anchors[-20:]]
    columns = ("Records", "Block", "Time of the block", "Transaction")
    return tabled(
        "log_anchors",
        "Last anchors of the event log",
        columns,
        rows,
        "chain/anchors.json",
        otherwise="No checkpoint was anchored yet.",
    )
