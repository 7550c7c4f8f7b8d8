"""The ballots that wait and those given, one of them to read, the signature, and what became of it."""

import asyncio
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.ballots import Choice
from agent.desk import PLAN_KIND, LaidOut
from agent.errors import NotOpenError
from agent.keystore import KeyPurpose
from agent.member_page.desk_view import Page, to
from agent.member_page.veto_pages import VetoPages
from agent.people import Person, Role
from consortium.kernel.errors import ConsiliumError, InvalidInputError, NotFoundError
from consortium.kernel.identifiers import from_hex
from training.federated.errors import PlanInvalidError
from training.federated.plan_document import PlanDocument, parse_plan


class BallotPages:
    """Pages for voters."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._vetoes = VetoPages(page)

    async def waiting(self, request: Request, _person: Person) -> Response:
        """List what waits; the platform away is said, and the rest of the page still works."""
        try:
            ballots, trouble = await self._page.desk.waiting(), ""
        except ConsiliumError as error:
            ballots, trouble = [], error.message
        given = await asyncio.to_thread(self._page.site.ballot_history.latest)
        plans = {one.offered.proposal: plan for one in ballots if (plan := _plan_of(one))}
        about: dict[str, Any] = {"ballots": ballots, "plans": plans, "given": given}
        about["vetoes"] = await self._vetoes.waiting()
        return await self._page.render(request, "ballots.html", **about, trouble=trouble)

    async def one(self, request: Request, _person: Person) -> Response:
        """Show one ballot with a sentence and a digest for each answer."""
        return await self._show(request)

    async def cast(self, request: Request, person: Person) -> Response:
        """Sign with the pass phrase given again, and lead to what became of it."""
        proposal = _identifier(request)
        fields = await self._page.form(request)
        try:
            person.require(Role.VOTER)
            choice, digest = _answer(fields)
            proven = await self._page.prove(person.name, fields.get("pass_phrase", ""))
            letter, _delivered = await self._page.desk.cast(
                proposal=proposal, choice=choice, person=proven, digest=digest
            )
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        return to(f"/ballots/signed/{letter.digest}")

    async def signed(self, request: Request, _person: Person) -> Response:
        """Show what was signed and how far it has come."""
        digest = request.path_params["digest"]
        given = await asyncio.to_thread(self._page.site.ballot_history.find, digest)
        if given is None:
            raise NotFoundError("This member has signed no ballot of that digest.")
        return await self._page.render(request, "signed.html", given=given)

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        try:
            laid_out = await self._page.desk.read(_identifier(request))
        except ConsiliumError as error:
            said = trouble or error.message
            return await self._page.render(request, "trouble.html", max(status, error.http_status), trouble=said)
        plan = await asyncio.to_thread(self._plan, laid_out)
        question = laid_out.question
        sight = await asyncio.to_thread(self._page.site.node_sight.of, question) if question else None
        author = self._page.site.ballots.reader.names.name(question.author) if question else ""
        document = laid_out.document.decode(errors="replace")
        about: dict[str, Any] = {"ballot": laid_out, "author": author, "document": document}
        about |= {"plan": plan, "sight": sight}
        consortium = laid_out.offered.consortium
        about["key_place"] = await asyncio.to_thread(self._page.site.signer.place, KeyPurpose.VOTE, consortium)
        return await self._page.render(request, "ballot.html", status, **about, trouble=trouble)

    def _plan(self, laid_out: LaidOut) -> PlanDocument | None:
        """Return the plan behind a ballot, and keep it: its checks have a page of their own."""
        plan = _plan_of(laid_out)
        if plan and laid_out.question:
            self._page.site.training.plan_shelf.keep(plan, decision=laid_out.question.id_text)
        return plan


def _plan_of(laid_out: LaidOut) -> PlanDocument | None:
    """Return the plan that a ballot is about; None for another kind, and for a document that is no plan."""
    if laid_out.question is None or laid_out.question.kind != PLAN_KIND or not laid_out.document:
        return None
    try:
        return parse_plan(laid_out.document)
    except PlanInvalidError:
        return None


def _answer(fields: dict[str, str]) -> tuple[Choice, bytes]:
    try:
        choice = Choice(fields.get("choice", ""))
        return choice, from_hex(fields.get(f"digest_{choice}", ""), size_bytes=32)
    except (ValueError, InvalidInputError) as error:
        raise InvalidInputError("Choose an answer and send the form as it stands.") from error


def _identifier(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.path_params["proposal"])
    except ValueError as error:
        raise NotOpenError("No such ballot waits for this member.") from error
