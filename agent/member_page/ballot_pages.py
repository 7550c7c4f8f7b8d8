"""The ballots that wait, one of them to read, and the signature."""

import uuid

from starlette.requests import Request
from starlette.responses import Response

from agent.ballots import Choice
from agent.desk import LaidOut
from agent.errors import NotOpenError
from agent.member_page.desk_view import Page
from agent.people import Person
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.identifiers import from_hex


class BallotPages:
    """Pages for voters."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def waiting(self, request: Request, _person: Person) -> Response:
        """List what waits; the platform away is said, and the rest of the page still works."""
        try:
            ballots, trouble = await self._page.desk.waiting(), ""
        except ConsiliumError as error:
            ballots, trouble = [], error.message
        return self._page.render(request, "ballots.html", ballots=ballots, trouble=trouble)

    async def one(self, request: Request, _person: Person) -> Response:
        """Show one ballot with a sentence and a digest for each answer."""
        proposal = _identifier(request)
        try:
            laid_out = await self._page.desk.read(proposal)
        except ConsiliumError as error:
            return self._page.render(request, "trouble.html", _status(error), trouble=error.message)
        return self._show(request, laid_out)

    async def cast(self, request: Request, person: Person) -> Response:
        """Sign with the pass phrase given again, and say what became of it."""
        proposal = _identifier(request)
        fields = await self._page.form(request)
        try:
            choice = Choice(fields.get("choice", ""))
            digest = from_hex(fields.get(f"digest_{choice}", ""), size_bytes=32)
        except (ValueError, InvalidInputError):
            return await self._again(request, proposal, "Choose an answer and send the form as it stands.", 400)
        try:
            proven = await self._page.prove(person.name, fields.get("pass_phrase", ""))
            letter, delivered = await self._page.desk.cast(
                proposal=proposal, choice=choice, person=proven, digest=digest
            )
        except ConsiliumError as error:
            return await self._again(request, proposal, error.message, _status(error))
        return self._page.render(request, "signed.html", letter=letter, delivered=delivered, choice=choice)

    async def _again(self, request: Request, proposal: uuid.UUID, trouble: str, status: int) -> Response:
        try:
            laid_out = await self._page.desk.read(proposal)
        except ConsiliumError:
            return self._page.render(request, "trouble.html", status, trouble=trouble)
        return self._show(request, laid_out, trouble=trouble, status=status)

    def _show(self, request: Request, laid_out: LaidOut, *, trouble: str = "", status: int = 200) -> Response:
        question = laid_out.question
        author = self._page.site.ballots.reader.names.name(question.author) if question else ""
        document = laid_out.document.decode(errors="replace")
        return self._page.render(
            request, "ballot.html", status, ballot=laid_out, author=author, document=document, trouble=trouble
        )


def _identifier(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.path_params["proposal"])
    except ValueError as error:
        raise NotOpenError("No such ballot waits for this member.") from error


def _status(error: ConsiliumError) -> int:
    return error.http_status
