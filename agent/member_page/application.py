"""The member page as a Starlette application: its routes, and who may open which."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from agent.courier import Courier
from agent.desk import BallotDesk
from agent.member_page.assets import static_folder
from agent.member_page.ballot_pages import BallotPages
from agent.member_page.consent_pages import ConsentPages
from agent.member_page.data_set_pages import DataSetPages
from agent.member_page.desk_view import Page, inside, to
from agent.member_page.entrance import Entrance
from agent.member_page.import_pages import ImportPages
from agent.member_page.key_pages import KeyPages
from agent.member_page.ledger_pages import LedgerPages
from agent.member_page.log_pages import LogPages
from agent.member_page.plan_pages import PlanPages
from agent.member_page.rule_pages import RulePages
from agent.member_page.security import LOOPBACK_HOSTS, Guard
from agent.member_page.sessions import Sessions
from agent.member_page.status_pages import StatusPages
from agent.member_page.throttle import Throttle
from agent.member_page.veto_pages import VetoPages
from agent.people import Person
from agent.site import Site
from consortium.kernel.errors import ConsiliumError

Inside = Callable[[Request, Person], Awaitable[Response]]
Door = Callable[[Request], Awaitable[Response]]


def member_page(site: Site, *, desk: BallotDesk, courier: Courier) -> ASGIApp:
    """Return the application; it opens no socket and runs nothing before a form asks for it."""
    page = Page(site, desk, courier, Sessions(clock=site.clock), Throttle(clock=site.clock))
    site.consents.imports.sweep()

    async def refuse(request: Request, error: Exception) -> Response:
        known = isinstance(error, ConsiliumError)
        status = error.http_status if isinstance(error, ConsiliumError) else 404
        message = error.message if known and isinstance(error, ConsiliumError) else "There is no such page."
        return await page.render(request, "trouble.html", status, trouble=message)

    handlers = {ConsiliumError: refuse, HTTPException: refuse}
    hosts = {*LOOPBACK_HOSTS, *site.configuration.hosts}
    return Guard(Starlette(routes=_routes(page), exception_handlers=handlers), hosts=hosts)


def _routes(page: Page) -> list[BaseRoute]:
    entrance = Entrance(page)
    doors: list[BaseRoute] = [
        Route("/healthz", _healthz),
        Route("/login", entrance.show),
        Route("/login", entrance.enter, methods=["POST"]),
        Route("/logout", entrance.leave, methods=["POST"]),
        Mount("/static", StaticFiles(directory=static_folder())),
    ]
    logs = LogPages(page)
    shown = [Route(path, _inside(page, show)) for path, show in _read(page, logs)]
    return [*doors, *shown, *(Route(path, _inside(page, act), methods=["POST"]) for path, act in _acts(page, logs))]


def _read(page: Page, logs: LogPages) -> list[tuple[str, Inside]]:
    """Return the pages that show something; everybody of the member may open them."""
    ballots, consents, imports, sets = BallotPages(page), ConsentPages(page), ImportPages(page), DataSetPages(page)
    plans, vetoes = PlanPages(page), VetoPages(page)
    return [
        ("/", ballots.waiting),
        ("/ballots/signed/{digest}", ballots.signed),
        ("/ballots/{proposal}", ballots.one),
        ("/vetoes/signed/{digest}", vetoes.signed),
        ("/vetoes/{proposal}", vetoes.one),
        ("/consents", consents.show),
        ("/consents/withdrawals", consents.withdrawals),
        ("/consents/imports", imports.show),
        ("/consents/imports/{import}", imports.one),
        ("/consents/imports/{import}/refused.csv", imports.errors),
        ("/data-sets", sets.show),
        ("/data-sets/{file}", sets.one),
        ("/plans", plans.show),
        ("/plans/{digest}", plans.one),
        ("/runs/{run}", plans.run),
        ("/rules", RulePages(page).show),
        ("/privacy", LedgerPages(page).show),
        ("/log", logs.show),
        ("/log.{form}", logs.download),
        ("/status", StatusPages(page).show),
        ("/keys", KeyPages(page).show),
    ]


def _acts(page: Page, logs: LogPages) -> list[tuple[str, Inside]]:
    """Return the forms; each asks for its own role."""
    consents, plans, rules, keys = ConsentPages(page), PlanPages(page), RulePages(page), KeyPages(page)
    return [
        ("/ballots/{proposal}", BallotPages(page).cast),
        ("/vetoes/{proposal}", VetoPages(page).sign),
        ("/consents/withdrawals", consents.withdraw),
        ("/consents/erasures", consents.erase),
        ("/consents/epoch", consents.wish_epoch),
        ("/consents/imports", ImportPages(page).receive),
        ("/data-sets", DataSetPages(page).register),
        ("/plans", plans.propose),
        ("/plans/{digest}", plans.decide),
        ("/keys/{purpose}/new", keys.make),
        ("/keys/{purpose}/sign", keys.sign),
        ("/keys/{purpose}/finish", keys.finish),
        ("/rules", rules.save),
        ("/rules/stop", rules.stop),
        ("/rules/resume", rules.resume),
        ("/log/verify", logs.verify),
    ]


def _inside(page: Page, show: Inside) -> Door:
    async def door(request: Request) -> Response:
        person = page.person(request)
        if person is not None:
            return await show(request, person)
        if request.method != "GET":
            return to("/login")
        wanted = inside(request.url.path)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # Our cookie does not come with another site's link, the portal's for instance; it does with our own.
            return await page.render(request, "arriving.html", wanted=wanted)
        return to("/login" if wanted == "/" else f"/login?next={quote(wanted)}")

    return door


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")
