"""Consents at a site: an epoch of 100,000 leaves, one withdrawal in it, proofs; beside hashlib alone.

Seconds are processor seconds of the one thread that works.
"""

import hashlib
import json
import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agent.consents.content import build_content
from agent.consents.database import Database
from agent.consents.schema import STORE
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from benchmarks.harness.timing import seconds_of
from consent.domain.conflicts import DEFAULT_POLICY
from consent.fhir.generator import generate_consents
from consent.fhir.reader import ParsedConsent, pseudonymize, read_consents
from consortium.kernel.consent_leaf import LeafContext
from consortium.kernel.manifests import EPOCH_KIND
from consortium.kernel.trie import Branch, Leaf, Subtree, Trie
from consortium.kernel.trie_proofs import verify_absence, verify_inclusion

LEAVES, SUBJECTS = 100_000, 10_000
# A large hospital's epoch while a person waits; a withdrawal and a proof that nobody notices.
TRIE_SECONDS, CHANGE_MS, PROOF_MS, EPOCH_SECONDS = 2.0, 1.0, 1.0, 10.0
ALONE = "hashlib alone, as many hashes"


def run() -> list[FigureDict]:
    """Return the figures."""
    return [*_trie_figures(), _epoch_figure()]


def _trie_figures() -> Iterator[FigureDict]:
    items = {secrets.token_bytes(32): secrets.token_bytes(32) for _ in range(LEAVES)}
    say(f"building a trie of {LEAVES:,} leaves")
    build = partial(Trie, EPOCH_KIND, items)
    trie = build()
    hashes = sum(1 for _ in _nodes(trie._top)) + 1
    named = partial(figure, beside=ALONE)
    yield named(
        f"trie of {LEAVES:,} leaves, built",
        seconds_of(build, repeats=3),
        "s",
        compared_value=hashes * _hash_seconds(),
        at_most=TRIE_SECONDS,
    )
    say("one withdrawal, and proofs of presence and absence")
    gone = next(iter(items))
    depth = len(trie.prove(gone).siblings)
    yield named(
        f"one withdrawal from it ({depth + 1} hashes)",
        1e3 * seconds_of(lambda: trie.changed(removed=[gone])),
        "ms",
        compared_value=1e3 * (depth + 1) * _hash_seconds(),
        at_most=CHANGE_MS,
    )
    for what, prove in _proofs(trie, gone, items[gone]):
        yield named(
            f"proof of {what}, made and verified",
            1e3 * seconds_of(prove),
            "ms",
            compared_value=1e3 * (depth + 2) * _hash_seconds(),
            at_most=PROOF_MS,
        )


def _proofs(trie: Trie, key: bytes, value: bytes) -> Iterator[tuple[str, Callable[[], None]]]:
    without = trie.changed(removed=[key])
    checked = partial(verify_inclusion, kind=EPOCH_KIND, key=key, value=value, root=trie.root)
    yield "presence", lambda: checked(trie.prove(key))
    absent = partial(verify_absence, kind=EPOCH_KIND, key=key, root=without.root)
    yield "absence", lambda: absent(without.prove(key))


def _epoch_figure() -> FigureDict:
    """Build an epoch from stored FHIR consents: read, evaluate, commit with salts, build the trie."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        say(f"storing {SUBJECTS:,} generated consents")
        store = ConsentStore(Database(Path(folder) / "consents.sqlite", STORE))
        vault = SaltVault(Path(folder) / "salts.sqlite")
        context = LeafContext(31337, uuid.uuid4(), uuid.uuid4())
        at = fill(store, SUBJECTS, context.consortium)
        build = partial(
            build_content, store=store, vault=vault, context=context, as_of=int(at.timestamp()), policy=DEFAULT_POLICY
        )
        say("building their epoch")
        if not (leaves := len(build().leaves)):
            raise RuntimeError("the stored consents made an epoch without a leaf")
        spent = seconds_of(lambda: build().trie(), repeats=3)
        store.database.close()
        vault.database.close()
    # S, C, the leaf, its node and about one branch.
    return figure(
        f"epoch of {SUBJECTS:,} stored consents ({leaves:,} leaves)",
        spent,
        "s",
        beside=ALONE,
        compared_value=5 * leaves * _hash_seconds(),
        at_most=EPOCH_SECONDS,
    )


def fill(store: ConsentStore, subjects: int, consortium: uuid.UUID) -> datetime:
    """Store a generated consent for each of so many subjects, as an import for a consortium; return as of when."""
    at, key = datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(32)
    made = generate_consents([f"patient-{number}" for number in range(subjects)], seed=1, made_for=at)
    lines = (json.dumps(resource).encode() for resource in made.resources)
    with store.database.transaction():
        store.join(consortium)
        for line, parsed in read_consents(lines):
            if not isinstance(parsed, ParsedConsent):
                raise RuntimeError(f"the generated consent of line {line} was refused")
            one = pseudonymize(parsed, key=key)
            store.add(
                record=parsed.subject,
                pseudonym=one.subject,
                resource=dict(one.resource),
                grant=one.grant,
                at=int(at.timestamp()),
            )
            store.add_to(one.grant.id, [consortium])
    return at


def _nodes(top: Subtree) -> Iterator[Leaf | Branch]:
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Branch):
            waiting += [node.left, node.right]
        if node is not None:
            yield node


def _hash_seconds() -> float:
    """Return the seconds of one SHA-256 over a branch's preimage."""
    preimage = bytes(len("consilium/trie/1/branch") + 64)
    return seconds_of(lambda: hashlib.sha256(preimage).digest(), at_least_seconds=0.1)
