"""The numbers of a plan as the form asks for them: a new key of a plan is one more line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.domain.suggestions import HIDDEN_UNITS, MOST_ROWS, STEPS, clip_bound, lowest_threshold
from training.federated.algorithms.logistic_regression import NAME as LOGISTIC_REGRESSION
from training.federated.algorithms.perceptron import MAX_HIDDEN_UNITS
from training.federated.algorithms.perceptron import NAME as PERCEPTRON
from training.federated.run_terms import MAX_ROUNDS
from training.federated.secagg.parameters import MAX_SITES

Text = str | Promise
ALGORITHMS: dict[str, Text] = {
    LOGISTIC_REGRESSION: _("Logistic regression: one coefficient a column"),
    PERCEPTRON: _("Perceptron: one hidden layer, for what is not linear"),
}
# A plan takes any finite number above zero there.
SMALLEST, LARGEST = 1e-300, 1e300


@dataclass(frozen=True, slots=True)
class Proportions:
    """What computed values follow from.

    Parameters
    ----------
    sites : int
    max_rows : int
        As entered, or the most rows that the band of the largest data set has.
    algorithm : str
    measured : int
        How many columns are standardized with measured moments.
    """

    sites: int
    max_rows: int
    algorithm: str = LOGISTIC_REGRESSION
    measured: int = 0


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
    default: float | Callable[[Proportions], float]
    is_whole: bool = True
    algorithms: frozenset[str] = frozenset()

    @property
    def is_computed(self) -> bool:
        return callable(self.default)

    def is_of(self, algorithm: str) -> bool:
        return not self.algorithms or algorithm in self.algorithms

    def value_for(self, proportions: Proportions) -> float:
        """Return the value of an empty field."""
        return self.default(proportions) if callable(self.default) else self.default

    def write(self, document: dict[str, Any], value: float) -> None:
        """Put the value in its place, as the type that the place has."""
        target = document
        for key in self.place[:-1]:
            target = target.setdefault(key, {})
        target[self.place[-1]] = int(value) if self.is_whole else float(value)

    def read(self, document: Any) -> float | None:
        """Return the value at its place; None where a plan of another algorithm has none."""
        for key in self.place:
            document = document.get(key, {})
        return document if isinstance(document, int | float) else None


def suggested_colluders(sites: int) -> int:
    return 1 if sites >= 3 else 0


def suggested_threshold(sites: int) -> int:
    """Return the smallest t that keeps 2t > n + c and t - c >= 2 for all sites of the plan."""
    return lowest_threshold(sites, suggested_colluders(sites))


def _step(name: str) -> Callable[[Proportions], float]:
    """The default that the algorithm has."""
    return lambda p: STEPS.get(p.algorithm, STEPS[LOGISTIC_REGRESSION])[name]


LEARNING = (
    Number(
        "hidden_units",
        _("Hidden units"),
        _("Units of the hidden layer: more of them learn finer shapes, and more by heart."),
        ("training", "hidden_units"),
        1,
        MAX_HIDDEN_UNITS,
        HIDDEN_UNITS,
        algorithms=frozenset({PERCEPTRON}),
    ),
    Number(
        "learning_rate",
        _("Learning rate"),
        _("Step of one gradient descent over all rows of a site. Lower it if a site reports numbers that explode."),
        ("training", "learning_rate"),
        SMALLEST,
        LARGEST,
        _step("learning_rate"),
        is_whole=False,
    ),
    Number(
        "local_steps",
        _("Local steps a round"),
        _("Gradient steps that each site takes before its update enters the sum."),
        ("training", "local_steps"),
        1,
        10_000,
        _step("local_steps"),
    ),
    Number(
        "penalty",
        _("Penalty"),
        _("L2 penalty on all coefficients but intercepts; 0 for none. More of it for many features and few rows."),
        ("training", "penalty"),
        0,
        LARGEST,
        _step("penalty"),
        is_whole=False,
    ),
)
ROUNDS = (
    Number(
        "rounds",
        _("Rounds a run"),
        _("Each is one secure sum. With standardized columns one of them measures, the first, and trains nothing."),
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
        _("A site with more rows takes no part. Computed: the most of the largest data set's band."),
        ("training", "max_rows"),
        1,
        MOST_ROWS,
        lambda p: p.max_rows,
    ),
    Number(
        "clip_bound",
        _("Clip bound"),
        _(
            "Largest norm of rows times update that enters the sum; the site clips to it. Computed: eight a row, more "
            "where many columns are measured, since that round may not be clipped."
        ),
        ("training", "clip_bound"),
        SMALLEST,
        LARGEST,
        lambda p: clip_bound(p.max_rows, p.measured),
        is_whole=False,
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
