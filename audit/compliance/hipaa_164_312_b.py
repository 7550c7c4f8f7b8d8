"""Audit controls: 45 CFR 164.312(b), with the parts of (a), (c) and (d) that its records answer.

The rule asks for mechanisms that "record and examine activity in information systems that contain or use electronic
protected health information"; documentation is kept six years (164.316(b)(2)(i)).
"""

from collections import Counter
from collections.abc import Sequence

from audit.compliance.documents import Field, Part, Table, absent, built, found, person_states, tabled
from audit.compliance.evidence import OF_EACH_MEMBER, Evidence, Record

NAME = "hipaa_164_312_b"
REGULATION = "45 CFR 164.312(b), with 164.312(a)(2)(i), (c)(1), (d) and 164.316(b)(2)(i)"
_RECORDS = "records.jsonl"
_NOTHING = "The log holds no record of this period."
_PRIVATE = "Lies in each organization's own log, which this consortium's members do not read."
_MOST_ROWS = 200
_MOST_ANCHORS = 50
_EXPORT = "audit.bundle.export"


def part(evidence: Evidence) -> Part:
    """Return what the consortium's log answers to the rule."""
    return Part(
        name=NAME,
        title="Audit controls",
        regulation=REGULATION,
        introduction=(
            "Activity as the consortium's log recorded it. People stand in the log as salted commitments; no field of "
            "this report names one, and none is about a patient."
        ),
        fields=(*_activity(evidence), *_identity(evidence), *_integrity(evidence), *_review(evidence), *_open()),
        tables=(
            _by_action(evidence.records),
            _by_organization(evidence),
            _refused(evidence),
            _anchors(evidence),
            _exports(evidence),
        ),
    )


def _activity(evidence: Evidence) -> list[Field]:
    records = evidence.records
    outcomes = Counter(record["outcome"] for record in records)
    times = [record["recorded_at"] for record in records]
    return [
        found("acts", "Acts recorded", len(records) or None, _RECORDS, otherwise=_NOTHING),
        found("first_act", "First act", min(times, default=None), _RECORDS, otherwise=_NOTHING),
        found("last_act", "Last act", max(times, default=None), _RECORDS, otherwise=_NOTHING),
        found("succeeded", "Acts that succeeded", outcomes["succeeded"], _RECORDS, otherwise=_NOTHING),
        found("refused", "Attempts that were refused", outcomes["refused"], _RECORDS, otherwise=_NOTHING),
    ]


def _identity(evidence: Evidence) -> list[Field]:
    kinds = Counter(record["actor"]["kind"] for record in evidence.records)
    people = {record["actor"].get("commitment") for record in evidence.records if record["actor"]["kind"] == "person"}
    return [
        found("acts_of_people", "Acts of people", kinds["person"], _RECORDS, otherwise=_NOTHING),
        found("acts_of_agents", "Acts of organizations' agents", kinds["agent"], _RECORDS, otherwise=_NOTHING),
        found("acts_of_system", "Acts of the platform's parts", kinds["system"], _RECORDS, otherwise=_NOTHING),
        found(
            "unnamed_people",
            "Acts of people without an identifier of their own (164.312(a)(2)(i))",
            int(None in people),
            _RECORDS,
            otherwise=_NOTHING,
        ),
        absent("log_ins", "Log-ins and their method (164.312(d))", _PRIVATE),
        absent("network_addresses", "Network address of each act", "Not recorded: a record holds no address."),
    ]


def _integrity(evidence: Evidence) -> list[Field]:
    log = evidence.log
    covered = max((anchor.size for anchor in evidence.anchors), default=None)
    return [
        found(
            "integrity",
            "Result of re-deriving the log from its records (164.312(c)(1))",
            f"All {log.size} records lead to the roots of all {log.checkpoints} checkpoints in this bundle",
            "records.jsonl, checkpoints/",
            otherwise="",
        ),
        found("log_size", "Records under the last checkpoint", log.size, "checkpoints/", otherwise=""),
        found("log_root", "Root of the log", log.root, "checkpoints/", otherwise=""),
        found("log_key", "Key that signs the log", log.key, "manifest.json", otherwise=""),
        found(
            "witnesses_needed",
            "Members that must co-sign a checkpoint before the chain takes it",
            log.quorum,
            "registry of the consortium",
            otherwise="The registry's number was not read yet.",
        ),
        found(
            "anchored_records",
            "Records under a checkpoint on the members' chain",
            covered,
            "chain/anchors.json",
            otherwise="No checkpoint was anchored yet.",
        ),
        found(
            "unanchored_records",
            "Records not under such a checkpoint yet",
            log.size - (covered or 0),
            "chain/anchors.json",
            otherwise="",
        ),
    ]


def _review(evidence: Evidence) -> list[Field]:
    reviewers = evidence.reviewers
    nobody = "No person of the exporting organization has this role."
    reason = OF_EACH_MEMBER if evidence.is_by_auditor else nobody
    title = "People of the exporting organization who may review: "
    return [
        found(
            f"reviewers_{role}", title + words, reviewers.get(role) or None, "roles on the platform", otherwise=reason
        )
        for role, words in (("admin", "administrators"), ("compliance", "compliance officers"))
    ] + [
        absent("reviewer_names", "Their names", "Not exported; the organization's administrator holds the list."),
        absent("other_reviewers", "Reviewers of other organizations", "Known to each organization alone."),
    ]


def _open() -> list[Field]:
    return [
        built(
            "retention",
            "Retention (164.316(b)(2)(i): six years)",
            "Records are never changed or deleted; the database refuses both, and co-signed checkpoints would show it",
            "the log",
        ),
        person_states("risk_analysis", "Risk analysis (164.308(a)(1)(ii)(A))"),
        person_states("review_procedures", "Procedures by which activity is reviewed (164.308(a)(1)(ii)(D))"),
        person_states("associates", "Business associate agreements (164.308(b))"),
    ]


def _by_action(records: Sequence[Record]) -> Table:
    counted = Counter((record["action"], record["outcome"]) for record in records)
    rows = [
        (action, counted[action, "succeeded"], counted[action, "refused"]) for action in sorted({a for a, _ in counted})
    ]
    columns = ("Action", "Succeeded", "Refused")
    return tabled("acts_by_action", "Acts by action", columns, rows, _RECORDS, otherwise=_NOTHING)


def _by_organization(evidence: Evidence) -> Table:
    counted = Counter(evidence.actor_of(record) for record in evidence.records)
    rows = sorted(counted.items())
    return tabled(
        "acts_by_organization",
        "Acts by who acted",
        ("Organization", "Acts"),
        rows,
        _RECORDS,
        otherwise=_NOTHING,
    )


def _refused(evidence: Evidence) -> Table:
    rows = [
        (r["recorded_at"], r["action"], r.get("error", ""), evidence.actor_of(r))
        for r in evidence.records
        if r["outcome"] == "refused"
    ]
    columns = ("Time", "Action", "Reason", "Organization")
    reason = "No attempt was refused in this period."
    return tabled("refused_attempts", "Refused attempts", columns, rows, _RECORDS, otherwise=reason, most=_MOST_ROWS)


def _anchors(evidence: Evidence) -> Table:
    rows = [
        (a.size, a.block, a.block_time, ", ".join(evidence.name_of(witness) for witness in a.witnesses))
        for a in evidence.anchors
    ]
    return tabled(
        "anchors",
        "Checkpoints on the members' chain",
        ("Records", "Block", "Time of the block", "Witnesses"),
        rows,
        "chain/anchors.json",
        otherwise="No checkpoint was anchored yet.",
        most=_MOST_ANCHORS,
    )


def _exports(evidence: Evidence) -> Table:
    rows = [
        (r["recorded_at"], evidence.actor_of(r), r["outcome"], r["data"].get("digest", "-"))
        for r in evidence.records
        if r["action"] == _EXPORT
    ]
    return tabled(
        "reviews",
        "Who reviewed the log and when: earlier exports",
        ("Time", "Organization", "Outcome", "Digest of the bundle"),
        rows,
        _RECORDS,
        otherwise="No bundle of this log was exported in this period.",
        most=_MOST_ROWS,
    )
