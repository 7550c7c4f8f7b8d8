"""Inviting by link: shown once, used once, for seven days; nobody learns who has an account; auditors for a time."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditRecord
from consortium.common.tenancy import act_for
from consortium.membership.models import AuditorAppointment, Invitation, Membership, RoleAssignment, User
from consortium.membership.services.invitations import digest_of_token, invite
from tests.factories.membership import World, make_user, make_world

PHRASE = "four words of one phrase"
FORM = {"email": "Vera@hospital.example", "name": "Vera", "roles": ["voter", "steward"]}


@pytest.fixture(autouse=True)
def no_tries_yet() -> None:
    cache.clear()


@pytest.fixture
def world(as_system: Any) -> World:
    with as_system():
        return make_world()


def logged_in(email: str, phrase: str = "a long pass phrase") -> Client:
    client = Client()
    assert client.login(email=email, password=phrase)
    return client


@pytest.fixture
def admin(world: World) -> Client:
    return logged_in("admin@hospital.example")


@pytest.fixture
def invited(admin: Client) -> Callable[..., str]:
    """Invite somebody; give back the link's secret, as the page showed it."""

    def run(**changes: Any) -> str:
        page = admin.post(reverse("invite"), FORM | changes)
        found = re.search(r"/invitation/([\w-]{43})/", page.text)
        assert found, page.text
        return found[1]

    return run


def come_in(token: str, client: Client | None = None, **changes: str) -> Any:
    client = client or Client()
    client.get(reverse("open_invitation", args=[token]))
    form = {"name": "Vera V.", "pass_phrase": PHRASE, "again": PHRASE}
    return client.post(reverse("accept_invitation"), form | changes)


def actions(as_system: Any) -> list[str]:
    with as_system():
        return list(AuditRecord.objects.order_by("recorded_at").values_list("action", flat=True))


def people(as_system: Any) -> set[str]:
    with as_system():
        return set(User.objects.values_list("email", flat=True))


def test_an_invited_person_sets_a_pass_phrase_and_is_in_with_the_roles_of_the_invitation(invited, world, as_system):
    token, client = invited(), Client()

    answer = come_in(token, client)

    assert (answer.status_code, answer["Location"]) == (302, reverse("overview"))
    assert client.get("/").status_code == 200
    with as_system():
        user = User.objects.get(email="vera@hospital.example")
        assert user.name == "Vera V."
        assert set(user.roles.values_list("organization", "role")) == {
            (world.hospital.pk, "voter"),
            (world.hospital.pk, "steward"),
        }
    assert Client().login(email="vera@hospital.example", password=PHRASE)
    assert actions(as_system) == [
        "membership.person.invite",
        "membership.invitation.accept",
        "membership.role.assign",
        "membership.role.assign",
    ]


def test_the_secret_is_shown_once_and_only_its_digest_is_kept(invited, admin, as_system):
    token = invited()

    with as_system():
        assert Invitation.objects.get().token_digest == digest_of_token(token)
    assert token not in admin.get(reverse("people")).text


def test_the_log_commits_to_address_and_name_and_does_not_hold_them(invited, as_system):
    invited()

    with as_system():
        text = bytes(AuditRecord.objects.get().canonical).decode()
    assert "vera" not in text.lower()


def test_a_used_link_lets_nobody_in(invited, as_system):
    token = invited()
    come_in(token)
    before = people(as_system)

    answer = come_in(token, name="Mallory")

    assert answer.status_code == 404
    assert "This link lets nobody in" in answer.text
    assert people(as_system) == before


def test_a_link_older_than_seven_days_lets_nobody_in(invited, as_system, become):
    token = invited()
    with become("NONE"):
        Invitation._base_manager.update(expires_at=timezone.now() - timedelta(hours=1))
    before = people(as_system)

    assert come_in(token).status_code == 404
    assert people(as_system) == before


def test_a_link_that_was_taken_back_lets_nobody_in(invited, admin, as_system):
    token = invited()
    with as_system():
        invitation = Invitation.objects.get()

    admin.post(reverse("revoke_invitation", args=[invitation.pk]))

    assert come_in(token).status_code == 404
    assert "vera@hospital.example" not in people(as_system)
    assert actions(as_system)[-1] == "membership.invitation.revoke"


def test_an_invitation_that_was_used_cannot_be_taken_back(invited, admin, as_system):
    come_in(invited())
    with as_system():
        invitation = Invitation.objects.get()

    page = admin.post(reverse("revoke_invitation", args=[invitation.pk]), follow=True)

    assert "is not open any more" in page.text
    with as_system():
        assert Invitation.objects.get().state == "accepted"


def test_a_second_invitation_to_an_address_takes_the_first_one_back(invited, as_system):
    first, second = invited(), invited()

    assert come_in(first).status_code == 404
    assert come_in(second).status_code == 302


def test_unknown_used_and_expired_links_are_answered_alike(invited, become):
    used, expired = invited(), invited(email="other@hospital.example")
    come_in(used)
    with become("NONE"):
        Invitation._base_manager.filter(accepted_at=None).update(expires_at=timezone.now() - timedelta(hours=1))

    answers = {come_in(token).text for token in (used, expired, "a" * 43)}

    assert len(answers) == 1


@pytest.mark.parametrize(
    ("phrase", "again", "says"),
    [
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        (PHRASE, PHRASE + "s", "The two differ"),
    ],
)
def test_a_weak_or_mistyped_pass_phrase_is_said_and_leaves_the_link_open(invited, as_system, phrase, again, says):
    token = invited()

    answer = come_in(token, pass_phrase=phrase, again=again)

    assert says in answer.text
    assert "vera@hospital.example" not in people(as_system)
    assert come_in(token).status_code == 302


def test_a_link_to_an_address_that_has_an_account_neither_says_so_nor_changes_its_pass_phrase(invited, as_system):
    with as_system():
        make_user("vera@hospital.example")
    token = invited()

    answer = come_in(token)

    assert answer.status_code == 409
    assert "This did not let you in" in answer.text
    assert Client().login(email="vera@hospital.example", password="a long pass phrase")
    with as_system():
        assert Invitation.objects.get().state == "open"


def test_who_has_the_account_logs_in_and_accepts(invited, world, as_system):
    with as_system():
        make_user("vera@hospital.example")
    token, client = invited(), logged_in("vera@hospital.example")
    client.get(reverse("open_invitation", args=[token]))

    answer = client.post(reverse("accept_invitation"))

    assert answer.status_code == 302
    assert "Hospital" in client.get("/people/").text
    assert come_in(token).status_code == 404


def test_the_way_over_the_log_in_leads_back_to_the_invitation(invited, as_system):
    with as_system():
        make_user("vera@hospital.example")
    client = Client()
    client.get(reverse("open_invitation", args=[invited()]))
    assert "Log in, then accept" in client.get(reverse("accept_invitation")).text

    form = {"login": "vera@hospital.example", "password": "a long pass phrase", "next": reverse("accept_invitation")}
    answer = client.post(reverse("account_login"), form, follow=True)

    assert "Accept as vera" in answer.text


def test_somebody_else_who_is_logged_in_cannot_use_the_link_up(invited, as_system):
    token, client = invited(), logged_in("admin@bank.example")
    client.get(reverse("open_invitation", args=[token]))

    answer = client.post(reverse("accept_invitation"))

    assert answer.status_code == 409
    assert "for somebody else" in answer.text
    assert come_in(token).status_code == 302


def test_the_link_is_redirected_away_so_that_no_page_or_referrer_holds_its_secret(invited):
    answer = Client().get(reverse("open_invitation", args=[invited()]))

    assert answer["Location"] == reverse("accept_invitation")


def test_opening_links_too_often_is_refused_for_a_while(world):
    client = Client()
    codes = [client.get(reverse("open_invitation", args=["a" * 43]), follow=True).status_code for _ in range(16)]

    assert codes[:15] == [404] * 15
    assert codes[15] == 429


@pytest.mark.parametrize("role", ["voter", "steward", "scientist", "compliance"])
def test_only_administrators_invite(world, as_system, role):
    with as_system():
        user = make_user("other@hospital.example")
        RoleAssignment.objects.create(user=user, organization=world.hospital, role=role)
    client = logged_in("other@hospital.example")

    assert client.post(reverse("invite"), FORM).status_code == 403
    with as_system():
        assert not Invitation.objects.exists()


def test_an_invitation_without_a_role_is_refused(admin, as_system):
    answer = admin.post(reverse("invite"), FORM | {"roles": []})

    assert "Choose at least one role" in answer.text
    with as_system():
        assert not Invitation.objects.exists()


@pytest.mark.parametrize("change", [{"organization": "bank"}, {"consortium": "other_consortium"}])
def test_the_database_takes_no_invitation_in_anothers_name_or_to_anothers_consortium(world, as_system, change):
    with as_system():
        user = User.objects.get(email="admin@hospital.example")
    fields = {"organization": world.hospital, "email": "m@x.example", "name": "m", "invited_by": user}
    fields |= {name: getattr(world, value) for name, value in change.items()}
    if "consortium" in change:
        fields["until"] = timezone.now() + timedelta(days=1)

    with pytest.raises(DatabaseError), transaction.atomic(), act_for(organization_id=world.hospital.pk):
        Invitation.objects.create(token_digest="sha256:1", expires_at=timezone.now() + timedelta(days=7), **fields)


def test_the_web_process_can_make_nobody_by_itself(world):
    with pytest.raises(DatabaseError), transaction.atomic(), act_for(organization_id=world.hospital.pk):
        User.objects.create_user(email="mallory@hospital.example", name="Mallory", password=PHRASE)


def test_the_web_process_can_neither_prolong_nor_reopen_an_invitation(invited, world):
    invited()

    for change in ({"expires_at": timezone.now() + timedelta(days=99)}, {"token_digest": "sha256:2"}):
        with pytest.raises(DatabaseError), transaction.atomic(), act_for(organization_id=world.hospital.pk):
            Invitation.objects.update(**change)


# Auditors


@pytest.fixture
def audited(admin: Client) -> Callable[[], str]:
    """Invite an auditor for a year; give back the link's secret."""

    def run() -> str:
        until = (timezone.now() + timedelta(days=365)).date().isoformat()
        form = {"email": "aud@authority.example", "name": "Authority", "until": until}
        page = admin.post(reverse("invite_auditor"), form)
        found = re.search(r"/invitation/([\w-]{43})/", page.text)
        assert found, page.text
        return found[1]

    return run


def test_an_auditor_reads_the_consortium_until_the_day_and_the_log_says_who_was_appointed(audited, world, as_system):
    client = Client()
    come_in(audited(), client)

    assert "Bank" in client.get("/members/").text
    assert "You read as its auditor" in client.get("/").text
    with as_system():
        record = AuditRecord.objects.get(action="membership.auditor.appoint")
        assert record.log.consortium_id == world.consortium.pk
        assert not RoleAssignment.objects.filter(user__email="aud@authority.example").exists()


def test_all_members_see_who_audits_and_only_the_appointing_one_ends_it(audited, admin, as_system):
    client = Client()
    come_in(audited(), client)
    with as_system():
        appointment = AuditorAppointment.objects.get()
    bank = logged_in("admin@bank.example")

    assert "Authority" in bank.get("/people/").text
    assert bank.post(reverse("end_appointment", args=[appointment.pk])).status_code == 404
    assert "Bank" in client.get("/members/").text

    admin.post(reverse("end_appointment", args=[appointment.pk]))

    with as_system():
        ended = AuditorAppointment.objects.get().until
    assert ended is not None
    assert ended <= timezone.now()
    assert "Authority" not in bank.get("/people/").text
    assert actions(as_system)[-1] == "membership.auditor.end"


def test_an_organization_that_has_left_appoints_nobody_by_an_old_link(audited, world, as_system):
    token = audited()
    with as_system():
        Membership.objects.filter(organization=world.hospital).update(status="removed")

    assert come_in(token).status_code == 404
    with as_system():
        assert not AuditorAppointment.objects.exists()


def test_an_applicant_appoints_no_auditor(world, as_system):
    with as_system():
        Membership.objects.filter(organization=world.hospital).update(status="applicant")
    client = logged_in("admin@hospital.example")
    until = (timezone.now() + timedelta(days=9)).date().isoformat()

    answer = client.post(reverse("invite_auditor"), {"email": "a@b.example", "name": "A", "until": until})

    assert answer.status_code in (403, 404)
    with as_system():
        assert not Invitation.objects.exists()


@pytest.mark.parametrize(("days", "says"), [(-1, "This day is over"), (4 * 366, "within three years")])
def test_an_appointment_without_a_sensible_end_is_refused(admin, as_system, days, says):
    until = (timezone.now() + timedelta(days=days)).date().isoformat()

    answer = admin.post(reverse("invite_auditor"), {"email": "a@b.example", "name": "A", "until": until})

    assert says in answer.text
    with as_system():
        assert not Invitation.objects.exists()


# The race


@pytest.mark.django_db(transaction=True)
def test_two_uses_of_one_link_at_once_let_one_person_in(as_system):
    with transaction.atomic(), as_system():
        world = make_world()
        user = User.objects.get(email="admin@hospital.example")
    with transaction.atomic(), act_for(organization_id=world.hospital.pk, person_id=user.pk):
        organization = world.hospital
        _, token = invite(organization=organization, email="v@h.example", name="V", roles=["voter"], acting_user=user)
    barrier, codes = threading.Barrier(2), []

    def use(name: str) -> None:
        client = Client()
        client.get(reverse("open_invitation", args=[token]))
        barrier.wait()
        form = {"name": name, "pass_phrase": PHRASE, "again": PHRASE}
        codes.append(client.post(reverse("accept_invitation"), form).status_code)
        connection.close()

    threads = [threading.Thread(target=use, args=[name]) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [302, 404]
    with transaction.atomic(), as_system():
        assert User.objects.filter(email="v@h.example").count() == 1
