"""Acts that were voted and wait, for a guardian's voters: one of them to read, the signature, what became of it."""

import asyncio
import uuid

from starlette.requests import Request
from starlette.responses import Response

from agent.errors import NotOpenError
from agent.member_page.desk_view import Page, to
from agent.people import Person, Role
from agent.veto_desk import LaidOutVeto, VetoDesk
from consortium.kernel.errors import ConsiliumError, InvalidInputError, NotFoundError
from consortium.kernel.identifiers import from_hex

# Typed to confirm; people are told it in their language's page, and type it as it stands.
WORD = "veto"


class VetoPages:
    """Pages for the voters of a guardian."""

    def __init__(self, page: Page) -> None:
        self._page = page
        site = page.site
        self._desk = VetoDesk(client=page.desk.client, courier=page.courier, desk=page.desk, vetoes=site.vetoes)

    async def waiting(self) -> list[LaidOutVeto]:
        """Return what waits; nothing where the platform is away, which the ballots beside say."""
        try:
            return await self._desk.waiting()
        except ConsiliumError:
            return []

    async def one(self, request: Request, _person: Person) -> Response:
        """Show one act with the sentence and the digest of a veto."""
        return await self._show(request)

    async def sign(self, request: Request, person: Person) -> Response:
        """Sign with the pass phrase given again, and lead to what became of it."""
        fields = await self._page.form(request)
        try:
            person.require(Role.VOTER)
            digest = from_hex(fields.get("digest", ""), size_bytes=32)
            if fields.get("word", "").strip().casefold() != WORD:
                raise InvalidInputError(f"Type {WORD} to confirm. Nothing was signed.", field="word")
            proven = await self._page.prove(person.name, fields.get("pass_phrase", ""))
            proposal, reason = _identifier(request), fields.get("reason", "")
            letter, _delivered = await self._desk.sign(proposal=proposal, reason=reason, person=proven, digest=digest)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show, reason=fields.get("reason", ""))
        return to(f"/vetoes/signed/{letter.digest}")

    async def signed(self, request: Request, _person: Person) -> Response:
        """Show what was signed and whether the platform has it."""
        digest = request.path_params["digest"]
        find = self._page.site.journal.select
        found = await asyncio.to_thread(find, "kind = 'veto' AND outcome = 'decided' AND digest = ?", digest, limit=1)
        if not found:
            raise NotFoundError("This member has signed no veto of that digest.")
        letters = await asyncio.to_thread(self._page.site.letters.of_decision, found[0].detail["key"])
        way = {"sent": "sent", "refused": "letter_refused"}.get(letters[-1].state if letters else "", "signed")
        return await self._page.render(request, "veto_signed.html", entry=found[0], way=way)

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200, reason: str = "") -> Response:
        try:
            laid_out = await self._desk.read(_identifier(request))
        except ConsiliumError as error:
            said = trouble or error.message
            return await self._page.render(request, "trouble.html", max(status, error.http_status), trouble=said)
        return await self._page.render(
            request, "veto.html", status, veto=laid_out, word=WORD, reason=reason, trouble=trouble
        )


def _identifier(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.path_params["proposal"])
    except ValueError as error:
        raise NotOpenError("No such act waits.") from error
