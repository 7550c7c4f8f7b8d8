import json
from datetime import UTC, datetime, timedelta

import pytest
from fhir.resources.R4B.consent import Consent

from consent.domain.conflicts import effective_provisions
from consent.domain.evaluation import Question, is_permitted
from consent.domain.grants import GrantState
from consent.domain.provisions import category
from consent.fhir.generator import LABEL, Outcome, generate_consents, is_generated
from consent.fhir.reader import ParsedConsent, pseudonymize, read_consents
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest
from consortium.kernel.errors import InvalidInputError
from tests.unit.consent.resources import KEY
from tests.unit.consent.sql_cases import RECIPIENTS

TODAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
SUBJECTS = [f"h1-{number:04d}" for number in range(59)]
GENERATED = generate_consents(SUBJECTS, seed=1, made_for=TODAY)


def test_each_subject_gets_one_valid_r4_consent() -> None:
    for subject, resource in zip(SUBJECTS, GENERATED.resources, strict=True):
        patient = Consent.model_validate(resource).patient
        assert patient is not None
        assert patient.reference == f"Patient/{subject}"
    assert len({resource["id"] for resource in GENERATED.resources}) == 59


def test_every_outcome_occurs_and_most_permit() -> None:
    counts = {outcome: list(GENERATED.truth.values()).count(outcome) for outcome in Outcome}

    assert counts == {Outcome.PERMITS: 51, Outcome.DENIES: 4, Outcome.EXPIRED: 2, Outcome.WITHDRAWN: 2}


@pytest.mark.parametrize("days", [0, 300])
def test_import_and_evaluation_find_the_referees_truth(days: int) -> None:
    at = TODAY + timedelta(days=days)
    question = Question(
        purpose="DUO:0000006",
        categories=frozenset(category(name) for name in ("Patient", "Encounter", "Procedure")),
        recipients=frozenset(RECIPIENTS),
        at=at,
        until=at + timedelta(hours=1),
    )
    permitting = set()
    for _, parsed in read_consents(json.dumps(resource).encode() for resource in GENERATED.resources):
        assert isinstance(parsed, ParsedConsent)
        effective = effective_provisions([pseudonymize(parsed, key=KEY).grant], at)
        if is_permitted(effective, question).permitted:
            permitting.add(parsed.subject)

    assert permitting == GENERATED.permitting()


def test_withdrawn_ones_are_withdrawn_and_the_others_active() -> None:
    for _, parsed in read_consents(json.dumps(resource).encode() for resource in GENERATED.resources):
        assert isinstance(parsed, ParsedConsent)
        withdrawn = GENERATED.truth[parsed.subject] is Outcome.WITHDRAWN
        assert parsed.grant.state is (GrantState.WITHDRAWN if withdrawn else GrantState.ACTIVE)


def test_label_is_on_every_resource_and_survives_stripping() -> None:
    for _, parsed in read_consents(json.dumps(resource).encode() for resource in GENERATED.resources[:5]):
        assert isinstance(parsed, ParsedConsent)
        assert is_generated(parsed.resource)
        assert LABEL in parsed.resource["text"]["div"]
        assert parsed.resource["sourceAttachment"]["title"] == LABEL
        assert is_generated(pseudonymize(parsed, key=KEY).resource)
    assert not is_generated({"resourceType": "Consent"})


def test_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    digest = sha256_digest(canonical_json(list(GENERATED.resources)))

    assert digest == "sha256:d10f03772aa0d6d5a6baf814e7e6b2a0e5620b95c1f0a4dce711fa311b4401f5"
    assert generate_consents(SUBJECTS, seed=2, made_for=TODAY).truth != GENERATED.truth


def test_order_of_subjects_changes_nothing_but_the_order() -> None:
    reversed_run = generate_consents(SUBJECTS[::-1], seed=1, made_for=TODAY)

    assert reversed_run.truth == GENERATED.truth
    assert reversed_run.resources[::-1] == GENERATED.resources


def test_fewer_than_four_subjects_all_permit() -> None:
    assert generate_consents(["a", "b", "c"], seed=1, made_for=TODAY).permitting() == {"a", "b", "c"}
    assert generate_consents([], seed=1, made_for=TODAY).resources == ()


def test_subject_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="named twice"):
        generate_consents(["a", "a"], seed=1, made_for=TODAY)
