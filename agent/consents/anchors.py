"""The site's own list of what it signed for the ConsentAnchor, and the content of each epoch."""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.consents.content import EpochContent
from agent.consents.database import Database
from consent.domain.cohorts import CohortSelector
from consent.domain.effective import effective_from_json
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import digest_of, keccak256
from consortium.kernel.identifiers import from_hex, to_hex

EPOCH = "epoch"
REVOCATION = "revocation"
_COLUMNS = "digest, consortium, kind, epoch, seq, as_of, root, band, revoked, signed_at, state"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signed entry: an epoch (root, band) or a revocation (subjects); `digest` is the signed message's, in hex."""

    digest: str
    consortium: uuid.UUID
    kind: str
    epoch: int
    seq: int
    as_of: int
    root: bytes
    band: int
    revoked: tuple[bytes, ...]
    signed_at: int
    state: str = "signed"


@dataclass(frozen=True, slots=True)
class ChainState:
    """What the chain shows of this site's consents (`ConsentAnchor.stateOf`)."""

    epoch: int
    seq: int
    as_of: int
    band: int
    root: bytes
    revocations: bytes


class Anchors:
    """Signed entries in the store; at most one of a consortium is on its way."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, anchor: Anchor) -> None:
        """Note a signed entry; call within the transaction that also queues its request."""
        revoked = json.dumps([to_hex(subject) for subject in anchor.revoked])
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT INTO anchors ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  a constant
                (
                    *(anchor.digest, str(anchor.consortium), anchor.kind, anchor.epoch, anchor.seq, anchor.as_of),
                    *(anchor.root, anchor.band, revoked, anchor.signed_at, anchor.state),
                ),
            )

    def keep_leaves(self, anchor: str, content: EpochContent) -> None:
        """Keep an epoch's content, so that proofs for it can be made later."""
        texts = {leaf.pseudonym: leaf.effective.to_json() for leaf in content.leaves}
        digests = {pseudonym: digest_of(value) for pseudonym, value in texts.items()}
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO provisions VALUES (?, ?)",
                [(digests[pseudonym], canonical_json(value).decode()) for pseudonym, value in texts.items()],
            )
            connection.executemany(
                "INSERT INTO leaves VALUES (?, ?, ?, ?, ?)",
                [
                    (anchor, leaf.subject, leaf.consent, leaf.pseudonym, digests[leaf.pseudonym])
                    for leaf in content.leaves
                ],
            )

    def knows(self, digest: str) -> bool:
        """Say whether this very message was signed before, whatever became of it."""
        return bool(self._select("digest = ?", digest))

    def on_its_way(self, consortium: uuid.UUID) -> Anchor | None:
        """Return the entry that was signed and is not seen on the chain yet."""
        found = self._select("consortium = ? AND state = 'signed'", str(consortium))
        return found[0] if found else None

    def last_landed(self, consortium: uuid.UUID) -> Anchor | None:
        """Return the entry with the highest number that was seen on the chain."""
        found = self._select("consortium = ? AND state = 'landed' ORDER BY seq DESC LIMIT 1", str(consortium))
        return found[0] if found else None

    def at_seq(self, consortium: uuid.UUID, seq: int) -> list[Anchor]:
        """Return every entry that was signed under a number, the one on its way first."""
        return self._select("consortium = ? AND seq = ? ORDER BY state = 'lost'", str(consortium), seq)

    def epoch_of(self, consortium: uuid.UUID, epoch: int, root: bytes) -> Anchor | None:
        """Return the landed epoch of this number and root."""
        found = self._select(
            "consortium = ? AND kind = 'epoch' AND epoch = ? AND root = ? AND state = 'landed'",
            *(str(consortium), epoch, root),
        )
        return found[0] if found else None

    def revoked_in(self, consortium: uuid.UUID, epoch: int, up_to_seq: int) -> list[bytes]:
        """Return the subjects revoked within an epoch, in the chain's order."""
        found = self._select(
            "consortium = ? AND kind = 'revocation' AND epoch = ? AND seq <= ? AND state = 'landed' ORDER BY seq",
            *(str(consortium), epoch, up_to_seq),
        )
        return [subject for anchor in found for subject in anchor.revoked]

    def mark(self, digest: str, state: str) -> None:
        """Set what became of an entry."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE anchors SET state = ? WHERE digest = ?", (state, digest))

    def note_landing(self, digest: str, *, block: int, at: int) -> None:
        """Note by which block this site's node first showed an entry."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO landings VALUES (?, ?, ?)", (digest, block, at))

    def leaves(self, anchor: str) -> dict[bytes, bytes]:
        """Return an epoch's leaves, S to C."""
        return dict(self._database.rows("SELECT subject, consent FROM leaves WHERE anchor = ?", anchor))

    def load_rules(self, consortium: uuid.UUID, anchor: str) -> None:
        """Make an epoch's provisions the ones that cohorts of its consortium are selected by."""
        rows = self._database.rows(
            "SELECT pseudonym, text FROM leaves JOIN provisions ON provisions.digest = leaves.provisions "
            "WHERE anchor = ? AND pseudonym IS NOT NULL",
            anchor,
        )
        with self._database.transaction() as connection:
            selector = CohortSelector(connection)
            connection.execute("DELETE FROM effective_rule WHERE subject LIKE ?", (f"{consortium}/%",))
            selector.put((rule_subject(consortium, name), effective_from_json(json.loads(text))) for name, text in rows)

    def _select(self, where: str, *values: object) -> list[Anchor]:
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM anchors WHERE {where}", *values)  # noqa: S608  callers' constants
        return [_anchor(row) for row in rows]


def rule_subject(consortium: uuid.UUID, pseudonym: str) -> str:
    """Return the name under which a subject's rules of one consortium lie in the selector's one table."""
    return f"{consortium}/{pseudonym}"


def revocation_chain(subjects: Iterable[bytes]) -> bytes:
    """Return what the contract keeps of an epoch's revocations: keccak-256 over each subject and what came before."""
    chain = bytes(32)
    for subject in subjects:
        chain = keccak256(chain + subject)
    return chain


def explains(anchor: Anchor, state: ChainState, revoked_before: Sequence[bytes]) -> bool:
    """Say whether this entry, as the latest one, makes the chain's state."""
    if anchor.seq != state.seq or anchor.epoch != state.epoch:
        return False
    if anchor.kind == EPOCH:
        return (anchor.root, anchor.as_of, bytes(32)) == (state.root, state.as_of, state.revocations)
    return revocation_chain([*revoked_before, *anchor.revoked]) == state.revocations


def _anchor(row: Sequence[Any]) -> Anchor:
    digest, consortium, *numbers, root, edge, revoked, signed_at, state = row
    kind, epoch, seq, as_of = numbers
    subjects = tuple(from_hex(text, size_bytes=32) for text in json.loads(revoked))
    return Anchor(digest, uuid.UUID(consortium), kind, epoch, seq, as_of, root, edge, subjects, signed_at, state)
