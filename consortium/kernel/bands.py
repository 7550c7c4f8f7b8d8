"""Bands: how the chain and the platform see a number of people, never the number itself (protocol section 3)."""

from bisect import bisect_right

from consortium.kernel.errors import InvalidInputError

# A band is a uint32 on the chain; the largest edge that fits is 2,500,000,000.
EDGES = tuple(digit * 10**power for power in range(9) for digit in (10, 25, 50) if digit * 10**power < 2**32)


def band(count: int) -> int:
    """Return the largest lower edge (10, 25, 50, 100, 250, 500, 1000, ...) not above the count, 0 below 10."""
    if count < 0:
        raise InvalidInputError(f"{count} people cannot be counted.")
    position = bisect_right(EDGES, count)
    return EDGES[position - 1] if position else 0


def band_label(edge: int) -> str:
    """Return a band in words: "fewer than 10", "50 to 99", "2,500,000,000 or more"."""
    if edge == 0:
        return f"fewer than {EDGES[0]}"
    if edge not in EDGES:
        raise InvalidInputError(f"{edge} is not the lower edge of a band.")
    following = EDGES.index(edge) + 1
    return f"{edge:,} or more" if following == len(EDGES) else f"{edge:,} to {EDGES[following] - 1:,}"
