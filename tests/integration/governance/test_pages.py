"""Proposals and members: what changes, how the vote stands, how one votes, and only of one's own consortium."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditRecord
from consent.models import ConsentEpoch
from consortium.governance.models import Ballot, DecisionRule, GuardianRule, Proposal
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.membership.models import MemberPage, Membership, OrganizationKey
from contracts.artifacts import shipped
from contracts.rpc.codec import encode_arguments
from tests.factories.membership import World, make_world
from tests.factories.training import make_plan, make_round, make_run

VOTE, SITE, NODE = ("0x" + digit * 40 for digit in "123")


@pytest.fixture
def world(as_system: Any) -> World:
    with as_system():
        return make_world()


def logged_in(name: str) -> Client:
    client = Client()
    assert client.login(email=f"admin@{name}.example", password="a long pass phrase")
    return client


@pytest.fixture
def hospital(world: World) -> Client:
    return logged_in("hospital")


def words(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    main = answer.text[answer.text.index("<main") :]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def arguments(name: str, *values: Any) -> str:
    entry = next(e for e in shipped()["ConsortiumRegistry"].entries("function") if e["name"] == name)
    given = [values] if len(entry["inputs"]) == 1 and len(values) > 1 else list(values)
    return "0x" + encode_arguments(entry["inputs"], given).hex()


def make_proposal(world: World, **changes: Any) -> Proposal:
    fields: dict[str, Any] = {
        "consortium": world.consortium,
        "organization": world.bank,
        "contract": "ConsortiumGovernor",
        "kind": "admit",
        "chain_key": "77",
        "state": "active",
        "base": 2,
        "chain_state": "confirmed",
        "confirmed_block": 41,
        "opened_at": timezone.now(),
        "closes_at": timezone.now() + timedelta(hours=3, minutes=20),
    }
    return Proposal.objects.create(**fields | changes)


@pytest.fixture
def admission(world: World, as_system: Any) -> Proposal:
    """The outsider applies, and the bank proposes to admit it."""
    with as_system():
        Membership.objects.create(consortium=world.consortium, organization=world.outsider, status="applicant")
        given = arguments("admit", uuid_to_bytes32(world.outsider.pk), VOTE, SITE, NODE, b"\x05" * 32)
        made = make_proposal(world, arguments=given, description="It has a cardiac unit.")
        Ballot.objects.create(
            proposal=made,
            consortium=world.consortium,
            organization=world.bank,
            choice="yes",
            chain_state="confirmed",
            confirmed_block=43,
            transaction_hash="0x" + "cd" * 32,
        )
    return made


def test_an_admission_says_what_changes_how_it_stands_and_how_to_vote(hospital, admission):
    shown = words(hospital, reverse("proposal", args=[admission.pk]))

    assert "Admit Outsider" in shown
    assert "1 of 2 members said yes and one more is needed: your vote decides." in shown
    assert "Active members 2 3" in shown
    assert "Yes votes a constitutional act needs two thirds of all active members 2 of 2 2 of 3" in shown
    assert "Outsider Applicant Active" in shown
    assert "It has a cardiac unit." in shown
    assert "in 3 h" in shown
    assert f"consilium-site ballots cast {admission.pk} yes" in shown
    assert "ConsortiumRegistry.admit(" in shown
    assert VOTE in shown
    assert "Block 43" in shown
    assert "Confirmed in block 41" in shown


def test_the_button_leads_to_ones_own_member_page_once_it_is_known(hospital, admission, world, become):
    with become("NONE"):
        MemberPage._base_manager.create(organization=world.hospital, address="https://agent.hospital.example/")
    path = reverse("proposal", args=[admission.pk])

    ballot = f"https://agent.hospital.example/ballots/{admission.pk}"
    assert f'<a class="btn btn-primary" href="{ballot}">' in hospital.get(path).text
    assert "agent.hospital.example" not in logged_in("bank").get(path).text


def test_an_open_proposal_says_how_old_it_is_and_can_be_paused(hospital, admission, as_system):
    path = reverse("proposal", args=[admission.pk])
    page = hospital.get(path).text
    assert 'id="proposal" data-live hx-get=' in page
    assert "live.js" in page
    assert 'data-fresh="Updated {n} s ago"' in page
    assert f'href="{path}">Refresh</a>' in page
    with as_system():
        Proposal.objects.filter(pk=admission.pk).update(state="executed")

    ended = hospital.get(path).text

    assert "data-live" not in ended
    assert "live.js" not in ended


def test_who_has_voted_is_not_asked_again(admission):
    shown = words(logged_in("bank"), reverse("proposal", args=[admission.pk]))

    assert "your vote decides" not in shown
    assert "ballots cast" not in shown


def test_the_part_that_changes_is_sent_only_when_it_changed(hospital, admission, world, as_system):
    page = hospital.get(reverse("proposal", args=[admission.pk])).text
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found
    assert hospital.get(found[1]).status_code == 204
    with as_system():
        Proposal.objects.filter(pk=admission.pk).update(state="queued")

    answer = hospital.get(found[1])

    assert answer.status_code == 200
    assert "Voted and waiting" in answer.text
    assert "<main" not in answer.text


def test_a_decided_proposal_is_not_asked_for_again(hospital, admission, as_system):
    with as_system():
        Proposal.objects.filter(pk=admission.pk).update(state="executed", settled_block=50)

    page = hospital.get(reverse("proposal", args=[admission.pk])).text

    assert "hx-get" not in page
    assert "Carried out" in page
    assert "What it was about" in page


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"state": "defeated", "settled_block": 51}, "Defeated"),
        ({"state": "canceled", "chain_state": "failed", "confirmed_block": None}, "Refused"),
    ],
)
def test_an_end_that_was_not_wished_for_is_said(hospital, admission, as_system, change, says):
    with as_system():
        Proposal.objects.filter(pk=admission.pk).update(**change)

    assert says in words(hospital, reverse("proposal", args=[admission.pk]))


def test_another_consortiums_proposal_is_not_found(admission, as_system):
    outsider = logged_in("outsider")

    assert outsider.get(reverse("proposal", args=[admission.pk])).status_code == 404
    assert outsider.get(reverse("proposal_progress", args=[admission.pk])).status_code == 404


def test_whose_session_has_ended_is_led_to_the_log_in_by_a_reload(admission):
    answer = Client().get(reverse("proposal_progress", args=[admission.pk]))

    assert answer["HX-Refresh"] == "true"


def test_bytes_that_are_no_act_do_not_break_the_page(hospital, world, as_system):
    with as_system():
        made = make_proposal(world, kind="set_decision_rule", arguments="0x1234", description="Odd")

    assert "Odd" in words(hospital, reverse("proposal", args=[made.pk]))


def test_a_change_of_numbers_shows_them_beside_the_present_ones(hospital, world, as_system):
    numbers = {"quorum_bps": 5000, "threshold_bps": 5001, "period_seconds": 600, "minimum_votes": 2}
    with as_system():
        DecisionRule.objects.create(
            consortium=world.consortium, kind="approve_plan", exclude_author=True, set_in_block=1, **numbers
        )
        given = arguments_of_rule(1, 6000, 5001, 600, 2, True)
        made = make_proposal(world, kind="set_decision_rule", arguments=given, description="Raise the quorum")

    shown = words(hospital, reverse("proposal", args=[made.pk]))

    assert "Quorum, in hundredths of a percent 5000 6000" in shown
    assert "The author may not vote yes yes" in shown


def word_of(number: int) -> str:
    return "0x" + number.to_bytes(32, "big").hex()


@pytest.mark.parametrize(
    ("kind", "seconds", "shown"),
    [
        ("set_timelock_delay", 7_200, ("Time after a vote", "2 hours")),
        ("set_voting_period", 60, ("Time for a vote", "1 minute")),
        ("set_voting_delay", 0, ("Time before a vote", "0 seconds")),
    ],
)
def test_a_change_of_a_time_says_it_in_words_and_never_by_its_name_in_the_code(
    hospital, world, as_system, kind, seconds, shown
):
    with as_system():
        made = make_proposal(world, kind=kind, arguments=word_of(seconds), description="Other times")

    page = words(hospital, reverse("proposal", args=[made.pk]))

    assert all(said in page for said in shown)
    assert kind not in page
    assert kind not in words(hospital, "/proposals/")


def test_a_change_of_the_guardian_names_whom_and_how_many(hospital, world, as_system):
    with as_system():
        GuardianRule.objects.create(
            consortium=world.consortium, organizations=[str(world.hospital.pk)], threshold=2, set_in_block=1
        )
        entry = next(e for e in shipped()["Guardian"].entries("function") if e["name"] == "setGuardian")
        given = "0x" + encode_arguments(entry["inputs"], [uuid_to_bytes32(world.bank.pk), True, 3]).hex()
        made = make_proposal(world, kind="set_guardian", arguments=given, description="One more")

    shown = words(hospital, reverse("proposal", args=[made.pk]))

    assert "Bank may veto no yes" in shown
    assert "Guardians that veto together 2 3" in shown


def arguments_of_rule(kind: int, *numbers: Any) -> str:
    entry = next(e for e in shipped()["ConsortiumRegistry"].entries("function") if e["name"] == "setDecisionRule")
    parts = entry["inputs"][1]["components"]
    names = ("quorumBps", "thresholdBps", "periodSeconds", "minimumVotes", "excludeAuthor")
    by_name = dict(zip(names, numbers, strict=True))
    return "0x" + encode_arguments(entry["inputs"], [kind, tuple(by_name[part["name"]] for part in parts)]).hex()


# The list


@pytest.fixture
def several(world: World, as_system: Any) -> None:
    with as_system():
        rule = {"quorum_bps": 5000, "threshold_bps": 5001, "minimum_votes": 1, "exclude_author": False}
        board = {"contract": "DecisionBoard", "rule": rule}
        make_proposal(world, kind="set_policy", description="A policy", chain_key="1")
        make_proposal(world, kind="approve_plan", description="A plan", chain_key="0x2", **board)
        make_proposal(world, kind="release_model", description="A model", chain_key="0x3", state="executed", **board)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"A policy", "A plan", "A model"}),
        ("?state=open", {"A policy", "A plan"}),
        ("?state=decided", {"A model"}),
        ("?kind=acts", {"A policy"}),
        ("?kind=models&state=open", set()),
        ("?kind=nonsense", {"A policy", "A plan", "A model"}),
    ],
)
def test_the_list_is_filtered_by_state_and_kind(hospital, several, query, shown):
    page = words(hospital, "/proposals/" + query)

    assert {title for title in ("A policy", "A plan", "A model") if f"{title} " in page.partition("Closes")[2]} == shown


def test_open_proposals_stand_first_and_say_that_they_wait_for_ones_vote(hospital, several):
    page = words(hospital, "/proposals/")

    assert page.index("A plan") < page.index("A model")
    assert page.count("Waits for your vote") == 2


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_proposals(
    hospital, several, world, as_system, django_assert_max_num_queries
):
    hospital.get("/proposals/")
    with as_system():
        for number in range(20):
            make_proposal(world, kind="set_policy", chain_key=f"{number + 100}")

    with django_assert_max_num_queries(40):
        hospital.get("/proposals/")


# Members


def test_an_applicants_page_gives_the_act_to_propose_its_admission(hospital, world, as_system):
    with as_system():
        applied = Membership.objects.create(
            consortium=world.consortium,
            organization=world.outsider,
            status="applicant",
            validator=NODE,
            profile_digest="sha256:" + "5" * 64,
        )
        for purpose, address in (("vote", VOTE), ("site", SITE)):
            OrganizationKey.objects.create(membership=applied, purpose=purpose, address=address)

    shown = words(hospital, reverse("member", args=[world.outsider.pk]))

    assert '"kind": "Admit"' in shown
    for value in (str(world.outsider.pk), VOTE, SITE, NODE):
        assert f'"{value}"' in shown
    assert "consilium-site propose act.json" in shown


def test_an_applicant_whose_admission_is_proposed_needs_no_second_proposal(hospital, admission, world):
    shown = words(hospital, reverse("member", args=[world.outsider.pk]))

    assert "Its admission is put to the vote" in shown
    assert "propose act.json" not in shown


def test_a_members_page_tells_its_votes_epochs_and_runs(hospital, admission, world, as_system):
    with as_system():
        ConsentEpoch.objects.create(
            consortium=world.consortium,
            organization=world.bank,
            epoch=4,
            seq=9,
            root="0x" + "11" * 32,
            band=50,
            as_of=timezone.now(),
            chain_state="confirmed",
            confirmed_block=44,
        )
        make_round(world, make_run(world, make_plan(world)), 1, 1)

    shown = words(hospital, reverse("member", args=[world.bank.pk]))

    assert "Admit Outsider Yes" in shown
    assert "50 to 99" in shown
    assert "Block 44" in shown
    assert "Long stays after cardiac procedures Completed" in shown


def test_an_organization_of_another_consortium_has_no_page(hospital, world):
    assert hospital.get(reverse("member", args=[world.outsider.pk])).status_code == 404


def test_an_administrator_applies_at_the_portal_and_sees_how_it_stands(world, as_system):
    outsider = logged_in("outsider")
    form = {"consortium": "shared", "vote_key": VOTE, "site_key": SITE, "validator": NODE}

    outsider.post(reverse("apply"), form)

    assert "Shared" in words(outsider, reverse("apply"))
    assert "Waits for a member to propose your admission" in words(outsider, reverse("apply"))
    with as_system():
        assert AuditRecord.objects.get().action == "membership.organization.apply"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vote_key": "0x12"}, "An address is 0x and 40 hexadecimal digits"),
        ({"site_key": VOTE}, "Two of the addresses are the same"),
        ({"consortium": "nowhere"}, "There is no consortium of that name"),
    ],
)
def test_a_wrong_application_is_refused_with_its_reason(world, as_system, change, says):
    outsider = logged_in("outsider")
    form = {"consortium": "shared", "vote_key": VOTE, "site_key": SITE, "validator": NODE}

    answer = outsider.post(reverse("apply"), form | change)

    assert says in answer.text
    with as_system():
        assert not Membership.objects.filter(organization=world.outsider, consortium=world.consortium).exists()
