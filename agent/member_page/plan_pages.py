"""Plans that the members approved or vote on, each check of this site, a steward's yes or no; and the runs of them."""

import asyncio
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.errors import ContradictionError
from agent.member_page.desk_view import Page, require_uuid, to
from agent.people import Person, Role
from agent.proposing import Draft
from agent.training.ledger import Ledger
from agent.training.office import TrainingOffice
from agent.training.plan_checks import smallest_cohort
from agent.training.plans import ALLOWED, REFUSED
from agent.training.proposals import draft_proposal
from agent.training.run_book import RunRecord
from consortium.kernel.errors import ConsiliumError, InvalidInputError, NotFoundError
from consortium.kernel.identifiers import from_hex, to_hex
from training.federated.errors import PlanInvalidError
from training.federated.plan_document import MAX_PLAN_BYTES, PlanDocument, parse_plan

REFUSE_WORD = "refuse"


class PlanPages:
    """Pages of plans and runs."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def _office(self) -> TrainingOffice:
        return self._page.site.training

    async def show(self, request: Request, _person: Person) -> Response:
        """List plans and runs."""
        return await self._show(request)

    async def one(self, request: Request, _person: Person) -> Response:
        """Show one plan with every check; one that was only drafted, as it would be put to the vote."""
        digest = request.path_params["digest"]
        if await asyncio.to_thread(self._is_new, digest):
            return await self._proposable(request, digest)
        return await self._one(request)

    async def run(self, request: Request, _person: Person) -> Response:
        """Show one run: each attempt with its exact cohort."""
        missing = "This site committed nothing to such a run."
        identity = require_uuid(request.path_params["run"], missing)
        record = await asyncio.to_thread(self._office.run_book.find, identity)
        if record is None:
            raise NotFoundError(missing)
        (record,) = await learn_plans(self._page, [record])
        return await self._page.render(request, "run.html", run=record, names=dict(await self._page.consortia()))

    async def decide(self, request: Request, person: Person) -> Response:
        """Allow a plan with the pass phrase given again; refusing it is final, and its word is typed."""
        fields = await self._page.form(request)
        digest = request.path_params["digest"]
        value = {"allow": ALLOWED, "refuse": REFUSED}.get(fields.get("answer", ""))
        try:
            person.require(Role.STEWARD)
            if value is None:
                raise InvalidInputError("Choose to allow or to refuse the plan.")
            if value == REFUSED and fields.get("word", "").strip().lower() != REFUSE_WORD:
                raise InvalidInputError(f"Type {REFUSE_WORD} to confirm: a plan is refused for good.", field="word")
            if await asyncio.to_thread(self._office.plan_shelf.find, digest) is None:
                raise NotFoundError("This site has seen no plan of that digest.")
            proven = await self._page.prove_steward(person, fields)
            await asyncio.to_thread(lambda: self._office.plans.decide(digest, value, person=proven.name))
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._one)
        return to(f"/plans/{digest}?done={value}")

    async def propose(self, request: Request, person: Person) -> Response:
        """Show a drafted plan, then put it to the vote with the voter's pass phrase."""
        fields = await self._page.form(request)
        digest = fields.get("digest", "").strip()
        try:
            person.require(Role.VOTER)
            plan = await self._drafted(digest)
            if fields.get("step") != "confirmed":
                return await self._ask(request, plan)
            proven = await self._page.prove(person.name, fields.get("pass_phrase", ""))
            shown, deadline = _shown(fields)
            draft = await self._draft(plan, deadline)
            letter = await asyncio.to_thread(self._page.site.proposing.sign, draft, proven, digest=shown)
            await self._page.courier.deliver(letter)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        return to("/plans?done=proposed")

    def _is_new(self, digest: str) -> bool:
        """Say whether this site neither holds the plan nor was ever asked about it."""
        return self._office.plan_shelf.find(digest) is None and self._office.plan_shelf.asked(digest) is None

    async def _proposable(self, request: Request, digest: str) -> Response:
        try:
            plan = await self._drafted(digest)
        except ConsiliumError as error:
            raise NotFoundError(
                f"This site has seen no plan of that digest, and gets none from the platform: {error.message}"
            ) from error
        return await self._ask(request, plan)

    async def _ask(self, request: Request, plan: PlanDocument) -> Response:
        """Show a drafted plan with the form that signs its proposal."""
        about: dict[str, Any] = {"plan": plan, "names": dict(await self._page.consortia())}
        return await self._page.render(request, "plan_propose.html", **about, draft=await self._draft(plan))

    async def _draft(self, plan: PlanDocument, deadline: int | None = None) -> Draft:
        checked = await self._page.desk.consortium(plan.consortium)
        return await asyncio.to_thread(draft_proposal, self._page.site, checked, plan, deadline=deadline)

    async def _drafted(self, digest: str) -> PlanDocument:
        try:
            return parse_plan(await self._page.desk.document(digest, largest=MAX_PLAN_BYTES))
        except PlanInvalidError as error:
            raise InvalidInputError(f"These bytes are no sound plan: {error.message}") from error

    async def _ledger(self, consortium: uuid.UUID) -> Ledger:
        return self._office.ledger_on(await self._page.desk.consortium(consortium))

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        runs = await asyncio.to_thread(self._office.run_book.all)
        about: dict[str, Any] = {
            "runs": await learn_plans(self._page, runs),
            "plans": await self._office.plan_checks.all(self._ledger),
            "by_hand": self._page.site.configuration.rules.plans_by_hand,
        }
        return await self._page.render(request, "plans.html", status, **about, trouble=trouble)

    async def _one(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        checked = await self._office.plan_checks.find(request.path_params["digest"], self._ledger)
        rules = self._page.site.configuration.rules
        about = {
            **{"checked": checked, "plan": checked.plan, "rules": rules},
            "minimum": smallest_cohort(checked.plan, rules),
            "names": dict(await self._page.consortia()),
            "own": self._page.site.configuration.organization,
        }
        return await self._page.render(request, "plan.html", status, **about, trouble=trouble)


def _shown(fields: dict[str, str]) -> tuple[bytes, int]:
    """Return digest and deadline of the draft that the voter read."""
    deadline = fields.get("deadline", "")
    if not (deadline.isascii() and deadline.isdecimal() and len(deadline) < 16):
        raise InvalidInputError("Send the form as it stands.")
    return from_hex(fields.get("digest_signed", ""), size_bytes=32), int(deadline)


async def learn_plans(page: Page, runs: list[RunRecord]) -> list[RunRecord]:
    """Fetch the documents of plans that this site committed to before it kept them, and return the runs with them.

    The digest is the site's own manifest's, so nobody can put another plan in its place.
    """
    shelf = page.site.training.plan_shelf
    for run in {run.plan_digest: run for run in runs if run.plan is None}.values():
        try:
            plan = parse_plan(await page.desk.document(run.plan_digest, largest=MAX_PLAN_BYTES))
            ledger = page.site.training.ledger_on(await page.desk.consortium(run.consortium))
            on_chain = await asyncio.to_thread(ledger.run_of, run.id)
        except (ContradictionError, PlanInvalidError):
            continue
        except ConsiliumError:
            # The platform is away, or has it no more: the digest says which plan it was.
            break
        await asyncio.to_thread(shelf.keep, plan, decision=to_hex(on_chain.decision))
    found = {run.plan_digest: await asyncio.to_thread(shelf.find, run.plan_digest) for run in runs}
    return [run.with_plan(found[run.plan_digest]) for run in runs]
