"""The landing page: what waits for each role, most urgent first, and nothing of anybody else's."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.models import AuditLog, Bundle, Checkpoint
from audit.recorder import record
from consent.models import ConsentBatch, Withdrawal
from consortium.governance.models import Ballot, Proposal
from consortium.membership.models import (
    AuditorAppointment,
    Membership,
    Organization,
    RoleAssignment,
    SitePresence,
    User,
)
from tests.factories.membership import World, make_user, make_world
from tests.factories.training import make_model, make_plan, make_round, make_run
from training.models import Model, Plan

RULE = {"quorum_bps": 5000, "threshold_bps": 5001, "minimum_votes": 1, "exclude_author": False}


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    cache.clear()


@pytest.fixture
def world(as_system: Any) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def lands(world: World, as_system: Any) -> Callable[..., str]:
    """The landing page, as words, of somebody of the hospital with these roles."""

    def run(*roles: str, organization: Organization | None = None) -> str:
        with as_system():
            user = make_user(f"{'-'.join(roles)}@somewhere.example")
            for role in roles:
                RoleAssignment.objects.create(user=user, organization=organization or world.hospital, role=role)
        return words(user.email)

    return run


def words(email: str) -> str:
    client = Client()
    assert client.login(email=email, password="a long pass phrase")
    return as_words(client.get("/").text)


def as_words(page: str) -> str:
    main = page[page.index("<main") :]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def open_proposal(world: World, **changes: Any) -> Proposal:
    fields = {
        "consortium": world.consortium,
        "organization": world.bank,
        "contract": "DecisionBoard",
        "kind": "approve_plan",
        "chain_key": "0x01",
        "description": "Long stays",
        "state": "active",
        "base": 2,
        "rule": RULE,
        "closes_at": timezone.now() + timedelta(hours=3, minutes=30),
    }
    return Proposal.objects.create(**fields | changes)


def vote(proposal: Proposal, organization: Organization, choice: str = "yes") -> None:
    Ballot.objects.create(
        proposal=proposal,
        consortium=proposal.consortium,
        organization=organization,
        choice=choice,
        chain_state="confirmed",
        confirmed_block=7,
    )


def make_trained_model(world: World, plan: Plan) -> Model:
    run = make_run(world, plan, rounds=1)
    make_round(world, run, 1, 1)
    return make_model(run)


def test_nothing_waits_and_the_page_says_what_would(lands, world, as_system):
    with as_system():
        SitePresence.objects.create(organization=world.hospital, seen_at=timezone.now())

    assert "Nothing waits for you" in lands("voter")


@pytest.mark.parametrize("role", ["voter", "admin"])
def test_an_open_proposal_waits_with_its_tally_and_that_ones_vote_decides(lands, world, as_system, role):
    with as_system():
        vote(open_proposal(world), world.bank)

    shown = lands(role)

    assert "Vote: Long stays 1 of 2 members said yes and one more is needed: your vote decides." in shown
    assert "Closes in 3 h" in shown


@pytest.mark.parametrize("arguments", ["0x", "0x12", "0x" + "ff" * 32])
def test_bytes_that_name_no_organization_break_nobodys_page(lands, world, as_system, arguments):
    with as_system():
        open_proposal(world, contract="ConsortiumGovernor", kind="admit", arguments=arguments, description="Odd")

    assert "Vote: Odd" in lands("voter")


@pytest.mark.parametrize("role", ["steward", "scientist", "compliance"])
def test_a_proposal_does_not_wait_for_who_does_not_vote(lands, world, as_system, role):
    with as_system():
        open_proposal(world)

    assert "Vote:" not in lands(role)


def test_a_proposal_with_ones_ballot_does_not_wait_any_more(lands, world, as_system):
    with as_system():
        vote(open_proposal(world), world.hospital)

    assert "Vote:" not in lands("voter")


def test_what_closes_first_stands_first_and_one_button_alone_is_filled(lands, world, as_system):
    with as_system():
        open_proposal(world, description="Later", closes_at=timezone.now() + timedelta(days=2))
        open_proposal(world, description="Sooner", chain_key="0x02")
        user = make_user("v@h.example")
        RoleAssignment.objects.create(user=user, organization=world.hospital, role="voter")
    client = Client()
    client.login(email="v@h.example", password="a long pass phrase")

    page = client.get("/").text

    assert page.index("Vote: Sooner") < page.index("Vote: Later")
    assert page.count("btn-primary") == 1
    assert '<span class="count">2<' in page


def test_an_applicant_waits_until_somebody_proposes_it(lands, world, as_system):
    with as_system():
        Membership.objects.create(consortium=world.consortium, organization=world.outsider, status="applicant")

    assert "Outsider applies for admission" in lands("voter")
    with as_system():
        arguments = "0x" + world.outsider.pk.hex.ljust(64, "0")
        open_proposal(world, contract="ConsortiumGovernor", kind="admit", arguments=arguments)

    assert "applies for admission" not in lands("admin")


def test_a_steward_sees_refused_lines_slow_withdrawals_a_silent_agent_and_missing_data_sets(
    lands, world, become, as_system
):
    with become("NONE"):
        names = {"consortium": world.consortium, "organization": world.hospital}
        ConsentBatch._base_manager.create(
            **names, sequence=1, digest="sha256:1", state="accepted", accepted=373, refused=3
        )
        slow = Withdrawal._base_manager.create(
            organization=world.hospital, pseudonym="ab" * 32, reason="other", origin="platform"
        )
        Withdrawal._base_manager.filter(pk=slow.pk).update(created_at=timezone.now() - timedelta(minutes=9))
        SitePresence._base_manager.create(
            organization=world.hospital, seen_at=timezone.now() - timedelta(hours=2, minutes=1)
        )

    shown = lands("steward")

    order = ("1 withdrawal is not", "Your agent is silent", "3 lines of the last consent import", "No data set")
    places = [shown.index(words) for words in order]
    assert places[0] == min(places)
    assert places[3] == max(places)
    assert "373 went in" in shown
    assert "Last heard of 2 h 1 min ago" in shown


def test_a_scientist_sees_drafts_approved_plans_failed_and_paused_runs_and_candidates(lands, world, as_system):
    with as_system():
        make_plan(world, title="Drafted", state="draft", decided_block=None)
        plan = make_plan(world)
        make_plan(world, title="Never run")
        make_trained_model(world, plan)
        make_run(world, plan, state="paused", ended_at=None)
        make_run(world, plan, state="failed", failure_text="Too few sites answered.")

    shown = lands("scientist")

    assert "Drafted A draft, not put to the vote" in shown
    assert "Never run Approved, and never run" in shown
    assert "Candidate: Long stays after cardiac procedures" in shown
    assert "Paused: Long stays" in shown
    assert "Failed: Long stays after cardiac procedures Too few sites answered." in shown


def test_a_run_that_failed_and_was_run_again_does_not_wait(lands, world, as_system):
    with as_system():
        plan = make_plan(world)
        make_run(world, plan, state="failed")
        make_run(world, plan)

    assert "Failed:" not in lands("scientist")


def test_compliance_sees_a_failed_bundle_and_a_release_without_evidence(lands, world, become, as_system):
    with as_system():
        model = make_trained_model(world, make_plan(world))
        model.state = "released"
        model.save()
    with become("NONE"):
        Bundle._base_manager.create(
            consortium_id=world.consortium.pk,
            organization_id=world.hospital.pk,
            person_id=world.hospital.pk,
            report="audit_controls",
            correlation_id="c",
            state="failed",
            error_code="x",
            error_text="The log is not anchored.",
        )

    shown = lands("compliance")

    assert "The last evidence bundle failed The log is not anchored." in shown
    assert "Released: Long stays after cardiac procedures" in shown


def test_a_release_older_than_the_last_bundle_does_not_wait(lands, world, become, as_system):
    with as_system():
        model = make_trained_model(world, make_plan(world))
        model.state = "released"
        model.save()
        record(
            action="model.release.decide",
            organization_id=None,
            consortium_id=world.consortium.pk,
            actor=Actor.system("projector"),
            subject=Subject("model", str(model.pk)),
            data={"digest": model.digest, "outcome": "approved"},
        )
    with become("NONE"):
        log = AuditLog._base_manager.get()
        bundle = Bundle._base_manager.create(
            consortium_id=world.consortium.pk,
            organization_id=world.hospital.pk,
            person_id=world.hospital.pk,
            report="audit_controls",
            correlation_id="c",
            state="ready",
            digest="sha256:1",
            size_bytes=1,
            document={},
            checkpoint=Checkpoint._base_manager.create(log=log, size=1, root=b"1" * 32, note=log.origin),
        )
        Bundle._base_manager.filter(pk=bundle.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert "Released: Long stays" in lands("compliance")

    with become("NONE"):
        Bundle._base_manager.update(created_at=timezone.now() + timedelta(seconds=1))

    assert "Released: Long stays" not in lands("compliance", "voter")


def test_an_auditor_lands_on_the_consortium_and_sees_when_the_appointment_ends(world, as_system):
    with as_system():
        user = make_user("aud@authority.example")
        AuditorAppointment.objects.create(
            user=user, consortium=world.consortium, until=timezone.now() + timedelta(days=5, hours=1)
        )
        record(
            action="membership.policy.change",
            organization_id=None,
            consortium_id=world.consortium.pk,
            actor=Actor.system("projector"),
            subject=Subject("consortium", str(world.consortium.pk)),
            data={"policy": "sha256:" + "1" * 64, "block": 12},
        )

    shown = words(user.email)

    assert "You read as its auditor" in shown
    assert "Your appointment ends soon" in shown
    assert "The members' policy changed Block 12" in shown
    assert "Consents at your organization" not in shown


def test_an_operator_sees_the_deployments_checks_and_no_tenants_rows(world, as_system, settings):
    settings.CHAIN_RPC_URL = ""
    with as_system():
        open_proposal(world)
        operator = make_user("op@deployment.example")
        operator.is_operator = True
        operator.save()

    shown = words("op@deployment.example")

    assert "Not well: chain No chain is named. Set CHAIN_RPC_URL and CHAIN_ID." in shown
    assert "You run this deployment and see no organization's rows" in shown
    for name in ("Hospital", "Bank", "Shared", "Long stays"):
        assert name not in shown


def test_somebody_without_a_consortium_is_told_the_first_step(world, as_system):
    with as_system():
        Membership.objects.filter(organization=world.outsider).delete()

    shown = words("admin@outsider.example")

    assert "Your organization belongs to no consortium" in shown
    assert "Apply to a consortium" in shown


def test_a_stranger_sees_nothing_of_what_waits_for_others(world, as_system):
    with as_system():
        open_proposal(world)
        make_plan(world, title="Drafted", state="draft", decided_block=None)

    shown = words("admin@outsider.example")

    assert "Long stays" not in shown
    assert "Drafted" not in shown


def test_another_members_own_acts_are_not_in_ones_activity(world, as_system):
    with as_system():
        user = User.objects.get(email="admin@hospital.example")
        record(
            action="identity.pass_phrase.change",
            organization_id=world.hospital.pk,
            consortium_id=None,
            actor=Actor.person(user.pk, world.hospital.pk),
            subject=Subject("person", str(user.pk)),
        )

    assert "A person changed their pass phrase" in words("admin@hospital.example")
    assert "A person changed their pass phrase" not in words("admin@bank.example")
