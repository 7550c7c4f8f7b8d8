"""Every address of the deployment, and what a stranger asks of it."""

import re
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db.models import Model as Row
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import AuditLog, AuditRecord, Bundle, Checkpoint
from consent.domain.documents import BATCH_FORMAT, ERASURE_FORMAT, RECEIPT_FORMAT, document_message
from consent.models import ConsentBatch, DataSet, Grant, Withdrawal
from consortium.common.models import Blob
from consortium.governance.models import Proposal
from consortium.kernel.digests import digest_of
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain, typed_hash
from consortium.kernel.identifiers import to_hex
from consortium.kernel.secp256k1 import sign_digest
from consortium.membership.models import AuditorAppointment, Consortium, Invitation, Organization, User, WorkItem
from tests.factories.everything import PSEUDONYM, Everything
from tests.integration.channel.agents import FakeSite
from tests.unit.training.plans import plan_document
from training.models import ForeignModel, Model, Plan, Run

METHODS = ("get", "post", "put", "patch", "delete")
AGENTS = "api/v1/agent/"
SIGNATURE = "0x" + "11" * 65
WORD = "0x" + "22" * 32
NOW = 1_795_000_000
FORM = "a form holds a token of its own against forgery"

# Addresses that nothing is asked of, each with the reason. A prefix ends with a slash.
EXEMPT = {
    "accounts/login/": "for people whom nobody knows yet; tests/integration/membership/test_login.py",
    "accounts/logout/": "ends one's own session and takes no id",
    "invitation/": "for people whom nobody knows yet; tests/integration/membership/test_invitations.py",
    "identity/": "allauth's token provider: speaks of its clients and of who is logged in",
    ".well-known/": "what the token provider publishes of itself",
    "healthz": "says that the process lives, to everybody",
    "readyz": "says which services answer, to everybody",
    "readyz/web": "says which of them a page needs, to everybody",
    "api/v1/schema": "the API's description, the same for everybody",
    "api/v1/consortia/<slug:slug>/applications": "whoever knows a consortium's public short name may apply to it",
}


class Names:
    """The hospital's ids; or, as `Ghost`, ids of nothing at all, which must be answered alike."""

    def __init__(self, made: Everything) -> None:
        self._made = made

    def of(self, model: type[Row]) -> str:
        return str(self._made.get(model).pk)

    @property
    def digest(self) -> str:
        return str(self._made.get(Blob).digest)

    @property
    def pseudonym(self) -> str:
        return PSEUDONYM

    @property
    def correlation(self) -> str:
        return str(self._made.get(AuditRecord).correlation_id)


class Ghost(Names):
    def of(self, model: type[Row]) -> str:
        return str(uuid.uuid4())

    @property
    def digest(self) -> str:
        return f"sha256:{secrets.token_hex(32)}"

    @property
    def pseudonym(self) -> str:
        return secrets.token_hex(32)

    @property
    def correlation(self) -> str:
        return str(uuid.uuid4())


# What stands for each name in an address.
PLACES: Mapping[str, Callable[[Names], str]] = {
    "appointment": lambda names: names.of(AuditorAppointment),
    "batch": lambda names: names.of(ConsentBatch),
    "bundle": lambda names: names.of(Bundle),
    "checkpoint": lambda names: names.of(Checkpoint),
    "act": lambda names: "release",
    "consortium": lambda names: names.of(Consortium),
    "correlation": lambda names: names.correlation,
    "data_set": lambda names: names.of(DataSet),
    "digest": lambda names: names.digest,
    "foreign_model": lambda names: names.of(ForeignModel),
    "invitation": lambda names: names.of(Invitation),
    "item": lambda names: names.of(WorkItem),
    "model": lambda names: names.of(Model),
    "order": lambda names: "cancel",
    "organization": lambda names: names.of(Organization),
    "person": lambda names: names.of(User),
    "plan": lambda names: names.of(Plan),
    "proposal": lambda names: names.of(Proposal),
    "record": lambda names: names.of(AuditRecord),
    "run": lambda names: names.of(Run),
    "withdrawal": lambda names: names.of(Withdrawal),
}
# Ids in the query of a GET, by the name of the address.
QUERIES: Mapping[str, Callable[[Names], dict[str, str]]] = {
    "agent-checkpoints": lambda names: {"log": names.of(AuditLog)},
}
# What else in a query has an id's form, and is none.
NO_IDS = {"correlation_id": "any text of that form narrows the records that one sees"}


def signed(site: FakeSite, document: dict[str, Any]) -> dict[str, Any]:
    """A document of the stranger's own organization, with its own site's signature: nothing is wrong but the id."""
    whole = {"organization": str(site.organization.pk), "signed_at": NOW, **document}
    message = typed_hash(Domain(AGENT_DOMAIN, settings.CHAIN_ID), "AgentRequest", document_message(whole))
    raw = sign_digest(message, site.key)
    return {**whole, "digest": digest_of(whole), "signature": to_hex(raw)}


def rotation(names: Names, **changes: Any) -> dict[str, Any]:
    base = {"consortium": names.of(Consortium), "purpose": 2, "new_key": "0x" + "12" * 20}
    return base | {"nonce": 0, "deadline": NOW, "signature": SIGNATURE} | changes


def _batch(names: Names, site: FakeSite) -> dict[str, Any]:
    entries = [{"line": 1, "resource": {"resourceType": "Consent"}}]
    content = {"sequence": 1, "refused": 0, "entries": entries}
    return signed(site, {"format": BATCH_FORMAT, "consortium": names.of(Consortium), **content})


def _receipt(names: Names, site: FakeSite) -> dict[str, Any]:
    content = {"pseudonym": names.pseudonym, "consents": [], "reason": "other"}
    return signed(site, {"format": RECEIPT_FORMAT, "withdrawal": names.of(Withdrawal), **content})


def _erasure(names: Names, site: FakeSite) -> dict[str, Any]:
    return signed(site, {"format": ERASURE_FORMAT, "pseudonym": names.pseudonym, "runs": [names.of(Run)]})


def data_set(names: Names, site: FakeSite) -> dict[str, Any]:
    columns = {"columns": [{"name": "sex", "kind": "binary"}]}
    terms = {"purposes": ["DUO:0000006"], "conditions": [], "band": 10}
    content = {"format": "consilium-data-set/1", "name": "stays", "schema": columns, **terms}
    return signed(site, {**content, "consortium": names.of(Consortium)})


def _anchor(names: Names, **content: Any) -> dict[str, Any]:
    shared = {"consortium": names.of(Consortium), "epoch": 1, "seq": 1, "signature": SIGNATURE}
    return {**shared, "withdrawals": [names.of(Withdrawal)], **content}


def proposal(names: Names, contract: str, **content: Any) -> dict[str, Any]:
    shared = {"consortium": names.of(Consortium), "contract": contract, "kind": 1, "nonce": 1, "deadline": NOW}
    return {**shared, "signature": SIGNATURE, **content}


def _plan(names: Names) -> dict[str, Any]:
    return {"document": plan_document(consortium=names.of(Consortium))}


@dataclass(frozen=True)
class Sample:
    """A body that names an object; `status` differs from 404 only with a reason."""

    body: Callable[[Names, FakeSite], Any]
    status: int = 404
    reason: str = ""
    # Why an id of nothing is answered otherwise than a foreign one.
    unlike_nothing: str = ""


# What is posted to each address, by its name. Nothing is wrong with it but whose objects it names.
SAMPLES: Mapping[str, list[Sample]] = {
    "agent-ballot": [Sample(lambda n, s: {"choice": "yes", "voter": s.address, "signature": SIGNATURE})],
    "agent-beat": [Sample(lambda n, s: {})],
    "agent-checkpoint-signature": [Sample(lambda n, s: {"signature": SIGNATURE})],
    "agent-consent-batches": [Sample(_batch)],
    "agent-consent-epochs": [Sample(lambda n, s: _anchor(n, root=WORD, band=10, as_of=NOW))],
    "agent-consent-erasures": [
        Sample(_erasure, 200, "one may erase a pseudonym of which one holds nothing; other organizations' rows stay")
    ],
    "agent-consent-receipt": [
        Sample(_receipt, unlike_nothing="a receipt of an id that nobody has tells of a withdrawal made at the site")
    ],
    "agent-consent-revocations": [Sample(lambda n, s: _anchor(n, subjects=[WORD]))],
    "agent-data-sets": [Sample(data_set)],
    "agent-key-rotations": [Sample(lambda n, s: rotation(n))],
    "agent-proposals": [
        Sample(lambda n, s: proposal(n, "ConsortiumGovernor")),
        Sample(lambda n, s: proposal(n, "DecisionBoard", subject=WORD, policy=WORD)),
    ],
    "agent-refusal": [Sample(lambda n, s: {"code": "no", "message": "no"})],
    "agent-result": [Sample(lambda n, s: {"pong": True}), Sample(lambda n, s: b"\x01\x02")],
    "agent-session": [
        Sample(
            lambda n, s: s.session_request(organization=n.of(Organization)),
            401,
            "whoever cannot sign for an organization is told the same, whether it exists or not",
        )
    ],
    "agent-veto": [Sample(lambda n, s: {"reason": "Not in this form", "signature": SIGNATURE})],
    "page:model_scores": [Sample(lambda n, s: {"x.sex": "1"})],
    "page:plan_new": [Sample(lambda n, s: {"from": n.of(Plan), "do": "save"})],
    "page:run_new": [Sample(lambda n, s: {"backend": "memory"})],
    "page:run_order": [Sample(lambda n, s: {"reason": "no longer needed"})],
    "page:apply": [
        Sample(lambda n, s: {}, 200, "names no row but a consortium's public short name; nothing is sent", FORM)
    ],
    "page:country": [Sample(lambda n, s: {"country": "DE"}, 302, "sets one's own organization's; names no row")],
    "page:deactivate_person": [Sample(lambda n, s: {})],
    "page:end_appointment": [Sample(lambda n, s: {})],
    "page:invite": [Sample(lambda n, s: {}, 200, "invites to one's own organization; names no row", FORM)],
    "page:invite_auditor": [Sample(lambda n, s: {}, 200, "invites to the chosen consortium; names no row", FORM)],
    "page:member_page": [Sample(lambda n, s: {}, 302, "keeps one's own address; names no row")],
    "page:person": [Sample(lambda n, s: {"roles": ["admin"]})],
    "page:reactivate_person": [Sample(lambda n, s: {})],
    "page:revoke_invitation": [Sample(lambda n, s: {})],
    "page:withdraw_consent": [
        Sample(
            lambda n, s: {"pseudonym": n.pseudonym, "reason": "other", "confirmed": "yes"},
            200,
            "the form again, saying that one's own organization has no such subject",
            FORM,
        )
    ],
    "page:choose_consortium": [
        Sample(lambda n, s: {"consortium": n.of(Consortium)}, 302, "an unknown choice changes nothing")
    ],
    "page:reports": [
        Sample(lambda n, s: {"consortium": n.of(Consortium), "report": "audit_controls"}),
        Sample(lambda n, s: {"consortium": n.of(Consortium), "report": "ai_act_annex_iv", "model": n.of(Model)}),
        Sample(lambda n, s: {"consortium": n.of(Consortium), "report": "audit_controls", "until": "2999-01-01"}),
    ],
    "page:choose_organization": [
        Sample(lambda n, s: {"organization": n.of(Organization)}, 302, "an unknown choice changes nothing")
    ],
    "consent-withdrawals": [
        Sample(lambda n, s: {"grant": n.of(Grant), "reason": "other"}),
        Sample(lambda n, s: {"pseudonym": n.pseudonym, "reason": "other"}),
    ],
    "consortium-bundles": [
        Sample(lambda n, s: {}),
        Sample(lambda n, s: {"report": "ai_act_annex_iv", "model": n.of(Model), "from": "2026-01-01"}),
    ],
    "model-predictions": [Sample(lambda n, s: {"rows": [{"procedure": "none", "sex": 1, "age": 65.0}]})],
    "plans": [Sample(lambda n, s: _plan(n))],
    "run-cancel": [Sample(lambda n, s: {})],
    "run-pause": [Sample(lambda n, s: {})],
    "run-resume": [Sample(lambda n, s: {})],
    "runs": [Sample(lambda n, s: {"plan": n.of(Plan)})],
}
# As the second id of a request whose address is the stranger's own.
OWN_ADDRESS: Mapping[str, list[Sample]] = {
    "runs": SAMPLES["runs"],
    "consortium-bundles": [Sample(lambda n, s: {"report": "ai_act_annex_iv", "model": n.of(Model)})],
    "plans": [Sample(lambda n, s: _plan(n), 400, "the document names another consortium than the address does")],
}


@dataclass(frozen=True)
class Address:
    """One URL pattern; `route` as Django writes it, `name` with `page:` before it where no program asks."""

    route: str
    name: str

    @property
    def places(self) -> list[str]:
        return re.findall(r"<\w+:(\w+)>", self.route)

    @property
    def described(self) -> str:
        """The path as the API's description writes it."""
        return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", self.route)

    @property
    def is_agents(self) -> bool:
        return self.route.startswith(AGENTS)

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")

    def path(self, names: Names) -> str:
        for place in self.places:
            assert place in PLACES, f"{self.route}: say in endpoints.PLACES what stands for <{place}>."
        return "/" + re.sub(r"<\w+:(\w+)>", lambda found: PLACES[found[1]](names), self.route)


def addresses() -> list[Address]:
    """Every address but the exempt ones."""
    found = sorted(_walk(get_resolver().url_patterns, ""), key=lambda address: address.route)
    unused = [name for name in EXEMPT if not any(_is(address, name) for address in found)]
    assert unused == [], f"Take out of endpoints.EXEMPT what is no address any more: {unused}"
    return [address for address in found if not any(_is(address, name) for name in EXEMPT)]


def _is(address: Address, name: str) -> bool:
    return address.route == name or (name.endswith("/") and address.route.startswith(name))


def _walk(patterns: list[Any], prefix: str) -> Iterator[Address]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(cast("list[Any]", pattern.url_patterns), route)
        elif isinstance(pattern, URLPattern):
            yield Address(route, (pattern.name or "") if route.startswith("api/") else f"page:{pattern.name}")
