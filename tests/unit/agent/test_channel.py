import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from agent.client import PlatformClient
from agent.configuration import Rules
from agent.errors import ContradictionError, JobRefusedError, PlatformAwayError, PlatformRefusedError
from agent.jobs import KINDS, Job, Kind, Result
from agent.keystore import KeyPurpose
from agent.pauses import LONGEST_SECONDS, Backoff
from agent.people import Person, Role
from agent.site import Site
from agent.work import WorkLoop
from consortium.kernel.digests import sha256_digest
from tests.unit.agent.platforms import PlatformInMemory, piece
from tests.unit.agent.worlds import SettableClock

STAN = Person("stan", "Stan", frozenset({Role.STEWARD}))


def _with_client(site: Site, platform: PlatformInMemory, work: Callable[[PlatformClient], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with site.client(transport=httpx.ASGITransport(platform.application())) as client:
            return await work(client)

    return asyncio.run(run())


def test_session_is_opened_by_the_site_key_and_used_again(site: Site) -> None:
    platform = PlatformInMemory()

    async def work(client: PlatformClient) -> None:
        await client.ballots()
        await client.consortia()

    _with_client(site, platform, work)

    assert platform.sessions == 1
    assert platform.site_key == site.signer.address(KeyPurpose.SITE)


def test_session_that_the_platform_forgot_is_renewed_once(site: Site) -> None:
    platform = PlatformInMemory()

    async def work(client: PlatformClient) -> None:
        await client.ballots()
        platform.valid_token = "another"
        await asyncio.gather(client.ballots(), client.consortia())

    _with_client(site, platform, work)

    assert platform.sessions == 2


def test_platform_that_never_accepts_the_session_is_asked_twice_and_no_more(site: Site) -> None:
    platform = PlatformInMemory(status=401)

    async def work(client: PlatformClient) -> None:
        client._token, client._expires_at = "old", site.clock().replace(year=2999)
        platform.status = 0
        client._open_session = lambda: asyncio.sleep(0)  # type: ignore[method-assign]  # a session that never gets valid
        await client.ballots()

    with pytest.raises(PlatformRefusedError) as refusal:
        _with_client(site, platform, work)

    assert refusal.value.status == 401


def test_platform_that_cannot_be_reached_costs_one_signature_in_half_a_minute(new_site: Callable[..., Site]) -> None:
    clock = SettableClock()
    site = new_site(clock=clock)

    async def ask() -> None:
        async with site.client() as client:
            for seconds in (0, 5, 20, 5):
                clock.pass_seconds(seconds)
                with pytest.raises(PlatformAwayError):
                    await client.ballots()

    asyncio.run(ask())

    assert len(site.journal.entries(kinds=("signature",))) == 2


def test_blob_is_held_to_its_digest(site: Site) -> None:
    digest = sha256_digest(b"weights")
    platform = PlatformInMemory(blobs={digest: b"weights"})

    assert _with_client(site, platform, lambda client: client.blob(digest)) == b"weights"

    platform.blobs[digest] = b"other weights"
    with pytest.raises(ContradictionError):
        _with_client(site, platform, lambda client: client.blob(digest))
    with pytest.raises(PlatformAwayError, match="more than 3 bytes"):
        _with_client(site, platform, lambda client: client.blob(digest, largest=3))


@pytest.mark.parametrize(
    "ballots",
    [
        [{"proposal": "x"}],
        [{}],
        ["text"],
    ],
)
def test_answer_of_another_shape_counts_as_a_platform_out_of_order(site: Site, ballots: list[Any]) -> None:
    platform = PlatformInMemory(ballots=ballots)

    with pytest.raises(PlatformAwayError):
        _with_client(site, platform, lambda client: client.ballots())


def test_pauses_grow_to_five_seconds_and_begin_anew() -> None:
    backoff = Backoff()

    pauses = [backoff.next_seconds() for _ in range(20)]
    backoff.reset()

    assert all(0.1 <= pause <= LONGEST_SECONDS for pause in pauses)
    assert all(pause >= LONGEST_SECONDS / 2 for pause in pauses[-10:])
    assert backoff.next_seconds() <= 0.2


def _work(
    site: Site,
    platform: PlatformInMemory,
    until: Callable[[], bool],
    kinds: dict[str, Kind] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Run the loop until the condition holds, then end it as SIGTERM does."""

    async def work(client: PlatformClient) -> None:
        backoff = Backoff(first_seconds=0.01, longest_seconds=0.02)
        working = WorkLoop(
            client,
            site,
            kinds=kinds or KINDS,
            beat_seconds=0.02,
            watch_seconds=0.01,
            shortest_poll_seconds=0.02,
            backoff=backoff,
        )
        loop = asyncio.ensure_future(working.run())
        deadline = time.monotonic() + 10
        while not until():
            assert time.monotonic() < deadline, "the loop did not get there"
            assert not loop.done(), loop
            if meanwhile:
                meanwhile()
            await asyncio.sleep(0.005)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)

    _with_client(site, platform, work)


def _outcomes(site: Site) -> list[str]:
    return [entry.outcome for entry in reversed(site.journal.entries(kinds=("work",)))]


async def _for_ever(_job: Job, _site: Site) -> Result:
    await asyncio.Event().wait()
    raise AssertionError


SLOW = {"slow": Kind(_for_ever, touches_data=True)}


def test_ping_is_answered(site: Site) -> None:
    platform = PlatformInMemory(work=[piece(payload={"nonce": "n"})])

    _work(site, platform, lambda: bool(platform.results))

    assert platform.results[0]["nonce"] == "n"
    assert _outcomes(site)[:2] == ["accepted", "done"]


def test_result_of_bytes_travels_as_bytes(site: Site) -> None:
    async def give(_job: Job, _site: Site) -> Result:
        return b"\x00\xffvector"

    platform = PlatformInMemory(work=[piece("bytes")])

    _work(site, platform, lambda: bool(platform.results), {"bytes": Kind(give, touches_data=True)})

    assert platform.results == [b"\x00\xffvector"]


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (piece("unknown"), "kind_not_allowed"),
        (piece(deadline="2020-01-01T00:00:00Z"), "deadline"),
        (piece(payload={"nonce": 1}), "malformed_payload"),
    ],
)
def test_work_that_the_site_does_not_do_is_refused_with_its_reason(site: Site, work: dict[str, Any], code: str) -> None:
    platform = PlatformInMemory(work=[work])

    _work(site, platform, lambda: bool(platform.refusals))

    assert (platform.refusals[0]["code"], platform.results) == (code, [])
    assert site.journal.entries(kinds=("work",))[0].detail["reason"] == code


def test_kind_outside_the_members_rule_is_refused(new_site: Callable[..., Site]) -> None:
    site, platform = new_site(rules=Rules(work_kinds=("commit",))), PlatformInMemory(work=[piece()])

    _work(site, platform, lambda: bool(platform.refusals))

    assert platform.refusals[0]["code"] == "kind_not_allowed"


def test_coordinator_that_was_replaced_is_not_obeyed(site: Site) -> None:
    payload = {"run": "run-1"}
    platform = PlatformInMemory(work=[piece(fence=5, payload=payload), piece(id="work-2", fence=4, payload=payload)])

    _work(site, platform, lambda: bool(platform.refusals and platform.results))

    assert platform.refusals[0]["code"] == "stale_fence"
    assert len(platform.results) == 1


def test_work_is_beaten_for_and_ends_when_the_platform_gives_it_up(site: Site) -> None:
    platform = PlatformInMemory(work=[piece("slow")])

    def give_up_later() -> None:
        platform.beat_status = 410 if platform.beats >= 3 else 200

    _work(site, platform, lambda: "stopped" in _outcomes(site), SLOW, give_up_later)

    assert platform.beats >= 3
    assert (platform.results, platform.refusals) == ([], [])


def test_work_past_its_deadline_is_ended_and_refused(site: Site) -> None:
    ended = []

    async def slow(job: Job, _site: Site) -> Result:
        try:
            return await _for_ever(job, _site)
        finally:
            ended.append(job.canceled.is_set())

    soon = site.clock().timestamp() + 0.2
    deadline = site.clock().fromtimestamp(soon, tz=site.clock().tzinfo).isoformat()
    platform = PlatformInMemory(work=[piece("slow", deadline=deadline)])

    _work(site, platform, lambda: bool(platform.refusals), {"slow": Kind(slow, touches_data=True)})

    assert platform.refusals[0]["code"] == "deadline"
    assert ended == [True]


def test_kill_switch_ends_work_in_hand_and_refuses_new_work_but_not_the_channel(site: Site) -> None:
    platform = PlatformInMemory(work=[piece("slow")])

    def stop_once_begun() -> None:
        if "accepted" in _outcomes(site) and not site.switch.is_stopped:
            site.switch.stop(STAN)
            platform.work += [piece("slow", id="work-2"), piece(id="work-3")]

    _work(site, platform, lambda: len(platform.refusals) == 2 and bool(platform.results), KINDS | SLOW, stop_once_begun)

    assert [refusal["code"] for refusal in platform.refusals] == ["work_stopped", "work_stopped"]


def test_answer_that_nobody_waits_for_is_dropped_without_ado(site: Site) -> None:
    platform = PlatformInMemory(work=[piece(), piece(id="work-2")], result_status=409)

    _work(site, platform, lambda: len(platform.results) == 2)

    assert _outcomes(site).count("not_taken") >= 1


def test_fault_of_a_handler_is_told_without_its_text_and_the_loop_goes_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_job: Job, _site: Site) -> Result:
        raise ZeroDivisionError("secret")

    kinds = KINDS | {"fail": Kind(fail, touches_data=True)}
    platform = PlatformInMemory(work=[piece("fail"), piece(id="work-2")])

    _work(site, platform, lambda: bool(platform.results and platform.refusals), kinds)

    assert platform.refusals[0]["code"] == "site_fault"
    assert "secret" not in platform.refusals[0]["message"]
    assert "ZeroDivisionError" in caplog.text


def test_refusal_of_a_handler_is_passed_on(site: Site) -> None:
    async def refuse(_job: Job, _site: Site) -> Result:
        raise JobRefusedError("Fewer than 25 consented.", reason="cohort_below_minimum")

    platform = PlatformInMemory(work=[piece("refuse")])

    _work(site, platform, lambda: bool(platform.refusals), {"refuse": Kind(refuse, touches_data=True)})

    assert platform.refusals[0] == {"code": "cohort_below_minimum", "message": "Fewer than 25 consented."}


def test_ended_loop_gives_its_work_back(site: Site) -> None:
    platform = PlatformInMemory(work=[piece("slow")])

    _work(site, platform, lambda: "accepted" in _outcomes(site), SLOW)

    assert platform.refusals[0]["code"] == "site_stopping"


def test_platform_that_is_away_is_asked_again_with_pauses_until_it_is_back(site: Site) -> None:
    platform = PlatformInMemory(status=503, work=[piece()])
    began = time.monotonic()

    def come_back() -> None:
        if time.monotonic() - began > 0.15:
            platform.status = 0

    _work(site, platform, lambda: bool(platform.results), meanwhile=come_back)

    assert platform.sessions == 1


def test_empty_answers_make_no_busy_loop(site: Site) -> None:
    platform = PlatformInMemory()
    began = time.monotonic()

    _work(site, platform, lambda: time.monotonic() - began > 0.3)

    assert 2 <= platform.polls <= 20
