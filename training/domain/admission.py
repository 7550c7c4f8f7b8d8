"""Whether a round may open with the sites that committed."""

from training.domain.run_terms import RunTerms, ensure_bound
from training.errors import BoundBrokenError


def is_openable(terms: RunTerms, sites: int) -> bool:
    """Say whether the ledger opens a round for a roster of so many sites: enough of them, and the bound kept."""
    if sites < terms.minimum_sites:
        return False
    try:
        ensure_bound(sites, terms.threshold, terms.colluders)
    except BoundBrokenError:
        return False
    return True


def tolerated_losses(terms: RunTerms, roster: int) -> int:
    """Return how many of a roster may fall silent after dealing before the attempt is abandoned."""
    return max(roster - terms.threshold, 0)


def largest_openable(terms: RunTerms, sites: int) -> int:
    """Return the largest roster of at most so many sites that may open, 0 if there is none.

    More sites than the threshold was chosen for break 2t > n + c: then some stay out of the round.
    """
    return next((n for n in range(sites, 0, -1) if is_openable(terms, n)), 0)
