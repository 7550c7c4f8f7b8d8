"""Witnessing: this site co-signs a log's checkpoint only if the log has kept all that the site signed before.

What it signed last of each log stands in the journal before the signature leaves the house. A log that shrank or
shows two histories is refused, and stays refused until a person has looked: that is the evidence of tampering
that witnesses are for.
"""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from agent import problems
from agent.chain import Consortium
from agent.client import PREFIX
from agent.errors import PlatformAwayError, PlatformRefusedError
from agent.pauses import Backoff
from agent.policy import SigningRequest
from agent.witness_book import Seen, WitnessBook
from consortium.kernel.checkpoints import Checkpoint, open_checkpoint
from consortium.kernel.digests import keccak256, sha256_digest
from consortium.kernel.eip712 import Domain
from consortium.kernel.errors import ConsiliumError, InvalidInputError, InvalidProofError
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.merkle_proofs import verify_consistency
from consortium.kernel.notes import NoteKey

if TYPE_CHECKING:
    from agent.site import Site

logger = logging.getLogger(__name__)
ROUND_SECONDS = 2.0
CONTRACT = "AuditAnchor"
MAX_STEPS = 1_000
_MAX_NOTE_CHARACTERS = 64 * 1024
# A tree of 2**64 leaves needs no longer proof.
_MAX_PROOF = 130


class LogForkError(ConsiliumError):
    """The log is not what this site signed before: it shrank, changed, or speaks with another key."""

    code = "log_fork"
    http_status = 409


class Channel(Protocol):
    """What a witness asks of the platform; `agent.client.PlatformClient` is the real one."""

    async def get(self, path: str) -> httpx.Response: ...

    async def post(self, path: str, body: Mapping[str, Any], *, idempotency_key: str) -> None: ...


class Checker(Protocol):
    """Gives consortia that this site has checked on its own node; `agent.desk.BallotDesk` is the real one."""

    async def consortium(self, identity: uuid.UUID) -> Consortium: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One checkpoint on a log's way, and the proof that it extends the one of `previous_size`."""

    id: uuid.UUID
    note: str
    previous_size: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A log's checkpoints from the one of size `since` on, oldest first: what the platform asks to be co-signed."""

    log: uuid.UUID
    consortium: uuid.UUID
    key: NoteKey
    since: int
    steps: tuple[Step, ...]

    @property
    def origin(self) -> str:
        return self.key.name


class Witness:
    """One member's witness of all the logs of its consortia; `run` ends only by cancellation."""

    def __init__(self, site: "Site", channel: Channel, checker: Checker) -> None:
        self._site = site
        self._channel = channel
        self._checker = checker
        self._book = WitnessBook(site.journal)

    async def run(self) -> None:
        """Follow the logs until canceled; a fault is logged and tried again."""
        backoff = Backoff()
        while True:
            try:
                await self.go_round()
            except ConsiliumError as error:
                logger.warning("witness: %s", error.message)
                await backoff.pause()
            else:
                backoff.reset()
            await asyncio.sleep(ROUND_SECONDS)

    async def go_round(self) -> int:
        """Look at every log once; return how many checkpoints were co-signed.

        A log that is refused holds up no other one; the first refusal is raised in the end.
        """
        answer = await self._channel.get(f"{PREFIX}/checkpoints")
        signed, refusal = 0, None
        for item in problems.read_results(answer):
            try:
                signed += await self._witness(read_way(item))
            except (LogForkError, PlatformRefusedError) as error:
                refusal = refusal or error
        if refusal is not None:
            raise refusal
        return signed

    async def _witness(self, way: Way) -> int:
        seen = await asyncio.to_thread(self._book.seen, way.origin)
        try:
            if seen is not None and seen.size != way.since:
                # A signature was lost on its way, or this journal is restored from an older copy.
                way = await self._from(way, seen.size)
            checkpoint, step = follow(seen, way)
        except LogForkError as error:
            await asyncio.to_thread(self._refuse, way, seen, error)
            raise
        contract = await self._contract(way.consortium)
        body = await asyncio.to_thread(self._sign, way, checkpoint, contract)
        await self._channel.post(
            f"{PREFIX}/checkpoints/{step.id}/signature", body, idempotency_key=f"checkpoint-{step.id}"
        )
        return 1

    async def _from(self, way: Way, size: int) -> Way:
        """Ask for the way from what this site signed last: only this journal knows that for certain."""
        try:
            answer = await self._channel.get(f"{PREFIX}/checkpoints?log={way.log}&size={size}")
        except PlatformRefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            raise LogForkError(f"The log no longer knows the checkpoint of {size} leaves that was signed.") from error
        ways = [read_way(item) for item in problems.read_results(answer)]
        if len(ways) != 1 or (ways[0].origin, ways[0].since) != (way.origin, size):
            raise PlatformAwayError("The platform does not show the log's way from what this site signed last.")
        return ways[0]

    async def _contract(self, consortium: uuid.UUID) -> Domain:
        """Return the domain of the consortium's contract, which this site has checked and pinned."""
        pinned = await asyncio.to_thread(self._site.pins.of, consortium)
        if CONTRACT in pinned:
            return Domain(CONTRACT, self._site.configuration.chain_id, pinned[CONTRACT])
        return (await self._checker.consortium(consortium)).domain(CONTRACT)

    def _sign(self, way: Way, checkpoint: Checkpoint, domain: Domain) -> dict[str, str]:
        self._book.advance(Seen(way.key, checkpoint.size, checkpoint.root))
        message = {"log": keccak256(way.origin.encode()), "size": checkpoint.size, "root": checkpoint.root}
        signed = self._site.signer.sign(SigningRequest("Checkpoint", domain, message, consortium=way.consortium))
        return {"signature": to_hex(signed.signature)}

    def _refuse(self, way: Way, seen: Seen | None, error: LogForkError) -> None:
        """Keep what the platform showed: a signed note that contradicts another is proof against it."""
        notes = [step.note for step in way.steps]
        if self._book.refuse(way.origin, seen, notes[-1], sha256_digest("".join(notes).encode())):
            logger.error("Log %s is not co-signed: %s", way.origin, error.message)


def follow(seen: Seen | None, way: Way) -> tuple[Checkpoint, Step]:
    """Return the last checkpoint of a way that honestly extends what this site signed, and its step.

    Raises
    ------
    LogForkError
        If a note is not by the pinned key, the log shrank, or a proof does not show that it only grew.
    """
    if seen is not None and seen.key != way.key:
        raise LogForkError("The log speaks with another key than the one this site pinned.")
    checkpoints = [_opened(step, way.key) for step in way.steps]
    last = checkpoints[-1]
    if seen is None:
        return last, way.steps[-1]
    if last.size < seen.size:
        raise LogForkError(f"The log shrank to {last.size} leaves; this site signed {seen.size}.")
    root, size = seen.root, seen.size
    for checkpoint, step in zip(checkpoints, way.steps, strict=True):
        if checkpoint.size < size:
            continue
        if checkpoint.size == size:
            _require(checkpoint.root == root, f"The log shows two histories of its first {size} leaves.")
            continue
        _require(step.previous_size == size, f"The proof starts at {step.previous_size} leaves, not at {size}.")
        _extend(size, root, checkpoint, step.proof)
        root, size = checkpoint.root, checkpoint.size
    return last, way.steps[-1]


def read_way(item: Mapping[str, Any]) -> Way:
    """Read what the platform asks to be witnessed; `PlatformAwayError` if it is not of that shape."""
    steps = item.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS or not all(isinstance(s, dict) for s in steps):
        raise PlatformAwayError("The platform's answer holds no checkpoints to follow.")
    try:
        key = NoteKey.parse(problems.text(item, "key"))
        read = tuple(_step(step) for step in steps)
    except InvalidInputError as error:
        raise PlatformAwayError("The platform's answer holds no log's key or no hashes.") from error
    return Way(
        log=problems.identifier(item, "log"),
        consortium=problems.identifier(item, "consortium"),
        key=key,
        since=problems.number(item, "since"),
        steps=read,
    )


def _step(item: Mapping[str, Any]) -> Step:
    proof = item.get("proof")
    if not isinstance(proof, list) or len(proof) > _MAX_PROOF or not all(type(value) is str for value in proof):
        raise PlatformAwayError("The platform's checkpoint has no list of hashes as its proof.")
    return Step(
        id=problems.identifier(item, "id"),
        note=problems.text(item, "note", longest=_MAX_NOTE_CHARACTERS),
        previous_size=problems.number(item, "previous_size"),
        proof=_hashes(proof),
    )


def _hashes(values: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(from_hex(value, size_bytes=32) for value in values)


def _opened(step: Step, key: NoteKey) -> Checkpoint:
    try:
        checkpoint, _ = open_checkpoint(step.note, key)
    except InvalidInputError as error:
        raise LogForkError("A checkpoint is not signed by the log's pinned key.") from error
    return checkpoint


def _extend(size: int, root: bytes, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
    try:
        verify_consistency(
            first=size, second=checkpoint.size, first_root=root, second_root=checkpoint.root, proof=proof
        )
    except InvalidProofError as error:
        raise LogForkError(
            f"The log of {checkpoint.size} leaves does not extend the {size} that were signed."
        ) from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise LogForkError(message)
