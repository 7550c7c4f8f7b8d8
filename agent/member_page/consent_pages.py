"""Consents: the numbers, the epochs, withdrawals and erasures."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.consents.imports import MAX_UPLOAD_BYTES
from agent.consents.office import ConsentOffice
from agent.consents.withdrawals import WithdrawalRequest
from agent.member_page.desk_view import Page, to
from agent.people import Person, Role
from consent.domain.documents import REASONS
from consortium.kernel.errors import ConsiliumError, InvalidInputError

ERASE_WORD = "erase"
MAX_RECORD_CHARACTERS = 200
_LISTED = 100


class ConsentPages:
    """Pages for stewards; everybody of the member reads the numbers."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def _office(self) -> ConsentOffice:
        return self._page.site.consents

    async def show(self, request: Request, _person: Person) -> Response:
        """Show numbers, the newest epoch, imports and withdrawals."""
        return await self._show(request)

    async def withdrawals(self, request: Request, _person: Person) -> Response:
        """Show the form and every withdrawal of late."""
        return await self._withdrawals(request)

    async def withdraw(self, request: Request, person: Person) -> Response:
        """Ask once more, then withdraw with the pass phrase given again."""
        fields = await self._page.form(request)
        asked = {"record": fields.get("record", "").strip(), "reason": fields.get("reason", "")}
        try:
            person.require(Role.STEWARD)
            wanted = self._request(asked, is_urgent=fields.get("when", "now") == "now")
            held = await asyncio.to_thread(self._office.store.grants_of, wanted.pseudonym)
            permitting = [stored for stored in held if stored.permits]
            if not permitting:
                message = "No active consent of this record is in the store: nothing to withdraw."
                raise InvalidInputError(message, field="record")
            if fields.get("step") != "confirmed":
                return await self._confirm(request, asked, len(permitting), wanted)
            await self._page.prove_steward(person, fields)
            withdrawn = await asyncio.to_thread(self._office.withdrawals.withdraw, wanted)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._withdrawals, asked=asked)
        self._enter("withdrawal", person, withdrawal=str(withdrawn.id))
        return to("/consents/withdrawals?done=withdrawn")

    async def erase(self, request: Request, person: Person) -> Response:
        """Erase a subject after the word was typed and the pass phrase given again."""
        fields = await self._page.form(request)
        try:
            person.require(Role.STEWARD)
            record = _record(fields.get("record", "").strip())
            if fields.get("word", "").strip().lower() != ERASE_WORD:
                raise InvalidInputError(f"Type {ERASE_WORD} to confirm.", field="word")
            await self._page.prove_steward(person, fields)
            name = self._office.withdrawals.pseudonym_of(record)
            if not await asyncio.to_thread(self._office.store.grants_of, name):
                raise InvalidInputError("No consent of this record is in the store: nothing to erase.")
            await asyncio.to_thread(self._office.eraser.erase, name)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._withdrawals)
        self._enter("erasure", person)
        return to("/consents/withdrawals?done=erased")

    async def wish_epoch(self, request: Request, person: Person) -> Response:
        """Ask for a new epoch; the agent signs it when nothing holds it back."""
        await self._page.form(request)
        try:
            person.require(Role.STEWARD)
            consortia = await asyncio.to_thread(self._office.store.consortia)
            await asyncio.to_thread(self._office.anchoring.effects.wish_epoch, consortia)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        self._enter("epoch", person)
        return to("/consents?done=epoch")

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        overview = self._office.overview
        numbers = await asyncio.to_thread(overview.numbers)
        epochs = await asyncio.to_thread(overview.epochs)
        withdrawals = await asyncio.to_thread(overview.withdrawals, 5)
        about: dict[str, Any] = {
            **{"numbers": numbers, "epochs": epochs, "withdrawals": withdrawals},
            "imports": await asyncio.to_thread(self._office.imports.latest, 5),
            "refused": await asyncio.to_thread(self._office.mail.refused),
            "names": dict(await self._page.consortia()),
        }
        return await self._page.render(request, "consents.html", status, **about, trouble=trouble)

    async def _withdrawals(
        self, request: Request, *, trouble: str = "", status: int = 200, asked: dict[str, str] | None = None
    ) -> Response:
        about = {
            "withdrawals": await asyncio.to_thread(self._office.overview.withdrawals, _LISTED),
            **{"reasons": REASONS, "asked": asked or {}, "largest": MAX_UPLOAD_BYTES},
        }
        return await self._page.render(request, "withdrawals.html", status, **about, trouble=trouble)

    async def _confirm(
        self, request: Request, asked: dict[str, str], permitting: int, wanted: WithdrawalRequest
    ) -> Response:
        about: dict[str, Any] = {"asked": asked, "permitting": permitting, "is_urgent": wanted.is_urgent}
        return await self._page.render(request, "withdraw_confirm.html", **about)

    def _request(self, asked: dict[str, str], *, is_urgent: bool) -> WithdrawalRequest:
        name = self._office.withdrawals.pseudonym_of(_record(asked["record"]))
        return WithdrawalRequest(name, asked["reason"], is_urgent=is_urgent)

    def _enter(self, kind: str, person: Person, **detail: str) -> None:
        """Write down who did it on this page; the act itself wrote its own entry."""
        self._page.site.journal.record(kind, "ordered", person=person.name, **detail)


def _record(text: str) -> str:
    if not 0 < len(text) <= MAX_RECORD_CHARACTERS or not text.isprintable():
        raise InvalidInputError("Give the record's id as your own records have it.", field="record")
    return text
