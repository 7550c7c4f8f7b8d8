"""A QBFT chain followed forward: each block sealed by the set in force, each set proven by the block before it."""

from collections.abc import Mapping
from dataclasses import dataclass

from consilium_verify.chain.headers import Header, block_hash, read_extra
from consilium_verify.chain.receipts import may_hold
from consilium_verify.chain.seals import require_sealed
from consilium_verify.chain.validators import SetProof, Source, ValidatorSet, proven_digest
from consilium_verify.findings import RefusedError


@dataclass(slots=True)
class History:
    """A chain from one block that is known by its hash on.

    `sets` are the lists of validators by their digests: each is taken for what it is by its digest alone, so they may
    come from anywhere.
    """

    source: Source
    sets: Mapping[bytes, ValidatorSet]
    head: Header
    head_hash: bytes
    in_force: ValidatorSet
    changes: int = 0

    @classmethod
    def begin(
        cls, source: Source, sets: Mapping[bytes, ValidatorSet], header: Header, expected: bytes, proof: SetProof
    ) -> "History":
        """Begin at a block that is trusted by its hash: block 0, or one that the asker pinned."""
        found = block_hash(header)
        if found != expected:
            raise RefusedError(f"block {header.number} has another hash than is known of it")
        digest = proven_digest(header.state_root, source, proof)
        return cls(source, sets, header, found, _known(sets, digest))

    def extend(self, header: Header, proof: SetProof | None = None) -> bytes:
        """Go on to a later block and return its hash; `RefusedError` says why it cannot be one of this chain.

        Without a proof of the set after it, the block must be the very next one and its bloom filter must show that
        the source emitted nothing: each replacement is an event of its.
        """
        require_later(header, self.head, self.head_hash)
        extra = read_extra(header)
        if extra.validators or extra.vote != []:
            raise RefusedError("extraData names validators or a vote: the list is not kept by a contract")
        found = block_hash(header)
        self._require_sealed(header)
        self._change(header, proof)
        self.head, self.head_hash = header, found
        return found

    def _require_sealed(self, header: Header) -> None:
        try:
            require_sealed(header, self.in_force)
        except RefusedError as error:
            if header.number == self.head.number + 1:
                raise
            raise RefusedError(
                f"{error} (the one proven in block {self.head.number}; was it replaced in a block that is not here?)"
            ) from error

    def _change(self, header: Header, proof: SetProof | None) -> None:
        may_replace = may_hold(header.bloom, self.source.address)
        if proof is None:
            if header.number != self.head.number + 1:
                raise RefusedError(
                    f"blocks are missing between {self.head.number} and {header.number}, and no proof of the set "
                    "stands in for them"
                )
            if may_replace:
                raise RefusedError("the block may have replaced validators, and there is no proof of the set after it")
            return
        digest = proven_digest(header.state_root, self.source, proof)
        if digest == self.in_force.digest:
            return
        if not may_replace:
            raise RefusedError(
                f"the set of validators changed after block {self.head.number} and before block {header.number}, in a "
                "block that is not here"
            )
        self.in_force = _known(self.sets, digest)
        self.changes += 1


def require_later(header: Header, head: Header, head_hash: bytes) -> None:
    """Hold a header to a block before it: number, time, and if it is the very next one, its parent's hash."""
    if header.number <= head.number:
        raise RefusedError(f"block {header.number} does not come after block {head.number}")
    if header.number == head.number + 1 and header.parent_hash != head_hash:
        raise RefusedError(f"block {header.number} names another parent than block {head.number}")
    # Not "later": blocks may come faster than one a second.
    if header.timestamp < head.timestamp:
        raise RefusedError(f"block {header.number} is earlier than block {head.number}")


def _known(sets: Mapping[bytes, ValidatorSet], digest: bytes) -> ValidatorSet:
    if digest not in sets:
        raise RefusedError(f"no list of validators has the digest 0x{digest.hex()} that the state holds")
    return sets[digest]
