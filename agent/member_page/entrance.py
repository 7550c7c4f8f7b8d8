"""Logging in and out."""

from starlette.requests import Request
from starlette.responses import Response

from agent.errors import PersonRefusedError, TooManyAttemptsError
from agent.member_page.desk_view import Page, inside, set_cookie, to
from agent.member_page.sessions import COOKIE


class Entrance:
    """The door of the member page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def show(self, request: Request) -> Response:
        """Show the form; a session begins here so that the form has a token."""
        wanted = inside(request.query_params.get("next", ""))
        if self._page.person(request) is not None:
            return to(wanted)
        session = self._page.session(request)
        if session is not None:
            return await self._page.render(request, "login.html", wanted=wanted)
        cookie, session = self._page.sessions.begin()
        answer = await self._page.render(request, "login.html", csrf_token=session.csrf_token, wanted=wanted)
        return set_cookie(answer, cookie)

    async def enter(self, request: Request) -> Response:
        """Log in under a new session, and go where the person was on the way to."""
        fields = await self._page.form(request)
        wanted = inside(fields.get("next", ""))
        name = fields.get("name", "").strip().lower()[:64]
        try:
            person = await self._page.prove(name, fields.get("pass_phrase", ""))
        except (PersonRefusedError, TooManyAttemptsError) as error:
            status = 429 if isinstance(error, TooManyAttemptsError) else 403
            return await self._page.render(
                request, "login.html", status, trouble=error.message, name=name, wanted=wanted
            )
        self._page.sessions.end(request.cookies.get(COOKIE, ""))
        cookie, _session = self._page.sessions.begin(person)
        self._page.site.journal.record("person", "entered", person=person.name)
        return set_cookie(to(wanted), cookie)

    async def leave(self, request: Request) -> Response:
        """Log out."""
        await self._page.form(request)
        self._page.sessions.end(request.cookies.get(COOKIE, ""))
        answer = to("/login")
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer
