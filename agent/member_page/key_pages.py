"""The member's keys: one replaced step by step, each with the pass phrase given again, and the sentence it signs."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.keystore import KeyPurpose
from agent.member_page.desk_view import Page, to
from agent.people import Person, Role
from agent.rotation_desk import Read, RotationDesk
from consortium.kernel.errors import ConsiliumError, InvalidInputError, NotFoundError
from consortium.kernel.identifiers import from_hex

# Typed to confirm; people are told it in their language's page, and type it as it stands.
WORD = "replace"
_MAX_DIGITS = 12


class KeyPages:
    """The page of both keys, and its three forms."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._desk = RotationDesk(page.site)

    async def show(self, request: Request, _person: Person) -> Response:
        """Show both keys, and how far a replacement is."""
        return await self._show(request)

    async def make(self, request: Request, person: Person) -> Response:
        """Make the new key beside the present one; it signs nothing yet."""
        fields = await self._page.form(request)
        purpose, identifier = _purpose(request), fields.get("identifier", "").strip()
        try:
            proven = await self._prove(person, fields)
            await asyncio.to_thread(lambda: self._desk.make(purpose, person=proven, identifier=identifier))
        except ConsiliumError as error:
            return await self._again(request, person, error, purpose)
        return to(f"/keys?done=key_made#{purpose}")

    async def sign(self, request: Request, person: Person) -> Response:
        """Sign the replacement in every consortium that was shown, and hand it over."""
        fields = await self._page.form(request)
        purpose = _purpose(request)
        try:
            person.require(Role.VOTER)
            if fields.get("word", "").strip().casefold() != WORD:
                raise InvalidInputError(f"Type {WORD} to confirm. Nothing was signed.", field="word")
            proven, read = await self._prove(person, fields), _read(fields)
            for letter in await asyncio.to_thread(lambda: self._desk.sign(purpose, read, person=proven)):
                await self._page.courier.deliver(letter)
        except ConsiliumError as error:
            return await self._again(request, person, error, purpose)
        return to(f"/keys?done=key_signed#{purpose}")

    async def finish(self, request: Request, person: Person) -> Response:
        """Put the new key in the old one's place."""
        fields = await self._page.form(request)
        purpose = _purpose(request)
        try:
            proven = await self._prove(person, fields)
            await asyncio.to_thread(lambda: self._desk.finish(purpose, person=proven))
        except ConsiliumError as error:
            return await self._again(request, person, error, purpose)
        return to(f"/keys?done=key_in_use#{purpose}")

    async def _prove(self, person: Person, fields: Mapping[str, str]) -> Person:
        person.require(Role.VOTER)
        return await self._page.prove(person.name, fields.get("pass_phrase", ""))

    async def _again(self, request: Request, person: Person, error: ConsiliumError, purpose: KeyPurpose) -> Response:
        return await self._page.again(request, person, error, self._show, tried=purpose)

    async def _show(
        self, request: Request, *, trouble: str = "", status: int = 200, tried: KeyPurpose | None = None
    ) -> Response:
        about: dict[str, Any] = {
            "keys": await asyncio.to_thread(self._desk.look),
            "names": dict(await self._page.consortia()),
            "word": WORD,
            "tried": tried,
        }
        return await self._page.render(request, "keys.html", status, **about, trouble=trouble)


def _purpose(request: Request) -> KeyPurpose:
    try:
        return KeyPurpose(request.path_params["purpose"])
    except ValueError as error:
        raise NotFoundError("A member has a site key and a vote key.") from error


def _read(fields: Mapping[str, str]) -> dict[uuid.UUID, Read]:
    """What the form says was read: a deadline and a digest for each consortium."""
    read = {}
    for name in (name for name in fields if name.startswith("digest:")):
        text = name.partition(":")[2]
        until = fields.get(f"deadline:{text}", "")
        if not (until.isascii() and until.isdecimal() and len(until) <= _MAX_DIGITS):
            raise InvalidInputError("The form is not of this page. Go back, reload and send it again.")
        try:
            read[uuid.UUID(text)] = Read(int(until), from_hex(fields[name], size_bytes=32))
        except ValueError as error:
            raise InvalidInputError("The form is not of this page. Go back, reload and send it again.") from error
    return read
