"""What a plan learns, and what it does to its columns, in plain words."""

import pytest

from tests.unit.federated.plans import make_plan
from training.portal.words import learns_in_words, rules_in_words

AGE = {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "missing": "mean"}
STATE = {"name": "state", "kind": "categorical", "categories": ["a", "b"], "missing": "category"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Whether days is greater than 8, by logistic regression"),
        ({"target": {"name": "died", "kind": "binary"}}, "Whether died is 1, by logistic regression"),
        (
            {"target": {"name": "end", "kind": "categorical", "equals": "dead"}},
            "Whether end is dead, by logistic regression",
        ),
        (
            {"algorithm": "perceptron", "hidden_units": 4},
            "Whether days is greater than 8, by a perceptron with 4 hidden units",
        ),
    ],
)
def test_what_is_learned_names_outcome_and_algorithm(changes, words):
    assert learns_in_words(make_plan(**changes)) == words


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ({"name": "sex", "kind": "binary"}, ""),
        (AGE, "standardized over all sites, refused outside 0 to 120, missing: the mean over all sites"),
        (
            {**AGE, "outside": "clip", "missing": {"value": 50}, "indicator": True},
            "standardized over all sites, moved into 0 to 120, missing: counts as 50, and a column that says so",
        ),
        (STATE, "missing: a category of its own"),
    ],
)
def test_rules_of_a_column_are_told(feature, words):
    assert rules_in_words(make_plan(features=[feature]).features[0]) == words
