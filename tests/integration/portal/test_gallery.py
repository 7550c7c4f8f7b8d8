"""The gallery and the frame of errors: complete, without inline style or script, the same for everybody."""

import re

import pytest
from django.core.exceptions import BadRequest
from django.test import Client, RequestFactory

from consortium.common import unanswered
from consortium.portal.gallery import MEANINGS
from tests.factories.membership import make_world

INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)")


@pytest.fixture
def client(as_system) -> Client:
    with as_system():
        make_world()
    made = Client(raise_request_exception=False)
    assert made.login(email="admin@hospital.example", password="a long pass phrase")
    return made


def test_the_gallery_shows_each_component_in_both_themes(client):
    page = client.get("/gallery/").text

    assert page.count('data-theme="light"') == page.count('data-theme="dark"') == page.count('class="pair')
    for part in ("badge is-", "digest", "proof-pop", "timeline", "quorum", "figures", "has-error row-error", "toast"):
        assert any(word in page for word in part.split()), part
    assert all(f"notice is-{name}" in page for name, _word in MEANINGS)


def test_the_gallery_is_reached_from_all_sections_and_only_by_who_is_logged_in(client):
    assert "/gallery/" in client.get("/more/").text
    assert Client().get("/gallery/").status_code == 302


def test_no_page_holds_inline_style_or_script(client):
    for path in (
        "/",
        "/gallery/",
        "/members/",
        "/people/",
        "/people/invite/",
        "/consents/",
        "/data-sets/",
        "/nowhere/",
    ):
        assert not INLINE.search(client.get(path).text), path


def test_every_id_of_the_gallery_is_used_once(client):
    ids = re.findall(r'\sid="([^"]+)"', client.get("/gallery/").text)

    assert sorted(ids) == sorted(set(ids))


def test_an_unknown_address_says_what_to_do_in_the_portals_frame(client):
    page = client.get("/nowhere/")

    assert page.status_code == 404
    assert "There is no such page for you" in page.text
    assert "Nothing was changed" in page.text


def test_a_refused_role_says_why_and_who_may(as_system, client):
    answer = Client()
    assert answer.get("/people/invite/").status_code == 302
    page = unanswered.forbidden(RequestFactory().get("/people/"), PermissionError("Only administrators do this."))

    assert page.status_code == 403
    assert "Only administrators do this." in page.content.decode()


def test_a_fault_of_ours_is_answered_without_the_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        page = unanswered.failed(RequestFactory().get("/people/"))

    assert page.status_code == 500
    assert "Nothing of your request was kept" in page.content.decode()


def test_what_cannot_be_read_says_so(client):
    page = unanswered.bad_request(RequestFactory().get("/people/"), BadRequest())

    assert page.status_code == 400
    assert "This request cannot be read" in page.content.decode()
