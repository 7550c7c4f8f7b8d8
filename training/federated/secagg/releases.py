"""What survivors release after they agreed on the set, and what it opens."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from training.federated.errors import WireFormatError
from training.federated.secagg.deals import ShareKind
from training.federated.secagg.key_agreement import KEY_BYTES
from training.federated.secagg.parameters import MAX_SITES
from training.federated.secagg.shamir import SHARE_BYTES
from training.federated.wire import read_base64, read_map, read_object, read_uuid, write_base64


@dataclass(frozen=True, slots=True)
class ReleasedShare:
    kind: ShareKind
    share: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReleasedShares:
    """One holder's shares: of each survivor's seed and of each lost dealer's mask key."""

    holder: uuid.UUID
    shares: Mapping[uuid.UUID, ReleasedShare]

    def to_wire(self) -> dict[str, object]:
        shares = {
            str(dealer): {"kind": entry.kind.value, "share": write_base64(entry.share)}
            for dealer, entry in self.shares.items()
        }
        return {"holder": str(self.holder), "shares": shares}

    @classmethod
    def from_wire(cls, value: object) -> Self:
        fields = read_object(value, ("holder", "shares"), what="release")
        shares = read_map(fields["shares"], what="shares", max_items=MAX_SITES)
        return cls(
            read_uuid(fields["holder"], what="holder"),
            {dealer: _read_share(entry) for dealer, entry in shares.items()},
        )


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """Seeds of the survivors and mask private keys of the lost dealers: 32 bytes each, public from now on."""

    seeds: Mapping[uuid.UUID, bytes]
    mask_privates: Mapping[uuid.UUID, bytes]

    def to_wire(self) -> dict[str, object]:
        return {
            "seeds": {str(owner): write_base64(secret) for owner, secret in self.seeds.items()},
            "mask_privates": {str(owner): write_base64(secret) for owner, secret in self.mask_privates.items()},
        }

    @classmethod
    def from_wire(cls, value: object) -> Self:
        fields = read_object(value, ("seeds", "mask_privates"), what="set of opened secrets")
        return cls(_read_secrets(fields["seeds"], "seeds"), _read_secrets(fields["mask_privates"], "mask_privates"))


def _read_share(value: object) -> ReleasedShare:
    fields = read_object(value, ("kind", "share"), what="released share")
    try:
        kind = ShareKind(str(fields["kind"]))
    except ValueError as error:
        raise WireFormatError("A released share is of kind seed or mask_key.") from error
    return ReleasedShare(kind, read_base64(fields["share"], what="share", size_bytes=SHARE_BYTES))


def _read_secrets(value: object, what: str) -> dict[uuid.UUID, bytes]:
    secrets = read_map(value, what=what, max_items=MAX_SITES)
    return {owner: read_base64(entry, what=what, size_bytes=KEY_BYTES) for owner, entry in secrets.items()}
