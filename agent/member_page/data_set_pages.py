"""Data sets: what is registered, what lies in the folder, and registering one of the list."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from agent.consents.data_set_shelf import DataSetShelf
from agent.member_page.desk_view import Page, to
from agent.people import Person, Role
from consortium.kernel.errors import ConsiliumError


class DataSetPages:
    """Pages of data sets; a steward registers, everybody of the member reads."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def _shelf(self) -> DataSetShelf:
        return self._page.site.consents.data_set_shelf

    async def show(self, request: Request, _person: Person) -> Response:
        """List every description in the folder with its state."""
        return await self._show(request)

    async def one(self, request: Request, _person: Person) -> Response:
        """Show one description as it would be registered, checked and counted."""
        found = await asyncio.to_thread(self._shelf.find, request.path_params["file"])
        consortia = await self._page.consortia()
        return await self._page.render(request, "data_set.html", found=found, consortia=consortia)

    async def register(self, request: Request, person: Person) -> Response:
        """Register a description that the list names."""
        fields = await self._page.form(request)
        try:
            person.require(Role.STEWARD)
            consortia = await self._page.chosen_consortia(fields)
            register = self._shelf.register
            await asyncio.to_thread(lambda: register(fields.get("file", ""), consortia=consortia, person=person))
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        return to("/data-sets?done=registered")

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        found = await asyncio.to_thread(self._shelf.all)
        return await self._page.render(request, "data_sets.html", status, found=found, trouble=trouble)
