"""Conditions for consent: Regulation (EU) 2016/679, Art. 7(1) (proof) and 7(3) (withdrawal), in numbers.

Numbers of people are bands: a count that is exact could tell of a single one. Exact counts lie at each site.
"""

from collections import Counter

from audit.compliance.documents import Field, Part, Table, absent, found, person_states, tabled
from audit.compliance.evidence import NO_WITHDRAWALS, OF_EACH_MEMBER, Evidence

NAME = "gdpr_art_7"
REGULATION = "Regulation (EU) 2016/679 (GDPR), Art. 7(1) and 7(3)"
NOTHING = "No consents recorded: neither the exporting organization nor any member has recorded or anchored any."
_GRANTS = "consents on the platform, in bands"
_WITHDRAWALS = "withdrawals on the platform, in bands"
_EPOCHS = "consent epochs on the members' chain"
_RECORDS = "records.jsonl"
_TO_EFFECT = "time from the withdrawal to its effect, in seconds"
_NOT_YET = "No withdrawal has taken effect yet."
_STATES = (
    ("active", "Consents in force"),
    ("withdrawn", "Consents withdrawn"),
    ("expired", "Consents expired"),
    ("erased", "Consents erased"),
)


def part(evidence: Evidence) -> Part:
    """Return what the records and the exporter's own consents answer to the article."""
    return Part(
        name=NAME,
        title="Proof of consents in numbers",
        regulation=REGULATION,
        introduction=(
            "Numbers of people are bands (fewer than 10, 10 to 24, 25 to 49, ...). Consents are known here by "
            "pseudonyms alone; who really agreed is attested by each organization. Consents and epochs are as they "
            "stood when the report was made; withdrawals and anchors are those of the period."
        ),
        fields=(*_proof(evidence), *_withdrawal(evidence), *_open()),
        tables=(_members(evidence), _anchorings(evidence)),
    )


def _proof(evidence: Evidence) -> list[Field]:
    consents, reason = evidence.consents, OF_EACH_MEMBER if evidence.is_by_auditor else NOTHING
    grants = consents.grants if consents else {}
    batches = consents.batches or None if consents else None
    signed = "signed batches on the platform"
    return [
        found("batches", "Batches of consents signed by the organization's own key", batches, signed, otherwise=reason)
    ] + [
        found(f"grants_{state}", f"{title} (Art. 7(1))", grants.get(state), _GRANTS, otherwise=reason)
        for state, title in _STATES
    ]


def _withdrawal(evidence: Evidence) -> list[Field]:
    facts = evidence.consents.withdrawals if evidence.consents else NO_WITHDRAWALS
    nothing, not_yet = (OF_EACH_MEMBER,) * 2 if evidence.is_by_auditor else (NOTHING, _NOT_YET)
    revocations = sum(record["action"] == "consent.revocation.anchor" for record in evidence.records)
    numbers = (
        ("withdrawals_recorded", "Withdrawals recorded (Art. 7(3))", facts.recorded, nothing),
        ("withdrawals_received", "Withdrawals with the site's signed receipt", facts.received, nothing),
        ("withdrawals_confirmed", "Withdrawals in effect on every chain", facts.confirmed, nothing),
        ("median_seconds_to_effect", f"Median {_TO_EFFECT}", facts.median_seconds, not_yet),
        ("longest_seconds_to_effect", f"Longest {_TO_EFFECT}", facts.longest_seconds, not_yet),
    )
    return [found(name, title, value, _WITHDRAWALS, otherwise=reason) for name, title, value, reason in numbers] + [
        found(
            "revocations_anchored",
            "Revocations that members anchored between epochs",
            revocations or None,
            _RECORDS,
            otherwise="No member anchored a revocation between epochs.",
        )
    ]


def _open() -> list[Field]:
    return [
        absent(
            "text_versions",
            "Version of the text that each person saw",
            "Stands with each consent at its site, in the organization's own store.",
        ),
        absent(
            "exact_counts",
            "Exact numbers of people",
            "Not exported: bands alone leave a site; the exact counts lie at the sites, under the anchored roots.",
        ),
        person_states("free_choice", "That consent was freely given (Art. 7(2) and 7(4))"),
    ]


def _members(evidence: Evidence) -> Table:
    epochs = evidence.consents.epochs if evidence.consents else ()
    rows = sorted((evidence.name_of(e.organization), e.epoch, e.seq, e.band, e.as_of, e.root) for e in epochs)
    columns = ("Member", "Epoch", "Entry", "People", "As of", "Root")
    return tabled("epochs", "Newest consent epoch of each member", columns, rows, _EPOCHS, otherwise=NOTHING)


def _anchorings(evidence: Evidence) -> Table:
    """Count epochs and revocations by member: how often each brought its consents up to date."""
    counted = Counter(
        (record["subject"].get("id"), record["action"])
        for record in evidence.records
        if record["action"] in ("consent.epoch.anchor", "consent.revocation.anchor")
    )
    members = {organization for organization, _ in counted}
    rows = sorted(
        (
            evidence.name_of(member),
            counted[member, "consent.epoch.anchor"],
            counted[member, "consent.revocation.anchor"],
        )
        for member in members
    )
    columns = ("Member", "Epochs", "Revocations")
    reason = "No member anchored a consent epoch."
    return tabled("anchorings", "Anchored by each member", columns, rows, _RECORDS, otherwise=reason)
