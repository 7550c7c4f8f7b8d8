from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.configuration import Rules
from agent.errors import PersonRefusedError, PolicyRefusedError
from agent.people import MAXIMUM_CHARACTERS, Person, Role
from agent.policy import KEY_OF, WORK, SigningRequest
from agent.site import Site
from consortium.kernel.eip712 import AGENT_DOMAIN, TYPES, Domain, typed_hash
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import recover
from tests.unit.agent.worlds import (
    ADDRESSES,
    APPLICANT,
    CHAIN_ID,
    CONSORTIUM,
    HOSPITAL,
    PHRASE,
    START,
    SettableClock,
    word,
)

VERA = Person("vera", "Vera", frozenset({Role.VOTER}))
STAN = Person("stan", "Stan", frozenset({Role.STEWARD}))


def _ballot(**changes: Any) -> SigningRequest:
    message = {"decision": bytes(32), "subject": bytes(32), "organization": word(HOSPITAL), "choice": 1}
    domain = Domain("DecisionBoard", CHAIN_ID, ADDRESSES["DecisionBoard"])
    return replace(SigningRequest("CastBallot", domain, message, CONSORTIUM, VERA), **changes)


def _session(clock: SettableClock | None = None) -> SigningRequest:
    time = int((clock.moment if clock else START).timestamp())
    message = {"organization": word(HOSPITAL), "method_path": bytes(32), "body": bytes(32), "time": time}
    return SigningRequest("AgentRequest", Domain(AGENT_DOMAIN, CHAIN_ID), message | {"nonce": bytes(32)})


def _signatures(site: Site) -> list[tuple[str, str]]:
    entries = site.journal.entries(kinds=("signature",))
    return [(entry.outcome, entry.detail.get("reason", "")) for entry in entries]


def test_ballot_of_a_voter_is_signed_by_the_vote_key_and_written_down(site: Site) -> None:
    signed = site.signer.sign(_ballot())

    assert recover(signed.digest, signed.signature) == signed.address == site.signer.address(KEY_OF["CastBallot"])
    assert signed.digest == typed_hash(_ballot().domain, "CastBallot", _ballot().message)
    entry = site.journal.entries(limit=1)[0]
    assert (entry.outcome, entry.person, entry.digest) == ("signed", "vera", "0x" + signed.digest.hex())


BOARD = Domain("DecisionBoard", CHAIN_ID, ADDRESSES["DecisionBoard"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"primary": "Permit"}, "unknown_type"),
        ({"domain": replace(BOARD, chain_id=1)}, "wrong_chain"),
        ({"domain": replace(BOARD, contract="0x" + "99" * 20)}, "unknown_contract"),
        ({"domain": replace(BOARD, contract=None)}, "unknown_contract"),
        ({"domain": replace(BOARD, contract="rubbish")}, "unknown_contract"),
        ({"domain": replace(BOARD, name="ConsortiumGovernor")}, "unknown_contract"),
        ({"consortium": APPLICANT}, "unknown_contract"),
        ({"consortium": None}, "unknown_contract"),
        ({"message": {**_ballot().message, "organization": word(APPLICANT)}}, "other_organization"),
        ({"person": None}, "no_voter"),
        ({"person": STAN}, "no_voter"),
        ({"message": {**_ballot().message, "choice": "yes"}}, "invalid_input"),
        ({"message": {**_ballot().message, "extra": 1}}, "invalid_input"),
    ],
)
def test_request_outside_the_policy_is_refused_and_nothing_is_signed(
    site: Site, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises((PolicyRefusedError, InvalidInputError)):
        site.signer.sign(_ballot(**changes))

    assert _signatures(site) == [("refused", reason)]


def test_session_request_is_signed_for_no_contract_only(site: Site) -> None:
    site.signer.sign(_session())

    with pytest.raises(PolicyRefusedError):
        site.signer.sign(replace(_session(), domain=Domain(AGENT_DOMAIN, CHAIN_ID, ADDRESSES["DecisionBoard"])))

    assert _signatures(site) == [("refused", "unknown_contract"), ("signed", "")]


def test_more_signatures_a_minute_than_the_rule_are_refused_for_that_key_alone(new_site: Callable[..., Site]) -> None:
    clock = SettableClock()
    site = new_site(rules=Rules(signatures_per_minute=2), clock=clock)
    for _ in range(2):
        site.signer.sign(_ballot())

    with pytest.raises(PolicyRefusedError) as refusal:
        site.signer.sign(_ballot())
    assert refusal.value.reason == "too_many"
    site.signer.sign(_session(clock))

    clock.pass_seconds(60)
    site.signer.sign(_ballot())
    assert [outcome for outcome, _ in _signatures(site)] == ["signed", "signed", "refused", "signed", "signed"]


def test_kill_switch_stops_signatures_for_work_and_leaves_votes(site: Site) -> None:
    message = {"model": bytes(32), "run": bytes(32), "card": bytes(32)}
    site.pins.forget(CONSORTIUM)
    site.pins.pin(CONSORTIUM, ADDRESSES | {"ModelRegistry": "0x" + "55" * 20})
    work = SigningRequest("RegisterCandidate", Domain("ModelRegistry", CHAIN_ID, "0x" + "55" * 20), message, CONSORTIUM)
    site.signer.sign(work)
    site.switch.stop(STAN)

    with pytest.raises(PolicyRefusedError) as refusal:
        site.signer.sign(work)
    site.signer.sign(_ballot())

    assert refusal.value.reason == "work_stopped"
    assert [outcome for outcome, _ in _signatures(site)] == ["signed", "refused", "signed"]


def test_every_type_of_the_consortium_has_its_key() -> None:
    assert set(KEY_OF) == set(TYPES)
    assert set(TYPES) > WORK


def test_person_is_known_by_pass_phrase_and_an_unknown_one_gets_the_same_answer(site: Site) -> None:
    assert site.people.authenticate("vera", PHRASE) == VERA

    answers = set()
    for name, phrase in (("vera", "wrong"), ("nobody", PHRASE), ("vera", PHRASE + "x" * MAXIMUM_CHARACTERS)):
        with pytest.raises(PersonRefusedError) as refusal:
            site.people.authenticate(name, phrase)
        answers.add(refusal.value.message)
    assert len(answers) == 1


def test_pass_phrases_are_kept_as_salted_hashes(site: Site) -> None:
    content = site.folder.people.read_text()

    assert PHRASE not in content
    assert len({record["salt"] for record in site.people._records().values()}) == 2


@pytest.mark.parametrize(
    ("name", "roles", "phrase"),
    [
        ("vera", {Role.VOTER}, PHRASE),
        ("Ann", {Role.VOTER}, PHRASE),
        ("ann", set(), PHRASE),
        ("ann", {Role.VOTER}, "short"),
    ],
)
def test_person_who_breaks_a_rule_is_not_added(site: Site, name: str, roles: set[Role], phrase: str) -> None:
    before = site.folder.people.read_bytes()

    with pytest.raises(InvalidInputError):
        site.people.add(name=name, display_name="Ann", roles=frozenset(roles), pass_phrase=phrase)

    assert site.folder.people.read_bytes() == before
