"""The numbers of a plan as the form asks for them: a new key of a plan is one more line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consortium.kernel.bands import EDGES
from training.federated.run_terms import MAX_ROUNDS
from training.federated.secagg.parameters import MAX_SITES

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Proportions:
    """What computed values follow from: the number of sites and the largest band of their data sets."""

    sites: int
    largest_band: int


@dataclass(frozen=True, slots=True)
class Number:
    """One number: where it stands in the document, its range, and its default.

    A `default` that is a function is computed from the choice of sites, and the field may stay empty.
    `algorithms` names the algorithms that have it, empty for all.
    """

    name: str
    label: Text
    help: Text
    place: tuple[str, ...]
    minimum: float
    maximum: float
    default: float | Callable[[Proportions], int]
    is_whole: bool = True
    algorithms: frozenset[str] = frozenset()

    @property
    def is_computed(self) -> bool:
        return callable(self.default)

    def value_for(self, proportions: Proportions) -> float:
        """Return the value of an empty field."""
        return self.default(proportions) if callable(self.default) else self.default

    def write(self, document: dict[str, Any], value: float) -> None:
        """Put the value in its place, as the type that the place has."""
        target = document
        for key in self.place[:-1]:
            target = target.setdefault(key, {})
        target[self.place[-1]] = int(value) if self.is_whole else float(value)


def suggested_colluders(sites: int) -> int:
    return 1 if sites >= 3 else 0


def suggested_threshold(sites: int) -> int:
    """Return the smallest t that keeps 2t > n + c and t - c >= 2 for all sites of the plan."""
    colluders = suggested_colluders(sites)
    return max((sites + colluders) // 2 + 1, colluders + 2)


def rows_above(band: int) -> int:
    """Return the next edge above a band: no data set in it has more rows."""
    return next((edge for edge in EDGES if edge > band), 100_000_000)


# Euclidean norm of rows times update: eight a row is far above what a gradient step of rate 1 moves.
_CLIP_A_ROW = 8

LEARNING = (
    Number(
        "learning_rate",
        _("Learning rate"),
        _("Step of one gradient descent over all rows of a site. Lower it if a site reports numbers that explode."),
        ("training", "learning_rate"),
        1e-9,
        1e6,
        1.0,
        is_whole=False,
    ),
    Number(
        "local_steps",
        _("Local steps a round"),
        _("Gradient steps that each site takes before its update enters the sum."),
        ("training", "local_steps"),
        1,
        10_000,
        20,
    ),
    Number(
        "penalty",
        _("Penalty"),
        _("L2 penalty on all coefficients but the intercept; 0 for none. More of it for many features and few rows."),
        ("training", "penalty"),
        0,
        1e6,
        0,
        is_whole=False,
    ),
)
ROUNDS = (
    Number(
        "rounds",
        _("Rounds a run"),
        _("Each is one secure sum. More rounds learn more and compare more sums."),
        ("rounds",),
        1,
        MAX_ROUNDS,
        10,
    ),
    Number(
        "max_runs",
        _("Runs that the vote covers"),
        _("A further run needs a new vote."),
        ("max_runs",),
        1,
        2**16 - 1,
        1,
    ),
)
PRIVACY = (
    Number(
        "minimum_sites",
        _("Fewest sites of a round"),
        _("A round opens with as many committed sites or more."),
        ("minimum_sites",),
        2,
        MAX_SITES,
        lambda p: suggested_threshold(p.sites),
    ),
    Number(
        "threshold",
        _("Sites that must stay to the end (t)"),
        _("So many survivors rebuild what was lost, and so many signatures make a sum."),
        ("secure_aggregation", "threshold"),
        2,
        MAX_SITES,
        lambda p: suggested_threshold(p.sites),
    ),
    Number(
        "colluders",
        _("Sites that may work with the platform (c)"),
        _("Even these together with the platform open no single update."),
        ("secure_aggregation", "colluders"),
        0,
        MAX_SITES,
        lambda p: suggested_colluders(p.sites),
    ),
    Number(
        "verifier_quorum",
        _("Sites that compute each result again"),
        _("Their signatures close a round: at least one more than c, at most the fewest sites of a round."),
        ("verifier_quorum",),
        1,
        MAX_SITES,
        lambda p: suggested_threshold(p.sites),
    ),
)
ADVANCED = (
    Number(
        "max_rows",
        _("Largest weight of one site, in rows"),
        _("A site with more rows takes no part. Computed: the upper edge of the largest data set's band."),
        ("training", "max_rows"),
        1,
        100_000_000,
        lambda p: rows_above(p.largest_band),
    ),
    Number(
        "clip_bound",
        _("Clip bound"),
        _("Largest norm of rows times update that enters the sum; the site clips to it. Computed: eight a row."),
        ("training", "clip_bound"),
        1,
        1e12,
        lambda p: _CLIP_A_ROW * rows_above(p.largest_band),
    ),
    Number(
        "max_sites",
        _("Largest roster"),
        _("Proves with the clip bound that no sum overflows. Computed: the chosen sites."),
        ("training", "max_sites"),
        2,
        MAX_SITES,
        lambda p: p.sites,
    ),
    Number(
        "histogram_bins",
        _("Bins of the score histograms"),
        _("More bins make the AUC more exact and every update longer."),
        ("training", "histogram_bins"),
        512,
        65_536,
        512,
    ),
    Number(
        "calibration_bins",
        _("Bins of the calibration curve"),
        _("Ten show tenths of predicted risk."),
        ("training", "calibration_bins"),
        1,
        1000,
        10,
    ),
)
GROUPS = {"learning": LEARNING, "rounds": ROUNDS, "privacy": PRIVACY, "advanced": ADVANCED}
NUMBERS = tuple(number for group in GROUPS.values() for number in group)
ALGORITHMS: dict[str, Text] = {"logistic_regression": _("Logistic regression")}
