import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from agent.ballots import Choice
from agent.client import OfferedBallot, _ballot
from agent.courier import Courier
from agent.desk import BallotDesk, LaidOut
from agent.errors import (
    AlreadyDecidedError,
    ContradictionError,
    NotOpenError,
    PersonRefusedError,
    PlatformRefusedError,
    PolicyRefusedError,
)
from agent.keystore import KeyPurpose
from agent.letters import Letter
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.questions import Phase, Question
from agent.signer import Signed
from agent.site import Site
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import digest_to_bytes32, sha256_digest
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConflictError
from consortium.kernel.identifiers import from_hex
from consortium.kernel.secp256k1 import recover
from contracts.signing.errors import SignerAwayError, SignerError, SignerNotTrustedError, SignerRefusedError
from tests.unit.agent import platforms
from tests.unit.agent.platforms import ADMISSION, PlatformInMemory
from tests.unit.agent.worlds import (
    APPLICANT,
    DECISION,
    HOSPITAL,
    PROPOSAL,
    ChainInMemory,
    admission_chain,
    consortium,
    reopen,
    word,
)

VERA = Person("vera", "Vera", frozenset({Role.VOTER}))


def _offered(**changes: Any) -> OfferedBallot:
    return _ballot(platforms.admission(**changes))


def _question(site: Site, offered: OfferedBallot | None = None) -> Question:
    offered = offered or _offered()
    return site.ballots.reader.read(consortium(), offered.contract, offered.proposal_id)


def _cast(
    site: Site, choice: Choice = Choice.YES, *, offered: OfferedBallot | None = None, person: Person = VERA
) -> Letter:
    offered = offered or _offered()
    question = _question(site, offered)
    digest = site.ballots.prepare(question, choice).digest
    return site.ballots.cast(offered=offered, question=question, choice=choice, person=person, digest=digest)


def _signed(site: Site) -> int:
    return len([entry for entry in site.journal.entries(kinds=("signature",)) if entry.outcome == "signed"])


def test_act_is_shown_as_the_chain_would_execute_it(site: Site) -> None:
    question = _question(site)

    assert question.phrase == f"admitting {APPLICANT} as a member"
    assert dict(question.facts)["Vote key"].lower() == "0x" + "aa" * 20
    assert (question.kind, question.phase, question.tally.yes, question.tally.needed) == (
        "Admit",
        Phase.OPEN,
        1,
        "3 yes",
    )
    sentence = site.ballots.prepare(question, Choice.NO).sentence
    assert sentence == f"Hospital 6.5 votes no on admitting {APPLICANT} as a member."


def test_ballot_is_what_the_governor_checks(site: Site) -> None:
    letter = _cast(site, Choice.NO)

    message = {"proposalId": PROPOSAL, "support": 0, "voter": letter.body["voter"], "nonce": 4}
    digest = typed_hash(consortium().domain("ConsortiumGovernor"), "Ballot", message)
    assert recover(digest, from_hex(letter.body["signature"])) == letter.body["voter"]
    assert (letter.path, letter.body["choice"]) == (f"/api/v1/agent/ballots/{ADMISSION}", "no")


def test_ballot_is_what_the_board_checks(site: Site) -> None:
    letter = _cast(site, Choice.ABSTAIN, offered=_ballot(platforms.plan()))

    message = {"decision": DECISION, "subject": bytes([8]) * 32, "organization": site.organization, "choice": 3}
    digest = typed_hash(consortium().domain("DecisionBoard"), "CastBallot", message)
    assert recover(digest, from_hex(letter.body["signature"])) == letter.body["voter"]


def test_ballot_is_given_once_also_when_asked_twice(site: Site) -> None:
    first = _cast(site)

    assert _cast(site) == first
    with pytest.raises(AlreadyDecidedError):
        _cast(site, Choice.NO)
    assert _signed(site) == 1
    assert site.letters.waiting() == [first]


def test_ballot_decided_before_a_kill_is_finished_after_it_and_only_so(site: Site) -> None:
    site.journal.decide(
        f"ballot:417001:{consortium().contracts['ConsortiumGovernor']}:{PROPOSAL}", "yes", kind="ballot"
    )
    site.journal.close()
    after = reopen(site.folder)

    with pytest.raises(AlreadyDecidedError):
        _cast(after, Choice.NO)
    assert _signed(after) == 0

    assert _cast(after).body["choice"] == "yes"
    assert _signed(after) == 1
    after.journal.close()


def test_same_bytes_are_kept_over_a_restart(site: Site) -> None:
    letter = _cast(site)
    site.journal.close()

    after = reopen(site.folder)

    assert after.letters.waiting() == [letter]
    assert _cast(after) == letter
    after.journal.close()


def test_two_ballots_on_their_way_have_different_numbers(new_site: Callable[..., Site]) -> None:
    chain = admission_chain()
    act = chain.views["ConsortiumGovernor", "actOf"](PROPOSAL)
    chain.set("ConsortiumGovernor", actOf=lambda _proposal: act)
    site = new_site(chain=chain)

    first, second = _cast(site), _cast(site, offered=_offered(proposal_id="8"))

    assert (first.nonce, second.nonce) == (4, 5)


def test_ballot_whose_number_was_used_up_by_another_is_signed_anew_with_the_same_answer(site: Site) -> None:
    first = _cast(site)
    chain = site.chain
    assert isinstance(chain, ChainInMemory)
    chain.set("ConsortiumGovernor", nonces=9)

    second = _cast(site)

    assert (first.nonce, second.nonce, second.body["choice"]) == (4, 9, "yes")


@pytest.mark.parametrize(
    ("contract", "views", "message"),
    [
        ("ConsortiumGovernor", {"state": 0}, "Ballots are taken from"),
        ("ConsortiumGovernor", {"state": 4}, "no ballots any more"),
        ("ConsortiumGovernor", {"hasOrganizationVoted": True}, "holds this member's ballot"),
        ("ConsortiumRegistry", {"isActive": False}, "no vote"),
        ("ConsortiumRegistry", {"wasActiveAt": False}, "no vote"),
    ],
)
def test_ballot_that_the_chain_would_not_take_is_not_signed(
    new_site: Callable[..., Site], contract: str, views: dict[str, Any], message: str
) -> None:
    chain = admission_chain()
    chain.set(contract, **views)
    site = new_site(chain=chain)

    with pytest.raises(NotOpenError, match=message):
        _cast(site)

    assert (_signed(site), site.ballots.given(_question(site))) == (0, None)


def test_author_excluded_by_the_rule_has_no_vote(new_site: Callable[..., Site]) -> None:
    chain = admission_chain()
    found = chain.views["DecisionBoard", "decision"](DECISION)
    chain.set("DecisionBoard", decision=lambda _id: found | {"author": word(HOSPITAL)})
    site = new_site(chain=chain)

    with pytest.raises(NotOpenError, match="its author"):
        _cast(site, offered=_ballot(platforms.plan()))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "Remove"}, "kind"),
        ({"subject": "0x" + "77" * 32}, "subject"),
        ({"consortium": str(APPLICANT)}, "consortium"),
    ],
)
def test_platform_that_says_something_else_than_the_chain_is_refused(
    site: Site, changes: dict[str, str], field: str
) -> None:
    question = _question(site)
    digest = site.ballots.prepare(question, Choice.YES).digest

    with pytest.raises(ContradictionError, match=f"disagree on {field}"):
        site.ballots.cast(offered=_offered(**changes), question=question, choice=Choice.YES, person=VERA, digest=digest)

    assert (_signed(site), site.letters.waiting()) == (0, [])
    assert site.journal.entries(limit=1)[0].detail["fields"] == [field]


@pytest.mark.parametrize(
    "details",
    [
        lambda target, call, text: ([target], [1], [call], text),
        lambda target, call, text: (["0x" + "66" * 20], [0], [call], text),
        lambda target, call, text: ([target, target], [0, 0], [call, call], text),
        lambda target, call, text: ([target], [0], [call[:-1] + b"\x01"], text),
        lambda target, call, text: ([target], [0], [b"\0\0\0\0" + call[4:]], text),
    ],
)
def test_proposal_that_would_execute_something_else_is_not_shown(
    new_site: Callable[..., Site], details: Callable[..., Any]
) -> None:
    chain = admission_chain()
    (target,), _values, (call,), text = chain.views["ConsortiumGovernor", "proposalDetails"]
    chain.set("ConsortiumGovernor", proposalDetails=details(target, call, text))

    with pytest.raises(ContradictionError):
        _question(new_site(chain=chain))


@pytest.mark.parametrize("proposal_id", ["8", "seven", "0x" + "00" * 32, "-7", "7 "])
def test_proposal_that_the_node_does_not_know_is_not_shown(site: Site, proposal_id: str) -> None:
    with pytest.raises(NotOpenError):
        _question(site, _offered(proposal_id=proposal_id))


def test_digest_that_the_person_did_not_read_is_not_signed(site: Site) -> None:
    question = _question(site)

    with pytest.raises(ConflictError, match="Read it again"):
        site.ballots.cast(offered=_offered(), question=question, choice=Choice.YES, person=VERA, digest=bytes(32))

    assert (_signed(site), site.ballots.given(question)) == (0, None)


def test_person_without_the_role_signs_nothing(site: Site) -> None:
    with pytest.raises(PersonRefusedError):
        _cast(site, person=replace(VERA, roles=frozenset({Role.STEWARD})))

    assert (_signed(site), site.letters.waiting()) == (0, [])


def test_unpinned_consortium_gets_no_ballot(site: Site) -> None:
    site.pins.forget(consortium().id)

    with pytest.raises(PolicyRefusedError):
        _cast(site)

    assert (_signed(site), site.letters.waiting()) == (0, [])


def test_proposers_words_are_known_by_their_hash_alone(site: Site) -> None:
    question = _question(site)

    assert question.description_is("Please let us in")
    assert not question.description_is("Please let us in!")


def _at_desk(site: Site, platform: PlatformInMemory, work: Callable[[BallotDesk, Courier], Any]) -> Any:
    async def run() -> Any:
        async with site.client(transport=httpx.ASGITransport(platform.application())) as client:
            courier = Courier(client, site.letters)
            return await work(site.desk(client, courier), courier)

    return asyncio.run(run())


@pytest.fixture
def trusted(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose chain check has been passed; the check has tests of its own against a node."""
    monkeypatch.setattr(site.trust, "admit", lambda found: found)
    return site


def test_desk_lays_out_what_waits_and_says_why_it_cannot(trusted: Site) -> None:
    platform = PlatformInMemory()
    platform.ballots.append(platforms.admission(proposal=str(APPLICANT), proposal_id="99"))

    laid_out = _at_desk(trusted, platform, lambda desk, _courier: desk.waiting())

    assert [bool(one.question) for one in laid_out] == [True, True, False]
    assert laid_out[0].description == "Please let us in"
    assert "knows no such proposal" in laid_out[2].trouble


def test_organization_is_named_by_a_profile_whose_digest_the_chain_holds(trusted: Site) -> None:
    profile = canonical_json({"name": "Hospital 7.4", "salt": "x"})
    chain, platform = trusted.chain, PlatformInMemory()
    assert isinstance(chain, ChainInMemory)
    digest = sha256_digest(profile)
    chain.set("ConsortiumRegistry", organization={"profile": digest_to_bytes32(digest)})
    platform.blobs[digest] = profile

    laid_out = _at_desk(trusted, platform, lambda desk, _courier: desk.waiting())

    assert laid_out[0].question.phrase == "admitting Hospital 7.4 (0b0b0b0b) as a member"


def test_document_is_shown_if_the_chain_names_it_and_refused_otherwise(trusted: Site) -> None:
    document = b'{"plan":1}'
    digest = sha256_digest(document)
    platform = PlatformInMemory(ballots=[platforms.plan(document_digest=digest)], blobs={digest: document})

    def read(desk: BallotDesk, _courier: Courier) -> Any:
        return desk.read(_ballot(platform.ballots[0]).proposal)

    with pytest.raises(ContradictionError, match="not the one the chain names"):
        _at_desk(trusted, platform, read)

    chain = trusted.chain
    assert isinstance(chain, ChainInMemory)
    found = chain.views["DecisionBoard", "decision"](DECISION)
    chain.set("DecisionBoard", decision=lambda _id: found | {"subject": digest_to_bytes32(digest)})
    platform.ballots = [platforms.plan(document_digest=digest, subject="0x" + digest_to_bytes32(digest).hex())]
    laid_out: LaidOut = _at_desk(trusted, platform, read)
    assert laid_out.document == document
    (waiting,) = _at_desk(trusted, platform, lambda desk, _courier: desk.waiting())
    assert waiting.document == document

    platform.blobs[digest] = b'{"plan":2}'
    with pytest.raises(ContradictionError, match="other bytes"):
        _at_desk(trusted, platform, read)
    (waiting,) = _at_desk(trusted, platform, lambda desk, _courier: desk.waiting())
    assert (waiting.question, waiting.document) == (None, b"")
    assert "other bytes" in waiting.trouble


def test_letter_signed_while_the_platform_is_away_is_delivered_later_as_it_stands(trusted: Site) -> None:
    letter = _cast(trusted)
    platform = PlatformInMemory(status=503)

    assert _at_desk(trusted, platform, lambda _desk, courier: courier.deliver_waiting()) == 1
    assert trusted.letters.waiting() == [letter]

    platform.status = 0
    assert _at_desk(trusted, platform, lambda _desk, courier: courier.deliver_waiting()) == 0
    assert platform.posts == [(letter.path, letter.body, letter.digest)]
    assert trusted.letters.waiting() == []


def test_letter_that_the_platform_refuses_is_not_sent_for_ever(trusted: Site) -> None:
    letter = _cast(trusted)
    platform = PlatformInMemory(post_status=409)

    with pytest.raises(PlatformRefusedError, match="ballot_closed"):
        _at_desk(trusted, platform, lambda _desk, courier: courier.deliver(letter))

    assert trusted.letters.waiting() == []
    assert trusted.journal.entries(limit=1)[0].detail["reason"] == "ballot_closed"


def test_act_is_proposed_as_the_governor_checks_it(site: Site) -> None:
    letter = site.proposing.propose_act(
        consortium=consortium(),
        kind="Suspend",
        arguments={"id": "0x" + word(APPLICANT).hex()},
        description="Why",
        person=VERA,
    )

    message = {
        **{"organization": site.organization, "kind": 2, "arguments": word(APPLICANT), "description": "Why"},
        **{"nonce": 1, "deadline": letter.body["deadline"]},
    }
    digest = typed_hash(consortium().domain("ConsortiumGovernor"), "ProposeAct", message)
    voter = site.signer.address(KeyPurpose.VOTE)
    assert recover(digest, from_hex(letter.body["signature"])) == voter
    assert (letter.body["kind"], letter.body["arguments"]) == (2, "0x" + word(APPLICANT).hex())


def test_decision_is_opened_under_the_policy_in_force(site: Site) -> None:
    letter = site.proposing.open_decision(
        consortium=consortium(),
        kind="ApprovePlan",
        subject=DECISION,
        owners=[word(APPLICANT)],
        description="",
        person=VERA,
    )

    message = {
        **{"kind": 1, "subject": DECISION, "policy": bytes([8]) * 32, "author": site.organization},
        **{"owners": [word(APPLICANT)], "nonce": 2, "deadline": letter.body["deadline"]},
    }
    assert from_hex(letter.digest) == typed_hash(consortium().domain("DecisionBoard"), "OpenDecision", message)
    assert site.letters.waiting() == [letter]


def test_letter_waits_while_the_platform_does_not_know_the_new_site_key_yet(trusted: Site) -> None:
    platform = PlatformInMemory(status=401)
    letter = _cast(trusted)

    assert not _at_desk(trusted, platform, lambda _desk, courier: courier.deliver(letter))

    assert trusted.letters.waiting() == [letter]
    platform.status = 0
    assert _at_desk(trusted, platform, lambda _desk, courier: courier.deliver_waiting()) == 0


@pytest.mark.parametrize("error", [SignerAwayError("away"), SignerRefusedError("no"), SignerNotTrustedError("not it")])
def test_letter_waits_while_the_site_key_does_not_sign(
    trusted: Site, monkeypatch: pytest.MonkeyPatch, error: SignerError
) -> None:
    letter = _cast(trusted)

    def fail(_request: SigningRequest) -> Signed:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(trusted.signer, "sign", fail)
        assert _at_desk(trusted, PlatformInMemory(), lambda _desk, courier: courier.deliver_waiting()) == 1

    assert trusted.letters.waiting() == [letter]
