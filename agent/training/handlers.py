"""The doors of a round: parse the payload, fetch what is named by digest, and call one part of the office."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps

from agent.clock import now
from agent.errors import ContradictionError
from agent.jobs import Handler, Job, Result, handles
from agent.site import Site
from agent.training import authorship
from agent.training.errors import NotYetError, refused
from agent.training.ledger import Ledger
from agent.training.office import TrainingOffice
from agent.training.patience import LOOK_SECONDS, patiently
from agent.training.payloads import CommitAsked, RevealAsked, SharesAsked, SignAsked, TrainAsked, VerifyAsked
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.errors import InvalidInputError
from contracts.errors import ChainUnavailableError
from training.federated.errors import WireFormatError
from training.federated.secagg.masked_vector import MaskedVector

# The canonical header before a masked vector's words.
HEADER_ROOM = 512
# A node that is started again answers within seconds; one that stays away is named, and nobody waits for the site.
OUTAGE_SECONDS = 10.0
Step = Callable[[Job, TrainingOffice, Ledger], Awaitable[Result]]


def _step(act: Step) -> Handler:
    """Give a step the office and the checked ledger, and its refusals their words."""

    @wraps(act)
    async def handler(job: Job, site: Site) -> Result:
        office = site.training
        try:
            return await act(job, office, await office.ledger(job.client, job.consortium))
        except WireFormatError as error:
            raise refused("malformed_payload", error.message) from error

    return handler


def _step_of_open_attempt(act: Step) -> Handler:
    """Besides, wait a while for the site's node: if sites give up here, what others have released is lost with it."""
    step = _step(act)

    @wraps(act)
    async def handler(job: Job, site: Site) -> Result:
        until = time.monotonic() + OUTAGE_SECONDS
        while True:
            try:
                return await step(job, site)
            except ChainUnavailableError:
                if time.monotonic() >= until or await asyncio.to_thread(job.canceled.wait, LOOK_SECONDS):
                    raise

    return handler


@handles("commit")
@_step
async def commit(job: Job, office: TrainingOffice, ledger: Ledger) -> Result:
    """Take part in an attempt."""
    asked = CommitAsked.read(job.payload)
    plan = await office.plans.fetch(job.client, asked.plan)
    return await asyncio.to_thread(office.committing.commit, ledger, plan, asked, job.canceled)


@handles("shares")
@_step_of_open_attempt
async def shares(job: Job, office: TrainingOffice, ledger: Ledger) -> Result:
    """Deal this attempt's secrets to the opened roster."""
    asked = SharesAsked.read(job.payload)
    attempt = office.attempts.require(ledger, asked.place)
    return await asyncio.to_thread(office.aggregating.deal, attempt, asked, job.canceled)


@handles("train")
@_step_of_open_attempt
async def train(job: Job, office: TrainingOffice, ledger: Ledger) -> Result:
    """Train, and hand over the masked vector."""
    asked = TrainAsked.read(job.payload)
    attempt = office.attempts.require(ledger, asked.place)
    if asked.weights != attempt.weights:
        raise refused("weights_differ", "These are not the weights that this site committed to.")
    weights = await office.shelf.weights(job.client, asked.weights)
    seconds = (job.deadline - now()).total_seconds()
    run = partial(office.aggregating.train, attempt, asked, weights, seconds=seconds, canceled=job.canceled)
    return await asyncio.to_thread(run)


@handles("sign")
@_step_of_open_attempt
async def sign(job: Job, office: TrainingOffice, ledger: Ledger) -> Result:
    """Sign the survivor set."""
    asked = SignAsked.read(job.payload)
    return await asyncio.to_thread(office.aggregating.sign, office.attempts.require(ledger, asked.place), asked)


@handles("reveal")
@_step_of_open_attempt
async def reveal(job: Job, office: TrainingOffice, ledger: Ledger) -> Result:
    """Release shares."""
    asked = RevealAsked.read(job.payload)
    return await asyncio.to_thread(office.aggregating.reveal, office.attempts.require(ledger, asked.place), asked)


@handles("verify")
@_step_of_open_attempt
async def verify(job: Job, office: TrainingOffice, ledger: Ledger) -> Result:
    """Recompute the round and sign its result; then this attempt's secrets have no use any more."""
    asked = VerifyAsked.read(job.payload)
    run = await asyncio.to_thread(ledger.run_of, asked.place.run)
    if run.status == 0:
        raise NotYetError("This site's node does not know the run.")
    plan_digest = bytes32_to_digest(run.plan)
    plan = await office.plans.fetch(job.client, plan_digest)
    weights = await office.shelf.weights(job.client, asked.weights)
    known = office.attempts.find(ledger, asked.place)
    own = {} if known is None or known.masked is None else {ledger.organization: known.masked}
    largest = 8 * plan.training_plan.layout().size + HEADER_ROOM
    vectors = await _fetch(job, asked.vectors, own=own, largest=largest)
    check = partial(office.verifying.verify, ledger, plan, plan_digest, asked, canceled=job.canceled)
    first_block = None if known is None else known.first_block
    answer = await asyncio.to_thread(partial(check, weights=weights, vectors=vectors, first_block=first_block))
    office.attempts.end(ledger, asked.place)
    return answer


@handles("register")
@_step
async def register(job: Job, _office: TrainingOffice, ledger: Ledger) -> Result:
    """Sign the registration of this member's candidate model."""
    look = partial(authorship.register_candidate, ledger, job.payload)
    return await asyncio.to_thread(patiently, look, job.canceled)


@handles("cancel", touches_data=False)
@_step
async def cancel(job: Job, _office: TrainingOffice, ledger: Ledger) -> Result:
    """Sign the end of a run of this member's plan."""
    return await asyncio.to_thread(authorship.cancel_run, ledger, job.payload)


async def _fetch(
    job: Job, vectors: Mapping[uuid.UUID, str], *, own: Mapping[uuid.UUID, MaskedVector], largest: int
) -> dict[uuid.UUID, bytes]:
    """Return the masked vectors by the digests that the survivors signed, or that are then found to differ.

    The bytes that this site sent itself, it has: they are taken only under their own digest.
    """
    found = {
        member: own[member].data
        for member, digest in vectors.items()
        if member in own and bytes32_to_digest(own[member].digest()) == digest
    }
    missing = {member: digest for member, digest in vectors.items() if member not in found}
    try:
        blobs = await asyncio.gather(*(job.client.blob(digest, largest=largest) for digest in missing.values()))
    except (ContradictionError, InvalidInputError) as error:
        raise refused("digest_differs", error.message) from error
    return found | dict(zip(missing, blobs, strict=True))
