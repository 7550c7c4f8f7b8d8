"""Logging in: through the look-up function, with the same answer for everybody who fails."""

import pytest
from django.test import Client
from django.urls import reverse

from consortium.membership.models import User
from tests.factories.membership import World, make_world


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


def log_in(client: Client, email: str, phrase: str = "a long pass phrase"):
    return client.post(reverse("account_login"), {"login": email, "password": phrase})


def test_a_person_with_the_right_pass_phrase_gets_in(client, world):
    answer = log_in(client, "Admin@Hospital.example")

    assert answer.status_code == 302
    assert client.get("/").status_code == 200
    page = client.get("/members/")
    assert "Hospital" in page.text
    assert "Bank" in page.text
    assert "Outsider" not in page.text


@pytest.mark.parametrize(
    ("email", "phrase"),
    [("admin@hospital.example", "wrong"), ("nobody@hospital.example", "a long pass phrase"), ("", "")],
)
def test_everybody_else_gets_the_same_page_and_no_session(client, world, email, phrase):
    answer = log_in(client, email, phrase)

    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.get("/").status_code == 302


def test_a_deactivated_person_is_refused(client, world, as_system):
    with as_system():
        User.objects.filter(email="admin@bank.example").update(is_active=False)

    assert log_in(client, "admin@bank.example").status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_chosen_organization_without_a_role_there_changes_nothing(client, world):
    log_in(client, "admin@hospital.example")
    client.post(reverse("choose_organization"), {"organization": str(world.bank.pk)})

    page = client.get("/")
    assert page.wsgi_request.organization == world.hospital


def test_nobody_signs_up(client, db):
    assert client.get("/accounts/signup/").status_code == 404


def test_the_page_names_its_correlation_id_and_takes_over_a_callers(client, db):
    given = "6c1e2f2e-3a5c-4c1b-9b67-0d9a4a2f7c11"

    assert client.get("/healthz", headers={"X-Correlation-Id": given})["X-Correlation-Id"] == given
    assert client.get("/healthz", headers={"X-Correlation-Id": "<script>"})["X-Correlation-Id"] != "<script>"


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(client, db):
    answer = client.get(reverse("account_login"))

    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert "style=" not in answer.text
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
