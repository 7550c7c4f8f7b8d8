"""The work loop: asks the platform for work, does it under a beat and a deadline, answers with a result or a reason."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.client import OfferedWork, PlatformClient
from agent.clock import Clock, now
from agent.errors import JobRefusedError, PlatformAwayError, PlatformRefusedError
from agent.jobs import KINDS, Job, Kind, Result
from agent.pauses import Backoff
from consortium.kernel.errors import ConsiliumError
from contracts.signing.errors import SignerError

if TYPE_CHECKING:
    from agent.site import Site

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# The kill switch is looked at so often; nothing leaves the house later than that after it is thrown.
WATCH_SECONDS = 0.5
# A platform that answers "nothing" at once instead of waiting is asked no more often than this.
SHORTEST_POLL_SECONDS = 1.0
JOBS_AT_ONCE = 4
_LAST_WORD_SECONDS = 2.0


class JobStoppedError(ConsiliumError):
    """The platform gave the work up; nobody waits for an answer."""

    code = "job_stopped"


class WorkLoop:
    """One site's loop; `run` ends only by cancellation."""

    def __init__(
        self,
        client: PlatformClient,
        site: "Site",
        *,
        kinds: Mapping[str, Kind] = KINDS,
        beat_seconds: float = BEAT_SECONDS,
        watch_seconds: float = WATCH_SECONDS,
        shortest_poll_seconds: float = SHORTEST_POLL_SECONDS,
        backoff: Backoff | None = None,
        clock: Clock = now,
    ) -> None:
        self._client = client
        self._site = site
        self._kinds = kinds
        self._beat_seconds = beat_seconds
        self._watch_seconds = watch_seconds
        self._shortest_poll = shortest_poll_seconds
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._hands = asyncio.Semaphore(JOBS_AT_ONCE)
        self._in_hand: set[str] = set()

    async def run(self) -> None:
        """Work until canceled; jobs in hand are then ended and refused with `site_stopping`."""
        async with asyncio.TaskGroup() as jobs:
            while True:
                await self._hands.acquire()
                offered = await self._next()
                if offered is None:
                    self._hands.release()
                    continue
                self._in_hand.add(offered.id)
                jobs.create_task(self._serve(offered))

    async def _next(self) -> OfferedWork | None:
        """Return work; None after a wait, or after a pause because the platform is away."""
        began = time.monotonic()
        try:
            offered = await self._client.work(self._in_hand)
        except ConsiliumError as error:
            logger.warning("no work from the platform: %s", error.code)
            await self._backoff.pause()
            return None
        self._backoff.reset()
        repeated = offered is not None and offered.id in self._in_hand
        if offered is None or repeated:
            await asyncio.sleep(max(0.0, self._shortest_poll - (time.monotonic() - began)))
        return None if repeated else offered

    async def _serve(self, offered: OfferedWork) -> None:
        """Do one piece of work and answer for it; never raises but for a cancellation."""
        job = Job(
            id=offered.id,
            kind=offered.kind,
            consortium=offered.consortium,
            fence=offered.fence,
            deadline=offered.deadline,
            payload=offered.payload,
            client=self._client,
        )
        try:
            result = await self._do(job)
            self._record(job, "done")
            await self._answer(job, result)
        except JobStoppedError:
            self._record(job, "stopped")
        except JobRefusedError as error:
            await self._refuse(job, error.reason, error.message)
        except ConsiliumError as error:
            await self._refuse(job, error.code, error.message)
        except asyncio.CancelledError:
            await self._last_word(job)
            raise
        except Exception:
            # A fault of one handler must not end the site; the platform is told no text of ours.
            logger.exception("work %s of kind %s failed", job.id, job.kind)
            await self._refuse(job, "site_fault", "The site's program failed; its log says why.")
        finally:
            job.canceled.set()
            self._in_hand.discard(job.id)
            self._hands.release()

    async def _do(self, job: Job) -> Result:
        kind = self._admit(job)
        doing = asyncio.ensure_future(kind.handler(job, self._site))
        watching = asyncio.ensure_future(self._watch(job, kind))
        try:
            await asyncio.wait({doing, watching}, timeout=self._seconds_left(job), return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            if watching.done():
                watching.result()
            raise JobRefusedError("The work was not done by its deadline.", reason="deadline")
        finally:
            job.canceled.set()
            for task in (doing, watching):
                task.cancel()
            await asyncio.gather(doing, watching, return_exceptions=True)

    def _admit(self, job: Job) -> Kind:
        """Hold the work to the member's own rules before anything is done for it."""
        allowed = self._site.configuration.rules.work_kinds
        kind = self._kinds.get(job.kind)
        if kind is None or (allowed is not None and job.kind not in allowed):
            raise JobRefusedError(f"This site does no work of the kind {job.kind[:64]!r}.", reason="kind_not_allowed")
        self._require_running(kind)
        if self._seconds_left(job) <= 0:
            raise JobRefusedError("The work came after its deadline.", reason="deadline")
        self._site.fences.admit(job.run, job.fence, and_then=lambda: self._record(job, "accepted"))
        return kind

    async def _watch(self, job: Job, kind: Kind) -> None:
        """Beat while the work goes on; raise when the platform or the member ends it."""
        beat_at = time.monotonic() + self._beat_seconds
        while True:
            await asyncio.sleep(self._watch_seconds)
            await asyncio.to_thread(self._require_running, kind)
            if time.monotonic() < beat_at:
                continue
            beat_at = time.monotonic() + self._beat_seconds
            with contextlib.suppress(PlatformAwayError, SignerError):
                if not await self._client.beat(job.id):
                    raise JobStoppedError("The platform gave the work up.")

    def _require_running(self, kind: Kind) -> None:
        if kind.touches_data and self._site.switch.is_stopped:
            raise JobRefusedError("The member has stopped all work on its data.", reason="work_stopped")

    async def _answer(self, job: Job, result: Result) -> None:
        """Hand over the same bytes until they are taken, or nobody waits for them."""
        backoff = Backoff()
        while self._seconds_left(job) > 0:
            try:
                taken = await self._client.result(job.id, result)
            except (PlatformAwayError, SignerError):
                await backoff.pause()
                continue
            if not taken:
                self._record(job, "not_taken")
            return
        self._record(job, "not_taken")

    async def _refuse(self, job: Job, reason: str, message: str) -> None:
        self._record(job, "refused", reason=reason)
        try:
            await self._client.refuse(job.id, reason, message)
        except (PlatformAwayError, PlatformRefusedError, SignerError):
            logger.warning("the refusal of work %s did not reach the platform", job.id)

    async def _last_word(self, job: Job) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                await self._refuse(
                    job, "site_stopping", "The site's program is being stopped; hand the work out again."
                )

    def _seconds_left(self, job: Job) -> float:
        return (job.deadline - self._clock()).total_seconds()

    def _record(self, job: Job, outcome: str, **detail: str) -> None:
        kind, consortium = job.kind[:64], str(job.consortium)
        if job.run != job.id:
            detail["run"] = job.run
        self._site.journal.record(
            "work", outcome, work=job.id, work_kind=kind, consortium=consortium, fence=job.fence, **detail
        )
