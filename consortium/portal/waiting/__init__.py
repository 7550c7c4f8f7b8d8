"""What waits for a person, most urgent first. Each module knows one thing that can wait, and for which role."""

from collections.abc import Callable, Iterable

from consortium.common.parts import Waiting
from consortium.portal.asker import Asker
from consortium.portal.waiting import consents, deployment, evidence, people, training, votes

Provider = Callable[[Asker], Iterable[Waiting]]
PROVIDERS: tuple[Provider, ...] = (
    votes.open_proposals,
    votes.vetoable,
    votes.applicants,
    consents.withdrawals,
    consents.imports,
    consents.agent,
    consents.data_sets,
    training.runs,
    training.plans,
    training.models,
    evidence.anchors,
    evidence.bundles,
    evidence.releases,
    evidence.first_report,
    evidence.appointment,
    people.invitations,
    deployment.findings_not_well,
)


def waiting_for(asker: Asker) -> list[Waiting]:
    """Everything that waits for the person, most urgent first; of equal urgency what closes or began earlier."""
    found = [thing for provider in PROVIDERS for thing in provider(asker)]
    return sorted(found, key=lambda thing: (thing.urgency, _when(thing)))


def _when(thing: Waiting) -> float:
    moment = thing.due or thing.since
    return moment.timestamp() if moment else float("inf")
