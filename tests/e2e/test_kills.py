"""kill -9 on the whole running system: the same run completes, with the same id and the same weights."""

import gzip
import json
import subprocess
import sys
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from consortium.demo.sites import Site
from consortium.embedded.chain_state import ChainState
from consortium.embedded.environment import base_environment, platform_environment
from consortium.embedded.layout import project_root
from consortium.embedded.tied import TiedProcess
from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.events import ChainEvent, Receipt
from tests.e2e import referee
from tests.e2e.conftest import ROUNDS
from tests.e2e.system import System, freeze, kill, named, thaw
from tests.e2e.wire import wire_to

# On one worker with the story, whose instance they go on with; bringing one up from nothing takes minutes.
pytestmark = [pytest.mark.story, pytest.mark.xdist_group("story"), pytest.mark.timeout(1200)]

OPEN_ATTEMPT = """
    SELECT attempt.id, round.number AS round, attempt.number, attempt.opened_block FROM training_attempt attempt
    JOIN training_round round ON round.id = attempt.round_id
    WHERE attempt.run_id = %s AND round.number = %s AND attempt.state IN ('open', 'collecting')
    AND attempt.collected_at IS NULL
"""
COMMITTED = """
    SELECT attempt.id FROM training_attempt attempt JOIN training_round round ON round.id = attempt.round_id
    WHERE attempt.run_id = %s AND round.number = %s AND attempt.committed_at IS NOT NULL
"""
OPENED_LAST = "SELECT max(opened_block) FROM training_attempt WHERE run_id = %s"
READ_TO = "SELECT position FROM contracts_chaincursor"
TRAINING = """
    SELECT round.number AS round FROM training_sitepart part
    JOIN training_attempt attempt ON attempt.id = part.attempt_id
    JOIN training_round round ON round.id = attempt.round_id
    WHERE attempt.run_id = %s AND round.number BETWEEN 2 AND 3 AND part.organization_id = %s
    AND attempt.state IN ('open', 'collecting') AND part.outcome = 'accepted' AND part.vector = ''
"""
PARTS = """
    SELECT round.number AS round, attempt.number AS attempt, part.outcome, part.code, part.text,
    part.vector <> '' AS gave
    FROM training_sitepart part JOIN training_attempt attempt ON attempt.id = part.attempt_id
    JOIN training_round round ON round.id = attempt.round_id
    WHERE attempt.run_id = %s AND part.organization_id = %s AND attempt.opened_at IS NOT NULL
    ORDER BY round.number, attempt.number
"""


def test_a_run_worker_killed_in_mid_round_is_followed_and_the_run_stays_the_same(system: System):
    run = system.start_run()
    worker = system.process("run-worker")
    system.catch(worker, lambda: open_attempt(system, run, 2) or open_attempt(system, run, 3))
    fence = system.value("SELECT fence FROM training_run WHERE id = %s", run)

    before = kill(worker)

    assert_completed(system, run)
    assert worker.pid != before
    assert system.value("SELECT fence FROM training_run WHERE id = %s", run) == fence + 1
    assert {event.arguments["attempt"] for event in named(system.events(run), "RoundClosed")} == {1}


def test_a_dispatcher_killed_between_persisting_and_broadcasting_sends_the_same_bytes_once(system: System):
    with wire_to(system.world.instance.addresses.chain) as wire, system.dispatcher_on(wire.url) as dispatcher:
        run = system.start_run()
        system.wait_for(lambda: open_attempt(system, run, 1))
        wire.held.set()
        system.wait_for(lambda: wire.swallowed)
        row = persisted(system, wire.swallowed[0])
        assert row["state"] == "submitted"
        assert row["broadcast_at"] is None
        assert system.chain.transaction(bytes.fromhex(row["transaction_hash"][2:])) is None

        before = kill(dispatcher)
        wire.held.clear()

        assert_completed(system, run)
        assert dispatcher.pid != before
    after = persisted(system, wire.swallowed[0])
    assert after["state"] == "confirmed"
    assert (after["nonce"], after["transaction_hash"]) == (row["nonce"], row["transaction_hash"])
    assert after["raw"] == row["raw"]
    assert receipt(system, row).succeeded


def test_a_chain_killed_in_mid_round_comes_back_shorter_and_the_run_goes_on(system: System):
    """Its last blocks are lost with the kill, as if anvil had not written its state since; the opening is older."""
    run = system.start_run()
    chain = system.process("anvil")
    earlier = opened_before_the_last_blocks(system, run, chain)
    rewinds = rewinds_told(system)
    chain_state(system).file.write_bytes(earlier)

    before = kill(chain)

    assert_completed(system, run)
    assert chain.pid != before
    assert rewinds_told(system) > rewinds
    assert system.value("SELECT halted_text FROM contracts_chaincursor") == ""


@pytest.mark.soak
def test_a_chain_that_lost_the_opening_itself_does_not_take_it_again_and_the_run_says_so(system: System):
    """What a kill of the development chain can cost: started again, anvil knows no hash of a block before its start.

    The commitments in a lost opening name such a block, and the ledger refuses them. So the run ends, named, instead
    of waiting for a round that cannot come. Where blocks are final this cannot be.
    """
    run = system.start_run()
    chain = system.process("anvil")
    attempt, earlier = opened_after(system, run, chain)
    chain_state(system).file.write_bytes(earlier)

    kill(chain)

    shown = system.end_of(run)
    assert (shown["state"], shown["failure_code"]) == ("failed", "opening_lost")
    assert f"round {attempt['round']}" in shown["failure_text"]
    assert len(named(system.events(run), "RoundClosed")) == attempt["round"] - 2
    system.wait_for(lambda: named(system.events(run), "RunCanceled"))
    assert_audit_log_is_whole(system)


def test_a_killed_agent_is_lost_for_its_attempt_named_and_back_in_the_next_round(system: System):
    run = system.start_run()
    site = system.world.sites[2]
    agent = system.agent(site)
    lost_in = system.catch(agent, lambda: system.rows(TRAINING, run, site.organization_id))[0]["round"]

    before = kill(agent)

    run_shown = assert_completed(system, run)
    assert agent.pid != before
    parts = system.rows(PARTS, run, site.organization_id)
    assert [part["gave"] for part in parts] == [number != lost_in for number in range(1, ROUNDS + 1)]
    lost = parts[lost_in - 1]
    assert (lost["outcome"], lost["code"]) in {("lost", "lost"), ("refused", "attempt_unknown")}
    assert lost["text"]
    assert named_in(run_shown, lost_in, site) == {name: lost[name] for name in ("outcome", "code", "text")}
    assert recorded_loss(system, run, site) == 1
    survivors = [bin(event.arguments["survivors"]).count("1") for event in named(system.events(run), "RoundClosed")]
    assert survivors == [4 if number == lost_in else 5 for number in range(1, ROUNDS + 1)]


def assert_completed(system: System, run: str) -> dict[str, Any]:
    """The run has come to its end once, on the chain and in the database alike, with the weights that it must have."""
    shown = system.end_of(run)
    assert (shown["id"], shown["state"]) == (run, "completed"), shown["failure_text"]
    events = system.events(run)
    assert [event.arguments["round"] for event in named(events, "RoundClosed")] == list(range(1, ROUNDS + 1))
    assert len(named(events, "RunOpened")) == len(named(events, "RunCompleted")) == 1
    assert referee.recompute(system, run, events) == referee.on_chain(events)
    for site in system.world.sites:
        assert referee.counts_of(site, run) == {len(referee.rows_of(system, site))}
    assert_database_agrees(system, run, events)
    assert_audit_log_is_whole(system)
    return shown


def assert_database_agrees(system: System, run: str, events: list[ChainEvent]) -> None:
    final = named(events, "RunCompleted")[0].arguments["finalWeights"]
    assert system.value("SELECT weights FROM training_run WHERE id = %s", run) == f"sha256:{final.hex()}"
    closed = system.rows("SELECT number, closed_block FROM training_round WHERE run_id = %s ORDER BY number", run)
    chain = [(event.arguments["round"], event.block_number) for event in named(events, "RoundClosed")]
    assert [(row["number"], row["closed_block"]) for row in closed] == chain
    ledger = system.chain.call(system.ledger(), "runOf", uuid_to_bytes32(UUID(run)))
    assert (ledger["status"], ledger["round"], ledger["weights"]) == (3, ROUNDS, final)


def assert_audit_log_is_whole(system: System) -> None:
    instance = system.world.instance
    origin = system.value("SELECT origin FROM audit_auditlog WHERE consortium_id = %s", system.world.consortium["id"])
    environment = platform_environment(instance.layout, instance.credentials, instance.addresses, "system")
    done = subprocess.run(
        [sys.executable, "manage.py", "auditlog", "fsck", "--log", origin],
        cwd=project_root(),
        env=base_environment(instance.layout) | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def open_attempt(system: System, run: str, round_number: int) -> dict[str, Any] | None:
    found = system.rows(OPEN_ATTEMPT, run, round_number)
    return found[0] if found else None


def persisted(system: System, raw: str) -> dict[str, Any]:
    query = "SELECT * FROM contracts_outboxtransaction WHERE raw = %s"
    return system.rows(query, bytes.fromhex(raw[2:]))[0]


def receipt(system: System, row: dict[str, Any]) -> Receipt:
    found = system.chain.receipt(bytes.fromhex(row["transaction_hash"][2:]))
    assert found is not None
    return found


def opened_before_the_last_blocks(system: System, run: str, chain: TiedProcess) -> bytes:
    """Stop the chain in mid-round with blocks after a state that has the round's opening; return that state."""
    for number in range(2, ROUNDS + 1):
        attempt = system.wait_for(partial(open_attempt, system, run, number))
        height, state = dumped(system)
        system.wait_for(lambda: system.chain.head().number > height)  # noqa: B023  called at once
        system.wait_for(lambda: system.value(READ_TO) > height)  # noqa: B023  called at once
        freeze(chain)
        if attempt["opened_block"] <= height and system.value(OPENED_LAST, run) == attempt["opened_block"]:
            return state
        thaw(chain)
    raise AssertionError("each round was over before a block was lost")


def opened_after(system: System, run: str, chain: TiedProcess) -> tuple[dict[str, Any], bytes]:
    """Stop the chain in mid-round; return the round's attempt and a state from just before its opening."""
    for number in range(2, ROUNDS + 1):
        system.wait_for(partial(system.rows, COMMITTED, run, number))
        height, state = dumped(system)
        attempt = system.wait_for(partial(open_attempt, system, run, number))
        freeze(chain)
        if attempt["opened_block"] > height:
            return attempt, state
        thaw(chain)
    raise AssertionError("each round was open before the chain's state was read")


def rewinds_told(system: System) -> int:
    """How often the projector's log says that it read the chain again; the log is older than this run."""
    return system.process("projector").log.read_text().count("is read again from")


def dumped(system: System) -> tuple[int, bytes]:
    """The chain's state as anvil would write it now, and its height."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "anvil_dumpState", "params": []}
    answer = httpx.post(system.world.instance.addresses.chain, json=asked, timeout=60, trust_env=False)
    state = gzip.decompress(bytes.fromhex(answer.json()["result"][2:]))
    return int(json.loads(state)["best_block_number"]), state


def chain_state(system: System) -> ChainState:
    instance = system.world.instance
    return ChainState(instance.layout.chain, instance.accounts.platform())


def named_in(run: dict[str, Any], number: int, site: Site) -> dict[str, str]:
    """The site's part in a round's one attempt, as a member sees it at the API."""
    (attempt,) = next(one["attempts"] for one in run["round_set"] if one["number"] == number)
    part = next(one for one in attempt["parts"] if one["organization"] == site.organization_id)
    return {name: part[name] for name in ("outcome", "code", "text")}


def recorded_loss(system: System, run: str, site: Site) -> int:
    """How often the consortium's log says that the site was lost, or refused since it had lost its secrets."""
    query = """
        SELECT count(*) FROM audit_auditrecord WHERE subject_id = %s AND body->>'organization' = %s
        AND action IN ('training.site.lose', 'training.site.refuse')
    """
    return int(system.value(query, run, site.organization_id))
