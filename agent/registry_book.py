"""The organizations that a consortium's registry has ever admitted: the contract lists none, its events do.

Read once from the first block and then continued, as the rights on the timelock are.
"""

from agent.chain import Chain, Consortium
from agent.journal import Journal
from agent.scans import Scans
from consortium.kernel.identifiers import from_hex, to_hex
from contracts.events import BlockHeader
from contracts.network.registered import Registered

REGISTRY = "ConsortiumRegistry"
ADMITTED = "OrganizationAdmitted"


class RegistryBook:
    """Reads registries on the member's own node; what was read of their past is kept beside the journal."""

    def __init__(self, chain: Chain, journal: Journal) -> None:
        self._chain = chain
        self._scans = Scans(chain, journal, field="organizations")

    def has_news(self, consortium: Consortium) -> bool:
        """Whether the registry has said anything since its organizations were read last."""
        head, look = self._chain.head(), self._scans.last(self._name(consortium))
        if head.number <= look.block:
            return False
        return bool(self._chain.logs([consortium.reference(REGISTRY)], look.block + 1, head.number))

    def organizations(self, consortium: Consortium, head: BlockHeader) -> list[Registered]:
        """Return every organization that was ever admitted, as the registry has it at a block."""
        reference = consortium.reference(REGISTRY)
        identifiers = self._identifiers(consortium, head)
        return [
            Registered.of(one, self._chain.call(reference, "organization", one, block=head.number))
            for one in identifiers
        ]

    def _identifiers(self, consortium: Consortium, head: BlockHeader) -> list[bytes]:
        name = self._name(consortium)
        look = self._scans.last(name)
        known = {from_hex(one) for one in look.items}
        if look.block < head.number:
            events = self._chain.logs([consortium.reference(REGISTRY)], look.block + 1, head.number)
            known |= {event.arguments["organization"] for event in events if event.name == ADMITTED}
            self._scans.keep(name, head, map(to_hex, known))
        return sorted(known)

    @staticmethod
    def _name(consortium: Consortium) -> str:
        return f"registry:{consortium.chain_id}:{consortium.reference(REGISTRY).address}"
