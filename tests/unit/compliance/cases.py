"""Evidence for reports, made by hand."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from audit.compliance.evidence import (
    AnchorFacts,
    BatchFacts,
    ConsentFacts,
    EpochFacts,
    Evidence,
    LogFacts,
    MemberFacts,
    PredictionFacts,
    ProtectionFacts,
    Record,
    WithdrawalFacts,
)
from audit.compliance.periods import Period
from audit.compliance.training_facts import (
    BallotFacts,
    ColumnFacts,
    DataSetFacts,
    ModelFacts,
    PlanFacts,
    RoundFacts,
    RunFacts,
    SiteFacts,
    TrainingFacts,
    VoteFacts,
)

HOSPITAL, BANK = "0a0a0a0a-0000-4000-8000-000000000001", "0b0b0b0b-0000-4000-8000-000000000002"
ROOT = "0x" + "cd" * 32
TIME = "2026-11-23T12:00:0{}.000001Z"
DIGEST = "sha256:{:064x}"
RUN, MODEL_ID = "0e0e0e0e-0000-4000-8000-000000000005", "0f0f0f0f-0000-4000-8000-000000000006"


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


def opened(number: int, bands: Sequence[int] = (50, 100), attempt: int = 1) -> Record:
    """A round of the run was opened with the hospital and the bank."""
    place = {"round": number, "attempt": attempt}
    data = {**place, "roster": [HOSPITAL, BANK], "bands": list(bands)}
    return act(number, action="training.round.open", subject={"kind": "run", "id": RUN}, data=data)


def closed(number: int, survivors: Sequence[str] = (HOSPITAL, BANK), attempt: int = 1) -> Record:
    """A round of the run was closed over these sites' updates."""
    data = {"round": number, "attempt": attempt, "survivors": list(survivors)}
    return act(number, action="training.round.close", subject={"kind": "run", "id": RUN}, data=data)


PLAN = PlanFacts(
    digest=DIGEST.format(1),
    title="Long stays",
    author=HOSPITAL,
    state="approved",
    made="2026-11-20T12:00:00.000000Z",
    purpose="health or medical or biomedical research (DUO:0000006)",
    serving_purpose="treatment (HL7:TREAT)",
    serving_code="HL7:TREAT",
    conditions=("non-commercial use only (DUO:0000046)",),
    categories=("http://hl7.org/fhir/resource-types|Procedure",),
    recipients=(BANK, HOSPITAL),
    sites=(BANK, HOSPITAL),
    columns=(("age", "numeric"), ("days", "numeric")),
    features=("age",),
    target="days above 8",
    algorithm="logistic regression",
    settings=(("Learning rate", "1"),),
    metrics=("accuracy", "auc"),
    threshold=4,
    colluders=1,
    minimum_sites=4,
    minimum_cohort=50,
    verifiers=3,
    code_digest=DIGEST.format(2),
    runner_digest=DIGEST.format(3),
)


def round_of(number: int, closed: str = "2026-11-23T12:00:0{}.000000Z") -> RoundFacts:
    """A round that both sites took part in, with its figures."""
    figures = (("AUC", "0.8800"), ("AUC is exact within", "0.0004"), ("Accuracy", "0.8000"), ("Rows", "100 to 249"))
    sites = (SiteFacts(HOSPITAL, "50 to 99", 4 + number), SiteFacts(BANK, "100 to 249", 7))
    weights = DIGEST.format(10 + number), DIGEST.format(11 + number)
    return RoundFacts(number, 1, closed.format(number), 1300 + number, 2, sites, *weights, figures)


TRAINED = RunFacts(
    id=RUN,
    plan=PLAN,
    plan_digest=PLAN.digest,
    author=HOSPITAL,
    backend="substra",
    state="completed",
    started="2026-11-23T12:00:00.000000Z",
    ended="2026-11-23T12:01:00.000000Z",
    rounds=(round_of(1), round_of(2)),
)
DATA_SET = DataSetFacts(
    organization=HOSPITAL,
    name="stays",
    size="100 to 249",
    columns=(ColumnFacts("age", "numeric", "a", 0), ColumnFacts("days", "numeric", "d", 0)),
    purposes=("health or medical or biomedical research (DUO:0000006)",),
    conditions=(),
    signed="2026-11-19T12:00:00.000000Z",
    schema_digest=DIGEST.format(4),
    digest=DIGEST.format(5),
)
TRAINING = TrainingFacts([PLAN], [TRAINED], [DATA_SET])
RELEASE = VoteFacts(
    subject="0x" + "44" * 32,
    kind="release_model",
    author=HOSPITAL,
    state="executed",
    opened="2026-11-23T12:02:00.000000Z",
    decided="2026-11-23T12:03:00.000000Z",
    block=1400,
    base=2,
    ballots=(
        BallotFacts(BANK, "yes", 1390, "2026-11-23T12:02:30.000000Z"),
        BallotFacts(HOSPITAL, "no", 1391, "2026-11-23T12:02:31.000000Z"),
    ),
)
MODEL = ModelFacts(
    id=MODEL_ID,
    digest=DIGEST.format(13),
    card=DIGEST.format(6),
    state="released",
    author=HOSPITAL,
    made="2026-11-23T12:01:00.000000Z",
    block=1350,
    released_block=1400,
    recalled_block=None,
    limits=("No single update was opened; comparison of sums is not protected against.",),
    earlier=(),
    run=TRAINED,
    votes=(RELEASE,),
)
MEMBERS = (MemberFacts(BANK, "Bank", "", "active"), MemberFacts(HOSPITAL, "Hospital", "DE", "active"))
PREDICTIONS = [
    PredictionFacts(
        MODEL.digest,
        PLAN.serving_purpose,
        PLAN.serving_code,
        first="2026-11-23T12:04:00.000000Z",
        last="2026-11-23T12:05:00.000000Z",
        requests=3,
        rows="10 to 24",
    )
]
BATCHES = [BatchFacts("2026-11-22T12:00:00.000000Z", "50 to 99", DIGEST.format(7))]


def evidence(*records: Record, **changes: Any) -> Evidence:
    """Evidence of a consortium of a hospital and a bank, exported by the hospital."""
    values: dict[str, Any] = {
        "consortium": "0d0d0d0d-0000-4000-8000-000000000004",
        "consortium_name": "Arizona Cardiac",
        "exporter": HOSPITAL,
        "as_of": "2026-11-23T12:00:00Z",
        "organizations": {HOSPITAL: "Hospital", BANK: "Bank"},
        "log": LogFacts("consilium.example/logs/1", "the key", max(1, len(records)), ROOT, 2, 2),
        "period": Period(date(2026, 11, 1), date(2026, 11, 30)),
        "records": records,
        "members": MEMBERS,
        "training": TRAINING,
        "model": MODEL,
        "protection": ProtectionFacts(41, "sha256:" + "70" * 32),
    }
    return Evidence(**(values | changes))


ANCHOR = AnchorFacts(2, ROOT, 9, "2026-11-23T12:00:01Z", "0x" + "ee" * 32, (BANK, HOSPITAL))
CONSENTS = ConsentFacts(
    grants={"active": "50 to 99", "withdrawn": "fewer than 10", "expired": "fewer than 10", "erased": "fewer than 10"},
    batches=2,
    withdrawals=WithdrawalFacts("fewer than 10", "fewer than 10", "fewer than 10", 3, 4),
    epochs=[EpochFacts(BANK, 1, 1, "100 to 249", ROOT, "2026-11-23T12:00:00Z", 7)],
)
