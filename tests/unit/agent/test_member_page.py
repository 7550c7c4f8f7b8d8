import re
from pathlib import Path

import pytest

import agent
from agent.errors import TooManyAttemptsError
from agent.member_page import assets
from agent.member_page.forms import MAX_FORM_BYTES
from agent.member_page.sessions import COOKIE, IDLE, LONGEST
from agent.member_page.throttle import FAILURES_A_NAME, FAILURES_IN_ALL, WINDOW_SECONDS, Throttle
from agent.site import Site
from contracts.network.points import Point, State
from tests.unit.agent.browsers import BASE, Browser
from tests.unit.agent.platforms import ADMISSION, PLAN, PlatformInMemory, admission
from tests.unit.agent.worlds import DECISION, PHRASE, ChainInMemory, SettableClock

PAGES = (
    *("/", f"/ballots/{ADMISSION}", f"/ballots/{PLAN}", "/consents", "/consents/withdrawals", "/consents/imports"),
    *("/data-sets", "/plans", "/rules", "/privacy", "/log", "/status"),
)
FORMS = (
    *(f"/ballots/{ADMISSION}", "/consents/withdrawals", "/consents/erasures", "/consents/epoch", "/consents/imports"),
    *("/data-sets", "/plans", "/plans/sha256:00", "/rules", "/rules/stop", "/rules/resume", "/log/verify"),
)


def _form(
    browser: Browser, choice: str = "yes", phrase: str = PHRASE, path: str = f"/ballots/{ADMISSION}"
) -> dict[str, str]:
    text = browser.get(path).text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', text))
    return fields | {"choice": choice, "pass_phrase": phrase}


@pytest.mark.parametrize("path", PAGES)
def test_stranger_is_led_to_the_door(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"] == ("/login" if path == "/" else f"/login?next={path}")


@pytest.mark.parametrize("path", ["/logout", *FORMS])
def test_strangers_form_changes_nothing(browser: Browser, timed_site: Site, path: str) -> None:
    before = len(timed_site.journal.entries())

    assert browser.post(path, {"csrf_token": "x", "word": "stop", "choice": "yes"}).status_code in {303, 403}

    assert len(timed_site.journal.entries()) == before


def test_person_logs_in_under_a_new_cookie_that_scripts_and_other_sites_do_not_get(browser: Browser) -> None:
    browser.get("/login")
    before = browser.http.cookies[COOKIE]

    answer = browser.log_in()

    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert browser.http.cookies[COOKIE] != before
    assert "Vera" in browser.get("/").text


def test_who_logs_in_on_the_way_to_a_page_comes_to_it(browser: Browser) -> None:
    path = f"/ballots/{ADMISSION}"
    door = browser.get(browser.get(path).headers["location"])
    fields = dict(re.findall(r'name="(csrf_token|next)" value="([^"]+)"', door.text))

    wrong = browser.post("/login", {**fields, "name": "vera", "pass_phrase": "wrong"})
    answer = browser.post("/login", {**fields, "name": "vera", "pass_phrase": PHRASE})

    assert f'name="next" value="{path}"' in wrong.text
    assert answer.headers["location"] == path
    assert browser.get(f"/login?next={path}").headers["location"] == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a?b",
        "/ ",
    ],
)
def test_the_door_leads_nobody_elsewhere(browser: Browser, elsewhere: str) -> None:
    fields = {"csrf_token": browser.token("/login"), "name": "vera", "pass_phrase": PHRASE, "next": elsewhere}

    assert browser.post("/login", fields).headers["location"] == "/"


def test_a_link_of_another_site_is_followed_once_more_by_the_page_itself_so_that_its_cookie_comes(
    browser: Browser,
) -> None:
    path = f"/ballots/{ADMISSION}"
    browser.log_in()
    cookies, browser.http.cookies = browser.http.cookies, type(browser.http.cookies)()

    arriving = browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    browser.http.cookies = cookies

    assert arriving.status_code == 200
    assert "set-cookie" not in arriving.headers
    assert f'<meta http-equiv="refresh" content="0; url={path}">' in arriving.text
    assert "Please let us in" in browser.get(path, headers={"Sec-Fetch-Site": "same-origin"}).text


def test_cookie_from_before_the_log_in_is_worth_nothing_after_it(browser: Browser) -> None:
    browser.get("/login")
    before = browser.http.cookies[COOKIE]
    browser.log_in()

    browser.http.cookies.set(COOKIE, before, domain="127.0.0.1", path="/")

    assert browser.get("/").status_code == 303


def test_wrong_pass_phrase_is_refused_and_written_down_without_the_name_of_a_stranger(
    browser: Browser, timed_site: Site
) -> None:
    assert browser.log_in("vera", "wrong").status_code == 403
    assert browser.log_in("my-pass-phrase-typed-as-name", "wrong").status_code == 403

    assert browser.get("/").status_code == 303
    assert [entry.person for entry in timed_site.journal.entries(kinds=("person",))] == ["unknown", "vera"]


def test_sixth_try_is_refused_even_with_the_right_pass_phrase_until_five_minutes_are_over(
    browser: Browser, clock: SettableClock
) -> None:
    for _ in range(FAILURES_A_NAME):
        assert browser.log_in("vera", "wrong").status_code == 403

    blocked = browser.log_in()
    assert blocked.status_code == 429
    assert "Too many wrong pass phrases" in blocked.text
    assert browser.log_in("stan").status_code == 303

    browser.http.cookies.clear()
    clock.pass_seconds(WINDOW_SECONDS)
    assert browser.log_in().status_code == 303


def test_page_as_a_whole_bears_a_number_of_failures() -> None:
    throttle = Throttle(clock=SettableClock())
    for number in range(FAILURES_IN_ALL):
        throttle.require_free(f"name{number}")
        throttle.fail(f"name{number}")

    with pytest.raises(TooManyAttemptsError):
        throttle.require_free("another")


@pytest.mark.parametrize("idle", [True, False])
def test_session_ends_when_idle_and_at_the_latest_after_a_working_day(
    browser: Browser, clock: SettableClock, idle: bool
) -> None:
    browser.log_in()
    if idle:
        clock.pass_seconds(IDLE.total_seconds() + 1)
    else:
        for _ in range(int(LONGEST / IDLE) + 1):
            assert browser.get("/rules").status_code == 200
            clock.pass_seconds(IDLE.total_seconds() - 1)
        clock.pass_seconds(LONGEST.total_seconds() % 60 + 60)

    assert browser.get("/").status_code == 303


def test_logging_out_ends_the_session_for_its_cookie(browser: Browser) -> None:
    browser.log_in()
    cookie = browser.http.cookies[COOKIE]

    browser.post("/logout", {"csrf_token": browser.token()})
    browser.http.cookies.set(COOKIE, cookie, domain="127.0.0.1", path="/")

    assert browser.get("/").status_code == 303


def test_person_taken_out_of_the_list_is_out_at_once(browser: Browser, timed_site: Site) -> None:
    browser.log_in()

    timed_site.folder.people.unlink()

    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/static/base.css", "/nowhere", "/healthz"])
def test_every_answer_carries_the_policy(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers.get("cache-control") == (None if path.startswith("/static") else "no-store")


def test_pages_hold_no_inline_script_or_style(browser: Browser) -> None:
    browser.log_in()

    for path in PAGES:
        text = browser.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|<style|\bon[a-z]+=", text), path
        assert "http://" not in text
        assert "https://" not in text


def test_form_without_the_sessions_token_or_from_another_page_is_refused(browser: Browser, timed_site: Site) -> None:
    browser.log_in("stan")
    token = browser.token("/rules")
    good = {"csrf_token": token, "word": "stop"}

    assert browser.post("/rules/stop", good | {"csrf_token": "other"}).status_code == 403
    assert browser.post("/rules/stop", {"word": "stop"}).status_code == 403
    assert browser.post("/rules/stop", good, headers={"Origin": "http://evil.example"}).status_code == 403
    assert browser.post("/rules/stop", good, headers={"Origin": "null"}).status_code == 403
    assert browser.post("/rules/stop", good, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not timed_site.switch.is_stopped

    assert browser.post("/rules/stop", good, headers={"Origin": BASE}).status_code == 303
    assert timed_site.switch.is_stopped


def test_name_that_is_not_the_pages_own_is_refused(browser: Browser) -> None:
    assert browser.get("/login", headers={"Host": "evil.example"}).status_code == 403
    assert browser.get("/login", headers={"Host": "localhost:9"}).status_code == 200


def test_oversized_doubled_or_foreign_form_is_refused(browser: Browser) -> None:
    token = browser.token("/login")

    assert browser.post("/login", {"csrf_token": token, "name": "x" * MAX_FORM_BYTES}).status_code == 400
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    doubled = browser._runner.run(browser.http.post("/login", content=b"name=a&name=b", headers=headers))
    assert doubled.status_code == 400
    assert browser.post("/login", {}, files={"a": b"b"}).status_code == 400


def test_ballot_is_cast_from_the_page_to_the_platform(
    browser: Browser, timed_site: Site, platform: PlatformInMemory
) -> None:
    browser.log_in()
    assert "Waiting for your vote" in browser.get("/").text

    answer = browser.post(f"/ballots/{ADMISSION}", _form(browser))

    ((path, body, key),) = platform.posts
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ballots/signed/{key}")
    signed = browser.get(f"/ballots/signed/{key}").text
    assert "Your ballot is signed: yes" in signed
    assert "Handed to the platform" in signed
    assert (path, body["choice"]) == (f"/api/v1/agent/ballots/{ADMISSION}", "yes")
    entries = timed_site.journal.entries()
    assert [(entry.kind, entry.outcome) for entry in entries if entry.digest == key] == [
        ("letter", "sent"),
        ("signature", "signed"),
        ("ballot", "decided"),
    ]
    assert "has decided: yes" in browser.get(f"/ballots/{ADMISSION}").text
    assert "Ballot" in browser.get("/log").text


def test_signature_needs_the_pass_phrase_again(browser: Browser, platform: PlatformInMemory) -> None:
    browser.log_in()

    answer = browser.post(f"/ballots/{ADMISSION}", _form(browser, phrase="wrong"))

    assert (answer.status_code, platform.posts) == (403, [])
    assert "pass phrase is wrong" in answer.text


def test_steward_reads_but_does_not_vote(browser: Browser, timed_site: Site, platform: PlatformInMemory) -> None:
    browser.log_in("stan")

    answer = browser.post(f"/ballots/{ADMISSION}", _form(browser))

    assert (answer.status_code, platform.posts) == (403, [])
    assert timed_site.letters.waiting() == []


@pytest.mark.parametrize("change", [{"choice": "maybe"}, {"digest_yes": "0x00"}, {"digest_yes": "0x" + "00" * 32}])
def test_form_that_was_changed_signs_nothing(
    browser: Browser, timed_site: Site, platform: PlatformInMemory, change: dict[str, str]
) -> None:
    browser.log_in()

    answer = browser.post(f"/ballots/{ADMISSION}", _form(browser) | change)

    assert answer.status_code in {400, 409}
    assert (platform.posts, timed_site.letters.waiting()) == ([], [])


def test_ballot_is_kept_while_the_platform_is_away(
    browser: Browser, timed_site: Site, platform: PlatformInMemory
) -> None:
    browser.log_in()
    platform.post_status = 503

    answer = browser.post(f"/ballots/{ADMISSION}", _form(browser))

    assert "you need not sign again" in browser.get(answer.headers["location"]).text
    assert len(timed_site.letters.waiting()) == 1


def test_contradiction_is_shown_instead_of_a_form(browser: Browser, platform: PlatformInMemory) -> None:
    platform.ballots = [admission(kind="Remove")]
    browser.log_in()

    assert "Do not sign" in browser.get("/").text
    page = browser.get(f"/ballots/{ADMISSION}")
    assert page.status_code == 409
    assert 'name="choice"' not in page.text


def test_platform_away_is_said_and_the_rest_of_the_page_works(browser: Browser, platform: PlatformInMemory) -> None:
    browser.log_in()
    platform.status = 503

    assert "The platform answered 503" in browser.get("/").text
    assert browser.get("/rules").status_code == 200
    assert "The platform answered 503" in browser.get("/status").text


def test_texts_of_others_are_escaped(timed_site: Site, browser: Browser, platform: PlatformInMemory) -> None:
    browser.log_in()
    platform.ballots = [admission(proposal_id="<script>alert(1)</script>")]

    assert "<script>alert" not in browser.get("/").text


def test_steward_stops_and_resumes_all_work(browser: Browser, timed_site: Site) -> None:
    browser.log_in("stan")
    token = browser.token("/rules")

    assert browser.post("/rules/stop", {"csrf_token": token, "word": "no"}).status_code == 400
    assert not timed_site.switch.is_stopped
    assert browser.post("/rules/stop", {"csrf_token": token, "word": "Stop"}).status_code == 303
    assert "All work on our data is stopped" in browser.get("/rules").text
    assert browser.post("/rules/resume", {"csrf_token": token, "pass_phrase": "wrong"}).status_code == 403
    assert timed_site.switch.is_stopped
    assert browser.post("/rules/resume", {"csrf_token": token, "pass_phrase": PHRASE}).status_code == 303
    assert not timed_site.switch.is_stopped


def test_voter_cannot_stop_work(browser: Browser, timed_site: Site) -> None:
    browser.log_in("vera")

    answer = browser.post("/rules/stop", {"csrf_token": browser.token("/rules"), "word": "stop"})

    assert answer.status_code == 403
    assert not timed_site.switch.is_stopped


def test_style_sheets_are_found() -> None:
    assert (assets.static_folder() / "fonts").is_dir()


def test_every_form_of_the_page_asks_for_the_sessions_token(browser: Browser, timed_site: Site) -> None:
    browser.log_in("stan")
    before = timed_site.folder.configuration.read_bytes()

    for path in FORMS:
        assert browser.post(path, {"word": "stop", "pass_phrase": PHRASE}).status_code in {400, 403}, path

    assert not timed_site.switch.is_stopped
    assert timed_site.folder.configuration.read_bytes() == before


def test_tabs_say_where_one_is_and_what_waits(browser: Browser) -> None:
    browser.log_in()

    for path in ("/consents", "/data-sets", "/plans", "/rules", "/privacy", "/log"):
        assert f'<a href="{path}" aria-current="page">' in browser.get(path).text
    assert 'Ballots <span class="count">2<span class="sr"> waiting</span>' in browser.get("/log").text
    assert "Agent in step" in browser.get("/log").text


def test_names_that_other_members_chose_are_escaped_in_sentence_and_facts(
    browser: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.log_in()
    names = timed_site.ballots.reader.names
    monkeypatch.setattr(names, "name", lambda _identifier: '<b id="x">Evil</b><script>alert(1)</script>')

    for path in ("/", f"/ballots/{ADMISSION}", f"/ballots/{PLAN}"):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert '<b id="x">' not in text
    assert "&lt;b id=&#34;x&#34;&gt;Evil" in browser.get(f"/ballots/{ADMISSION}").text


def test_ballot_lists_the_sentence_and_digest_of_every_answer(browser: Browser) -> None:
    browser.log_in()

    text = browser.get(f"/ballots/{ADMISSION}").text

    for choice in ("yes", "no", "abstain"):
        assert f"Hospital 6.5 votes <mark>{choice}</mark> on admitting" in text
        assert f'name="digest_{choice}"' in text
    assert len(set(re.findall(r'name="digest_[a-z]+" value="(0x[0-9a-f]{64})"', text))) == 3


def test_ballot_that_is_on_the_chain_says_by_which_block(
    browser: Browser, timed_site: Site, platform: PlatformInMemory
) -> None:
    browser.log_in()
    place = browser.post(f"/ballots/{ADMISSION}", _form(browser)).headers["location"]
    assert "Not on the chain yet" in browser.get(place).text

    chain = timed_site.chain
    assert isinstance(chain, ChainInMemory)
    chain.set("ConsortiumGovernor", hasOrganizationVoted=True)
    platform.ballots = []

    assert "On the chain by block 100" in browser.get(place).text
    assert "Hospital 6.5 votes yes on admitting" in browser.get("/").text
    assert browser.get("/ballots/signed/0x00").status_code == 404


def test_refused_form_is_in_the_log(browser: Browser, timed_site: Site) -> None:
    browser.log_in("vera")

    browser.post("/rules/stop", {"csrf_token": browser.token("/rules"), "word": "stop"})

    (entry,) = timed_site.journal.entries(kinds=("page",))
    assert (entry.outcome, entry.person) == ("refused", "vera")
    assert dict(entry.detail) == {"action": "/rules/stop", "reason": "person_refused"}


def test_agent_unpickles_nothing() -> None:
    sources = [path.read_text() for path in Path(agent.__file__).parent.rglob("*.py")]

    assert len(sources) > 40
    assert not [text for text in sources if re.search(r"\b(pickle|cloudpickle|marshal|shelve|dill|joblib)\b", text)]


def test_a_voter_reads_what_the_members_own_node_sees_of_the_node_that_is_voted_on(
    browser: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Point("sync", State.WRONG, "The node is not connected to this one.", "Is it up?")
    monkeypatch.setattr(timed_site.node_sight, "of", lambda _question: told)
    browser.log_in()

    text = browser.get(f"/ballots/{ADMISSION}").text

    assert "As your own node sees it: The node is not connected to this one." in text
    assert "counts against the quorum" in text
    assert "Is it up?" in text


def test_pages_say_where_the_keys_lie_and_what_is_signed(browser: Browser, timed_site: Site) -> None:
    browser.log_in("vera")

    ballot = browser.get(f"/ballots/{PLAN}").text
    assert "Vote key of Hospital 6.5, kept by your agent" in ballot
    assert f"As it is signed: Hospital 6.5 answers yes in the decision 0x{DECISION.hex()}" in ballot
    for words in (
        "Quorum",
        "50 % of the members who may vote",
        "50.01 % of the ballots yes",
        "10 min",
        "does not count",
    ):
        assert words in ballot
    assert "quorumBps" not in ballot
    assert "a keystore of this folder" in browser.get("/status").text
