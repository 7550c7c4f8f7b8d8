"""From who belongs and what the node lists to the smallest change; nothing is asked or changed here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from consortium.kernel.secp256k1 import checksum_address
from contracts.network.enodes import Enode
from contracts.network.reconciling.offers import Offer, Offers
from contracts.network.reconciling.sight import Listed, Sight
from contracts.network.registered import Registered, Standing

# A node that moved has two for a while. The platform cannot fill the list beyond these.
MAX_ENDPOINTS = 4
ADMITTED, OWN, ALSO, ACCOUNT = "registered", "own_node", "also_permitted", "named_in_site_toml"
LEFT, UNKNOWN, NOT_NAMED = "organization_removed", "not_registered", "not_named_in_site_toml"


@dataclass(frozen=True)
class Word:
    """What the member's site gives to a comparison; `height` is that of the block at which registries were read.

    `registered` is None, with the reason in `fault`, where a registry could not be read. `also` are nodes that the
    member permits beside the registry's. `accounts` are those that may send; empty leaves the node's as they are.
    """

    registered: tuple[Registered, ...] | None
    offers: Offers = field(default_factory=Offers)
    also: tuple[Enode, ...] = ()
    accounts: tuple[str, ...] = ()
    fault: str = ""
    height: int = 0
    file: bytes | None = None
    file_fault: str = ""

    @property
    def members(self) -> frozenset[str]:
        """The addresses of the nodes that the registries list."""
        return frozenset(one.validator for one in self.registered or () if one.belongs)

    def wanted(self, own: Enode) -> frozenset[str]:
        """The addresses of all nodes that may be on the list."""
        return self.members | {own.address} | {node.address for node in self.also}


@dataclass(frozen=True)
class Plan:
    """What to change, and what cannot be: `missing` belong and nobody says where they are."""

    add_nodes: tuple[Enode, ...] = ()
    remove_nodes: tuple[Listed, ...] = ()
    add_accounts: tuple[str, ...] = ()
    remove_accounts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.add_nodes or self.remove_nodes or self.add_accounts or self.remove_accounts)

    def without(self, *, nodes: Iterable[str] = (), accounts: Iterable[str] = ()) -> "Plan":
        """Leave out removals and additions that were refused for good, by the node's spelling or ours."""
        left_nodes, left_accounts = set(nodes), set(accounts)
        return replace(
            self,
            add_nodes=tuple(one for one in self.add_nodes if str(one) not in left_nodes),
            remove_nodes=tuple(one for one in self.remove_nodes if one.text not in left_nodes),
            add_accounts=tuple(one for one in self.add_accounts if one not in left_accounts),
            remove_accounts=tuple(one for one in self.remove_accounts if one not in left_accounts),
        )


def make_plan(word: Word, sight: Sight) -> Plan:
    """Compare. Entries of a node that belongs are never removed: a second endpoint lets nobody else in."""
    wanted = word.wanted(sight.own)
    add_nodes = _lacking(word, sight, wanted)
    remove_nodes = [entry for entry in sight.nodes if entry.address and entry.address not in wanted]
    reachable = sight.addresses | {enode.address for enode in add_nodes}
    named, present = {checksum_address(one) for one in word.accounts}, set(sight.accounts)
    return Plan(
        add_nodes=tuple(sorted(set(add_nodes), key=str)),
        remove_nodes=tuple(sorted(remove_nodes, key=lambda entry: entry.text)),
        add_accounts=tuple(sorted(named - present)),
        remove_accounts=tuple(sorted(present - named)) if named else (),
        missing=tuple(sorted(wanted - reachable)),
        reasons=_reasons(word, sight),
    )


def _lacking(word: Word, sight: Sight, wanted: frozenset[str]) -> list[Enode]:
    """The endpoints to add: all of the member's own word, and of others' as many as there is room for."""
    listed = {entry.enode for entry in sight.nodes if entry.enode is not None}
    counts = {address: sum(entry.address == address for entry in sight.nodes) for address in wanted}
    lacking = [node for node in word.also if node not in listed and node.address != sight.own.address]
    if sight.own.address not in sight.addresses:
        lacking.append(sight.own)
    for offer in word.offers.good:
        address = offer.enode.address
        is_other = address in wanted and address != sight.own.address
        if is_other and offer.enode not in {*listed, *lacking} and _has_room(offer, counts[address]):
            lacking.append(offer.enode)
            counts[address] += 1
    return lacking


def _has_room(offer: Offer, count: int) -> bool:
    return offer.is_own_word or count < MAX_ENDPOINTS


def _reasons(word: Word, sight: Sight) -> dict[str, str]:
    """Why a node, by address, is on the list or leaves it."""
    left = {one.validator: LEFT for one in word.registered or () if one.standing == Standing.REMOVED}
    also = {node.address: ALSO for node in word.also}
    return left | also | dict.fromkeys(word.members, ADMITTED) | {sight.own.address: OWN}
