import itertools

import pytest

from consent.domain.purposes import (
    ANCESTRY_RESEARCH,
    ANY_PURPOSE,
    CLINICAL_CARE,
    DISEASE_RESEARCH,
    GENERAL_RESEARCH,
    HEALTH_RESEARCH,
    condition_terms,
    covers,
    disease_purpose,
    duo_terms,
    hierarchy_digest,
    implied_conditions,
    overlaps,
    purpose_label,
    purpose_lineage,
    require_exact_purpose,
    require_purpose,
)
from consortium.kernel.errors import InvalidInputError

HEART = disease_purpose("MONDO:0005267")
CANCER = disease_purpose("MONDO:0004992")
ALL = [
    ANY_PURPOSE,
    GENERAL_RESEARCH,
    HEALTH_RESEARCH,
    ANCESTRY_RESEARCH,
    DISEASE_RESEARCH,
    HEART,
    CANCER,
    CLINICAL_CARE,
    "HL7:CLINTRCH",
    "HL7:CLINTRCHPC",
    "HL7:HMARKT",
]


def test_table_holds_all_25_terms_with_codes_shorthands_and_labels() -> None:
    terms = duo_terms()

    assert len(terms) == 25
    assert terms["DUO:0000006"].shorthand == "HMB"
    assert terms["DUO:0000042"].label == "general research use"


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        (ANY_PURPOSE, GENERAL_RESEARCH),
        (ANY_PURPOSE, "HL7:HMARKT"),
        (ANY_PURPOSE, CLINICAL_CARE),
        (GENERAL_RESEARCH, HEALTH_RESEARCH),
        (GENERAL_RESEARCH, ANCESTRY_RESEARCH),
        (HEALTH_RESEARCH, DISEASE_RESEARCH),
        (HEALTH_RESEARCH, HEART),
        (HEALTH_RESEARCH, "HL7:CLINTRCHPC"),
        (DISEASE_RESEARCH, HEART),
        (HEART, HEART),
    ],
)
def test_permission_covers_what_lies_below_it(wider: str, narrower: str) -> None:
    assert covers(wider, narrower)
    assert overlaps(wider, narrower)
    assert overlaps(narrower, wider)
    assert covers(narrower, wider) is (narrower == wider)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HEALTH_RESEARCH, ANCESTRY_RESEARCH),
        (HEART, CANCER),
        (GENERAL_RESEARCH, "HL7:HMARKT"),
        (GENERAL_RESEARCH, CLINICAL_CARE),
        (HEART, "HL7:CLINTRCH"),
    ],
)
def test_purposes_on_different_branches_have_nothing_in_common(one: str, other: str) -> None:
    assert not overlaps(one, other)
    assert not overlaps(other, one)


def test_covering_is_a_partial_order_and_lineages_agree_with_it() -> None:
    for one, two, three in itertools.product(ALL, repeat=3):
        assert not (covers(one, two) and covers(two, three)) or covers(one, three)
    for one, two in itertools.product(ALL, repeat=2):
        assert (covers(one, two) and covers(two, one)) is (one == two)
        assert covers(one, two) is (one in purpose_lineage(two))


@pytest.mark.parametrize(
    "token",
    ["", "HMB", "DUO:0000001", "DUO:0000017", "DUO:0000046", "HL7:HRESCH", "DUO:0000007[MONDO:1]", f"{HEART}\n"],
)
def test_what_is_no_purpose_is_refused(token: str) -> None:
    with pytest.raises(InvalidInputError, match="purpose"):
        require_purpose(token)


def test_disease_research_without_a_disease_can_be_denied_but_neither_permitted_nor_planned() -> None:
    assert require_purpose(DISEASE_RESEARCH) == DISEASE_RESEARCH
    with pytest.raises(InvalidInputError, match="needs its disease"):
        require_exact_purpose(DISEASE_RESEARCH)


def test_every_term_is_a_purpose_a_condition_or_a_heading() -> None:
    purposes = {term for term in duo_terms() if term in ALL}

    assert purposes | condition_terms() | {"DUO:0000001", "DUO:0000017"} == set(duo_terms())
    assert not purposes & condition_terms()


@pytest.mark.parametrize(
    ("purpose", "stated", "met"),
    [
        (HEALTH_RESEARCH, set(), {"DUO:0000044"}),
        (GENERAL_RESEARCH, set(), set()),
        (ANCESTRY_RESEARCH, set(), set()),
        (GENERAL_RESEARCH, {"DUO:0000044"}, {"DUO:0000044"}),
        (GENERAL_RESEARCH, {"DUO:0000018"}, {"DUO:0000018", "DUO:0000045", "DUO:0000046"}),
        (GENERAL_RESEARCH, {"DUO:0000045", "DUO:0000046"}, {"DUO:0000018", "DUO:0000045", "DUO:0000046"}),
        (GENERAL_RESEARCH, {"DUO:0000046"}, {"DUO:0000046"}),
        (GENERAL_RESEARCH, {"DUO:0000022"}, {"DUO:0000022"}),
    ],
)
def test_plan_meets_what_it_states_and_what_follows(purpose: str, stated: set[str], met: set[str]) -> None:
    assert implied_conditions(purpose, stated) == met


def test_permission_is_no_condition() -> None:
    with pytest.raises(InvalidInputError, match="Unknown condition"):
        implied_conditions(HEALTH_RESEARCH, {"DUO:0000042"})


def test_labels_are_the_ontologies_words() -> None:
    assert purpose_label(HEALTH_RESEARCH) == "health or medical or biomedical research"
    assert purpose_label(HEART) == "disease specific research (MONDO:0005267)"
    assert purpose_label("HL7:HMARKT") == "healthcare marketing"


def test_digest_of_the_tree_changes_only_when_meanings_change() -> None:
    # A change here changes every policy digest: old leaves then carry the old one, and say so.
    assert hierarchy_digest() == "sha256:565c13e3a21a65974204fa3e51360478e53f7ebdc7a7a6531a51229d1b6bb208"
