"""The survivor set: which masked vectors are in the sum, signed before anything is opened.

Why t signatures of survivors suffice, also against a platform that names different dealers to
different sites before they mask. Let a set U be signed by t members of U. (1) It is the only one:
see `SecureAggregationParameters`. So for every member only seeds of U and mask keys outside U can be
rebuilt. (2) Let a smaller group S of honest members of U have no masks with the honest rest of U. Each
v in S masked against at least t dealers, t - c of them honest and hence in S or outside U. Nobody in S
signed, for a signer has all of U among its dealers; so U has at least t + |S| members, outside lie at
least t - c - |S| honest ones, and n >= 2t - c: against the bound. So the sum over all honest members
of U is the least that opens.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import uuid_to_bytes32
from training.federated.errors import SurvivorSetRefusedError
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.parameters import MAX_SITES
from training.federated.wire import read_hex, read_list, read_object, write_hex

SURVIVOR_SET = "SurvivorSet"


@dataclass(frozen=True, slots=True)
class SurvivorSet:
    """Survivors of one attempt and the digests of their masked vectors.

    Parameters
    ----------
    survivors : int
        Bitmap; bit i is member i of the roster.
    masked_digests : tuple of bytes
        SHA-256 of each survivor's masked vector as sent, 32 bytes each, in the roster's order.
    """

    survivors: int
    masked_digests: tuple[bytes, ...]

    def members(self, opened: OpenedAttempt) -> tuple[uuid.UUID, ...]:
        """Return the survivors in the roster's order; refuse bits outside the roster or a wrong number of digests."""
        roster = opened.roster
        if not 0 < self.survivors < 1 << len(roster):
            raise SurvivorSetRefusedError("The survivor set names nobody, or a place outside the roster.")
        members = tuple(organization for i, organization in enumerate(roster) if self.survivors >> i & 1)
        if len(members) != len(self.masked_digests) or any(len(d) != 32 for d in self.masked_digests):
            raise SurvivorSetRefusedError("The survivor set needs one SHA-256 digest a survivor.")
        return members

    def digest_of(self, opened: OpenedAttempt, organization: uuid.UUID) -> bytes:
        return self.masked_digests[self.members(opened).index(organization)]

    def combined_digest(self) -> bytes:
        """Return keccak-256 of the concatenated masked digests: `maskedDigests` on the chain."""
        return keccak256(b"".join(self.masked_digests))

    def fields(self, opened: OpenedAttempt) -> SignedFields:
        """Return the fields of the EIP-712 type SurvivorSet."""
        return {
            "run": uuid_to_bytes32(opened.context.run),
            "round": opened.context.round,
            "attempt": opened.context.attempt,
            "roster": opened.roster_digest(),
            "survivors": self.survivors,
            "maskedDigests": self.combined_digest(),
            "weights": opened.weights,
        }

    def to_wire(self) -> dict[str, object]:
        return {
            "survivors": write_hex(self.survivors.to_bytes(32, "big")),
            "masked_digests": [write_hex(digest) for digest in self.masked_digests],
        }

    @classmethod
    def from_wire(cls, value: object) -> Self:
        fields = read_object(value, ("survivors", "masked_digests"), what="survivor set")
        bitmap = int.from_bytes(read_hex(fields["survivors"], what="survivors", size_bytes=32), "big")
        digests = read_list(fields["masked_digests"], what="masked_digests", max_items=MAX_SITES)
        return cls(bitmap, tuple(read_hex(d, what="a masked digest", size_bytes=32) for d in digests))


def survivor_set(opened: OpenedAttempt, digests: Sequence[tuple[uuid.UUID, bytes]]) -> SurvivorSet:
    """Return the set of the organizations whose masked digests are given, in whatever order."""
    opened.ensure_members([organization for organization, _ in digests])
    ordered = sorted((opened.index(organization), digest) for organization, digest in digests)
    return SurvivorSet(sum(1 << index for index, _ in ordered), tuple(digest for _, digest in ordered))


def ensure_signable(
    opened: OpenedAttempt,
    survivors: SurvivorSet,
    *,
    organization: uuid.UUID,
    dealers: frozenset[uuid.UUID],
    masked_digest: bytes,
) -> None:
    """Refuse a set that this site may not sign: below t, without itself, beyond its dealers, or with other bytes.

    Raises
    ------
    SurvivorSetRefusedError
    """
    members = survivors.members(opened)
    if len(members) < opened.parameters.t:
        raise SurvivorSetRefusedError(f"{len(members)} survivors are fewer than t={opened.parameters.t}.")
    if organization not in members:
        raise SurvivorSetRefusedError("The survivor set leaves this site out; it signs only sets that hold it.")
    if not dealers.issuperset(members):
        raise SurvivorSetRefusedError("A survivor never dealt shares to this site; its mask would stay in the sum.")
    if survivors.digest_of(opened, organization) != masked_digest:
        raise SurvivorSetRefusedError("The set names other bytes than this site sent as its masked vector.")
