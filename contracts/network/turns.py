"""Whose turns to propose passed without a block: read from the rounds in the headers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contracts.network.asking import Node
from contracts.network.headers import SealedHeader, read_header, sealed_header
from contracts.network.quorum import proposer

# Two minutes of blocks of one second: every validator has had many turns, and a node answers in a second.
WINDOW_BLOCKS = 120


@dataclass(frozen=True, slots=True)
class Turns:
    """What happened in some blocks: turns missed by address, and who missed its last one (in small letters).

    A validator is silent if its newest turn in the window passed without a block of its own.
    """

    first: int
    last: int
    missed: Mapping[str, int] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    proposed: frozenset[str] = frozenset()

    @property
    def missed_count(self) -> int:
        return sum(self.missed.values())


def read_turns(node: Node, head: int, *, window: int = WINDOW_BLOCKS) -> Turns:
    """Read the last blocks of a node.

    Raises
    ------
    ChainError, HeaderError
        If the node does not answer, or its chain is not QBFT's.
    """
    # Block 0 has no proposer, so the first turn that can be judged is that of block 1.
    first = max(1, head - window + 1)
    headers = [sealed_header(read_header(node, number)) for number in range(first - 1, head + 1)]
    return judge_turns(headers, lambda number: validators_after(node, number))


def validators_after(node: Node, number: int) -> list[str]:
    """The set in force after a block, which proposes and seals the next one (contract mode)."""
    found = node.ask("qbft_getValidatorsByBlockNumber", [hex(number)])
    return [str(address).lower() for address in found or ()]


def judge_turns(headers: Sequence[SealedHeader], set_after: Callable[[int], Sequence[str]]) -> Turns:
    """Say who missed a turn; the first of the headers counts as parent only.

    Only for a block with a round above 0 the set is asked for: the others were proposed in turn.
    """
    missed: Counter[str] = Counter()
    latest_missed: dict[str, int] = {}
    latest_made: dict[str, int] = {}
    for parent, header in pairwise(headers):
        before = parent.proposer if parent.number else None
        validators = set_after(parent.number) if header.round else []
        for number in range(header.round if validators else 0):
            late = proposer(validators, before, number)
            missed[late] += 1
            latest_missed[late] = header.number
        latest_made[header.proposer] = header.number
    silent = {address for address, number in latest_missed.items() if number > latest_made.get(address, -1)}
    first = headers[0].number + 1
    return Turns(first, headers[-1].number, dict(missed), frozenset(silent), frozenset(latest_made))
