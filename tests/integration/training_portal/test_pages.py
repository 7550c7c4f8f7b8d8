"""Training's pages: what a member reads there, and that nobody else does."""

import re
from html import unescape

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.training import make_round
from training.models import Attempt, Run, SitePart

INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)")


@pytest.fixture
def hospital(login):
    return login("hospital")


@pytest.fixture
def pages(trained) -> list[str]:
    return [
        *("/plans/", "/runs/", "/models/"),
        f"/plans/{trained.plan.pk}/",
        f"/runs/{trained.run.pk}/",
        f"/models/{trained.model.pk}/",
    ]


def text_of(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def words_of(client, path: str) -> str:
    """The page as it is read, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(client, path)))


def test_empty_lists_say_what_will_stand_there(hospital):
    assert "A scientist drafts one" in text_of(hospital, "/plans/")
    assert "Once a plan is approved" in text_of(hospital, "/runs/")
    assert "When a run completes" in text_of(hospital, "/models/")


def test_a_plan_is_told_in_plain_words(hospital, trained):
    words = words_of(hospital, f"/plans/{trained.plan.pk}/")

    assert "Health or medical or biomedical research DUO:0000006" in words
    assert "Whether days is greater than 8, by" in words
    assert "n = 4, t = 4, c = 1" in words
    assert "3 rounds a run, at most 3 runs" in words
    assert "with a cohort in the band 50 to 99 or above" in words
    assert "procedure categorical Feature" in words
    assert trained.plan.digest in text_of(hospital, f"/plans/{trained.plan.pk}/")


def test_sites_whose_names_one_may_not_see_are_not_named(hospital, trained):
    words = words_of(hospital, f"/plans/{trained.plan.pk}/")

    assert "Hospital" in words
    assert "A former member" in words


def test_a_plan_without_its_document_says_so(hospital, trained, as_system):
    with as_system():
        type(trained.plan).objects.filter(pk=trained.plan.pk).update(digest="sha256:" + "0" * 64)

    assert "The document cannot be read here" in words_of(hospital, f"/plans/{trained.plan.pk}/")


def test_a_run_shows_each_round_and_who_was_lost_and_why(hospital, trained):
    words = words_of(hospital, f"/runs/{trained.run.pk}/")

    assert "Rounds, 3 of 3 closed" in words
    assert "Round 2 2 attempts Bank: Lost, Its agent gave no sign of life any more." in words
    assert "(no sign of life within 5 s)" in words
    assert "Attempt given up: One vector came in and two are needed." in words
    assert "Closed 2 of 2 1,302 7.5" in words


def test_a_run_says_that_it_has_no_differential_privacy(hospital, trained):
    words = words_of(hospital, f"/runs/{trained.run.pk}/")

    assert "No differential privacy in this run" in words
    assert "No single update is opened; comparison of sums is not protected against." in words


def test_a_run_says_where_it_is_computed_and_what_that_back_end_does_not_do(hospital, trained, as_system):
    assert "Computed by the coordinator, in memory" in words_of(hospital, f"/runs/{trained.run.pk}/")
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(backend="substra")

    words = words_of(hospital, f"/runs/{trained.run.pk}/")

    assert "Computed by Substra, local mode" in words
    assert "Substra itself keeps nobody apart in this mode" in words


def test_metrics_are_drawn_by_the_server_and_stand_in_a_table(hospital, trained):
    text = text_of(hospital, f"/runs/{trained.run.pk}/")

    assert text.count('<svg class="chart') == 4
    assert 'aria-label="AUC 0.830 in the newest round; Accuracy 0.750 in the newest round"' in text
    assert "Round 1 0.610 0.0004 0.650 0.021 250 to 499" in words_of(hospital, f"/runs/{trained.run.pk}/")


def test_a_count_that_is_no_band_is_not_shown(hospital, trained, as_system):
    with as_system():
        for one in trained.run.round_set.all():
            one.metrics = {**one.metrics, "rows_band": 263}
            one.save()

    assert "263" not in words_of(hospital, f"/runs/{trained.run.pk}/")


def test_a_part_shows_neither_its_answer_nor_its_cohort(hospital, trained, as_system):
    with as_system():
        SitePart.objects.update(band=77_777, commitment={"secret": "commitment"}, shares={"secret": "share"})

    text = text_of(hospital, f"/runs/{trained.run.pk}/")
    assert "77777" not in text
    assert "77,777" not in text
    assert "secret" not in text


def test_a_model_shows_card_limits_and_lineage(hospital, trained):
    words = words_of(hospital, f"/models/{trained.model.pk}/")

    assert "Candidate" in words
    assert "A candidate answers nobody" in words
    assert "Logistic regression" in words
    assert "Which rows a site read is enforced by its agent, not proven." in words
    assert "Bank at epoch 41" in words
    assert "Round 3 , closed in block 1,303" in words
    assert f"/runs/{trained.run.pk}/" in text_of(hospital, f"/models/{trained.model.pk}/")


def test_every_page_names_no_number_of_patients(hospital, pages):
    for page in pages:
        assert not re.search(r"\d[\d,]* (patients|people|rows|persons)\b", words_of(hospital, page))


def test_pages_keep_to_the_strict_policy(hospital, pages):
    assert settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["script-src"] == ["'self'"]
    for page in pages:
        answer = hospital.get(page)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not INLINE.findall(answer.content.decode())


def test_an_outsider_sees_nothing_of_theirs(login, trained, pages):
    outsider = login("outsider")
    for page in pages[:3]:
        assert trained.plan.title not in text_of(outsider, page)
    for page in [*pages[3:], f"/runs/{trained.run.pk}/progress/"]:
        assert outsider.get(page).status_code == 404


def test_the_bank_reads_the_same(login, trained, pages):
    bank = login("bank")
    for page in pages:
        assert trained.plan.title in text_of(bank, page)


def test_strangers_are_led_to_the_log_in(client, trained, pages):
    for page in pages:
        assert client.get(page).headers["Location"].startswith("/accounts/login/")


def test_queries_do_not_grow_with_rounds(hospital, pages, trained, world, as_system):
    before = [queries_of(hospital, page) for page in pages]
    with as_system():
        for number in (4, 5, 6):
            make_round(world, trained.run, number, 1)

    assert [queries_of(hospital, page) for page in pages] == before


def queries_of(client, page) -> int:
    """How often a page asks the database; what waits for a person is counted once in a while, and was just now."""
    client.get(page)
    with CaptureQueriesContext(connection) as queries:
        client.get(page)
    return len(queries)


def test_a_live_run_asks_for_its_progress_until_it_ends(hospital, trained, as_system):
    path = f"/runs/{trained.run.pk}/"
    assert "hx-get" not in text_of(hospital, path)
    assert "htmx" not in text_of(hospital, path)
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="running")

    text = text_of(hospital, path)

    found = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s" hx-swap="outerHTML"', text)
    assert found
    assert '"includeIndicatorStyles":false' in text
    assert f'class="btn btn-quiet btn-small no-js" href="{path}"' in text
    unchanged = hospital.get(found[1])
    assert (unchanged.status_code, unchanged.content) == (204, b"")
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="completed")
    changed = hospital.get(found[1])
    assert changed.status_code == 200
    assert b"Completed" in changed.content
    assert b"hx-get" not in changed.content


def test_progress_without_a_session_reloads_the_page(client, trained):
    answer = client.get(f"/runs/{trained.run.pk}/progress/")

    assert answer.headers["HX-Refresh"] == "true"
    assert answer.content == b""


def test_an_open_round_shows_its_newest_attempt(hospital, trained, as_system):
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="running")
        last = trained.run.round_set.get(number=3)
        type(last).objects.filter(pk=last.pk).update(closed_at=None, closed_block=None, closed_attempt=None, metrics={})
        Attempt.objects.filter(round=last).update(state="collecting")
        SitePart.objects.filter(attempt__round=last, organization=trained.world.bank).update(vector="")

    words = words_of(hospital, f"/runs/{trained.run.pk}/")

    assert "Rounds, 2 of 3 closed" in words
    assert "Round 3 Collecting 1 of 2 - -" in words
