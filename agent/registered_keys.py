"""Which addresses the registries list for this member, read from its own node: they decide which key signs."""

import uuid
from collections.abc import Callable

from agent.chain import Chain
from agent.guards import Pins
from agent.keystore import KeyPurpose
from contracts.events import ContractReference

REGISTRY = "ConsortiumRegistry"
_NO_KEY = "0x" + "0" * 40
# The registry's enum KeyPurpose.
NUMBERS = {KeyPurpose.VOTE: 1, KeyPurpose.SITE: 2}


class RegisteredKeys:
    """One member's keys in the registries that this site has checked and pinned."""

    def __init__(self, pins: Pins, chain: Callable[[], Chain], organization: bytes) -> None:
        self._pins = pins
        self._chain = chain
        self._organization = organization

    def addresses(self, purpose: KeyPurpose, consortium: uuid.UUID | None = None) -> frozenset[str]:
        """Return what is listed now in one consortium, or in any of them."""
        consortia = [consortium] if consortium else self._pins.consortia()
        return frozenset(address for one in consortia if (address := self.address(purpose, one)))

    def address(self, purpose: KeyPurpose, consortium: uuid.UUID) -> str:
        """Return the address at the head of the node's chain; empty for a consortium that is not pinned."""
        registry = self._pins.of(consortium).get(REGISTRY)
        if registry is None:
            return ""
        reference = ContractReference(REGISTRY, registry)
        return str(self._chain().call(reference, "keyOf", self._organization, NUMBERS[purpose]))

    def consortia_of_member(self, purpose: KeyPurpose) -> list[uuid.UUID]:
        """Return the pinned consortia whose registry lists any key of this member."""
        return [one for one in self._pins.consortia() if self.address(purpose, one) not in ("", _NO_KEY)]
