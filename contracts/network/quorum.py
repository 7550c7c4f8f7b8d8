"""How many validators QBFT needs, and whose turn it is to propose."""

from collections.abc import Sequence


def quorum_of(count: int) -> int:
    """How many of `count` validators must seal a block: two thirds, rounded up."""
    return -(-2 * count // 3)


def may_fail(count: int) -> int:
    """How many of `count` validators may be down while blocks are still made."""
    return count - quorum_of(count)


def proposer(validators: Sequence[str], parent_proposer: str | None, round_number: int) -> str:
    """Whose turn a round is: the ring of ascending addresses after the parent's proposer, moved on by the round.

    Parameters
    ----------
    validators : addresses
        The set in force for the block; any order and spelling.
    parent_proposer : address or None
        Who proposed the block before; None for block 1, whose ring starts at the lowest. One that has
        left the set counts at the place that it had.
    round_number : int
        From 0.
    """
    ring = sorted(address.lower() for address in validators)
    if parent_proposer is None:
        return ring[round_number % len(ring)]
    parent = parent_proposer.lower()
    after = sum(address <= parent for address in ring)
    return ring[(after + round_number) % len(ring)]
