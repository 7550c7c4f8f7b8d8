"""What a person signs is said in one sentence, made of the signed fields; what nobody signs has a reason."""

import uuid
from typing import Any

import pytest

from agent.acts import ACTS
from agent.facts import LABELS, fact, percent, span, value_text
from agent.keystore import KeyPurpose
from agent.names import NameBook
from agent.policy import KEY_OF, SigningRequest
from agent.sentences import NO_PERSON_SIGNS, signed_sentence
from consortium.kernel.eip712 import DOMAIN_OF, TYPES, Domain
from consortium.kernel.secp256k1 import checksum_address
from consortium.kernel.sentences import TEMPLATES
from tests.unit.agent.worlds import APPLICANT, AUTHOR, CHAIN_ID, HOSPITAL, word

NAMES = NameBook(HOSPITAL, "Hospital 6.5")
NEW_KEY = checksum_address("0x" + "1f" * 20)
ZERO = "0x" + "00" * 20


def _say(primary: str, **message: Any) -> str:
    domain = Domain(DOMAIN_OF[primary], CHAIN_ID, "0x" + "33" * 20)
    return signed_sentence(SigningRequest(primary, domain, message), NAMES.name)


def _act(kind: int, arguments: bytes) -> str:
    fields = {"organization": word(HOSPITAL), "kind": kind, "arguments": arguments, "description": "Why not"}
    return _say("ProposeAct", **fields, nonce=0, deadline=1_800_000_000)


@pytest.mark.parametrize("primary", sorted(TYPES))
def test_every_message_is_said_or_there_is_a_reason_why_no_person_signs_it(primary: str) -> None:
    is_a_persons = KEY_OF[primary] is KeyPurpose.VOTE

    assert is_a_persons == (primary not in NO_PERSON_SIGNS)
    fields = {name for _kind, name in TYPES[primary].members}
    shown = {name for name in fields if f"%({name})s" in TEMPLATES[primary]}
    # A number that is used once says nothing to a person, and no other field is left out.
    assert fields - shown <= {"nonce"}


def test_rotation_is_said() -> None:
    said = _say("RotateKey", organization=word(HOSPITAL), purpose=2, newKey=NEW_KEY, nonce=3, deadline=1_800_000_000)

    assert said == (f"Hospital 6.5 replaces its key for the purpose site by {NEW_KEY}, until 2027-01-15 08:00:00 UTC.")


def test_ballots_are_said() -> None:
    board = {"decision": bytes([9]) * 32, "subject": bytes([8]) * 32, "organization": word(HOSPITAL), "choice": 2}

    assert _say("CastBallot", **board) == (f"Hospital 6.5 answers no in the decision 0x{'09' * 32} on 0x{'08' * 32}.")
    assert _say("Ballot", proposalId=77, support=1, voter=NEW_KEY, nonce=0) == (
        f"The voter {NEW_KEY} answers yes to the proposal 77."
    )


def test_decision_is_said_with_its_owners_by_name() -> None:
    fields = {"kind": 2, "subject": bytes([8]) * 32, "policy": bytes([5]) * 32, "author": word(HOSPITAL), "nonce": 0}

    said = _say("OpenDecision", **fields, owners=[word(HOSPITAL), word(AUTHOR)], deadline=1_800_000_000)

    assert said.startswith(f"Hospital 6.5 asks the members to release a model: 0x{'08' * 32}, under the policy")
    assert f"with the consent of Hospital 6.5, {AUTHOR}, until" in said


def test_act_is_said_with_its_arguments_opened() -> None:
    arguments = {"id": word(APPLICANT), "voteKey": NEW_KEY, "siteKey": NEW_KEY, "validator": ZERO, "profile": bytes(32)}

    said = _act(1, ACTS[1].encode(arguments))

    assert said.startswith("Hospital 6.5 proposes to admit an organization (organization: ")
    assert f"organization: {APPLICANT}; vote key: {NEW_KEY}" in said
    assert "address of its node: none" in said
    assert 'described as "Why not"' in said


def test_numbers_of_an_act_are_said_as_people_say_them() -> None:
    rule = {"quorumBps": 5000, "thresholdBps": 6667, "periodSeconds": 90_000, "minimumVotes": 3, "excludeAuthor": True}

    said = _act(8, ACTS[8].encode({"kind": 3, **rule}))

    for words in (
        "kind of decision: recalling a model",
        "quorum: 50 % of the members who may vote",
        "threshold: 66.67 % of the ballots yes",
        "ballots are taken for: 1 day 1 h",
        "fewest ballots: 3",
        "the author's own ballot: does not count",
    ):
        assert words in said
    replacing = ACTS[11].encode({"id": word(HOSPITAL), "purpose": 1, "newKey": NEW_KEY})
    assert "purpose of the key: vote" in _act(11, replacing)


@pytest.mark.parametrize("arguments", [b"", b"\x01" * 31, b"\xff" * 64])
def test_arguments_that_are_not_those_of_the_kind_are_shown_as_they_stand(arguments: bytes) -> None:
    assert f"(arguments 0x{arguments.hex()})," in _act(11, arguments)
    assert f"(arguments 0x{arguments.hex()})," in _act(99, arguments)


@pytest.mark.parametrize("form", ACTS.values(), ids=lambda form: form.name)
def test_every_field_of_every_act_has_a_label_for_people(form: Any) -> None:
    for part in form.entry["inputs"]:
        for field in part.get("components", [part]):
            assert field["name"] in LABELS


def test_values_have_words_and_unknown_ones_stay_as_they_are() -> None:
    assert fact("newField", 7, NAMES.name) == ("newField", "7")
    assert fact("id", word(HOSPITAL), NAMES.name) == ("Organization", "Hospital 6.5")
    assert value_text("purpose", 9, NAMES.name) == "an unknown one (9)"
    assert value_text("isAccepted", False, NAMES.name) == "no"
    assert value_text("validator", ZERO, NAMES.name) == "none"
    assert value_text("owners", [], NAMES.name) == "none"
    assert value_text("commitmentMaxAgeBlocks", 20, NAMES.name) == "20 blocks"
    assert value_text("newVotingDelay", 60, NAMES.name) == "1 min"
    assert [percent(value) for value in (0, 1, 5000, 10_000)] == ["0 %", "0.01 %", "50 %", "100 %"]
    assert [span(value) for value in (0, 59, 61, 3600, 90_000)] == ["0 s", "59 s", "1 min 1 s", "1 h", "1 day 1 h"]


def test_name_of_an_organization_that_was_not_learnt_is_its_id() -> None:
    assert NAMES.name(word(uuid.UUID(int=5 << 64))) == str(uuid.UUID(int=5 << 64))
