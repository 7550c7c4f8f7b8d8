"""A key replaced on the member page: made, signed with the sentence that was read, and put in the old one's place."""

import re
from typing import Any

import pytest

from agent.keystore import KeyPurpose, address_in
from agent.letters import Letter
from agent.rotation import ROTATIONS_PATH
from agent.site import Site
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.secp256k1 import recover
from tests.unit.agent.browsers import Browser
from tests.unit.agent.worlds import CONSORTIUM, PHRASE, consortium

NUMBERS = {KeyPurpose.VOTE: 1, KeyPurpose.SITE: 2}


@pytest.fixture
def listed(timed_site: Site) -> dict[int, str]:
    """What the registry lists for this member, by the number of the purpose; a test changes it."""
    table = {number: address_in(timed_site.folder, purpose) for purpose, number in NUMBERS.items()}
    registry: dict[str, Any] = {"keyOf": lambda _organization, purpose: table[purpose], "nonceOf": 3}
    timed_site.given_chain.set("ConsortiumRegistry", **registry)  # type: ignore[union-attr]  # the chain in memory
    return table


@pytest.fixture
def page(browser: Browser, listed: dict[int, str]) -> Browser:
    browser.log_in()
    return browser


def hidden(page: Browser) -> dict[str, str]:
    """The hidden fields of the form that is to be signed."""
    text = page.get("/keys").text
    return dict(re.findall(r'name="((?:digest|deadline):[^"]+)" value="([^"]+)"', text))


def letters(site: Site) -> list[Letter]:
    return [one for one in site.letters._select("1 = 1") if one.path == ROTATIONS_PATH]


def coming(site: Site, purpose: KeyPurpose = KeyPurpose.SITE) -> str:
    found = site.rotation.target(purpose)
    return "" if found is None else found.address


@pytest.mark.parametrize("purpose", list(KeyPurpose))
def test_a_key_is_replaced_in_three_steps_each_with_what_it_does(page, timed_site, listed, purpose):
    old = listed[NUMBERS[purpose]]
    assert page.get("/keys").text.count("Step 1 of 3") == 2
    assert page.send(f"/keys/{purpose}/new").headers["location"] == f"/keys?done=key_made#{purpose}"
    new = coming(timed_site, purpose)

    shown = page.get("/keys").text
    assert f"replaces its key for the purpose {purpose} by {new}" in shown
    answer = page.send(f"/keys/{purpose}/sign", word="replace", **hidden(page))
    assert answer.headers["location"] == f"/keys?done=key_signed#{purpose}"
    (letter,) = letters(timed_site)
    assert (letter.body["new_key"], letter.body["purpose"]) == (new, NUMBERS[purpose])
    assert recover(from_hex(letter.digest), from_hex(letter.body["signature"])) == listed[1]
    assert "Signed, not in its registry yet" in page.get("/keys").text

    listed[NUMBERS[purpose]] = new
    assert "Step 3 of 3" in page.get("/keys").text
    assert page.send(f"/keys/{purpose}/finish").headers["location"] == f"/keys?done=key_in_use#{purpose}"
    assert address_in(timed_site.folder, purpose) == new != old
    assert timed_site.folder.retired_key(purpose, old).exists()
    assert page.get("/keys").text.count("Step 1 of 3") == 2


def test_what_is_signed_is_what_was_read(page, timed_site, clock):
    page.send("/keys/site/new")
    read = hidden(page)
    timed_site.given_chain.time += 7
    page.send("/keys/site/sign", word="replace", **read)

    (letter,) = letters(timed_site)
    message = {
        **{"organization": timed_site.organization, "purpose": 2, "newKey": coming(timed_site)},
        **{"nonce": 3, "deadline": int(read[f"deadline:{CONSORTIUM}"])},
    }
    digest = to_hex(typed_hash(consortium().domain("ConsortiumRegistry"), "RotateKey", message))
    assert letter.digest == digest == read[f"digest:{CONSORTIUM}"]
    decided = timed_site.journal.select("kind = 'rotation' AND outcome = 'decided'", limit=1)
    assert "replaces its key for the purpose site" in decided[0].detail["sentence"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"word": "yes"}, "Type replace to confirm"),
        ({"pass_phrase": "a wrong one"}, "pass phrase"),
        ({f"digest:{CONSORTIUM}": "0x" + "11" * 32}, "changed since you read it"),
        ({f"deadline:{CONSORTIUM}": "99999999999"}, "has expired"),
        ({f"deadline:{CONSORTIUM}": "1"}, "has expired"),
        ({f"deadline:{CONSORTIUM}": "soon"}, "not of this page"),
        ({f"digest:{CONSORTIUM}": "0x12"}, "32 bytes"),
    ],
)
def test_a_form_that_is_not_what_the_person_read_signs_nothing(page, timed_site, changes, words):
    page.send("/keys/site/new")

    answer = page.send("/keys/site/sign", **({"word": "replace", **hidden(page)} | changes))

    assert answer.status_code >= 400
    assert words in answer.text
    assert letters(timed_site) == []


def test_a_consortium_that_was_not_read_is_not_signed_for(page, timed_site):
    page.send("/keys/site/new")
    answer = page.send("/keys/site/sign", word="replace")

    assert (answer.status_code, letters(timed_site)) == (409, [])
    assert "You did not read" in answer.text


def test_only_a_voter_with_the_pass_phrase_of_the_page_replaces_a_key(page, timed_site):
    assert page.post("/keys/site/new", {"pass_phrase": PHRASE}).status_code == 403
    assert page.send("/keys/site/new", pass_phrase="a wrong one").status_code == 403
    page.send("/logout")
    page.log_in("stan")
    assert "Only a voter of this member replaces keys" in page.get("/keys").text
    assert page.send("/keys/site/new").status_code == 403
    assert page.send("/keys/validator/new").status_code == 404
    assert coming(timed_site) == ""


def test_nothing_takes_the_old_keys_place_before_the_registry_lists_it(page, timed_site, listed):
    page.send("/keys/site/new")
    answer = page.send("/keys/site/finish")

    assert (answer.status_code, address_in(timed_site.folder, KeyPurpose.SITE)) == (409, listed[2])
    assert "Not every registry lists the new key yet" in answer.text


def test_without_the_listed_vote_key_the_page_says_what_to_do(page, timed_site, listed):
    page.send("/keys/site/new")
    listed[1] = "0x" + "77" * 20

    text = page.get("/keys").text

    assert "Nothing can be signed for it now" in text
    assert "--by-vote" in text
    assert 'action="/keys/site/sign"' not in text
