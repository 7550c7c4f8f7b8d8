"""Plans at the site: fetched by digest, and held to the vote, to this program's own code, and to the member's rules."""

import asyncio
from collections.abc import Callable
from functools import lru_cache

from agent.client import PlatformClient
from agent.configuration import Rules
from agent.errors import ContradictionError
from agent.journal import Journal
from agent.training.errors import refused
from agent.training.ledger import Ledger
from agent.training.payloads import CommitAsked
from agent.training.plan_shelf import PlanShelf
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex
from training.federated.errors import BoundBrokenError, PlanInvalidError
from training.federated.plan_document import MAX_PLAN_BYTES, PlanDocument, parse_plan
from training.federated.source_digests import code_digest, runner_digest

ALLOWED, REFUSED = "allowed", "refused"
_PLANS_KEPT = 16


class Plans:
    """The plans that this site was asked for."""

    def __init__(self, journal: Journal, rules: Callable[[], Rules], shelf: PlanShelf | None = None) -> None:
        self._journal = journal
        self._rules = rules
        self._shelf = shelf
        self._known: dict[str, PlanDocument] = {}
        self._approved: set[tuple[str, str, bytes]] = set()

    async def fetch(self, client: PlatformClient, digest: str) -> PlanDocument:
        """Return the plan whose bytes have this digest.

        Raises
        ------
        JobRefusedError
            `digest_differs` for other bytes, `bound_broken` or `plan_not_approved` for a document that no vote
            can have approved.
        """
        if digest not in self._known:
            try:
                data = await client.blob(digest, largest=MAX_PLAN_BYTES)
                plan = await asyncio.to_thread(parse_plan, data)
            except ContradictionError as error:
                raise refused("digest_differs", error.message) from error
            except BoundBrokenError as error:
                raise refused("bound_broken", error.message) from error
            except PlanInvalidError as error:
                raise refused("plan_not_approved", f"These bytes are no plan: {error.message}") from error
            while len(self._known) >= _PLANS_KEPT:
                del self._known[next(iter(self._known))]
            self._known[digest] = plan
        return self._known[digest]

    def require_agreed(self, ledger: Ledger, plan: PlanDocument, asked: CommitAsked) -> None:
        """Refuse a plan that the members did not approve, that runs other code, or that this member does not want.

        Raises
        ------
        JobRefusedError
            With `plan_not_approved`, `digest_differs`, `runner_not_accepted`, `not_consented` or `local_rule`.
        """
        if asked.terms != plan.terms.to_wire() or plan.consortium != ledger.consortium.id:
            raise refused("plan_not_approved", "The terms or the consortium are not those of the plan's document.")
        self._require_approved(ledger, plan, asked)
        if (plan.code_digest, plan.runner_digest) != own_digests():
            raise refused("digest_differs", "The plan names other code or another runner than this site has.")
        if not ledger.is_runner(digest_to_bytes32(plan.runner_digest)):
            raise refused("runner_not_accepted", "The members do not accept the plan's runner, or have retired it.")
        self._require_wanted(plan, asked.plan)

    def decide(self, digest: str, value: str, *, person: str) -> None:
        """Allow or refuse a plan by hand; `AlreadyDecidedError` if it was decided otherwise."""
        digest_to_bytes32(digest)
        self._journal.decide(_key(digest), value, kind="plan", digest=digest, person=person)

    def decision(self, digest: str) -> str | None:
        """Return what was decided by hand."""
        return self._journal.decision(_key(digest))

    def _require_approved(self, ledger: Ledger, plan: PlanDocument, asked: CommitAsked) -> None:
        """An approval and a member's own yes are final, so each is asked for once."""
        key = (ledger.address, asked.plan, asked.decision)
        if key in self._approved:
            return
        if not ledger.is_approved(plan.terms.subject(asked.plan), asked.decision):
            raise refused("plan_not_approved", "The members did not approve exactly this plan with these terms.")
        if ledger.organization not in plan.sites or not ledger.has_consented(asked.decision):
            raise refused("not_consented", "This member has not said yes to training on its own data by this plan.")
        self._approved.add(key)
        if self._shelf is not None:
            self._shelf.keep(plan, decision=to_hex(asked.decision))

    def _require_wanted(self, plan: PlanDocument, digest: str) -> None:
        rules, decided = self._rules(), self.decision(digest)
        broken = [
            text
            for holds, text in (
                (rules.purposes is None or plan.purpose in rules.purposes, "its purpose"),
                (plan.terms.rounds <= rules.max_rounds, "its number of rounds"),
                (decided != REFUSED, "a decision by hand"),
                (not rules.plans_by_hand or decided == ALLOWED, "the plan waits for: consilium-site plans allow"),
            )
            if not holds
        ]
        if broken:
            raise refused("local_rule", f"A rule of this member forbids it: {', '.join(broken)}.")


@lru_cache(maxsize=1)
def own_digests() -> tuple[str, str]:
    """Return the digests of this program's own code and runner."""
    return code_digest(), runner_digest()


def _key(digest: str) -> str:
    return f"plan:{digest}"
