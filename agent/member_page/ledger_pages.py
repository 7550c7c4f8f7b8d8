"""The privacy ledger: what training took from this site's records, run by run, and what was opened of it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent.consents.data_set_shelf import FoundSet
from agent.data.serving import serves
from agent.member_page.desk_view import Page
from agent.member_page.plan_pages import learn_plans
from agent.people import Person
from agent.training.run_book import RunRecord, Total, total


class LedgerPages:
    """The ledger, for everybody of the member."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def show(self, request: Request, _person: Person) -> Response:
        """Show every run, with totals by data set and by consortium."""
        training, consents = self._page.site.training, self._page.site.consents
        runs = await learn_plans(self._page, await asyncio.to_thread(training.run_book.all))
        sets = await asyncio.to_thread(consents.data_set_shelf.all)
        names = dict(await self._page.consortia())
        about: dict[str, Any] = {
            "runs": [(run, _data_set(run, sets)) for run in runs],
            "whole": total(runs),
            "by_set": _totals((run, _data_set(run, sets)) for run in runs),
            "by_consortium": _totals((run, names.get(run.consortium, str(run.consortium))) for run in runs),
            "names": names,
        }
        return await self._page.render(request, "privacy.html", **about)


def _data_set(run: RunRecord, sets: list[FoundSet]) -> str:
    """Return the first registered data set that serves the run's plan, as the agent chooses it; empty if unknown."""
    if run.plan is None:
        return ""
    plan = run.plan
    return next((one.name for one in sets if one.latest and not one.trouble and serves(one, plan)), "")


def _totals(named: Iterable[tuple[RunRecord, str]]) -> list[tuple[str, Total]]:
    groups: dict[str, list[RunRecord]] = defaultdict(list)
    for run, name in named:
        groups[name].append(run)
    return [(name, total(found)) for name, found in sorted(groups.items())]
