"""Evidence for reports, made by hand."""

from typing import Any

from audit.compliance.evidence import (
    AnchorFacts,
    ConsentFacts,
    EpochFacts,
    Evidence,
    LogFacts,
    Record,
    WithdrawalFacts,
)

HOSPITAL, BANK = "0a0a0a0a-0000-4000-8000-000000000001", "0b0b0b0b-0000-4000-8000-000000000002"
ROOT = "0x" + "cd" * 32
TIME = "2026-11-23T12:00:0{}.000001Z"


def act(second: int = 0, **changes: Any) -> Record:
    """One act of the platform's coordinator."""
    record = {
        "action": "training.lease.take",
        "outcome": "succeeded",
        "recorded_at": TIME.format(second),
        "actor": {"kind": "system", "organization": None, "id": "coordinator"},
        "subject": {"kind": "run", "id": "1"},
        "data": {"fence": second},
    }
    return record | changes


def export(second: int, organization: str = HOSPITAL, **changes: Any) -> Record:
    """An export by a person of an organization."""
    person = {"kind": "person", "organization": organization, "commitment": "sha256:" + "ab" * 32}
    data = {"digest": "sha256:" + "ef" * 32}
    return act(second, action="audit.bundle.export", actor=person, data=data, **changes)


def anchored(organization: str, action: str = "consent.epoch.anchor") -> Record:
    """A member brought its consents up to date on the chain."""
    return act(action=action, subject={"kind": "organization", "id": organization}, data={"epoch": 1})


def evidence(*records: Record, **changes: Any) -> Evidence:
    """Evidence of a consortium of a hospital and a bank, exported by the hospital."""
    values: dict[str, Any] = {
        "consortium": "0d0d0d0d-0000-4000-8000-000000000004",
        "consortium_name": "Arizona Cardiac",
        "exporter": HOSPITAL,
        "as_of": "2026-11-23T12:00:00Z",
        "organizations": {HOSPITAL: "Hospital", BANK: "Bank"},
        "log": LogFacts("consilium.example/logs/1", "the key", max(1, len(records)), ROOT, 2, 2),
        "records": records,
    }
    return Evidence(**(values | changes))


ANCHOR = AnchorFacts(2, ROOT, 9, "2026-11-23T12:00:01Z", "0x" + "ee" * 32, (BANK, HOSPITAL))
CONSENTS = ConsentFacts(
    grants={"active": "50 to 99", "withdrawn": "fewer than 10", "expired": "fewer than 10", "erased": "fewer than 10"},
    batches=2,
    withdrawals=WithdrawalFacts("fewer than 10", "fewer than 10", "fewer than 10", 3, 4),
    epochs=[EpochFacts(BANK, 1, 1, "100 to 249", ROOT, "2026-11-23T12:00:00Z", 7)],
)
