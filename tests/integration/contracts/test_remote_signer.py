"""A dispatcher whose key lies behind Web3Signer: whatever the signer does, each call is made once or waits."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command

from consortium.kernel.secp256k1 import address_of, sign_digest
from contracts import health
from contracts.dispatcher import Dispatcher
from contracts.errors import GasLimitError
from contracts.models import OutboxTransaction, RelayAccount
from contracts.relay import RemoteRelay
from contracts.sending.lanes import SignerPauses
from tests.integration.contracts.conftest import add, deploy, states, total
from tests.unit.contracts.signing.certificates import Authority
from tests.unit.contracts.signing.signer_servers import Handler, SignerServer, serving

pytestmark = pytest.mark.usefixtures("system", "handlers")


@pytest.fixture
def server(tmp_path) -> Iterator[SignerServer]:
    made = SignerServer(Authority(tmp_path / "pki"))
    with serving(made):
        yield made


@pytest.fixture
def remote(server) -> RemoteRelay:
    key = server.key()
    return RemoteRelay(replace(key, channel=replace(key.channel, timeout_seconds=1.0)))


@pytest.fixture
def consortium(world):
    return world.consortium.pk


@pytest.fixture
def dispatcher(chain, remote, consortium) -> Dispatcher:
    made = Dispatcher(chain, remote)
    deploy(made, consortium)
    return made


def lane(relay: RemoteRelay) -> RelayAccount:
    return RelayAccount.objects.get(pk=relay.address)


def ask_again(dispatcher: Dispatcher) -> None:
    """Let the signer's pause be over."""
    dispatcher.pauses = SignerPauses()


def well(server: SignerServer) -> None:
    blank = SignerServer(server.authority)
    server.change, server.exchange, server.misbehave = blank.change, blank.exchange, None


def test_a_call_is_signed_there_and_confirmed(dispatcher, consortium, server, remote):
    row = add(consortium, "test:1", 3)

    dispatcher.dispatch_once()

    row.refresh_from_db()
    assert (row.state, row.sender, row.nonce) == ("confirmed", address_of(server.secrets[0]), 1)
    assert total(dispatcher) == 3


def _silent(handler: Handler) -> None:
    handler.owner.released.wait(10)


def _other_key(server: SignerServer) -> None:
    server.change = lambda _: sign_digest(bytes([3]) * 32, bytes([9]) * 32)


def _other_nonce(server: SignerServer) -> None:
    # The nonce is the third item, one byte at these heights, behind the type, the list's prefix and the chain's id.
    server.exchange = lambda payload: payload.replace(b"\x83\x06\x5c\xe9\x01", b"\x83\x06\x5c\xe9\x02", 1)


def _misbehaving(act: Any) -> Any:
    def set_up(server: SignerServer) -> None:
        server.misbehave = act

    return set_up


FAULTS = {
    "other key": (_other_key, "another key"),
    "tampered nonce": (_other_nonce, "another key, or over other bytes"),
    "hangs": (_misbehaving(_silent), "did not answer within 1 s"),
    "404": (_misbehaving(lambda handler: handler.answer(404, b"")), "no key of that name"),
    "403": (_misbehaving(lambda handler: handler.answer(403, b"")), "does not let our certificate in"),
    "500": (_misbehaving(lambda handler: handler.answer(500, b"")), "answered 500"),
    "page": (_misbehaving(lambda handler: handler.answer(200, b"<html>")), "no signature"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_leaves_without_its_signature_and_everything_does_afterwards(
    dispatcher, consortium, server, remote, name
):
    misbehave, words = FAULTS[name]
    misbehave(server)
    height = dispatcher.chain.head().number
    for number in range(3):
        add(consortium, f"test:{number}")

    report = dispatcher.dispatch_once()

    assert (report.sent, report.confirmed, report.failed) == (0, 0, 0)
    assert set(states().values()) == {"recorded"}
    rows = OutboxTransaction.objects.filter(idempotency_key__startswith="test:")
    assert not rows.exclude(raw=None, nonce=None, transaction_hash="", sender="").exists()
    assert dispatcher.chain.head().number == height
    assert (lane(remote).next_nonce, lane(remote).stuck_code) == (1, "not_signed")
    assert words in lane(remote).stuck_text

    well(server)
    ask_again(dispatcher)
    dispatcher.dispatch_once()

    assert set(states().values()) == {"confirmed"}
    assert set(rows.values_list("nonce", flat=True)) == {1, 2, 3}
    assert (total(dispatcher), lane(remote).stuck_code) == (3, "")


def test_the_fault_is_named_where_an_operator_looks(dispatcher, consortium, server, remote):
    server.misbehave = lambda handler: handler.answer(404, b"")
    add(consortium, "test:1")
    dispatcher.dispatch_once()

    finding = health.lanes()
    printed = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("chain", "status", stdout=printed)

    assert not finding.well
    assert f"{remote.address} is stuck" in finding.text
    assert "gives no signature" in finding.text
    assert f"relay account {remote.address}: The signer answered 404" in printed.getvalue()


def test_a_signer_that_fails_is_asked_again_after_growing_pauses_alone(dispatcher, consortium, server, monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr("contracts.sending.lanes.time.monotonic", lambda: moment[0])
    server.misbehave = lambda handler: handler.answer(503, b"")
    add(consortium, "test:1")
    asked = len(server.asked)

    for seconds, number in [(0.0, 1), (0.9, 1), (0.2, 2), (1.8, 2), (0.3, 3), (3.8, 3), (0.3, 4)]:
        moment[0] += seconds
        dispatcher.dispatch_once()
        assert len(server.asked) - asked == number


def test_what_was_signed_before_the_fault_goes_out_and_the_rest_follows_once(dispatcher, consortium, server, remote):
    for number in range(30):
        add(consortium, f"test:{number:02}")
    server.misbehave = lambda handler: handler.answer(503, b"")
    server.patience = len(server.asked) + 12

    report = dispatcher.dispatch_once()

    assert report.sent <= 12
    assert report.failed == 0
    assert lane(remote).next_nonce == 1 + report.sent
    assert list(states().values()).count("recorded") == 30 - report.sent

    well(server)
    ask_again(dispatcher)
    dispatcher.dispatch_once()

    rows = OutboxTransaction.objects.filter(idempotency_key__startswith="test:").order_by("position")
    assert [row.nonce for row in rows] == list(range(1, 31))
    assert {row.state for row in rows} == {"confirmed"}
    assert total(dispatcher) == 30


def test_lanes_that_sign_take_over_while_a_signer_fails(chain, relay, remote, consortium, server):
    dispatcher = Dispatcher(chain, remote, relay)
    deploy(dispatcher, consortium)
    server.misbehave = lambda handler: handler.answer(503, b"")

    for number in range(4):
        add(consortium, f"test:{number}")
        dispatcher.dispatch_once()

    assert set(states().values()) == {"confirmed"}
    assert total(dispatcher) == 4
    sent = OutboxTransaction.objects.filter(idempotency_key__startswith="test:")
    assert set(sent.values_list("sender", flat=True)) == {relay.address}
    assert lane(remote).stuck_code == "not_signed"

    # Nothing waits for its lane; it moves again all the same, and is not said to be stuck before it is.
    ask_again(dispatcher)
    dispatcher.dispatch_once()
    assert lane(remote).stuck_code == "not_signed"
    well(server)
    ask_again(dispatcher)
    dispatcher.dispatch_once()
    assert lane(remote).stuck_code == ""
    number_asked = len(server.asked)
    dispatcher.dispatch_once()
    assert len(server.asked) == number_asked


class Killed(BaseException):
    """The program ends here, as by kill -9: no handler of ours may catch it."""


@pytest.mark.parametrize("step", ["nonce_taken", "signed", "persisted", "committed", "sent"])
def test_a_kill_around_the_signature_loses_and_doubles_nothing(chain, remote, consortium, step):
    first = Dispatcher(chain, remote)
    deploy(first, consortium)
    for number in range(3):
        add(consortium, f"test:{number}")

    def kill(reached: str) -> None:
        if reached == step:
            raise Killed

    with pytest.raises(Killed):
        Dispatcher(chain, remote, at=kill).dispatch_once()
    OutboxTransaction.objects.update(broadcast_at=None)
    Dispatcher(chain, remote).dispatch_once()

    assert set(states().values()) == {"confirmed"}
    assert total(first) == 3


def test_a_row_stays_while_its_filler_cannot_be_signed(dispatcher, consortium, server, remote):
    """Bytes that no node takes are replaced by an empty transaction, which needs the signer too."""
    dispatcher.chain.fail("send_raw", GasLimitError("too much"))
    row = add(consortium, "test:1")
    server.misbehave, server.patience = (lambda handler: handler.answer(503, b"")), len(server.asked) + 1

    dispatcher.dispatch_once()

    row.refresh_from_db()
    assert (row.state, row.nonce) == ("submitted", 1)
    assert not OutboxTransaction.objects.filter(function="fill_nonce").exists()

    well(server)
    dispatcher.chain.fail("send_raw", GasLimitError("too much"))
    OutboxTransaction.objects.update(broadcast_at=None)
    dispatcher.dispatch_once()
    row.refresh_from_db()
    assert row.state == "failed"
    assert OutboxTransaction.objects.filter(function="fill_nonce", nonce=1).count() == 1
