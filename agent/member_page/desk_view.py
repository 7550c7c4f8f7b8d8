"""What the pages share: the site behind them, the session in front, rendering and refusing."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.courier import Courier
from agent.desk import BallotDesk
from agent.errors import PersonRefusedError
from agent.member_page.forms import read_form
from agent.member_page.presentation import environment
from agent.member_page.sessions import COOKIE, LONGEST, Session, Sessions
from agent.member_page.throttle import Throttle
from agent.people import Person
from agent.site import Site
from consortium.kernel.errors import ForbiddenError

# scrypt takes 32 MiB a try; more at once would let strangers fill the memory.
_TRIES_AT_ONCE = 2


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
        session = self.session(request)
        if session is None or not session.has_csrf_token(fields.get("csrf_token", "")):
            raise ForbiddenError("The form is too old, or not of this page. Go back, reload and send it again.")
        return fields

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
            except PersonRefusedError:
                self.throttle.fail(name)
                known = name if await asyncio.to_thread(self.site.people.find, name) else "unknown"
                self.site.journal.record("person", "refused", person=known)
                raise
        self.throttle.succeed(name)
        return person

    def render(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page for the person who is logged in."""
        session = self.session(request)
        shown = {
            "csrf_token": session.csrf_token if session else "",
            "person": self.person(request),
            "member": self.site.configuration.name,
            "is_stopped": self.site.switch.is_stopped,
            "path": request.url.path,
            "trouble": "",
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
