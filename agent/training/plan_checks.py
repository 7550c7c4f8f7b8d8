"""What this site makes sure of about a plan, said check by check, before and after the members' vote."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from agent.configuration import Rules
from agent.consents.data_set_shelf import DataSetShelf, FoundSet
from agent.data.serving import serves
from agent.training.ledger import Ledger
from agent.training.plan_shelf import PlanShelf
from agent.training.plans import ALLOWED, REFUSED, Plans, own_digests
from agent.wording import gettext as _
from consent.domain.purposes import purpose_label
from consortium.kernel.bands import band_label
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import ConsiliumError, NotFoundError
from consortium.kernel.identifiers import from_hex
from training.federated.plan_document import PlanDocument

LedgerOf = Callable[[uuid.UUID], Awaitable[Ledger]]


class Verdict(StrEnum):
    """What came of a check; an open one is not known yet, or waits for somebody."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"


class Stage(StrEnum):
    """Where a plan stands at this site."""

    VOTED_ON = "voted_on"
    WAITS = "waits"
    READY = "ready"
    REFUSED = "plan_refused"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: for programs, for people, and what came of it."""

    code: str
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """A plan that this site has seen, with every check."""

    digest: str
    plan: PlanDocument
    decision: str
    decided: str | None
    stage: Stage
    checks: tuple[Check, ...]
    data_sets: tuple[FoundSet, ...] = ()
    trouble: str = field(default="")

    @property
    def may_decide(self) -> bool:
        """Whether a steward's yes or no still changes anything."""
        return self.decided is None and self.stage is not Stage.REFUSED


class PlanChecks:
    """Checks the plans of one member's shelf."""

    def __init__(
        self, *, shelf: PlanShelf, plans: Plans, data_sets: Callable[[], DataSetShelf], rules: Callable[[], Rules]
    ) -> None:
        self._shelf = shelf
        self._plans = plans
        self._data_sets = data_sets
        self._rules = rules

    async def all(self, ledger_of: LedgerOf) -> list[CheckedPlan]:
        """Return every plan of the shelf, checked; those that wait for a steward first."""
        asked = _once(ledger_of)
        found = [await self.find(digest, asked) for digest in await asyncio.to_thread(self._shelf.digests)]
        return sorted(found, key=lambda one: one.stage is not Stage.WAITS)

    async def find(self, digest: str, ledger_of: LedgerOf) -> CheckedPlan:
        """Return one plan; `NotFoundError` if this site has not seen it."""
        plan = await asyncio.to_thread(self._shelf.find, digest)
        if plan is None:
            raise NotFoundError("This site has seen no plan of that digest.")
        asked = self._shelf.asked(digest)
        decision = asked.decision if asked else ""
        try:
            ledger, trouble = await ledger_of(plan.consortium), ""
        except ConsiliumError as error:
            ledger, trouble = None, error.message
        return await asyncio.to_thread(self._checked, digest, plan, decision, ledger, trouble)

    def _checked(
        self, digest: str, plan: PlanDocument, decision: str, ledger: Ledger | None, trouble: str
    ) -> CheckedPlan:
        decided = self._plans.decision(digest)
        serving = tuple(one for one in self._data_sets().all() if one.latest and serves(one, plan))
        checks = (
            *_vote_checks(plan, decision, ledger),
            *_code_checks(plan, ledger),
            *self._rule_checks(plan, decided),
            _data_check(serving),
        )
        stage = _stage(checks, decided, waits=self._rules().plans_by_hand)
        return CheckedPlan(digest, plan, decision, decided, stage, checks, serving, trouble)

    def _rule_checks(self, plan: PlanDocument, decided: str | None) -> Iterator[Check]:
        rules = self._rules()
        allowed = rules.purposes is None or plan.purpose in rules.purposes
        yield _check("purpose", allowed, _("Your rules allow the purpose: %s") % purpose_label(plan.purpose))
        text = _("%(rounds)d rounds, of at most %(most)d that your rules allow")
        numbers = {"rounds": plan.terms.rounds, "most": rules.max_rounds}
        yield _check("rounds", plan.terms.rounds <= rules.max_rounds, text % numbers)
        yield from _hand_checks(rules, decided)


def _once(ledger_of: LedgerOf) -> LedgerOf:
    """Ask for each consortium once: a platform that is away is not waited for again with every plan."""
    known: dict[uuid.UUID, Ledger | ConsiliumError] = {}

    async def asked(consortium: uuid.UUID) -> Ledger:
        if consortium not in known:
            try:
                known[consortium] = await ledger_of(consortium)
            except ConsiliumError as error:
                known[consortium] = error
        if isinstance(answer := known[consortium], ConsiliumError):
            raise answer
        return answer

    return asked


def smallest_cohort(plan: PlanDocument, rules: Rules) -> int:
    """Return the fewest subjects with whom this site takes part."""
    return max(plan.terms.minimum_band, rules.minimum_cohort)


def _vote_checks(plan: PlanDocument, decision: str, ledger: Ledger | None) -> Iterator[Check]:
    approved, ours = _("The members approved exactly this plan"), _("This member said yes for its own data")
    if ledger is None or not decision:
        yield Check("approved", Verdict.OPEN, approved)
        yield Check("own_yes", Verdict.OPEN, ours)
        return
    try:
        voted = from_hex(decision, size_bytes=32)
        yield _open_check("approved", ledger.is_approved(plan.subject(), voted), approved)
        yield _open_check("own_yes", ledger.organization in plan.sites and ledger.has_consented(voted), ours)
    except ConsiliumError as error:
        yield Check("approved", Verdict.OPEN, error.message)


def _code_checks(plan: PlanDocument, ledger: Ledger | None) -> Iterator[Check]:
    code, runner = own_digests()
    yield _check("code", plan.code_digest == code, _("The plan's code is the code of this program"))
    yield _check("runner", plan.runner_digest == runner, _("The plan's runner is the runner of this program"))
    if plan.runner_digest == runner:
        yield _acceptance_check(plan, ledger)


def _acceptance_check(plan: PlanDocument, ledger: Ledger | None) -> Check:
    text = _("The members accept the plan's runner")
    if ledger is None:
        return Check("runner_accepted", Verdict.OPEN, text)
    try:
        return _check("runner_accepted", ledger.is_runner(digest_to_bytes32(plan.runner_digest)), text)
    except ConsiliumError as error:
        return Check("runner_accepted", Verdict.OPEN, error.message)


def _hand_checks(rules: Rules, decided: str | None) -> Iterator[Check]:
    if decided == REFUSED:
        yield Check("by_hand", Verdict.FAILS, _("A steward has refused it for good"))
    elif decided == ALLOWED:
        yield Check("by_hand", Verdict.HOLDS, _("A steward has allowed it"))
    elif rules.plans_by_hand:
        yield Check("by_hand", Verdict.OPEN, _("A steward decides by hand; nothing runs before"))
    else:
        yield Check("by_hand", Verdict.HOLDS, _("Your rules let approved plans run at once"))


def _data_check(serving: tuple[FoundSet, ...]) -> Check:
    if not serving:
        return Check("data", Verdict.FAILS, _("No registered data set has its columns, purpose and conditions"))
    first = serving[0]
    return Check("data", Verdict.HOLDS, _("It reads %(name)s, %(band)s rows to others") % _named(first))


def _named(found: FoundSet) -> dict[str, str]:
    return {"name": found.name, "band": band_label(found.band)}


def _check(code: str, holds: bool, text: str) -> Check:
    return Check(code, Verdict.HOLDS if holds else Verdict.FAILS, text)


def _open_check(code: str, holds: bool, text: str) -> Check:
    return Check(code, Verdict.HOLDS if holds else Verdict.OPEN, text)


def _stage(checks: tuple[Check, ...], decided: str | None, *, waits: bool) -> Stage:
    if decided == REFUSED:
        return Stage.REFUSED
    if any(check.verdict is Verdict.FAILS for check in checks):
        return Stage.BLOCKED
    voted = [check for check in checks if check.code in ("approved", "own_yes")]
    if any(check.verdict is Verdict.OPEN for check in voted):
        return Stage.VOTED_ON
    return Stage.WAITS if waits and decided is None else Stage.READY
