"""Where nodes are reached, by whoever says so: an offer counts only if its key is that of a node that belongs.

The key gives the address that the registry lists, so a liar can withhold an enode or name a wrong endpoint, and let
nobody in: whoever connects proves the key.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.network.enodes import Enode, address_of_node, parse_enode, parse_node_key
from contracts.network.errors import EnodeError

# As in a list of static nodes, a permissions file, or one a line.
_WRITTEN = re.compile(r"enode://[^\s\"',\]]+(?:\]:\d+[^\s\"',\]]*)?")
_KEY = re.compile(r"enode://([0-9a-fA-F]{128})@")
MAX_SHOWN_CHARACTERS = 220


@dataclass(frozen=True, slots=True)
class Offer:
    """An enode, who said so, and whether that was the member itself."""

    enode: Enode
    source: str
    is_own_word: bool


@dataclass(frozen=True, slots=True)
class BadOffer:
    """What was said and is no enode that Besu takes; `address` is its node's, empty where even the key is none."""

    text: str
    source: str
    fault: str
    address: str


@dataclass(frozen=True, slots=True)
class Offers:
    """All that was said, in order of trust: the member's own word first."""

    good: tuple[Offer, ...] = ()
    bad: tuple[BadOffer, ...] = ()

    def __add__(self, other: "Offers") -> "Offers":
        return Offers(self.good + other.good, self.bad + other.bad)


def offers_in(text: str, *, source: str, is_own_word: bool) -> Offers:
    """Every enode in a text of any form; nothing is raised, what is none is named."""
    return offers_of(_WRITTEN.findall(text), source=source, is_own_word=is_own_word)


def offers_of(texts: Iterable[str], *, source: str, is_own_word: bool) -> Offers:
    """Each text as an offer."""
    good, bad = [], []
    for text in texts:
        try:
            good.append(Offer(parse_enode(text), source, is_own_word))
        except EnodeError as error:
            bad.append(BadOffer(text[:MAX_SHOWN_CHARACTERS], source, error.message, address_in(text)))
    return Offers(tuple(good), tuple(bad))


def address_in(text: str) -> str:
    """The address of an enode's key, whatever its host is; empty if there is no key."""
    found = _KEY.match(text.strip())
    try:
        return address_of_node(parse_node_key(found[1])) if found else ""
    except EnodeError:
        return ""
