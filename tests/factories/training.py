"""A hospital and a bank that trained a model: plan, run with rounds, and a candidate; made as the system."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from consortium.common import blobs
from consortium.membership.models import Organization
from tests.factories.membership import World
from tests.unit.training.plans import plan_document
from training.federated.plan_document import read_plan
from training.models import Attempt, Model, Plan, Round, Run, SitePart
from training.registry.cards import model_card

STARTED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def make_plan(
    world: World,
    *,
    title: str = "Long stays after cardiac procedures",
    training: Mapping[str, Any] | None = None,
    data_schema: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Plan:
    """A plan of the hospital's; `training` changes keys of its training section."""
    sites = sorted([str(world.hospital.pk), str(world.bank.pk)])
    extra = [str(uuid.UUID(int=number)) for number in (1, 2)]
    value = plan_document(title=title, consortium=str(world.consortium.pk), sites=[*sites, *extra], recipients=sites)
    value["training"] |= training or {}
    value["data_schema"] = data_schema or value["data_schema"]
    document = read_plan(value)
    blobs.put(consortium_id=world.consortium.pk, data=document.to_bytes())
    fields: dict[str, Any] = {"state": "approved", "decided_block": 1204}
    return Plan.objects.create(
        consortium=world.consortium,
        organization=world.hospital,
        title=document.title,
        digest=document.digest(),
        subject="0x" + document.subject().hex(),
        **{**fields, **changes},
    )


def make_run(world: World, plan: Plan, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "state": "completed",
        "rounds": 3,
        "weights": digest(4),
        "started_at": STARTED,
        "chain_state": "confirmed",
        "decision": "0x" + "12" * 32,
    }
    return Run.objects.create(
        consortium=world.consortium,
        organization=world.hospital,
        plan=plan,
        plan_digest=plan.digest,
        **{**fields, **changes},
    )


def make_round(world: World, run: Run, number: int, attempts: int) -> Round:
    """A closed round; in every attempt but the last the bank was lost."""
    made = Round.objects.create(
        consortium=world.consortium,
        run=run,
        number=number,
        weights=digest(number),
        next_weights=digest(number + 1),
        metrics={
            "auc": 0.5 + 0.11 * number,
            "auc_error_bound": 0.0004,
            "accuracy": 0.6 + 0.05 * number,
            "calibration_error": 0.021,
            "rows_band": 250,
        },
        closed_attempt=attempts,
        closed_block=1300 + number,
        closed_at=STARTED + timedelta(minutes=number),
    )
    for attempt in range(1, attempts + 1):
        make_attempt(made, attempt, [world.hospital, world.bank], fails=attempt < attempts)
    return made


def make_attempt(round_: Round, number: int, organizations: list[Organization], *, fails: bool) -> Attempt:
    attempt = Attempt.objects.create(
        consortium=round_.consortium,
        run=round_.run,
        round=round_,
        number=number,
        state="abandoned" if fails else "closed",
        weights=round_.weights,
        roster=[str(organization.pk) for organization in organizations],
        abandoned_reason="too_few" if fails else "",
        abandoned_text="One vector came in and two are needed." if fails else "",
    )
    Attempt.objects.filter(pk=attempt.pk).update(announced_at=STARTED + timedelta(minutes=round_.number, seconds=-7.5))
    for position, organization in enumerate(organizations):
        is_lost = fails and position == 1
        SitePart.objects.create(
            consortium=round_.consortium,
            attempt=attempt,
            organization=organization,
            outcome="lost" if is_lost else "accepted",
            step="train" if is_lost else "",
            code="lost" if is_lost else "",
            text="no sign of life within 5 s" if is_lost else "",
            band=None if is_lost else 50,
            epoch=40 + position,
            vector="" if is_lost else digest(900 + position),
        )
    return attempt


def make_model(run: Run) -> Model:
    card = blobs.put_document(consortium_id=run.consortium_id, document=model_card(run))
    return Model.objects.create(
        consortium=run.consortium,
        organization=run.organization,
        run=run,
        digest=run.weights,
        card_digest=card,
    )
