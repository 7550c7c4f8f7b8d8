"""The plan's document: everything that a vote approves, in one canonical sequence of bytes and one digest."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent.domain.provisions import require_category
from consent.domain.purposes import require_conditions, require_exact_purpose, require_purpose
from consortium.kernel.canonical import canonical_json, parse_canonical
from consortium.kernel.digests import sha256_digest
from consortium.kernel.errors import InvalidInputError
from training.federated.data_schema import DataSchema
from training.federated.errors import PlanFormatError, PlanInvalidError, UnknownPurposeError, WireFormatError
from training.federated.plan import TrainingPlan, parse_training_plan
from training.federated.run_terms import INITIAL_WEIGHTS_RULE, RunTerms, rule_digest
from training.federated.secagg.parameters import MAX_SITES
from training.federated.wire import read_integer, read_list, read_object, read_uuid

FORMAT: Final = "consilium-plan/1"
MAX_PLAN_BYTES: Final = 256 * 1024
METRICS: Final = ("accuracy", "auc", "calibration")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_KEYS: Final = (
    *("format", "title", "consortium", "purpose", "conditions", "categories", "recipients", "sites"),
    *("data_schema", "training", "rounds", "secure_aggregation", "minimum_sites", "minimum_band"),
    *("verifier_quorum", "code_digest", "runner_digest", "initial_weights", "max_runs", "metrics"),
    *("serving_purpose", "differential_privacy"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A plan that is sound in itself; make it with `read_plan` or `parse_plan`.

    `purpose` and `conditions` are DUO's, `categories` are written system|code, `recipients` and `sites` are
    organizations. Everything that a site computes in a round stands in `training`. There is no differential
    privacy yet, and the document says so.
    """

    title: str
    consortium: uuid.UUID
    purpose: str
    conditions: tuple[str, ...]
    categories: tuple[str, ...]
    recipients: tuple[uuid.UUID, ...]
    sites: tuple[uuid.UUID, ...]
    data_schema: DataSchema
    training: Mapping[str, Any]
    training_plan: TrainingPlan
    terms: RunTerms
    code_digest: str
    runner_digest: str
    metrics: tuple[str, ...]
    serving_purpose: str

    def to_json(self) -> dict[str, Any]:
        """Return the document as JSON: lists sorted, so that one plan has one form."""
        return {
            "format": FORMAT,
            "title": self.title,
            "consortium": str(self.consortium),
            "purpose": self.purpose,
            "conditions": list(self.conditions),
            "categories": list(self.categories),
            "recipients": [str(organization) for organization in self.recipients],
            "sites": [str(organization) for organization in self.sites],
            "data_schema": self.data_schema.to_json(),
            "training": dict(self.training),
            "rounds": self.terms.rounds,
            "secure_aggregation": {
                "threshold": self.terms.threshold,
                "colluders": self.terms.colluders,
                "ring_bits": self.training_plan.ring_bits,
            },
            "minimum_sites": self.terms.minimum_sites,
            "minimum_band": self.terms.minimum_band,
            "verifier_quorum": self.terms.verifier_quorum,
            "code_digest": self.code_digest,
            "runner_digest": self.runner_digest,
            "initial_weights": INITIAL_WEIGHTS_RULE,
            "max_runs": self.terms.max_runs,
            "metrics": list(self.metrics),
            "serving_purpose": self.serving_purpose,
            "differential_privacy": None,
        }

    def to_bytes(self) -> bytes:
        """Return the canonical JSON, which is stored, digested and voted on."""
        return canonical_json(self.to_json())

    def digest(self) -> str:
        return sha256_digest(self.to_bytes())

    def subject(self) -> bytes:
        """Return what the vote decides: digest and terms in one, 32 bytes."""
        return self.terms.subject(self.digest())


def parse_plan(data: bytes) -> PlanDocument:
    """Read a plan from its bytes; one that differs from its canonical form by a byte is refused.

    Raises
    ------
    PlanInvalidError
        Naming the field; see `read_plan`.
    """
    try:
        plan = read_plan(parse_canonical(data, max_bytes=MAX_PLAN_BYTES))
    except PlanInvalidError:
        raise
    except InvalidInputError as error:
        raise PlanInvalidError(error.message) from error
    if plan.to_bytes() != data:
        raise PlanInvalidError("The plan's lists are sorted, and every field stands in its one form.")
    return plan


def read_plan(value: object) -> PlanDocument:
    """Read a plan that a person wrote: exactly the known fields, every one within its range.

    Raises
    ------
    UnknownFeatureError, UnknownPurposeError, BoundBrokenError, PlanInvalidError
        Saying which field is wrong; each is a `PlanInvalidError`.
    """
    try:
        return _read(read_object(value, _KEYS, what="plan"))
    except (WireFormatError, PlanFormatError) as error:
        raise PlanInvalidError(error.message) from error


def _read(fields: Mapping[str, Any]) -> PlanDocument:
    _require(fields["format"] == FORMAT, f"format is {FORMAT!r}.")
    _require(fields["initial_weights"] == INITIAL_WEIGHTS_RULE, f"initial_weights is {INITIAL_WEIGHTS_RULE!r}.")
    _require(fields["differential_privacy"] is None, "differential_privacy is null: it is not built yet.")
    training_plan = _training(fields["training"])
    schema = DataSchema.from_json(fields["data_schema"])
    schema.ensure_covers(training_plan)
    plan = PlanDocument(
        title=_text(fields, "title", 200),
        consortium=read_uuid(fields["consortium"], what="consortium"),
        purpose=_purpose(fields["purpose"], exact=True),
        conditions=_conditions(fields["conditions"]),
        categories=_categories(fields["categories"]),
        recipients=_organizations(fields, "recipients"),
        sites=_organizations(fields, "sites"),
        data_schema=schema,
        training=fields["training"],
        training_plan=training_plan,
        terms=_terms(fields, training_plan),
        code_digest=_digest(fields, "code_digest"),
        runner_digest=_digest(fields, "runner_digest"),
        metrics=_metrics(fields["metrics"]),
        serving_purpose=_purpose(fields["serving_purpose"], exact=False),
    )
    _require(len(plan.sites) >= plan.terms.minimum_sites, "There are fewer sites than minimum_sites.")
    measures = training_plan.moments.size > 0
    _require(plan.terms.rounds > measures, "rounds is at least 2 with measured features: the first one measures them.")
    _require(len(plan.sites) <= training_plan.max_sites, "There are more sites than training.max_sites allows.")
    return plan


def _training(value: object) -> TrainingPlan:
    try:
        return parse_training_plan(value)
    except InvalidInputError as error:
        raise PlanInvalidError(f"training: {error.message}") from error


def _terms(fields: Mapping[str, Any], training_plan: TrainingPlan) -> RunTerms:
    aggregation = read_object(
        fields["secure_aggregation"], ("threshold", "colluders", "ring_bits"), what="secure_aggregation"
    )
    _require(aggregation["ring_bits"] == training_plan.ring_bits, "secure_aggregation and training name two rings.")
    return RunTerms(
        minimum_sites=read_integer(fields["minimum_sites"], what="minimum_sites"),
        threshold=read_integer(aggregation["threshold"], what="threshold"),
        colluders=read_integer(aggregation["colluders"], what="colluders"),
        verifier_quorum=read_integer(fields["verifier_quorum"], what="verifier_quorum"),
        rounds=read_integer(fields["rounds"], what="rounds"),
        max_runs=read_integer(fields["max_runs"], what="max_runs"),
        minimum_band=read_integer(fields["minimum_band"], what="minimum_band"),
        initial_weights_rule=rule_digest(),
    )


def _purpose(value: object, *, exact: bool) -> str:
    try:
        return (require_exact_purpose if exact else require_purpose)(str(value))
    except InvalidInputError as error:
        raise UnknownPurposeError(error.message) from error


def _conditions(value: object) -> tuple[str, ...]:
    try:
        return tuple(sorted(require_conditions(_texts(value, "conditions"))))
    except InvalidInputError as error:
        raise UnknownPurposeError(error.message) from error


def _categories(value: object) -> tuple[str, ...]:
    items = _texts(value, "categories")
    _require(bool(items), "Name at least one category of data.")
    try:
        return tuple(sorted({require_category(item) for item in items}))
    except InvalidInputError as error:
        raise PlanInvalidError(error.message) from error


def _organizations(fields: Mapping[str, Any], key: str) -> tuple[uuid.UUID, ...]:
    items = [read_uuid(item, what=key) for item in read_list(fields[key], what=key, max_items=MAX_SITES)]
    _require(bool(items) and len(set(items)) == len(items), f"{key} names organizations, at least one, each once.")
    return tuple(sorted(items))


def _metrics(value: object) -> tuple[str, ...]:
    items = _texts(value, "metrics")
    _require(set(items) <= set(METRICS), f"metrics are among {', '.join(METRICS)}.")
    return tuple(sorted(set(items)))


def _texts(value: object, what: str) -> list[str]:
    items = read_list(value, what=what, max_items=100)
    _require(all(isinstance(item, str) for item in items), f"{what} is a list of texts.")
    return [str(item) for item in items]


def _text(fields: Mapping[str, Any], key: str, longest: int) -> str:
    value = fields[key]
    _require(isinstance(value, str) and 0 < len(value) <= longest, f"{key} is text of 1 to {longest} characters.")
    return str(value)


def _digest(fields: Mapping[str, Any], key: str) -> str:
    value = fields[key]
    _require(isinstance(value, str) and _DIGEST.match(value) is not None, f"{key} is written sha256: and 64 digits.")
    return str(value)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise PlanInvalidError(message)
