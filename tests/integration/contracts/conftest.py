"""A hospital and a bank share a consortium whose Counter stands on a chain in memory."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from eth_account import Account

from contracts import outbox
from contracts.dispatcher import Dispatcher
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.projections import _HANDLERS
from contracts.relay import Relay
from contracts.testing import FakeChain
from tests.chain.counter import LIMIT, fake_chain, text32
from tests.factories.membership import World, make_world

Ask = Callable[..., OutboxTransaction]


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def system(as_system) -> Iterator[None]:
    """The whole test works as dispatcher and projector do."""
    with as_system():
        yield


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of the test's own, so that the apps' handlers neither run nor mind."""
    monkeypatch.setattr(outbox, "_OUTCOME_HANDLERS", {})
    monkeypatch.setattr("contracts.projections._HANDLERS", {name: [] for name in _HANDLERS})


@pytest.fixture
def relay() -> Relay:
    return Relay(Account.create())


@pytest.fixture
def chain() -> FakeChain:
    """The development chain: the only one whose losses are mended."""
    return fake_chain(chain_id=settings.DEVELOPMENT_CHAIN_ID)


def add(consortium_id: UUID, key: str, amount: int = 1, **changes: Any) -> OutboxTransaction:
    call: dict[str, Any] = {
        "consortium_id": consortium_id,
        "contract": "Counter",
        "function": "add",
        "arguments": [amount, text32("test"), ""],
        "idempotency_key": key,
    }
    with transaction.atomic():
        return outbox.enqueue(**(call | changes))


def deploy(dispatcher: Dispatcher, consortium_id: UUID, *, seconds: float = 10.0) -> None:
    """Put the consortium's Counter on the chain, through the outbox like everything."""
    add(consortium_id, "deploy:counter", function="constructor", arguments=[LIMIT])
    dispatcher.dispatch_once()
    if isinstance(dispatcher.chain, FakeChain) and not dispatcher.chain.automine:
        dispatcher.chain.mine()
    settle(dispatcher, seconds=seconds)
    assert ContractDeployment.objects.filter(consortium_id=consortium_id).exists()


def settle(dispatcher: Dispatcher, *, seconds: float = 10.0) -> None:
    """Dispatch until nothing waits and nothing is under way: a real node mines a moment after it has answered."""
    deadline = time.monotonic() + seconds
    while OutboxTransaction.objects.filter(state__in=["recorded", "submitted"]).exists():
        assert time.monotonic() < deadline, "it was not settled in time"
        dispatcher.dispatch_once()


def states() -> dict[str, str]:
    return dict(OutboxTransaction.objects.exclude(function="constructor").values_list("idempotency_key", "state"))


def total(dispatcher: Dispatcher, consortium_id: UUID | None = None) -> int:
    """What the consortium's Counter, or the only one, has counted."""
    deployments = ContractDeployment.objects.filter(name="Counter")
    found = deployments.get() if consortium_id is None else deployments.get(consortium_id=consortium_id)
    return int(dispatcher.chain.call(found.reference, "total"))


def forget_sending() -> None:
    """As if the pause before sending again had passed."""
    OutboxTransaction.objects.update(broadcast_at=timezone.now() - timedelta(minutes=1))
