"""Every act that can be recorded: its name, its log, its subject and the data it carries.

An app with an action of its own declares it in its `AppConfig.ready`; the common ones stand in the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.errors import UnknownActionError
from audit.fields import (
    ADDRESS,
    BAND,
    CODE,
    COUNTRY,
    DIGEST,
    FLAG,
    HASH,
    NUMBER,
    SYMBOL,
    TIME,
    UUID,
    Field,
    optional,
    several,
)
from audit.models.logs import AuditLog

# Subjects that are people: the recorder commits to their ids as it does to a person who acts.
PERSONAL_SUBJECTS = frozenset({"person", "data_subject"})
ORGANIZATION = AuditLog.Kind.ORGANIZATION
CONSORTIUM = AuditLog.Kind.CONSORTIUM


@dataclass(frozen=True)
class Action:
    """A kind of act; `log` says in whose log it lies, None where it may be either's."""

    name: str
    log: AuditLog.Kind | None
    subject: str
    fields: Mapping[str, Field]


_DECLARED: dict[str, Action] = {}


def declare(name: str, log: AuditLog.Kind | None, subject: str, **fields: Field) -> Action:
    """Add an action; a second one of the same name is a mistake in the code."""
    if name in _DECLARED:
        raise ValueError(f"The action {name} is declared twice.")
    _DECLARED[name] = Action(name, log, subject, MappingProxyType(fields))
    return _DECLARED[name]


def action_of(name: str) -> Action:
    """Return an action; `UnknownActionError` if nobody declared it."""
    if name not in _DECLARED:
        raise UnknownActionError(f"There is no action {name!r} in audit/actions.py. Declare it first.")
    return _DECLARED[name]


def actions() -> Mapping[str, Action]:
    """Every declared action by name."""
    return MappingProxyType(_DECLARED)


BLOCK = optional(NUMBER)

# identity: who came in
declare("identity.login", ORGANIZATION, "person", method=CODE)
declare("identity.logout", ORGANIZATION, "person")
declare("identity.pass_phrase.change", ORGANIZATION, "person")
declare("identity.agent_session.open", ORGANIZATION, "organization", site_key=ADDRESS)

# membership: who belongs, with which keys and roles
declare("membership.consortium.found", CONSORTIUM, "consortium", chain_id=NUMBER, members=several(UUID))
# in the applicant's own log: until it is admitted it writes nothing into the consortium's
declare(
    "membership.organization.apply",
    ORGANIZATION,
    "organization",
    profile=DIGEST,
    vote_key=ADDRESS,
    site_key=ADDRESS,
)
declare("membership.organization.admit", CONSORTIUM, "organization", block=BLOCK)
declare("membership.organization.suspend", CONSORTIUM, "organization", block=BLOCK)
declare("membership.organization.reinstate", CONSORTIUM, "organization", block=BLOCK)
declare("membership.organization.remove", CONSORTIUM, "organization", block=BLOCK)
declare("membership.validator.change", CONSORTIUM, "organization", validator=ADDRESS, active=FLAG, block=BLOCK)
declare("membership.key.relay", CONSORTIUM, "organization", purpose=CODE, address=ADDRESS)
declare("membership.key.rotate", CONSORTIUM, "organization", purpose=CODE, address=ADDRESS, block=BLOCK)
declare("membership.policy.change", CONSORTIUM, "consortium", policy=DIGEST, block=BLOCK)
# about an invitation, whose own id stands for a person who has none yet; address and name are personal fields
declare("membership.person.invite", ORGANIZATION, "person")
declare("membership.invitation.accept", ORGANIZATION, "person")
declare("membership.invitation.revoke", ORGANIZATION, "person")
declare("membership.person.suspend", ORGANIZATION, "person")
declare("membership.person.reinstate", ORGANIZATION, "person")
declare("membership.organization.locate", ORGANIZATION, "organization", country=COUNTRY)
declare("membership.role.assign", ORGANIZATION, "person", role=CODE)
declare("membership.role.remove", ORGANIZATION, "person", role=CODE)
declare("membership.auditor.appoint", CONSORTIUM, "person", until=optional(TIME))
declare("membership.auditor.end", CONSORTIUM, "person")

# governance: proposals and ballots; a ballot is public among members, who clicked is not
declare(
    "governance.proposal.open", CONSORTIUM, "proposal", kind=CODE, digest=optional(DIGEST), closes_at=optional(TIME)
)
declare("governance.ballot.relay", CONSORTIUM, "proposal", organization=UUID, choice=CODE)
declare("governance.ballot.confirm", CONSORTIUM, "proposal", organization=UUID, choice=CODE, block=NUMBER)
declare(
    "governance.proposal.close",
    CONSORTIUM,
    "proposal",
    outcome=CODE,
    yes=NUMBER,
    no=NUMBER,
    base=optional(NUMBER),
    block=BLOCK,
)
declare("governance.proposal.execute", CONSORTIUM, "proposal", kind=CODE, block=BLOCK)
declare("governance.proposal.cancel", CONSORTIUM, "proposal", block=BLOCK)
declare("governance.veto.sign", CONSORTIUM, "proposal", organization=UUID)
declare("governance.proposal.veto", CONSORTIUM, "proposal", guardians=several(UUID), block=BLOCK)

# consent: exact counts stay in the organization's own log
declare("consent.batch.import", ORGANIZATION, "batch", digest=DIGEST, accepted=NUMBER, refused=NUMBER)
declare("consent.grant.record", ORGANIZATION, "data_subject", grant=UUID)
declare("consent.withdrawal.record", ORGANIZATION, "data_subject", withdrawal=UUID)
declare("consent.withdrawal.receive", ORGANIZATION, "data_subject", withdrawal=UUID, receipt=DIGEST)
declare(
    "consent.withdrawal.confirm",
    ORGANIZATION,
    "data_subject",
    withdrawal=UUID,
    epoch=NUMBER,
    seq=NUMBER,
    block=NUMBER,
)
declare("consent.subject.erase", ORGANIZATION, "data_subject", runs=several(UUID), models=several(DIGEST))
declare("consent.epoch.anchor", CONSORTIUM, "organization", epoch=NUMBER, seq=NUMBER, root=HASH, band=BAND, block=BLOCK)
declare("consent.revocation.anchor", CONSORTIUM, "organization", epoch=NUMBER, seq=NUMBER, block=BLOCK)
declare("consent.data_set.register", CONSORTIUM, "data_set", schema=DIGEST, band=BAND)

# training: plans, runs, rounds
declare("training.plan.draft", CONSORTIUM, "plan", digest=DIGEST)
declare("training.plan.propose", CONSORTIUM, "plan", digest=DIGEST, proposal=UUID)
declare("training.plan.decide", CONSORTIUM, "plan", digest=DIGEST, outcome=CODE, block=BLOCK)
declare("training.plan.retire", CONSORTIUM, "plan", digest=DIGEST)
declare("training.run.create", CONSORTIUM, "run", plan=DIGEST, backend=CODE)
declare("training.run.change", CONSORTIUM, "run", state=CODE, reason=optional(CODE), block=BLOCK)
declare("training.lease.take", CONSORTIUM, "run", fence=NUMBER)
declare(
    "training.round.open",
    CONSORTIUM,
    "run",
    round=NUMBER,
    attempt=NUMBER,
    weights=DIGEST,
    roster=several(UUID),
    bands=optional(several(BAND)),
    block=BLOCK,
)
declare(
    "training.round.close",
    CONSORTIUM,
    "run",
    round=NUMBER,
    attempt=NUMBER,
    survivors=several(UUID),
    aggregate=DIGEST,
    next_weights=DIGEST,
    block=BLOCK,
)
declare("training.attempt.abandon", CONSORTIUM, "run", round=NUMBER, attempt=NUMBER, reason=CODE)
declare(
    "training.site.refuse",
    CONSORTIUM,
    "run",
    organization=UUID,
    reason=CODE,
    round=optional(NUMBER),
    attempt=optional(NUMBER),
)
declare("training.site.lose", CONSORTIUM, "run", organization=UUID, round=NUMBER, attempt=NUMBER)

# models: from candidate to recall
declare("model.candidate.register", CONSORTIUM, "model", run=UUID, digest=DIGEST, card=DIGEST, block=BLOCK)
declare("model.release.propose", CONSORTIUM, "model", digest=DIGEST, proposal=UUID)
declare("model.release.decide", CONSORTIUM, "model", digest=DIGEST, outcome=CODE, block=BLOCK)
declare("model.recall.decide", CONSORTIUM, "model", digest=DIGEST, outcome=CODE, block=BLOCK)
# another consortium's: accepted by vote, opened and proven on by anybody, since the contract checks
declare("model.peer.decide", CONSORTIUM, "peer", peer=HASH, outcome=CODE, block=BLOCK)
declare("model.peer.open", CONSORTIUM, "peer", peer=HASH, anchor=HASH, block=BLOCK)
declare("model.peer.advance", CONSORTIUM, "peer", peer=HASH, header=HASH, validators=HASH, block=BLOCK)
# a number of the other chain that a record cannot hold is left out
declare(
    "model.foreign.prove",
    CONSORTIUM,
    "foreign_model",
    peer=HASH,
    digest=DIGEST,
    state=CODE,
    card=optional(DIGEST),
    decision=optional(HASH),
    peer_block=optional(NUMBER),
    block=BLOCK,
)
declare("model.prediction.serve", ORGANIZATION, "model", digest=DIGEST, rows=NUMBER)

# the log about itself, and the chain's door
declare("audit.personal.erase", None, "person", fields=NUMBER)
declare("audit.personal.expire", None, "log", before=TIME, fields=NUMBER)
# since and until: the first and the last day that the report speaks of
declare(
    "audit.bundle.export",
    None,
    "bundle",
    digest=DIGEST,
    size=optional(NUMBER),
    report=optional(CODE),
    since=optional(TIME),
    until=optional(TIME),
    model=optional(UUID),
)
declare("contracts.deploy", CONSORTIUM, "consortium", contract=SYMBOL, address=ADDRESS, block=BLOCK)
declare("contracts.transaction.fail", CONSORTIUM, "transaction", contract=SYMBOL, function=SYMBOL, reason=CODE)
declare(
    "contracts.outbox.prune",
    CONSORTIUM,
    "consortium",
    before=TIME,
    transactions=NUMBER,
    bytes=NUMBER,
    last_block=NUMBER,
)
