"""Real programs, a real node and a real database: killed, doubled, stopped; nothing lost, nothing twice."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from audit.models import AuditRecord
from consortium.embedded.accounts import choose_accounts
from consortium.embedded.credentials import Credentials
from consortium.embedded.layout import project_root
from consortium.embedded.postgres import EmbeddedPostgres
from consortium.kernel.secp256k1 import address_of
from contracts.dispatcher import Dispatcher
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.models import AppliedMark, ChainCursor, ChainEventRecord, ContractDeployment, OutboxTransaction
from contracts.projections import projects
from contracts.projector import project_once, start_projection
from contracts.reading import applying
from contracts.reading.applying import Applied, apply_next
from contracts.reading.streams import read_window
from contracts.relay import Relay, create_relay, load_relay
from contracts.sending import pruning
from contracts.sending.pruning import prune
from tests.chain.anvil import Anvil
from tests.chain.counter import ARTIFACTS
from tests.factories.streams import all_applied, applied_events
from tests.integration.contracts.conftest import add, deploy, settle
from tests.integration.contracts.conftest import total as counted
from tests.unit.contracts.signing.certificates import Authority
from tests.unit.contracts.signing.signer_servers import SignerServer, public_key, serving

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("handlers")]

DIE_AT_STEP = """
import os, signal, sys, django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from consortium.common.tenancy import act_for_all
from contracts.dispatcher import Dispatcher
from contracts.gateway import Gateway
from contracts.relay import load_relay
from contracts.sending import broadcasts, settlements
from tests.chain.counter import ARTIFACTS
url, chain_id, keys, step, occurrence = sys.argv[1:]
broadcasts.MAX_BATCH = settlements.MAX_BATCH = 20
left = int(occurrence)
def die(name):
    global left
    left -= name == step
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
gateway = Gateway([url], chain_id=int(chain_id), artifacts=ARTIFACTS)
relays = [load_relay(Path(key)) for key in keys.split(",")]
dispatcher = Dispatcher(gateway, *relays, at=die, background=ThreadPoolExecutor(max_workers=1))
with act_for_all():
    while True:
        dispatcher.dispatch_once()
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Anvil]:
    node = Anvil(tmp_path, state=tmp_path / "state.json").start()
    yield node
    node.stop()


@pytest.fixture
def gateway(node: Anvil) -> Gateway:
    return Gateway([node.url], chain_id=node.chain_id, artifacts=ARTIFACTS, timeout_seconds=5)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_relay(tmp_path / "relay.key")
    return tmp_path / "relay.key"


@pytest.fixture
def relay(key: Path) -> Relay:
    return load_relay(key)


@pytest.fixture
def environment(embedded_layout, node, key) -> dict[str, str]:
    """What a program of the platform is told, on the tests' database and the test's node."""
    postgres = EmbeddedPostgres(
        embedded_layout, choose_accounts(project_root()).database(), Credentials(embedded_layout)
    )
    database = str(connection.settings_dict["NAME"])
    return dict(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "consortium.settings.development",
        "DATABASE_URL": postgres.url("consilium_system", database),
        "CHAIN_RPC_URL": node.url,
        "CHAIN_ID": str(node.chain_id),
        "RELAY_KEY_FILE": str(key),
        "PYTHONPATH": str(project_root()),
    }


@pytest.fixture
def consortium(world, as_system, gateway, relay):
    with as_system():
        deploy(Dispatcher(gateway, relay), world.consortium.pk)
        with transaction.atomic():
            start_projection(world.consortium.pk)
    return world.consortium.pk


def total(gateway: Gateway) -> int:
    reference = ContractDeployment.objects.get(name="Counter").reference
    return int(gateway.call(reference, "total"))


def wait_until(ready: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


def die_at(step: str, occurrence: int, node: Anvil, environment: dict[str, str], *keys: Path) -> None:
    """Run a dispatcher that is killed when it reaches the step so many times."""
    names = ",".join(str(key) for key in keys)
    arguments = [sys.executable, "-c", DIE_AT_STEP, node.url, str(node.chain_id), names, step, str(occurrence)]
    died = subprocess.run(arguments, env=environment, cwd=project_root(), capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


@pytest.fixture
def lanes(key: Path, tmp_path: Path) -> list[Path]:
    """Two keys: two lanes."""
    create_relay(tmp_path / "second.key")
    return [key, tmp_path / "second.key"]


@pytest.mark.parametrize("step", ["persisted", "committed", "sent", "settled"])
def test_a_dispatcher_killed_for_real_loses_and_doubles_nothing(
    consortium, gateway, relay, key, node, environment, as_system, step
):
    with as_system():
        add(consortium, "test:1", 3)
    die_at(step, 1, node, environment, key)

    with as_system():
        row = OutboxTransaction.objects.get(idempotency_key="test:1")
        stored = bytes(row.raw) if row.raw else None
        assert row.state == ("recorded" if step == "persisted" else "submitted")
        if step in {"sent", "settled"}:
            wait_until(lambda: total(gateway) == 3)
        else:
            assert total(gateway) == 0

        settle(Dispatcher(gateway, relay))

        row.refresh_from_db()
        assert row.state == "confirmed"
        assert stored is None or bytes(row.raw or b"") == stored
        assert total(gateway) == 3
        assert gateway.transaction_count(relay.address) == 2


@pytest.mark.parametrize(
    ("step", "occurrence"),
    [("persisted", 2), ("sending", 3), ("sent", 2), ("noted", 2), ("receipt_read", 2), ("settled", 2)],
)
def test_a_dispatcher_killed_between_batches_loses_and_doubles_nothing(
    consortium, world, gateway, lanes, node, environment, as_system, step, occurrence
):
    """Ninety calls of two consortia on two lanes, in batches of twenty."""
    relays = [load_relay(path) for path in lanes]
    with as_system():
        deploy(Dispatcher(gateway, *relays), world.other_consortium.pk)
        before = sum(gateway.transaction_count(relay.address) for relay in relays)
        for number in range(90):
            add((consortium, world.other_consortium.pk)[number % 2], f"test:{number}")
    die_at(step, occurrence, node, environment, *lanes)

    with as_system():
        dispatcher = Dispatcher(gateway, *relays)
        # A lane that counts as stuck meanwhile, beside other work on the machine, needs its time to move again.
        settle(dispatcher, seconds=120)
        assert set(OutboxTransaction.objects.values_list("state", flat=True)) == {"confirmed"}
        assert [counted(dispatcher, each) for each in (consortium, world.other_consortium.pk)] == [45, 45]
        assert sum(gateway.transaction_count(relay.address) for relay in relays) == before + 90


def test_two_dispatchers_with_two_lanes_send_everything_once_and_in_order(
    consortium, world, node, lanes, gateway, as_system
):
    relays = [load_relay(path) for path in lanes]
    with as_system():
        deploy(Dispatcher(gateway, *relays), world.other_consortium.pk)
        before = sum(gateway.transaction_count(relay.address) for relay in relays)
        for number in range(80):
            add((consortium, world.other_consortium.pk)[number % 2], f"test:{number}")

    def dispatch(index: int) -> None:
        own = Gateway([node.url], chain_id=node.chain_id, artifacts=ARTIFACTS)
        dispatcher = Dispatcher(own, *relays[:: (1, -1)[index]])
        for _ in range(4):
            dispatcher.dispatch_once()

    in_threads(dispatch)
    with as_system():
        dispatcher = Dispatcher(gateway, *relays)
        # A lane that counts as stuck meanwhile, beside other work on the machine, needs its time to move again.
        settle(dispatcher, seconds=120)
        assert set(OutboxTransaction.objects.values_list("state", flat=True)) == {"confirmed"}
        assert [counted(dispatcher, each) for each in (consortium, world.other_consortium.pk)] == [40, 40]
        assert sum(gateway.transaction_count(relay.address) for relay in relays) == before + 80
        for each in (consortium, world.other_consortium.pk):
            rows = OutboxTransaction.objects.filter(consortium_id=each, function="add").order_by("position")
            blocks = [row.block or 0 for row in rows]
            assert blocks == sorted(blocks)


def test_a_node_killed_and_back_without_its_last_blocks_is_healed(consortium, gateway, relay, node, as_system):
    """anvil writes its state once a second; a kill between loses what was mined since."""
    with as_system():
        address = ContractDeployment.objects.get().address
        wait_until(lambda: saved_height(node) >= gateway.head().number)
        kept = node.state.read_bytes()
        for number in range(3):
            add(consortium, f"test:{number}", 2)
        settle(Dispatcher(gateway, relay))
        project_once(gateway)
        before = list(ChainEventRecord.objects.values_list("transaction_hash", "arguments"))
        assert total(gateway) == 6

        node.kill()
        node.state.write_bytes(kept)
        node.start()
        assert gateway_after_loss(gateway, address) == 0
        Dispatcher(gateway, relay).dispatch_once()
        settle(Dispatcher(gateway, relay))
        project_once(gateway)

        assert total(gateway) == 6
        assert set(OutboxTransaction.objects.values_list("state", flat=True)) == {"confirmed"}
        assert list(ChainEventRecord.objects.values_list("transaction_hash", "arguments")) == before
        assert all_applied()


def saved_height(node: Anvil) -> int:
    """The newest block in anvil's state file, -1 while there is none or it is being written."""
    try:
        state = json.loads(node.state.read_bytes()) if node.state is not None else {}
    except (OSError, ValueError):
        return -1
    return int(state["best_block_number"])


def gateway_after_loss(gateway: Gateway, address: str) -> int:
    return int(gateway.call(ContractReference("Counter", address), "total"))


def in_threads(work: Callable[[int], None], number: int = 2) -> None:
    """Run `work` at the same time on connections of their own, each as the system."""
    faults: list[BaseException] = []
    barrier = threading.Barrier(number)

    def run(index: int) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE consilium_system")
            barrier.wait(10)
            work(index)
        except BaseException as fault:  # noqa: BLE001  handed to the test's own thread
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_two_dispatchers_at_once_send_everything_once(consortium, node, relay, gateway, as_system):
    with as_system():
        for number in range(20):
            add(consortium, f"test:{number}")

    def dispatch(index: int) -> None:
        own = Dispatcher(Gateway([node.url], chain_id=node.chain_id, artifacts=ARTIFACTS), relay)
        for _ in range(4):
            own.dispatch_once()

    in_threads(dispatch)
    with as_system():
        settle(Dispatcher(gateway, relay))
        assert set(OutboxTransaction.objects.values_list("state", flat=True)) == {"confirmed"}
        assert total(gateway) == 20
        assert gateway.transaction_count(relay.address) == 21


@pytest.mark.parametrize("chunk", [1, 4, 500])
def test_two_projectors_at_once_handle_every_event_once(
    consortium, node, relay, gateway, as_system, monkeypatch, chunk
):
    """Also where the chunks are so small that the two take turns on the stream."""
    monkeypatch.setattr(applying, "CHUNK_EVENTS", chunk)
    with as_system():
        for number in range(20):
            add(consortium, f"test:{number}")
        settle(Dispatcher(gateway, relay))
    seen = []
    projects("Counted")(lambda consortium_id, event: seen.append(event.arguments["total"]))

    def project(index: int) -> None:
        for _ in range(5):
            project_once(Gateway([node.url], chain_id=node.chain_id, artifacts=ARTIFACTS))

    in_threads(project)
    with as_system():
        project_once(gateway)
        assert seen == list(range(21))
        assert all_applied()


@pytest.mark.parametrize("lock", [ChainCursor, AppliedMark])
def test_of_two_projectors_one_reads_a_stream_while_the_other_applies_it(
    consortium, node, relay, gateway, as_system, lock
):
    """Whoever waits for one of the two locks does the other's part meanwhile."""
    with as_system():
        project_once(gateway)
        for number in range(3):
            add(consortium, f"test:{number}")
        settle(Dispatcher(gateway, relay))
        if lock is ChainCursor:
            read_window(gateway, consortium)
    held, done = threading.Event(), threading.Event()

    def work(index: int) -> None:
        if index == 0:
            with transaction.atomic():
                lock.objects.select_for_update().get(pk=consortium)
                held.set()
                assert done.wait(30)
            return
        try:
            assert held.wait(30)
            project_once(gateway)
        finally:
            done.set()

    in_threads(work)
    with as_system():
        stored, applied = ChainEventRecord.objects.count(), applied_events()
        assert (stored, applied) == ((4, 4) if lock is ChainCursor else (4, 1))
        project_once(gateway)
        assert all_applied()


def test_blocks_that_are_read_again_are_not_applied_past_while_they_are_stored(
    consortium, node, relay, gateway, as_system
):
    """Else the mark could pass an event that is not there yet, and nobody would ever apply it."""
    with as_system():
        add(consortium, "test:1")
        settle(Dispatcher(gateway, relay))
        project_once(gateway)
        ChainCursor.objects.update(position=0, block_hash=b"")
    is_stored, was_tried = threading.Event(), threading.Event()

    def work(index: int) -> None:
        if index == 0:
            with transaction.atomic():
                read_window(gateway, consortium)
                is_stored.set()
                assert was_tried.wait(30)
            return
        try:
            assert is_stored.wait(30)
            assert apply_next(consortium) == Applied()
            with transaction.atomic():
                assert AppliedMark.objects.select_for_update(skip_locked=True).filter(pk=consortium).first() is None
        finally:
            was_tried.set()

    in_threads(work)
    with as_system():
        assert all_applied()


def manage(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=project_root(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_programs_work_until_they_are_asked_to_end(world, environment, gateway, as_system):
    """A call is sent on the database's word, its event read, and SIGTERM ends both in order."""
    programs = [manage(environment, "dispatch"), manage(environment, "project")]
    try:
        with as_system():
            add(
                world.consortium.pk,
                "found:source",
                contract="ValidatorSource",
                function="constructor",
                arguments=[1, "0x" + "11" * 20, "0x" + "22" * 20, ["0x" + "33" * 20]],
            )
            wait_until(lambda: ContractDeployment.objects.filter(name="ValidatorSource").exists(), 60)
            with transaction.atomic():
                start_projection(world.consortium.pk)
            wait_until(lambda: applied_events() > 0, 60)
        assert [program.poll() for program in programs] == [None, None]
    finally:
        for program in programs:
            program.send_signal(signal.SIGTERM)
        outputs = [program.communicate(timeout=20)[0] for program in programs]
    assert [program.returncode for program in programs] == [0, 0], outputs


def test_the_dispatcher_sends_with_a_key_that_lies_behind_a_signer(world, environment, gateway, tmp_path, as_system):
    """The program, its settings, mutual TLS and a real node: bytes that the node takes, by the signer's account."""
    authority = Authority(tmp_path / "pki")
    server = SignerServer(authority)
    certificate, secret = authority.issue("relay", "client")
    with serving(server):
        signer = {
            "RELAY_KEY_FILE": "",
            "RELAY_SIGNER_URL": server.url,
            "RELAY_SIGNER_KEYS": public_key(server.secrets[0]),
            "RELAY_SIGNER_CERTIFICATE_FILE": str(certificate),
            "RELAY_SIGNER_KEY_FILE": str(secret),
            "RELAY_SIGNER_AUTHORITY_FILE": str(authority.path),
        }
        with ended(manage(environment | signer, "dispatch")), as_system():
            add(
                world.consortium.pk,
                "found:source",
                contract="ValidatorSource",
                function="constructor",
                arguments=[1, "0x" + "11" * 20, "0x" + "22" * 20, ["0x" + "33" * 20]],
            )
            wait_until(lambda: ContractDeployment.objects.filter(name="ValidatorSource").exists(), 60)
    assert len(server.asked) == 1
    assert gateway.transaction_count(address_of(server.secrets[0])) == 1


def test_the_projector_ends_with_an_alarm_where_a_real_chain_was_cut(world, environment, as_system):
    with as_system():
        ContractDeployment.objects.create(
            consortium_id=world.consortium.pk, name="ValidatorSource", address="0x" + "11" * 20, block=1
        )
        ChainCursor.objects.create(
            consortium_id=world.consortium.pk, first_block=1, position=50, block_hash=b"\x01" * 32
        )
    real = environment | {"CHAIN_ID": "20261"}
    with Anvil(Path(environment["RELAY_KEY_FILE"]).parent, chain_id=20_261).start() as other:
        program = manage(real | {"CHAIN_RPC_URL": other.url}, "project")
        output = program.communicate(timeout=60)[0]

    assert program.returncode == 3
    assert "chain_rewound" in output
    with as_system():
        assert "is not what was read before" in ChainCursor.objects.get().halted_text


def test_a_program_told_to_stay_is_held_and_says_so_until_it_is_ended(environment, tmp_path):
    """Kubernetes starts again whatever ends: what needs a person waits for one, and its probe sees it."""
    sign = tmp_path / "heartbeat"
    told = environment | {"HEARTBEAT_FILE": str(sign), "RELAY_KEY_FILE": str(tmp_path / "missing")}
    with ended(manage(told, "dispatch", "--stay")) as program:
        wait_until(lambda: sign.exists() and sign.read_text() == "held\n", 60)
        assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        output = program.communicate(timeout=20)[0]

    assert program.returncode == 3
    assert "Nothing is done until a person" in output


def test_a_working_program_shows_its_sign_of_life(environment, tmp_path):
    sign = tmp_path / "heartbeat"
    with ended(manage(environment | {"HEARTBEAT_FILE": str(sign)}, "project", "--stay")) as program:
        wait_until(lambda: sign.exists() and sign.read_text() == "working\n", 60)
        first = sign.stat().st_mtime_ns
        wait_until(lambda: sign.stat().st_mtime_ns > first)
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=20)
    assert program.returncode == 0


@contextlib.contextmanager
def ended(program: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """See to it that a failing test leaves no program behind."""
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


def test_a_node_that_is_away_does_not_end_the_dispatcher(environment):
    program = manage(environment | {"CHAIN_RPC_URL": "http://127.0.0.1:9"}, "dispatch")
    assert program.stdout is not None
    line = ""
    while "cannot be reached" not in line:
        line = program.stdout.readline()
        assert line, "it ended"
    assert program.poll() is None
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=20)
    assert program.returncode == 0


def test_pruning_beside_a_running_dispatcher_drops_each_call_once_and_loses_none(
    consortium, node, relay, gateway, as_system, monkeypatch
):
    """Calls are pruned in the very moment in which they are confirmed: as close as the two can come."""
    monkeypatch.setattr(pruning, "MINIMUM_AGE", timedelta(0))
    monkeypatch.setattr(pruning, "may_heal", lambda chain: False)
    with as_system():
        ChainCursor.objects.filter(consortium_id=consortium).update(position=10**9)
        for number in range(40):
            add(consortium, f"test:{number}")
    dispatched = threading.Event()

    def work(index: int) -> None:
        own = Gateway([node.url], chain_id=node.chain_id, artifacts=ARTIFACTS)
        if index == 0:
            settle(Dispatcher(own, relay), seconds=30)
            dispatched.set()
        while index and not dispatched.is_set():
            prune(own, older_than=timedelta(0))

    in_threads(work, 3)
    with as_system():
        Dispatcher(gateway, relay).dispatch_once()
        prune(gateway, older_than=timedelta(0))
        rows = OutboxTransaction.objects.all()
        assert set(rows.values_list("state", "raw")) == {("confirmed", None)}
        assert not rows.filter(contents_dropped_at=None).exists()
        assert set(rows.values_list("nonce", flat=True)) == set(range(41))
        recorded = AuditRecord.objects.filter(action=pruning.ACTION)
        assert sum(row.body["transactions"] for row in recorded) == 41
        assert total(gateway) == 40
        # Asked for again they are known, with other arguments refused.
        for number in range(40):
            assert add(consortium, f"test:{number}").state == "confirmed"
    assert gateway.transaction_count(relay.address) == 41
