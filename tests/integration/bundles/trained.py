"""A consortium that trained and released a model: rows as the projections leave them, and the log's records of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit.acts import Actor, Subject
from audit.recorder import record
from consent.models import ConsentBatch, DataSet
from consortium.governance.models import Ballot, Proposal
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex
from contracts.models import ChainEventRecord
from tests.factories.membership import World
from tests.factories.training import digest, make_model, make_plan, make_round, make_run
from training.models import Model, Run

PROJECTOR = Actor.system("projector")
BALLOT_BLOCK, DECIDED_BLOCK = 1401, 1402
BALLOT_TIME = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Trained:
    """What the reports speak of."""

    run: Run
    model: Model


def train(world: World, *, rounds: int = 2) -> Trained:
    """Fill the tables and the consortium's log; call as the system."""
    plan = make_plan(world)
    run = make_run(world, plan, rounds=rounds)
    for number in range(1, rounds + 1):
        make_round(world, run, number, 1)
        _record_round(world, run, number)
    model = make_model(run)
    _release(world, model)
    return Trained(run, model)


def _record_round(world: World, run: Run, number: int) -> None:
    place = {"round": number, "attempt": 1}
    roster = [str(world.hospital.pk), str(world.bank.pk)]
    weights = digest(number)
    _record(world, "training.round.open", run, {**place, "weights": weights, "roster": roster, "bands": [50, 100]})
    sums = {"aggregate": digest(77), "next_weights": digest(number + 1)}
    _record(world, "training.round.close", run, {**place, "survivors": roster, **sums, "block": 1300 + number})


def _record(world: World, action: str, run: Run, data: dict[str, Any]) -> None:
    record(
        action=action,
        organization_id=None,
        consortium_id=world.consortium.pk,
        actor=PROJECTOR,
        subject=Subject("run", str(run.pk)),
        data=data,
    )


def _release(world: World, model: Model) -> None:
    proposal = Proposal.objects.create(
        consortium=world.consortium,
        organization=world.hospital,
        contract="DecisionBoard",
        kind="release_model",
        chain_key="0x" + "ac" * 32,
        subject=to_hex(digest_to_bytes32(model.digest)),
        state="executed",
        base=2,
        opened_at=BALLOT_TIME,
        settled_block=DECIDED_BLOCK,
    )
    Ballot.objects.create(
        proposal=proposal,
        consortium=world.consortium,
        organization=world.bank,
        choice="yes",
        chain_state="confirmed",
        confirmed_block=BALLOT_BLOCK,
    )
    for block in (BALLOT_BLOCK, DECIDED_BLOCK):
        _event(world, block)
    Model.objects.filter(pk=model.pk).update(state="released", proposal=proposal, released_block=DECIDED_BLOCK)


def _event(world: World, block: int) -> None:
    ChainEventRecord.objects.create(
        consortium_id=world.consortium.pk,
        name="BallotCast",
        contract="DecisionBoard",
        address="0x" + "88" * 20,
        block_number=block,
        block_hash="0x",
        block_time=int(BALLOT_TIME.timestamp()) + block - BALLOT_BLOCK,
        transaction_hash=f"0x{block:064x}",
        log_index=0,
        transaction_log_index=0,
    )


def register(world: World) -> None:
    """Register the hospital's consents and its data set, as the hospital."""
    own = {"consortium": world.consortium, "organization": world.hospital}
    ConsentBatch.objects.create(**own, sequence=1, digest=digest(1), state="accepted", accepted=60)
    columns = [{"name": "age", "kind": "numeric", "unit": "a"}, {"name": "sex", "kind": "binary"}]
    DataSet.objects.create(
        **own,
        name="stays",
        schema={"columns": columns},
        schema_digest=digest(2),
        band=100,
        purposes=["DUO:0000006"],
        conditions=["DUO:0000046"],
        digest=digest(3),
        signed_at=BALLOT_TIME,
    )
