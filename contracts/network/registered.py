"""What a registry says of an organization's node, and whether such a node belongs to the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from consortium.kernel.secp256k1 import checksum_address

NO_VALIDATOR = "0x" + "00" * 20


class Standing(IntEnum):
    """The registry's OrganizationStatus."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    REMOVED = 3


@dataclass(frozen=True, slots=True)
class Registered:
    """An organization of a registry; `validator` is its node's checksummed address, zeros while it has none."""

    organization: bytes
    standing: int
    is_validating: bool
    validator: str

    @classmethod
    def of(cls, organization: bytes, record: Mapping[str, Any]) -> "Registered":
        """Take what matters here out of the registry's struct."""
        validator = checksum_address(record["validator"])
        return cls(organization, int(record["status"]), bool(record["isValidating"]), validator)

    @property
    def belongs(self) -> bool:
        """Whether its node may connect.

        An active organization's may before it validates: it has to be in sync to be activated. A suspended one's
        may as long as it validates, since a suspension takes the vote and leaves the seat.
        """
        if self.validator == NO_VALIDATOR:
            return False
        return self.standing == Standing.ACTIVE or (self.standing == Standing.SUSPENDED and self.is_validating)
