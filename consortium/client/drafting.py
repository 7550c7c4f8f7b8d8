"""A plan without code: filled in from what the members registered and from the bounds that the protocol sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consortium.kernel.bands import EDGES, band_label
from consortium.kernel.errors import InvalidInputError
from training.domain.suggestions import HIDDEN_UNITS, STEPS, clip_bound, lowest_threshold, most_rows
from training.federated.algorithms.logistic_regression import NAME as LOGISTIC_REGRESSION
from training.federated.algorithms.perceptron import NAME as PERCEPTRON
from training.federated.column_features import feature_of
from training.federated.plan_document import FORMAT, METRICS, PlanDocument, read_plan
from training.federated.run_terms import INITIAL_WEIGHTS_RULE
from training.federated.source_digests import code_digest, runner_digest

RESEARCH: Final = "DUO:0000006"
CATEGORIES: Final = ("Patient", "Encounter", "Procedure")
_SYSTEM: Final = "http://hl7.org/fhir/resource-types"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a scientist says; everything else follows.

    Parameters
    ----------
    data_set : str
        The name under which sites registered it.
    target : str
        The column to be predicted: binary, or numeric with `greater_than`, or categorical with `equals`.
    features : tuple of str
        Empty for all other columns.
    sites : tuple of str
        Organizations' ids; empty for all that registered the data set.
    """

    title: str
    data_set: str
    target: str
    algorithm: str = LOGISTIC_REGRESSION
    hidden_units: int = HIDDEN_UNITS
    greater_than: float | None = None
    equals: str | None = None
    features: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    rounds: int = 10
    colluders: int = 1
    purpose: str = RESEARCH
    categories: tuple[str, ...] = CATEGORIES


def draft(
    wish: Wish, *, consortium: str, members: Sequence[str], data_sets: Sequence[Mapping[str, Any]]
) -> PlanDocument:
    """Return a sound plan.

    Parameters
    ----------
    wish : Wish
    consortium : str
    members : sequence of str
        Active organizations: the model's recipients.
    data_sets : sequence of mapping
        As the API lists them, of this consortium or of others.

    Raises
    ------
    InvalidInputError
        Naming the column, the site or the number that stands in the way.
    """
    chosen = _chosen(wish, consortium, data_sets)
    columns = _merged([one["schema"]["columns"] for one in chosen])
    features = [feature_of(columns[name]) for name in _feature_names(wish, columns)]
    sites = [str(one["organization"]) for one in chosen]
    threshold = _threshold(len(sites), wish.colluders)
    training = _training(wish, features, _target(wish, columns), chosen)
    used = [*(feature["name"] for feature in features), wish.target]
    return read_plan(
        {
            "format": FORMAT,
            "title": wish.title,
            "consortium": consortium,
            "purpose": wish.purpose,
            "conditions": sorted({term for one in chosen for term in one["conditions"]}),
            "categories": [f"{_SYSTEM}|{name}" for name in wish.categories],
            "recipients": list(members),
            "sites": sites,
            "data_schema": {"columns": [{"name": name, "kind": columns[name]["kind"]} for name in used]},
            "training": training,
            "rounds": wish.rounds,
            "secure_aggregation": {"threshold": threshold, "colluders": wish.colluders, "ring_bits": 64},
            "minimum_sites": threshold,
            "minimum_band": EDGES[0],
            "verifier_quorum": threshold,
            "code_digest": code_digest(),
            "runner_digest": runner_digest(),
            "initial_weights": INITIAL_WEIGHTS_RULE,
            "max_runs": 1,
            "metrics": list(METRICS),
            "serving_purpose": wish.purpose,
            "differential_privacy": None,
        }
    )


def preview(plan: PlanDocument, names: Mapping[str, str]) -> list[str]:
    """Return the plan in plain words, for its author to read before anybody votes on it."""
    training, terms = plan.training_plan, plan.terms
    spare = len(plan.sites) - terms.threshold
    measured = "the first measures means and deviations over all sites, " if training.moments.size else ""
    return [
        f"Plan: {plan.title}",
        f"Learns {plan.training['target']['name']} by {training.algorithm.name.replace('_', ' ')} from "
        f"{', '.join(feature.name for feature in training.features)}",
        f"Sites: {', '.join(names.get(str(site), str(site)) for site in plan.sites)}; each with "
        f"{band_label(terms.minimum_band)} subjects or more",
        f"Rounds: {terms.rounds}; {measured}each takes the consents of its moment",
        f"Secure sum: n={len(plan.sites)}, t={terms.threshold}, c={terms.colluders}: no single update is opened, even "
        f"to {terms.colluders} of the sites in league with the platform",
        f"A round ends well if at most {spare} of the sites is lost in it"
        if spare
        else "A round that loses a site on its way is tried again: with these numbers every site is needed",
        f"Purpose {plan.purpose}; the model goes to {len(plan.recipients)} members; no differential privacy",
    ]


def _chosen(wish: Wish, consortium: str, data_sets: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the newest registration of each site that is to take part."""
    here = [one for one in data_sets if str(one["consortium"]) == consortium and one["name"] == wish.data_set]
    found = {str(one["organization"]): one for one in here}
    if missing := [site for site in wish.sites if site not in found]:
        raise InvalidInputError(f"These sites registered no data set {wish.data_set}: {', '.join(missing)}.")
    if not found:
        raise InvalidInputError(f"No member registered a data set {wish.data_set} in this consortium.")
    return [found[site] for site in sorted(wish.sites or found)]


def _merged(schemas: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return the columns that all sites have: widest bounds, all categories, and a rule if any site has one."""
    merged: dict[str, dict[str, Any]] = {}
    for columns in schemas:
        for column in columns:
            known = merged.setdefault(column["name"], dict(column))
            _widen(known, column)
    everywhere = set.intersection(*({column["name"] for column in columns} for columns in schemas))
    return {name: column for name, column in merged.items() if name in everywhere}


def _widen(known: dict[str, Any], column: Mapping[str, Any]) -> None:
    name = column["name"]
    if known["kind"] != column["kind"] or known.get("unit") != column.get("unit"):
        raise InvalidInputError(f"Sites describe column {name} with different kinds or units. Agree on one.")
    if ("minimum" in known) != ("minimum" in column):
        raise InvalidInputError(f"Column {name} has bounds at some sites only. Agree on them.")
    if "minimum" in column:
        known["minimum"] = min(known["minimum"], column["minimum"])
        known["maximum"] = max(known["maximum"], column["maximum"])
    if "categories" in column:
        known["categories"] = list(dict.fromkeys([*known["categories"], *column["categories"]]))
    for rule in ("missing", "outside", "indicator"):
        if known.get(rule, column.get(rule)) != column.get(rule, known.get(rule)):
            raise InvalidInputError(f"Sites propose different rules ({rule}) for column {name}. Agree on one.")
        if rule in column:
            known[rule] = column[rule]


def _feature_names(wish: Wish, columns: Mapping[str, Any]) -> list[str]:
    if missing := [name for name in (*wish.features, wish.target) if name not in columns]:
        raise InvalidInputError(
            f"Not every site has the columns {', '.join(missing)}. All have: {', '.join(sorted(columns))}."
        )
    return list(wish.features) or [name for name in columns if name != wish.target]


def _target(wish: Wish, columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    column = columns[wish.target]
    kind, known = column["kind"], {str(one): one for one in column.get("categories", [])}
    if kind == "binary" and wish.greater_than is None and wish.equals is None:
        return {"name": wish.target, "kind": kind}
    if kind == "numeric" and wish.greater_than is not None:
        return {"name": wish.target, "greater_than": wish.greater_than}
    if kind == "categorical" and wish.equals in known:
        return {"name": wish.target, "kind": kind, "equals": known[str(wish.equals)]}
    raise InvalidInputError(
        f"{wish.target} is {kind}: a numeric target needs --greater-than, a categorical one --equals with one of its "
        "categories, a binary one neither."
    )


def _training(
    wish: Wish, features: list[dict[str, Any]], target: dict[str, Any], chosen: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    if wish.algorithm not in STEPS:
        raise InvalidInputError(f"The algorithm is one of {', '.join(STEPS)}.")
    units = {"hidden_units": wish.hidden_units} if wish.algorithm == PERCEPTRON else {}
    measured = sum("minimum" in feature for feature in features)
    max_rows = max(most_rows(one["band"]) for one in chosen)
    return {
        "algorithm": wish.algorithm,
        **units,
        "features": features,
        "target": target,
        **STEPS[wish.algorithm],
        "clip_bound": clip_bound(max_rows, measured),
        "max_rows": max_rows,
        "max_sites": len(chosen),
        "ring_bits": 64,
        "histogram_bins": 512,
        "calibration_bins": 10,
    }


def _threshold(sites: int, colluders: int) -> int:
    threshold = lowest_threshold(sites, colluders)
    if threshold > sites:
        raise InvalidInputError(
            f"{sites} sites are too few for c = {colluders}: privacy needs 2t > n + c and t - c >= 2, so at least "
            f"{colluders + 2} sites. Register the data set at more members."
        )
    return threshold
