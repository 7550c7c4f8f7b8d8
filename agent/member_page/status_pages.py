"""What the agent sees now: node, contracts, platform, keys, and what waits to be sent."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.keystore import KeyPurpose
from agent.member_page.desk_view import Page
from agent.people import Person
from agent.site import Site
from agent.status import look_at_site


class StatusPages:
    """The state of the site, for everybody of the member."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def show(self, request: Request, _person: Person) -> Response:
        """Show node, contracts, platform and keys as they are now."""
        site = self._page.site
        findings = await look_at_site(site, self._page.desk)
        about: dict[str, Any] = {
            "findings": findings,
            "keys": await asyncio.to_thread(_keys, site),
            "waiting": len(site.letters.waiting()) + len(await asyncio.to_thread(site.consents.mail.waiting)),
        }
        return await self._page.render(request, "status.html", **about)


def _keys(site: Site) -> list[tuple[str, str, str]]:
    """Return purpose, address and place of each key that this site holds; a new one beside the one in use too."""
    return [(purpose.value, key.address, key.place) for purpose in KeyPurpose for key in site.keyring.held(purpose)]
