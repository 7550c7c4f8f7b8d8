"""QBFT without a contract: headers list their validators, and proposers vote members in and out."""

from dataclasses import dataclass, field

from consilium_verify.chain import rlp
from consilium_verify.chain.headers import ADDRESS, Extra, Header, block_hash, read_extra
from consilium_verify.chain.histories import require_later
from consilium_verify.chain.seals import require_sealed
from consilium_verify.chain.validators import ValidatorSet
from consilium_verify.findings import RefusedError

_ADD, _DROP = b"\xff", b""


@dataclass(slots=True)
class Ballots:
    """The latest vote of each proposer for and against each address, since the last decision or epoch."""

    for_: dict[bytes, set[bytes]] = field(default_factory=dict)
    against: dict[bytes, set[bytes]] = field(default_factory=dict)

    def cast(self, proposer: bytes, subject: bytes, adds: bool) -> None:
        """Note a vote; it replaces the proposer's earlier one on that address."""
        mine, other = (self.for_, self.against) if adds else (self.against, self.for_)
        mine.setdefault(subject, set()).add(proposer)
        other.get(subject, set()).discard(proposer)

    def decided(self, subject: bytes, members: set[bytes]) -> set[bytes]:
        """Return the members after what more than half of them want of this address."""
        half = len(members) // 2
        if len(self.for_.get(subject, ())) > half:
            self._forget(subject)
            return members | {subject}
        if len(self.against.get(subject, ())) > half:
            self._forget(subject)
            for votes in (*self.for_.values(), *self.against.values()):
                votes.discard(subject)
            return members - {subject}
        return members

    def _forget(self, subject: bytes) -> None:
        self.for_.pop(subject, None)
        self.against.pop(subject, None)


@dataclass(slots=True)
class VotedHistory:
    """A chain followed block by block, without gaps: each block's votes make the next block's set."""

    head: Header
    head_hash: bytes
    in_force: ValidatorSet
    epoch: int
    ballots: Ballots = field(default_factory=Ballots)
    changes: int = 0

    def extend(self, header: Header) -> bytes:
        """Go on to the next block and return its hash; `RefusedError` says why it cannot be that."""
        extra = read_extra(header)
        if header.number != self.head.number + 1:
            raise RefusedError(f"after block {self.head.number} comes {self.head.number + 1}, not {header.number}")
        require_later(header, self.head, self.head_hash)
        if extra.validators != self.in_force.members:
            raise RefusedError("the header lists other validators than the votes before it made")
        require_sealed(header, self.in_force)
        self._count(header, extra)
        self.head, self.head_hash = header, block_hash(header)
        return self.head_hash

    def _count(self, header: Header, extra: Extra) -> None:
        if header.number % self.epoch == 0:
            self.ballots = Ballots()
        if extra.vote == []:
            return
        subject, kind = rlp.items(extra.vote, 2)
        if kind not in (_ADD, _DROP):
            raise RefusedError("the header's vote neither adds nor drops")
        address = rlp.string(subject, ADDRESS)
        self.ballots.cast(header.proposer, address, kind == _ADD)
        members = self.ballots.decided(address, set(self.in_force.members))
        if members != set(self.in_force.members):
            self.in_force = ValidatorSet(tuple(sorted(members)))
            self.changes += 1
