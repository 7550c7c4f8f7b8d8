"""Bytes that stay: of an event, an act, an audit record and a round in PostgreSQL, of a consent at a site, of a block.

Tables are measured with their indexes and TOAST after VACUUM FULL: what is written and kept, without the room
that changes leave behind until it is used again. Blocks and receipts are those of a real Besu network, recorded.
"""

import json
import secrets
import tempfile
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import sql

from benchmarks._database import database
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from benchmarks.harness.running import ROOT

if TYPE_CHECKING:
    from consortium.embedded.postgres import EmbeddedPostgres
    from contracts.models import OutboxTransaction

RUNS, ACTS, SUBJECTS, LEAVES = 8, 5_000, 5_000, 50_000
RECORDED = ROOT / "tests" / "data" / "besu"
# A seal of 65 bytes with its RLP prefix.
SEAL_BYTES = 67


def run() -> list[FigureDict]:
    """Return the figures."""
    say("starting a database")
    with database() as postgres:
        figures = [*_history_figures(postgres), _outbox_figure(postgres)]
    return [*figures, *_site_figures(), *_block_figures()]


def _history_figures(postgres: "EmbeddedPostgres") -> Iterator[FigureDict]:
    """A history of runs, projected: events, audit records, and what rounds leave in the training tables."""
    from audit.models import AuditRecord
    from contracts.models import ChainEventRecord

    rounds = _project()
    events = list(ChainEventRecord.objects.values_list("topics", "data"))
    logs = sum(32 * len(topics) + len(data) for topics, data in events)
    say(f"measuring {len(events):,} events of {rounds:,} rounds")
    yield _bytes(
        "an event in PostgreSQL",
        _table_bytes(postgres, "contracts_chaineventrecord") / len(events),
        "its topics and data on the chain",
        logs / len(events),
    )
    records = list(AuditRecord.objects.values_list("canonical", flat=True))
    yield _bytes(
        "an audit record in PostgreSQL, integrated",
        _table_bytes(postgres, "audit_") / len(records),
        "its canonical bytes",
        fmean(map(len, records)),
    )
    yield _bytes(
        "a round of 5 sites in PostgreSQL, read models",
        _table_bytes(postgres, "training_") / rounds,
        "its 7 events' topics and data",
        7 * logs / len(events),
    )


def _project() -> int:
    """Store and apply; return the number of rounds."""
    from audit.log.integration import integrate_all
    from benchmarks._history import ROUNDS, History, HistoryChain
    from benchmarks.projector import found
    from contracts.interface import Chain
    from contracts.reading.applying import apply_next
    from contracts.reading.streams import read_window

    history = History(RUNS)
    chain, consortium = cast("Chain", HistoryChain(history)), found(history)
    while read_window(chain, consortium):
        pass
    while apply_next(consortium).may_go_on:
        pass
    integrate_all()
    return RUNS * ROUNDS


def _outbox_figure(postgres: "EmbeddedPostgres") -> FigureDict:
    """Confirmed rows as the dispatcher leaves them, each with the bytes that were sent."""
    from django.utils import timezone
    from eth_account import Account

    from benchmarks._members import Consortium, Member
    from contracts.models import OutboxTransaction
    from contracts.relay import Relay

    address = "0x" + "ab" * 20
    consortium = Consortium(uuid.uuid4(), 417_001, [Member(uuid.uuid4())], {"AuditAnchor": address})
    relay, now = Relay(Account.create()), timezone.now()
    rows = [consortium.checkpoint(consortium.members[0]) for _ in range(ACTS)]
    for nonce, row in enumerate(rows):
        signed = relay.sign(to=address, data=_data(row), nonce=nonce, gas=140_000, chain_id=417_001)
        row.raw, row.transaction_hash, row.nonce = signed.raw, "0x" + signed.hash.hex(), nonce
        row.state, row.sender, row.address, row.block, row.gas = "confirmed", relay.address, address, nonce, 57_000
        row.submitted_at = row.broadcast_at = row.settled_at = row.outcome_delivered_at = now
        row.correlation_id = str(uuid.uuid4())
    OutboxTransaction.objects.bulk_create(rows, batch_size=1_000)
    size = _table_bytes(postgres, "contracts_outboxtransaction") / ACTS
    return _bytes(
        "an act in the outbox, confirmed", size, "its signed bytes", fmean(len(row.raw or b"") for row in rows)
    )


def _data(row: "OutboxTransaction") -> bytes:
    from contracts.artifacts import shipped
    from contracts.rpc import codec

    return codec.encode_call(shipped()["AuditAnchor"].abi, row.function, row.values)


def _table_bytes(postgres: "EmbeddedPostgres", prefix: str) -> int:
    """What the tables with this beginning take, after each was written anew."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, %s)", [prefix]
        )
        total = 0
        for (name,) in found.fetchall():
            connection.execute(sql.SQL("VACUUM FULL {}").format(sql.Identifier(name)))
            (size,) = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [name]).fetchone() or (0,)
            total += size
    return total


def _site_figures() -> Iterator[FigureDict]:
    from agent.consents.content import build_content
    from agent.consents.database import Database
    from agent.consents.schema import STORE
    from agent.consents.store import ConsentStore
    from agent.consents.vault import SaltVault
    from benchmarks.consents import fill
    from consent.domain.conflicts import DEFAULT_POLICY
    from consent.fhir.generator import generate_consents
    from consortium.kernel.consent_leaf import LeafContext

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        say(f"storing {SUBJECTS:,} generated consents at a site")
        store = ConsentStore(Database(Path(folder) / "consents.sqlite", STORE))
        vault = SaltVault(Path(folder) / "salts.sqlite")
        context = LeafContext(31_337, uuid.uuid4(), uuid.uuid4())
        at = fill(store, SUBJECTS, context.consortium)
        as_of = int(at.timestamp())
        # Each leaf takes its salts into the vault.
        build_content(store=store, vault=vault, context=context, as_of=as_of, policy=DEFAULT_POLICY)
        store.database.close()
        vault.database.close()
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    made = generate_consents([f"patient-{number}" for number in range(SUBJECTS)], seed=1, made_for=at)
    resource = fmean(len(json.dumps(resource)) for resource in made.resources)
    yield _bytes("a consent at its site, SQLite", size / SUBJECTS, "its FHIR resource", resource)
    yield _trie_figure()


def _trie_figure() -> FigureDict:
    """What the tree of an epoch takes in the agent's memory; on the disk it is made again from the consents."""
    from consortium.kernel.manifests import EPOCH_KIND
    from consortium.kernel.trie import Trie

    say(f"building a trie of {LEAVES:,} leaves")
    items = {secrets.token_bytes(32): secrets.token_bytes(32) for _ in range(LEAVES)}
    tracemalloc.start()
    trie = Trie(EPOCH_KIND, items)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if not trie.root:
        raise RuntimeError("the trie has no root")
    return _bytes(f"a leaf of a trie of {LEAVES:,}, in memory", size / LEAVES, "key and value", 64)


def _block_figures() -> Iterator[FigureDict]:
    from contracts.reading.block_proofs import receipt_bytes

    blocks = [row for row in _lines("blocks.jsonl") if int(row["number"], 16)]
    empty = [int(row["size"], 16) for row in blocks if not row["transactions"]]
    yield _bytes("an empty block, 3 of 4 seals, as recorded", fmean(empty), "a seal in it", SEAL_BYTES)
    logs = [
        (len(receipt_bytes(receipt)), _log_bytes(receipt))
        for row in _lines("receipts.jsonl")
        for receipt in row["receipts"]
        if receipt["logs"]
    ]
    size, held = (fmean(column) for column in zip(*logs, strict=True))
    yield _bytes("a receipt with logs, as recorded", size, "its logs", held)


def _log_bytes(receipt: dict[str, Any]) -> int:
    return sum(20 + 32 * len(log["topics"]) + len(log["data"]) // 2 - 1 for log in receipt["logs"])


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDED / name).read_text().splitlines()]


def _bytes(name: str, value: float, beside: str, compared_value: float) -> FigureDict:
    return figure(name, round(value), "bytes", beside=beside, compared_value=round(compared_value))
