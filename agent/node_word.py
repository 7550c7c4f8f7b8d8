"""What the member's site knows of who belongs and where they are: pinned registries, its own files, the platform."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.chain import Consortium
from agent.errors import ChainNotTrustedError
from agent.registry_book import REGISTRY, RegistryBook
from agent.trust_file import consortium_of
from consortium.kernel.errors import ConsiliumError
from contracts.events import ContractReference
from contracts.network.enodes import parse_enode
from contracts.network.reconciling.offers import BadOffer, Offers, offers_in, offers_of
from contracts.network.registered import Registered
from contracts.reconciler import Word

if TYPE_CHECKING:
    from agent.site import Site

SOURCE = "ValidatorSource"
MAX_FILE_BYTES = 1024 * 1024


class NodeWord:
    """Gathers one site's word for a comparison; nothing is raised for what cannot be read, the word says so."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._book = RegistryBook(site.chain, site.journal)

    def has_news(self) -> bool:
        """Whether a registry has said something since it was read last; False where it cannot be read."""
        try:
            return any(self._book.has_news(one) for one in self._consortia())
        except ConsiliumError:
            return False

    def given(self, offered: Offers) -> Word:
        """Return the word; `offered` is the platform's of where nodes are, and counts least."""
        settings = self._site.configuration.node
        registered, height, fault = self._registered()
        file, file_fault = self._file(settings.allow_list_file)
        return Word(
            registered=registered,
            offers=self._own_offers() + offered,
            also=tuple(parse_enode(text) for text in settings.also_permitted),
            accounts=settings.accounts,
            fault=fault,
            height=height,
            file=file,
            file_fault=file_fault,
        )

    def _consortia(self) -> list[Consortium]:
        pins, chain_id = self._site.pins, self._site.configuration.chain_id
        return [consortium_of(one, chain_id, pins.of(one)) for one in pins.consortia()]

    def _registered(self) -> tuple[tuple[Registered, ...] | None, int, str]:
        """Return the network's organizations at one block, its height, and the fault if there is one."""
        try:
            if not (consortia := self._consortia()):
                return None, 0, "No consortium's contracts are pinned yet. The running agent checks and pins them."
            head = self._site.chain.head()
            age = int(self._site.clock().timestamp()) - head.time
            if age > self._site.configuration.rules.max_head_age_seconds:
                return None, 0, f"The newest block of the node under rpc_urls is {age} s old."
            found = self._book.organizations(self._governing(consortia, head.number), head)
        except ConsiliumError as error:
            return None, 0, error.message
        return tuple(found), head.number, ""

    def _governing(self, consortia: Sequence[Consortium], block: int) -> Consortium:
        """Return the consortium whose registry writes the network's list of validators.

        Another one on the same chain decides nothing here: whoever deploys contracts could name its own node in them.
        """
        source = ContractReference(SOURCE, self._site.configuration.node.validator_source)
        writer = self._site.chain.call(source, "writer", block=block)
        for consortium in consortia:
            if consortium.reference(REGISTRY).address == writer:
                return consortium
        raise ChainNotTrustedError(
            f"No registry that this site has pinned writes the network's validators ({source.address}): {writer} does."
        )

    def _own_offers(self) -> Offers:
        settings = self._site.configuration.node
        found = offers_of(settings.enodes, source="site.toml", is_own_word=True)
        for name in settings.enode_files:
            try:
                text = _read(self._site.folder.root / name).decode(errors="replace")
            except OSError as error:
                fault = f"It cannot be read: {error.strerror}."
                found += Offers(bad=(BadOffer(name, "site.toml", fault, ""),))
                continue
            found += offers_in(text, source=name, is_own_word=True)
        return found

    def _file(self, name: str) -> tuple[bytes | None, str]:
        if not name:
            return None, ""
        try:
            return _read(self._site.folder.root / name), ""
        except OSError as error:
            return None, f"The node's permissions file cannot be read: {error.strerror}."


def platforms_offers(nodes: Sequence[str]) -> Offers:
    """Return what the platform says of where nodes are."""
    return offers_of(nodes, source="the platform", is_own_word=False)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES)
