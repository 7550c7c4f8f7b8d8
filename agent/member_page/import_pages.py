"""Importing consents: the file taken in, its progress, its report, and its refused lines to take away."""

import asyncio
import csv
import io
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.consents.imports import MAX_UPLOAD_BYTES, ImportDesk, ImportRecord, Upload, advice
from agent.member_page.desk_view import Page, require_uuid, to
from agent.member_page.uploads import UploadReader
from agent.people import Person, Role
from consortium.kernel.errors import ConsiliumError, NotFoundError

# A report of thousands of lines is for a file, not for a page.
LINES_SHOWN = 50


class ImportPages:
    """Pages of imports; only stewards send files."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def _desk(self) -> ImportDesk:
        return self._page.site.consents.imports

    async def show(self, request: Request, _person: Person) -> Response:
        """Show the form and the imports of late."""
        return await self._show(request)

    async def receive(self, request: Request, person: Person) -> Response:
        """Take a file in and import it in the background."""
        reader = UploadReader(lambda fields, name: self._admit(request, person, fields, name), largest=MAX_UPLOAD_BYTES)
        try:
            upload = await reader.read(request)
            try:
                self._page.require_token(request, reader.fields)
                consortia = await self._page.chosen_consortia(reader.fields)
            except ConsiliumError:
                upload.discard()
                raise
            identity = self._desk.begin(upload, consortia=consortia, person=person)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        return to(f"/consents/imports/{identity}")

    async def one(self, request: Request, _person: Person) -> Response:
        """Show one import: how far it is, or what came of it."""
        record = await self._record(request)
        shown = [(refused, advice(refused)) for refused in record.refused[:LINES_SHOWN]]
        about: dict[str, Any] = {"record": record, "shown": shown, "epoch": None}
        if record.ended:
            ended = datetime.fromisoformat(record.ended)
            about["epoch"] = await asyncio.to_thread(self._page.site.consents.overview.epoch_after, ended)
        return await self._page.render(request, "import.html", **about)

    async def errors(self, request: Request, _person: Person) -> Response:
        """Return the refused lines as CSV."""
        record = await self._record(request)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["line", "element", "what is wrong", "what to do"])
        for one in record.refused:
            writer.writerow([one.line, *(_cell(part) for part in (one.element, one.reason, advice(one)))])
        headers = {"Content-Disposition": f'attachment; filename="refused-{record.id}.csv"'}
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def _admit(self, request: Request, person: Person, fields: dict[str, str], name: str) -> Upload:
        """Hold form and person to the rules before the first byte of the file is kept."""
        self._page.require_token(request, fields)
        person.require(Role.STEWARD)
        return self._desk.open_upload(name)

    async def _record(self, request: Request) -> ImportRecord:
        missing = "There is no report of such an import."
        identity = require_uuid(request.path_params["import"], missing)
        record = await asyncio.to_thread(self._desk.find, identity)
        if record is None:
            raise NotFoundError(missing)
        return record

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        about = {
            "imports": await asyncio.to_thread(self._desk.latest),
            "consortia": await self._page.consortia(),
            "largest": MAX_UPLOAD_BYTES,
        }
        return await self._page.render(request, "imports.html", status, **about, trouble=trouble)


def _cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
