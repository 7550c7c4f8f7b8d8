"""What the platform asks in a round, read strictly: exactly the known fields, each in its one form (docs/wire.md)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import InvalidInputError
from training.federated.errors import WireFormatError
from training.federated.secagg.deals import SignedDeal
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.parameters import MAX_SITES
from training.federated.secagg.releases import OpenedSecrets
from training.federated.secagg.share_transport import EncryptedShare
from training.federated.secagg.survivors import SurvivorSet
from training.federated.wire import read_hex, read_integer, read_list, read_object, read_uuid

SIGNATURE_BYTES = 65
_PLACE = ("run", "round", "attempt")
_CLOSING = ("round", "attempt", "survivors", "masked_digests", "aggregate", "next_weights", "signatures")


@dataclass(frozen=True, slots=True)
class Place:
    """One attempt of one round of a run; both count from 1."""

    run: uuid.UUID
    round: int
    attempt: int

    @property
    def text(self) -> str:
        """A name for keys of stores."""
        return f"{self.run}/{self.round}/{self.attempt}"

    @classmethod
    def read(cls, fields: Mapping[str, object]) -> Self:
        numbers = (read_integer(fields[name], what=name, minimum=1) for name in ("round", "attempt"))
        return cls(read_uuid(fields["run"], what="run"), *numbers)


@dataclass(frozen=True, slots=True)
class Closing:
    """`RoundClose` that the next transaction will make, with its verifiers' signatures."""

    round: int
    attempt: int
    survivors: int
    masked_digests: bytes
    aggregate: bytes
    next_weights: bytes
    signatures: Mapping[uuid.UUID, bytes]

    @classmethod
    def read(cls, value: object) -> Self:
        fields = read_object(value, _CLOSING, what="closing")
        words = {
            name: read_hex(fields[name], what=name, size_bytes=32)
            for name in ("survivors", "masked_digests", "aggregate", "next_weights")
        }
        return cls(
            round=read_integer(fields["round"], what="round", minimum=1),
            attempt=read_integer(fields["attempt"], what="attempt", minimum=1),
            survivors=int.from_bytes(words["survivors"], "big"),
            masked_digests=words["masked_digests"],
            aggregate=words["aggregate"],
            next_weights=words["next_weights"],
            signatures=read_signatures(fields["signatures"]),
        )


@dataclass(frozen=True, slots=True)
class CommitAsked:
    """`commit`: take part in an attempt of an approved plan, from these weights (32 bytes)."""

    place: Place
    plan: str
    decision: bytes
    terms: Mapping[str, object]
    weights: bytes
    closing: Closing | None

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        keys = (*_PLACE, "plan", "decision", "terms", "weights", *(("closing",) if "closing" in payload else ()))
        fields = read_object(payload, keys, what="commit")
        if not isinstance(fields["terms"], dict):
            raise WireFormatError("terms is an object.")
        return cls(
            Place.read(fields),
            _digest(fields["plan"]),
            read_hex(fields["decision"], what="decision", size_bytes=32),
            fields["terms"],
            digest_to_bytes32(_digest(fields["weights"])),
            Closing.read(fields["closing"]) if "closing" in fields else None,
        )


@dataclass(frozen=True, slots=True)
class SharesAsked:
    """`shares`: deal to the opened roster, whose mask keys these are said to be."""

    place: Place
    mask_keys: tuple[MaskKeys, ...]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        fields = read_object(payload, (*_PLACE, "mask_keys"), what="shares")
        return cls(Place.read(fields), _mask_keys(fields["mask_keys"]))


@dataclass(frozen=True, slots=True)
class TrainAsked:
    """`train`: the dealers' public parts, and their shares for this site."""

    place: Place
    weights: bytes
    deals: tuple[SignedDeal, ...]
    shares: tuple[EncryptedShare, ...]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        fields = read_object(payload, (*_PLACE, "weights", "deals", "shares"), what="train")
        shares = read_list(fields["shares"], what="shares", max_items=MAX_SITES)
        return cls(
            Place.read(fields),
            digest_to_bytes32(_digest(fields["weights"])),
            _deals(fields["deals"]),
            tuple(EncryptedShare.from_wire(share) for share in shares),
        )


@dataclass(frozen=True, slots=True)
class SignAsked:
    """`sign`: agree to the attempt's one survivor set."""

    place: Place
    survivors: SurvivorSet

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        fields = read_object(payload, (*_PLACE, "survivors"), what="sign")
        return cls(Place.read(fields), SurvivorSet.from_wire(fields["survivors"]))


@dataclass(frozen=True, slots=True)
class RevealAsked:
    """`reveal`: release shares against signatures on the set that this site signed."""

    place: Place
    survivors: SurvivorSet
    signatures: Mapping[uuid.UUID, bytes]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        fields = read_object(payload, (*_PLACE, "survivors", "signatures"), what="reveal")
        survivors = SurvivorSet.from_wire(fields["survivors"])
        return cls(Place.read(fields), survivors, read_signatures(fields["signatures"]))


@dataclass(frozen=True, slots=True)
class VerifyAsked:
    """`verify`: recompute a round from its public messages; nothing of the attempt is needed for it."""

    place: Place
    survivors: SurvivorSet
    signatures: Mapping[uuid.UUID, bytes]
    vectors: Mapping[uuid.UUID, str]
    opened: OpenedSecrets
    mask_keys: tuple[MaskKeys, ...]
    weights: bytes
    aggregate: bytes
    next_weights: bytes

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        keys = ("survivors", "signatures", "vectors", "opened", "mask_keys", "deals", "weights", "result")
        fields = read_object(payload, (*_PLACE, *keys), what="verify")
        result = read_object(fields["result"], ("aggregate", "next_weights"), what="result")
        return cls(
            Place.read(fields),
            SurvivorSet.from_wire(fields["survivors"]),
            read_signatures(fields["signatures"]),
            _vectors(fields["vectors"]),
            OpenedSecrets.from_wire(fields["opened"]),
            _mask_keys(fields["mask_keys"]),
            digest_to_bytes32(_digest(fields["weights"])),
            *(read_hex(result[name], what=name, size_bytes=32) for name in ("aggregate", "next_weights")),
        )


def read_signatures(value: object) -> dict[uuid.UUID, bytes]:
    """Return signatures by organization, each once."""
    entries = [
        read_object(item, ("organization", "signature"), what="signature")
        for item in read_list(value, what="signatures", max_items=MAX_SITES)
    ]
    found = {
        read_uuid(entry["organization"], what="organization"): read_hex(
            entry["signature"], what="signature", size_bytes=SIGNATURE_BYTES
        )
        for entry in entries
    }
    if len(found) != len(entries):
        raise WireFormatError("An organization signs once.")
    return found


def _vectors(value: object) -> dict[uuid.UUID, str]:
    entries = [
        read_object(item, ("organization", "digest"), what="vector")
        for item in read_list(value, what="vectors", max_items=MAX_SITES)
    ]
    return {read_uuid(entry["organization"], what="organization"): _digest(entry["digest"]) for entry in entries}


def _mask_keys(value: object) -> tuple[MaskKeys, ...]:
    return tuple(MaskKeys.from_wire(item) for item in read_list(value, what="mask_keys", max_items=MAX_SITES))


def _deals(value: object) -> tuple[SignedDeal, ...]:
    return tuple(SignedDeal.from_wire(item) for item in read_list(value, what="deals", max_items=MAX_SITES))


def _digest(value: object) -> str:
    try:
        text = value if isinstance(value, str) else ""
        digest_to_bytes32(text)
    except InvalidInputError as error:
        raise WireFormatError("A digest is written sha256: and 64 digits.") from error
    return text
