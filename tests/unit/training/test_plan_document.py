"""A plan is one canonical document; what is unsound is refused with its field named."""

import json

import pytest

from tests.unit.training.plans import SITES, plan_document
from training.domain.plan_document import parse_plan, read_plan
from training.errors import BoundBrokenError, PlanInvalidError, UnknownFeatureError, UnknownPurposeError


def test_a_plan_survives_its_bytes() -> None:
    plan = read_plan(plan_document())

    assert parse_plan(plan.to_bytes()) == plan
    assert plan.digest().startswith("sha256:")
    assert plan.to_json()["sites"] == SITES


def test_lists_are_sorted_so_that_one_plan_has_one_digest() -> None:
    turned = plan_document(sites=SITES[::-1], metrics=["auc", "accuracy"])

    assert read_plan(turned).digest() == read_plan(plan_document()).digest()


def test_one_changed_byte_is_another_digest_and_another_subject() -> None:
    plan, other = read_plan(plan_document()), read_plan(plan_document(title="Long stays after cardiac proceduret"))

    assert len(plan.to_bytes()) == len(other.to_bytes())
    assert plan.digest() != other.digest()
    assert plan.subject() != other.subject()


def test_bytes_that_are_not_canonical_are_refused() -> None:
    plan = read_plan(plan_document())

    with pytest.raises(PlanInvalidError, match="canonical"):
        parse_plan(json.dumps(plan.to_json()).encode())
    with pytest.raises(PlanInvalidError, match="JSON"):
        parse_plan(plan.to_bytes()[:-1])


def test_canonical_json_with_unsorted_sites_is_refused() -> None:
    from consortium.kernel.canonical import canonical_json

    with pytest.raises(PlanInvalidError, match="sorted"):
        parse_plan(canonical_json({**read_plan(plan_document()).to_json(), "sites": SITES[::-1]}))


def training_with(**changes: object) -> dict[str, object]:
    return {**plan_document()["training"], **changes}


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"purpose": "DUO:9999999"}, UnknownPurposeError, "Unknown purpose"),
        ({"purpose": "DUO:0000007"}, UnknownPurposeError, "disease"),
        ({"conditions": ["DUO:0000006"]}, UnknownPurposeError, "condition"),
        ({"secure_aggregation": {"threshold": 3, "colluders": 2, "ring_bits": 64}}, BoundBrokenError, "2t > n"),
        ({"secure_aggregation": {"threshold": 4, "colluders": 3, "ring_bits": 64}}, BoundBrokenError, "breaks"),
        ({"secure_aggregation": {"threshold": 4, "colluders": 1, "ring_bits": 32}}, PlanInvalidError, "two rings"),
        ({"minimum_band": 60}, PlanInvalidError, "minimum_band"),
        ({"verifier_quorum": 1}, PlanInvalidError, "verifier_quorum"),
        ({"rounds": 0}, PlanInvalidError, "rounds"),
        ({"minimum_sites": 7}, BoundBrokenError, "2t > n"),
        ({"sites": SITES[:3]}, PlanInvalidError, "fewer sites"),
        ({"sites": [SITES[0], *SITES]}, PlanInvalidError, "each once"),
        ({"code_digest": "sha256:1"}, PlanInvalidError, "code_digest"),
        ({"initial_weights": "zero"}, PlanInvalidError, "initial_weights"),
        ({"differential_privacy": {"epsilon": 1}}, PlanInvalidError, "differential_privacy"),
        ({"metrics": ["r2"]}, PlanInvalidError, "metrics"),
        ({"surprise": 1}, PlanInvalidError, "exactly the keys"),
        ({"training": {"algorithm": "magic"}}, PlanInvalidError, "training"),
    ],
)
def test_an_unsound_plan_is_refused_with_its_cause(changes: dict[str, object], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        read_plan(plan_document(**changes))


def test_a_feature_that_the_schema_does_not_have_is_refused_by_name() -> None:
    features = [{"name": "smoker", "kind": "binary"}]

    with pytest.raises(UnknownFeatureError, match="smoker") as refusal:
        read_plan(plan_document(training=training_with(features=features)))
    assert refusal.value.fields["column"] == "smoker"


def test_a_plan_that_measures_has_a_round_to_train_in() -> None:
    age = {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "missing": "mean"}
    training = training_with(features=[age])

    with pytest.raises(PlanInvalidError, match="rounds is at least 2"):
        read_plan(plan_document(training=training, rounds=1))
    plan = read_plan(plan_document(training=training, rounds=2))
    assert parse_plan(plan.to_bytes()) == plan


def test_a_target_is_held_to_the_kind_of_its_column() -> None:
    with pytest.raises(UnknownFeatureError, match="days as binary"):
        read_plan(plan_document(training=training_with(target={"name": "days", "kind": "binary"})))


def test_a_plan_of_the_first_form_keeps_its_digest() -> None:
    assert (
        read_plan(plan_document()).digest() == "sha256:dc129b69fa755dc890c29d2445479a495c3107925c29b9cd748fc41df72e87ca"
    )


def test_a_feature_of_another_kind_than_its_column_is_refused() -> None:
    features = [{"name": "age", "kind": "binary"}]

    with pytest.raises(UnknownFeatureError, match="age as binary"):
        read_plan(plan_document(training=training_with(features=features)))
