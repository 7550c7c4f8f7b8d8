"""The member page as a Starlette application: its routes, and who may open which."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from agent.courier import Courier
from agent.desk import BallotDesk
from agent.member_page.assets import static_folder
from agent.member_page.ballot_pages import BallotPages
from agent.member_page.desk_view import Page, to
from agent.member_page.entrance import Entrance
from agent.member_page.security import LOOPBACK_HOSTS, Guard
from agent.member_page.sessions import Sessions
from agent.member_page.site_pages import SitePages
from agent.member_page.throttle import Throttle
from agent.people import Person
from agent.site import Site
from consortium.kernel.errors import ConsiliumError

Inside = Callable[[Request, Person], Awaitable[Response]]


def member_page(site: Site, *, desk: BallotDesk, courier: Courier) -> ASGIApp:
    """Return the application; it opens nothing and runs nothing by itself."""
    page = Page(site, desk, courier, Sessions(clock=site.clock), Throttle(clock=site.clock))
    entrance, ballots, pages = Entrance(page), BallotPages(page), SitePages(page)

    def inside(show: Inside) -> Callable[[Request], Awaitable[Response]]:
        async def door(request: Request) -> Response:
            person = page.person(request)
            return to("/login") if person is None else await show(request, person)

        return door

    async def refuse(request: Request, error: Exception) -> Response:
        known = isinstance(error, ConsiliumError)
        status = error.http_status if isinstance(error, ConsiliumError) else 404
        message = error.message if known and isinstance(error, ConsiliumError) else "There is no such page."
        return page.render(request, "trouble.html", status, trouble=message)

    routes = [
        Route("/healthz", _healthz),
        Route("/login", entrance.show),
        Route("/login", entrance.enter, methods=["POST"]),
        Route("/logout", entrance.leave, methods=["POST"]),
        Route("/", inside(ballots.waiting)),
        Route("/ballots/{proposal}", inside(ballots.one)),
        Route("/ballots/{proposal}", inside(ballots.cast), methods=["POST"]),
        Route("/log", inside(pages.log)),
        Route("/status", inside(pages.status)),
        Route("/rules", inside(pages.rules)),
        Route("/rules/stop", inside(pages.stop), methods=["POST"]),
        Route("/rules/resume", inside(pages.resume), methods=["POST"]),
        Mount("/static", StaticFiles(directory=static_folder())),
    ]
    handlers = {ConsiliumError: refuse, HTTPException: refuse}
    hosts = {*LOOPBACK_HOSTS, *site.configuration.hosts}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), hosts=hosts)


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")
