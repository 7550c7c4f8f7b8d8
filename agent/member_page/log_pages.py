"""The member's own log: pages of it, filters, what one run or ballot left, verification, downloads."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from agent.errors import JournalError
from agent.journal import Entry
from agent.journal_search import Search, every, kinds_in, page_of, verify_apart
from agent.member_page.desk_view import Page, to
from agent.people import Person, Role
from consortium.kernel.errors import ConsiliumError, NotFoundError

_FIELDS = tuple(Search.__dataclass_fields__)
_MAX_ASKED = 100
_COLUMNS = tuple(Entry.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Verified:
    """When the chain of hashes was recomputed last, and what came of it."""

    at: datetime
    entries: int
    trouble: str


class LogPages:
    """Pages of the log, for everybody of the member; stewards take it away."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._verified: Verified | None = None

    async def show(self, request: Request, _person: Person) -> Response:
        """Show one page, newest first."""
        return await self._show(request)

    async def verify(self, request: Request, person: Person) -> Response:
        """Recompute the chain of hashes."""
        await self._page.form(request)
        at, path = self._page.site.clock(), self._page.site.folder.journal
        try:
            self._verified = Verified(at, await asyncio.to_thread(verify_apart, path), "")
        except JournalError as error:
            self._verified = Verified(at, 0, error.message)
        outcome = "failed" if self._verified.trouble else "verified"
        self._page.site.journal.record("log", outcome, person=person.name, entries=self._verified.entries)
        return to("/log")

    async def download(self, request: Request, person: Person) -> Response:
        """Return the entries that are looked for, as CSV or JSON lines; the journal says who took them."""
        form, search = request.path_params["form"], _search(request)
        writers = {"csv": (_csv, "text/csv"), "json": (_json, "application/x-ndjson")}
        if form not in writers:
            raise NotFoundError("There is no such page.")
        try:
            person.require(Role.STEWARD)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        self._page.site.journal.record("log", "downloaded", person=person.name, form=form)
        write, media_type = writers[form]
        lines = write(every(self._page.site.journal, search))
        name = f'attachment; filename="consilium-log.{form}"'
        return StreamingResponse(lines, media_type=media_type, headers={"Content-Disposition": name})

    async def _show(self, request: Request, *, trouble: str = "", status: int = 200) -> Response:
        journal, search = self._page.site.journal, _search(request)
        before, after = (_position(request, name) for name in ("before", "after"))
        leaf = await asyncio.to_thread(lambda: page_of(journal, search, before=before, after=after))
        asked = {name: getattr(search, name) for name in _FIELDS if getattr(search, name)}
        about = {
            **{"leaf": leaf, "search": search, "verified": self._verified, "query": urlencode(asked)},
            "choices": await asyncio.to_thread(kinds_in, journal),
        }
        return await self._page.render(request, "log.html", status, **about, trouble=trouble)


def _search(request: Request) -> Search:
    return Search(**{name: request.query_params.get(name, "").strip()[:_MAX_ASKED] for name in _FIELDS})


def _position(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _csv(entries: Iterator[Entry]) -> Iterator[str]:
    yield _row(_COLUMNS)
    for entry in entries:
        values = {**{name: getattr(entry, name) for name in _COLUMNS}, "detail": json.dumps(entry.detail)}
        yield _row([str(values[name]) for name in _COLUMNS])


def _row(values: "tuple[str, ...] | list[str]") -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()


def _json(entries: Iterator[Entry]) -> Iterator[str]:
    for entry in entries:
        yield json.dumps({name: getattr(entry, name) for name in _COLUMNS}, sort_keys=True) + "\n"
