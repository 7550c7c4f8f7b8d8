"""The member's own log, the state of its site, its rules and the kill switch."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from agent.keystore import KeyPurpose
from agent.member_page.desk_view import Page, to
from agent.people import Person, Role
from agent.status import look_at_site
from consortium.kernel.errors import ConsiliumError

ENTRIES_A_PAGE = 50
STOP_WORD = "stop"


class SitePages:
    """Pages for everybody of the member; switches for stewards."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def log(self, request: Request, _person: Person) -> Response:
        """Show the journal, newest first."""
        text = request.query_params.get("before", "")
        before = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
        entries = await asyncio.to_thread(self._page.site.journal.entries, limit=ENTRIES_A_PAGE, before=before)
        older = entries[-1].position if len(entries) == ENTRIES_A_PAGE else None
        return self._page.render(request, "log.html", entries=entries, older=older)

    async def status(self, request: Request, _person: Person) -> Response:
        """Show node, contracts, platform and keys as they are now."""
        findings = await look_at_site(self._page.site, self._page.desk)
        signer = self._page.site.signer
        keys = [(purpose.value, signer.address(purpose)) for purpose in KeyPurpose]
        waiting = len(self._page.site.letters.waiting())
        return self._page.render(request, "status.html", findings=findings, keys=keys, waiting=waiting)

    async def rules(self, request: Request, _person: Person) -> Response:
        """Show the member's own rules."""
        return self._rules(request)

    async def stop(self, request: Request, person: Person) -> Response:
        """Stop all work after the word was typed."""
        fields = await self._page.form(request)
        if fields.get("word", "").strip().lower() != STOP_WORD:
            return self._rules(request, "Type stop to confirm.", 400)
        try:
            self._page.site.switch.stop(person)
        except ConsiliumError as error:
            return self._rules(request, error.message, error.http_status)
        return to("/rules")

    async def resume(self, request: Request, person: Person) -> Response:
        """Let work go on, with the pass phrase given again."""
        fields = await self._page.form(request)
        try:
            self._page.site.switch.resume(await self._page.prove(person.name, fields.get("pass_phrase", "")))
        except ConsiliumError as error:
            return self._rules(request, error.message, error.http_status)
        return to("/rules")

    def _rules(self, request: Request, trouble: str = "", status: int = 200) -> Response:
        person = self._page.person(request)
        is_steward = person is not None and Role.STEWARD in person.roles
        rules = self._page.site.configuration.rules
        return self._page.render(request, "rules.html", status, rules=rules, is_steward=is_steward, trouble=trouble)
