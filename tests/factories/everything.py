"""A row of every model, all the hospital's: what others must not see, and what the API's examples are about."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db.models import Model as Row
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.models import (
    Anchor,
    AuditLeaf,
    AuditLog,
    AuditRecord,
    Bundle,
    Checkpoint,
    Cosignature,
    PendingRecord,
    PersonalField,
    RecordKey,
    TreeNode,
    WitnessRule,
)
from audit.recorder import record
from consent import models as consents
from consortium.common import blobs
from consortium.common.models import Blob, RememberedAnswer
from consortium.governance.models import Ballot, DecisionRule, GuardianRule, Proposal, Veto
from consortium.kernel.checkpoints import Checkpoint as Signed
from consortium.kernel.checkpoints import sign_checkpoint
from consortium.kernel.merkle import leaf_hash
from consortium.kernel.notes import NoteSigner
from consortium.membership.models import (
    AuditorAppointment,
    Invitation,
    MemberPage,
    Membership,
    OrganizationKey,
    RoleAssignment,
    SitePresence,
    User,
    WorkItem,
)
from contracts.models import (
    AppliedMark,
    BlockProof,
    ChainCursor,
    ChainEventRecord,
    ContractDeployment,
    OutboxTransaction,
    RelayAccount,
)
from tests.factories.membership import World, make_user
from tests.factories.training import digest, make_model, make_plan, make_round, make_run
from training.domain.plan_document import parse_plan
from training.federated.weights import initial_weights
from training.models import Attempt, Errand, ForeignModel, ForeignStatement, LineageRow, Peer, Run, RunOrder, SitePart

ROLES = ("admin", "voter", "steward", "scientist", "compliance")
PSEUDONYM = "5e" + "a7" * 30 + "1c"
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
CHAIN_KEY = "0x" + "ab" * 32


@dataclass
class Everything:
    """The hospital's rows by model; `site_key` is the address that its agent signs with."""

    world: World
    site_key: str
    rows: dict[type[Row], Row] = field(default_factory=dict)
    # Rows that are one person's own, an auditor's: not even the hospital sees them.
    persons_own: list[Row] = field(default_factory=list)
    # Runs that can be told to pause, to resume, to end; the one in `rows` is completed.
    live_runs: list[Run] = field(default_factory=list)

    @property
    def names(self) -> dict[str, Any]:
        return {"consortium": self.world.consortium, "organization": self.world.hospital}

    @property
    def identifiers(self) -> dict[str, Any]:
        return {"consortium_id": self.world.consortium.pk, "organization_id": self.world.hospital.pk}

    def add(self, *rows: Row) -> None:
        self.rows |= {type(row): row for row in rows}

    def get(self, model: type[Row]) -> Any:
        """Return the hospital's row of a model."""
        return self.rows[model]


def make_everything(world: World, site_key: str) -> Everything:
    """Fill every table; call as a superuser, because no role of the platform may write all of them."""
    made = Everything(world, site_key)
    for fill in (_membership, _governance, _training, _foreign, _channel, _chain, _consents, _auditors, _audit):
        fill(made)
    return made


def _membership(made: Everything) -> None:
    world = made.world
    membership = Membership.objects.get(**made.names)
    for purpose, address in (("vote", "0x" + "77" * 20), ("site", made.site_key)):
        made.add(OrganizationKey.objects.create(membership=membership, purpose=purpose, address=address))
    for role in ROLES:
        user = make_user(f"{role}.only@hospital.example")
        made.add(user, RoleAssignment.objects.create(user=user, organization=world.hospital, role=role))
    regulator = make_user("regulator@authority.example")
    appointed = {"user": regulator, "consortium": world.consortium, "organization": world.hospital, "name": "Regulator"}
    made.add(AuditorAppointment.objects.create(**appointed))
    made.add(
        Invitation.objects.create(
            organization=world.hospital,
            email="invited.only@hospital.example",
            name="Invited",
            roles=["voter"],
            token_digest=digest(7),
            invited_by=User.objects.get(email="admin@hospital.example"),
            expires_at=timezone.now() + timedelta(days=7),
        ),
        MemberPage.objects.create(organization=world.hospital, address="https://only.hospital.example/"),
    )
    made.add(world.hospital, world.consortium, membership)
    answer = {"principal": "agent", "route": "POST /", "key": "k", "fingerprint": "f", "status": 200}
    made.add(RememberedAnswer.objects.create(organization_id=world.hospital.pk, **answer))


def _governance(made: Everything) -> None:
    proposal = Proposal.objects.create(
        **made.names,
        contract="DecisionBoard",
        kind="approve_plan",
        chain_key=CHAIN_KEY,
        subject="0x" + "cd" * 32,
        description="A plan",
        state="active",
        base=2,
        rule={"quorum_bps": 5000, "threshold_bps": 5000, "minimum_votes": 1, "exclude_author": False},
    )
    # The bank's, so that the hospital's agent still has a vote to cast.
    ballot = Ballot.objects.create(
        proposal=proposal, consortium=made.world.consortium, organization=made.world.bank, choice="yes"
    )
    rule = DecisionRule.objects.create(
        consortium=made.world.consortium,
        kind="approve_plan",
        quorum_bps=5000,
        threshold_bps=5000,
        period_seconds=60,
        minimum_votes=1,
        exclude_author=True,
        set_in_block=1,
    )
    guardian = GuardianRule.objects.create(
        consortium=made.world.consortium, organizations=[str(made.world.hospital.pk)], threshold=2, set_in_block=1
    )
    waiting = Proposal.objects.create(
        **made.names,
        contract="ConsortiumGovernor",
        kind="suspend",
        chain_key="77",
        description="An act that waits",
        state="queued",
        base=2,
        call={"targets": ["0x" + "77" * 20], "values": [0], "calldatas": ["0x" + "ab" * 36], "description": "Why"},
    )
    veto = Veto.objects.create(
        proposal=waiting,
        consortium=made.world.consortium,
        organization=made.world.hospital,
        reason="Only the members may know why",
        voter="0x" + "77" * 20,
        signature="0x" + "11" * 65,
    )
    made.add(proposal, ballot, rule, guardian, veto)


def _training(made: Everything) -> None:
    make_plan(made.world, title="Drafted", state="draft", decided_block=None)
    plan = make_plan(made.world)
    plan.proposal = made.get(Proposal)
    plan.save()
    run = make_run(made.world, plan, rounds=1)
    document = parse_plan(bytes(blobs.get(consortium_id=plan.consortium_id, digest=plan.digest).data))
    weights = initial_weights(run.pk, document.training_plan.weight_count)
    run.weights = blobs.put(consortium_id=run.consortium_id, data=weights, media_type=blobs.SAFETENSORS_TYPE)
    run.save()
    round_ = make_round(made.world, run, 1, 1)
    model = make_model(run)
    model.state = "released"
    model.save()
    attempt = Attempt.objects.get(round=round_)
    made.live_runs = [make_run(made.world, plan, state=state, ended_at=None) for state in ("running", "paused")]
    order = RunOrder.objects.create(**made.names, run=run, kind="cancel", reason="no longer needed")
    task = {"kind": "train", "backend": "memory", "compute_plan": "p", "key": "k", "status": "done"}
    place = {"run": run, "round": 1, "attempt": 1, "organization_id": made.world.hospital.pk}
    lineage = LineageRow.objects.create(consortium=run.consortium, **place, **task)
    part = SitePart.objects.get(attempt=attempt, organization=made.world.hospital)
    made.add(plan, run, round_, model, attempt, order, lineage, part, Blob.objects.get(digest=plan.digest))


def _foreign(made: Everything) -> None:
    """What another consortium's chain proved to the hospital's."""
    consortium = made.world.consortium
    peer = Peer.objects.create(
        consortium=consortium,
        peer="0x" + "9e" * 32,
        is_accepted=True,
        decided_block=1,
        chain_id=77,
        models_address="0x" + "9f" * 20,
        source_address="0x" + "9d" * 20,
        anchor_height=1,
        anchor_hash="0x" + "9c" * 32,
        anchor_validators="0x" + "9b" * 32,
        opened_block=2,
        proven_height=1,
        proven_hash="0x" + "9c" * 32,
        proven_validators="0x" + "9b" * 32,
        proven_block=2,
        proven_at=MOMENT,
    )
    proven = {"proven_at": MOMENT, "consortium": consortium}
    model = ForeignModel.objects.create(
        peer=peer, digest="sha256:" + "9a" * 32, state="released", proven_block=3, **proven
    )
    statement = ForeignStatement.objects.create(
        model=model,
        kind="released",
        word="0x" + "99" * 32,
        peer_block=2,
        block=3,
        transaction_hash="0x" + "98" * 32,
        **proven,
    )
    made.add(peer, model, statement)


def _channel(made: Everything) -> None:
    work = WorkItem.objects.create(
        **made.names, kind="train", payload={"round": 1}, deadline=timezone.now() + timedelta(hours=1)
    )
    errand = Errand.objects.create(attempt=made.get(Attempt), organization=made.world.hospital, kind="train", work=work)
    presence = SitePresence.objects.create(organization=made.world.hospital, seen_at=MOMENT)
    made.add(work, errand, presence)


def _chain(made: Everything) -> None:
    consortium = made.world.consortium.pk
    for number, name in enumerate(("ConsortiumGovernor", "DecisionBoard", "ConsentAnchor", "AuditAnchor"), start=1):
        address = f"0x{number:040x}"
        made.add(ContractDeployment.objects.create(consortium_id=consortium, name=name, address=address, block=1))
    made.add(
        OutboxTransaction.objects.create(
            **made.identifiers, contract="DecisionBoard", function="castBallot", idempotency_key="k", correlation_id="c"
        ),
        RelayAccount.objects.create(address="0x" + "99" * 20),
        ChainCursor.objects.create(consortium_id=consortium, first_block=1, position=1),
        AppliedMark.objects.create(consortium_id=consortium),
        BlockProof.objects.create(consortium_id=consortium, block_number=1),
        ChainEventRecord.objects.create(
            consortium_id=consortium,
            name="RoundClosed",
            contract="TrainingLedger",
            address="0x" + "88" * 20,
            block_number=1,
            block_hash="0x",
            block_time=1,
            transaction_hash="0x",
            log_index=0,
            transaction_log_index=0,
        ),
    )


def _consents(made: Everything) -> None:
    batch = consents.ConsentBatch.objects.create(
        **made.names, sequence=1, digest=digest(1), state="accepted", accepted=1
    )
    withdrawal = consents.Withdrawal.objects.create(
        organization=made.world.hospital, pseudonym="cd" * 32, reason="other", origin="platform"
    )
    effect = consents.WithdrawalEffect.objects.create(**made.names, withdrawal=withdrawal)
    grant = consents.Grant.objects.create(
        **made.names,
        batch=batch,
        consent_id="ef" * 32,
        pseudonym=PSEUDONYM,
        state="active",
        recorded_at=MOMENT,
        resource=_resource(),
    )
    rule = consents.EffectiveRule.objects.create(
        **made.names,
        subject=PSEUDONYM,
        rule_group=1,
        rule_rank=1,
        effect="permit",
        purpose="DUO:0000006",
        purpose_path="DUO:0000006",
        conditions=[],
        valid_from=MOMENT,
    )
    made.add(batch, withdrawal, effect, grant, rule, *_shared_consents(made))


def _shared_consents(made: Everything) -> list[Row]:
    epoch = {"epoch": 1, "seq": 1, "root": "0x" + "11" * 32, "band": 10, "as_of": MOMENT, "chain_state": "confirmed"}
    data_set = {"name": "stays", "schema": {"columns": []}, "schema_digest": digest(2), "band": 10, "digest": digest(3)}
    return [
        consents.ConsentEpoch.objects.create(**made.names, **epoch),
        consents.RevocationEvent.objects.create(**made.names, epoch=1, seq=2),
        consents.DataSet.objects.create(**made.names, **data_set, signed_at=MOMENT),
    ]


def _resource() -> dict[str, Any]:
    from consent.fhir.generator import generate_consents

    return dict(generate_consents(["patient"], seed=1, made_for=MOMENT).resources[0])


def _auditors(made: Everything) -> None:
    """What the consortium's auditor asked for, and was answered."""
    person = made.get(AuditorAppointment).user_id
    asked = {"consortium_id": made.world.consortium.pk, "person_id": person, "report": "audit_controls"}
    answer = {"principal": str(person), "route": "POST /", "key": "k", "fingerprint": "f", "status": 202}
    made.persons_own = [
        Bundle.objects.create(**asked, correlation_id="c"),
        RememberedAnswer.objects.create(**answer),
    ]


def _audit(made: Everything) -> None:
    """The hospital's log and the consortium's, each with a checkpoint and one record that still waits."""
    person = Actor.person(made.get(User).pk, made.world.hospital.pk)
    subject = Subject("person", str(made.get(User).pk))
    for _ in range(2):
        record(
            action="identity.logout",
            organization_id=made.world.hospital.pk,
            consortium_id=None,
            actor=person,
            subject=subject,
        )
        record(
            action="governance.ballot.relay",
            organization_id=None,
            consortium_id=made.world.consortium.pk,
            actor=person,
            subject=Subject("proposal", str(made.get(Proposal).pk)),
            data={"organization": str(made.world.hospital.pk), "choice": "yes"},
        )
    log = AuditLog.objects.get(consortium_id=made.world.consortium.pk)
    first = AuditRecord.objects.filter(log=log).earliest("recorded_at", "id")
    PendingRecord.objects.filter(record=first).delete()
    root, signer = leaf_hash(bytes(first.canonical)), NoteSigner(log.origin, Ed25519PrivateKey.generate())
    checkpoint = Checkpoint.objects.create(
        log=log,
        consortium_id=made.world.consortium.pk,
        size=1,
        root=root,
        note=sign_checkpoint(Signed(log.origin, 1, root), [signer]),
        key=str(signer.key),
    )
    made.add(
        log,
        first,
        checkpoint,
        AuditLeaf.objects.create(log=log, index=0, record=first),
        RecordKey.objects.create(log=log, record=first, key="governance.ballot.relay:1"),
        TreeNode.objects.create(log=log, level=0, index=0, hash=leaf_hash(bytes(first.canonical))),
        Anchor.objects.create(checkpoint=checkpoint),
        Cosignature.objects.create(
            checkpoint=checkpoint, organization_id=made.world.bank.pk, signer="0x" + "11" * 20, signature=bytes(65)
        ),
        PendingRecord.objects.earliest("pk"),
        PersonalField.objects.earliest("created_at"),
        WitnessRule.objects.create(consortium_id=made.world.consortium.pk, quorum=2, set_in_block=1),
        Bundle.objects.create(
            **made.identifiers, person_id=made.get(User).pk, report="audit_controls", correlation_id="c"
        ),
    )
