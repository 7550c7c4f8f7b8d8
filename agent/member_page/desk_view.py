"""What the pages share: the site behind them, the session in front, rendering and refusing."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.courier import Courier
from agent.desk import BallotDesk
from agent.errors import PersonRefusedError
from agent.member_page.forms import read_form
from agent.member_page.frame import PATIENCE_SECONDS, Frame
from agent.member_page.presentation import environment
from agent.member_page.sessions import COOKIE, LONGEST, Session, Sessions
from agent.member_page.throttle import Throttle
from agent.people import Person, Role
from agent.site import Site
from consortium.kernel.errors import ConsiliumError, ForbiddenError, InvalidInputError

# scrypt takes 32 MiB a try; more at once would let strangers fill the memory.
_TRIES_AT_ONCE = 2
_OWN_PATH = re.compile(r"/(?!/)[A-Za-z0-9/:._-]*\Z")
Show = Callable[..., Awaitable[Response]]


@dataclass
class Page:
    """The member page of one site."""

    site: Site
    desk: BallotDesk
    courier: Courier
    sessions: Sessions
    throttle: Throttle
    templates: Environment = field(default_factory=environment)
    tries: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_TRIES_AT_ONCE))

    @cached_property
    def frame(self) -> Frame:
        return Frame(self.site, self.desk)

    def session(self, request: Request) -> Session | None:
        return self.sessions.find(request.cookies.get(COOKIE, ""))

    def person(self, request: Request) -> Person | None:
        """Return who is logged in, with the roles that people.json gives now."""
        session = self.session(request)
        if session is None or session.person is None:
            return None
        return self.site.people.find(session.person.name)

    async def form(self, request: Request) -> dict[str, str]:
        """Return a form's fields after its CSRF token was held to the session's."""
        fields = await read_form(request)
        self.require_token(request, fields)
        return fields

    def require_token(self, request: Request, fields: dict[str, str]) -> None:
        """Refuse a form that is not of this session's page."""
        session = self.session(request)
        if session is None or not session.has_csrf_token(fields.get("csrf_token", "")):
            raise ForbiddenError("The form is too old, or not of this page. Go back, reload and send it again.")
        self.frame.forget()

    async def prove(self, name: str, pass_phrase: str) -> Person:
        """Return the person whose pass phrase this is; wrong ones are counted and written down.

        Raises
        ------
        PersonRefusedError, TooManyAttemptsError
        """
        async with self.tries:
            self.throttle.require_free(name)
            try:
                person = await asyncio.to_thread(self.site.people.authenticate, name, pass_phrase)
            except PersonRefusedError as error:
                self.throttle.fail(name)
                known = name if await asyncio.to_thread(self.site.people.find, name) else "unknown"
                self.site.journal.record("person", "refused", person=known)
                raise PersonRefusedError(error.message, field="pass_phrase") from error
        self.throttle.succeed(name)
        return person

    async def prove_steward(self, person: Person, fields: dict[str, str]) -> Person:
        """Return the steward who is logged in, proven by the pass phrase given again."""
        person.require(Role.STEWARD)
        return await self.prove(person.name, fields.get("pass_phrase", ""))

    async def consortia(self) -> list[tuple[uuid.UUID, str]]:
        """Return number and name of the consortia that this member is active in; those known here if nobody answers."""
        try:
            offered = await asyncio.wait_for(self.desk.offered_consortia(), PATIENCE_SECONDS)
        except (ConsiliumError, TimeoutError):
            known = await asyncio.to_thread(self.site.consents.store.consortia)
            return [(identity, str(identity)) for identity in known]
        return [(one.id, one.name) for one in offered if one.status == "active"]

    async def chosen_consortia(self, fields: dict[str, str]) -> list[uuid.UUID]:
        """Return the consortium that a form names, else all; one that this member is not in is refused."""
        known = [identity for identity, _name in await self.consortia()]
        if not (text := fields.get("consortium", "")):
            return known
        chosen = [identity for identity in known if str(identity) == text]
        if not chosen:
            raise InvalidInputError("This member is not active in that consortium. Choose one of the list.")
        return chosen

    async def again(
        self, request: Request, person: Person, error: ConsiliumError, show: Show, **context: Any
    ) -> Response:
        """Show a page again with why a form was refused; the refusal is in the journal, nothing else changed."""
        action = request.scope["route"].path if "route" in request.scope else request.url.path
        detail = {"action": action, "reason": error.code}
        self.site.journal.record("page", "refused", person=person.name, **detail)
        request.state.wrong = error.fields.get("field", "")
        return await show(request, trouble=error.message, status=error.http_status, **context)

    async def render(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page for the person who is logged in."""
        session, person = self.session(request), self.person(request)
        shown = {
            "csrf_token": session.csrf_token if session else "",
            "person": person,
            "is_steward": person is not None and Role.STEWARD in person.roles,
            "is_voter": person is not None and Role.VOTER in person.roles,
            "member": self.site.configuration.name,
            "is_stopped": self.site.switch.is_stopped,
            "path": request.url.path,
            "moment_now": self.site.clock(),
            "done": request.query_params.get("done", ""),
            "frame": await self.frame.state() if person is not None else None,
            "trouble": "",
            "wrong": getattr(request.state, "wrong", ""),
        }
        return HTMLResponse(self.templates.get_template(template).render(shown | context), status)


def set_cookie(answer: Response, cookie: str) -> Response:
    """Set the session's cookie: no script reads it, no other site's page sends it."""
    seconds = int(LONGEST.total_seconds())
    # Not `secure`: the page is served on loopback, in front of which the member may put its own TLS.
    answer.set_cookie(COOKIE, cookie, max_age=seconds, httponly=True, samesite="strict", path="/")
    return answer


def to(path: str) -> Response:
    """Send the browser to a page after a form."""
    return RedirectResponse(path, 303)


def inside(path: str) -> str:
    """Return the path if it is one of this page, and the first page's otherwise: nobody is led elsewhere."""
    return path if _OWN_PATH.match(path) else "/"


def require_uuid(text: str, message: str) -> uuid.UUID:
    """Return the number that a path or field gives; `InvalidInputError` otherwise."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise InvalidInputError(message) from error
