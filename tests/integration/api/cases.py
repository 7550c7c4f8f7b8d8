"""What is asked of the API: requests made of its own description, by everybody who may come."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
import schemathesis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from drf_spectacular.generators import SchemaGenerator
from hypothesis import strategies
from hypothesis.strategies import DataObject, SearchStrategy
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema

from consent.models import Grant
from consortium.kernel.errors import InvalidInputError
from consortium.membership.models import Consortium, User
from tests.factories.everything import ROLES, Everything
from tests.integration.channel.agents import FakeSite
from tests.integration.tenancy.endpoints import PLACES, SAMPLES, Names, addresses, signed
from training.models import Plan

AGENTS, POLL = "/api/v1/agent/", "/api/v1/agent/work"
Case = Any
# What is known to be posted to an operation, by `METHOD /path`.
GOOD = {f"POST {address.described}": SAMPLES[address.name] for address in addresses() if address.name in SAMPLES}
# Requests that stand in no relation to the database are refused early; these reach further.
REFERENCES: Mapping[str, Any] = {
    "consortium": lambda names: names.of(Consortium),
    "grant": lambda names: names.of(Grant),
    "plan": lambda names: names.of(Plan),
    "pseudonym": lambda names: names.pseudonym,
}


@cache
def description() -> dict[str, Any]:
    """The API's description, as `GET /api/v1/schema` gives it."""
    generated = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    found: dict[str, Any] = json.loads(json.dumps(generated))
    return found


@cache
def api() -> BaseSchema:
    loaded = schemathesis.openapi.from_dict(description())
    loaded.app = WSGIHandler()
    return loaded


def labels() -> list[str]:
    """Every operation as `METHOD /path`."""
    return [f"{method.upper()} {path}" for path, item in description()["paths"].items() for method in item]


@dataclass(frozen=True)
class Asker:
    """Who sends a request, by the header that proves it."""

    name: str
    authorization: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.authorization} if self.authorization else {}


def askers(label: str, site: FakeSite) -> list[Asker]:
    """A person of each role, or the hospital's agent; and those whom nobody knows."""
    strangers = [Asker("nobody", ""), Asker("liar", "Bearer not.a.token")]
    if AGENTS in label:
        return [Asker("agent", f"Bearer {site.token}")] * 4 + strangers
    known = [Asker(role, f"Bearer {token_of(f'{role}.only@hospital.example')}") for role in ROLES]
    return [*known, Asker("admin", f"Bearer {token_of('admin@hospital.example')}"), *strangers]


def token_of(email: str) -> str:
    """An access token as the embedded provider signs it; call as a role that sees the person."""
    now = int(time.time())
    person = User.objects.get(email=email)
    claims = {"iss": settings.OIDC_ISSUER, "aud": settings.OIDC_AUDIENCE, "sub": str(person.pk), "iat": now}
    return jwt.encode({**claims, "exp": now + 3_600}, settings.IDP_OIDC_PRIVATE_KEY, algorithm="RS256")


class Cases:
    """Requests for one operation: sound and malformed ones, about the hospital's objects and about none."""

    def __init__(self, label: str, everything: Everything, site: FakeSite) -> None:
        method, path = label.split()
        self.operation: APIOperation[Any, Any, Any, Any] = api()[path][method.lower()]
        self._names, self._site, self._is_a_poll = Names(everything), site, path == POLL
        known = [*self._places(everything), None] if self.operation.path_parameters else [None]
        self._good = GOOD.get(f"{method} {path}", [])
        self._sound = [self._strategy(GenerationMode.POSITIVE, ids) for ids in known]
        self._malformed = [self._strategy(GenerationMode.NEGATIVE, ids) for ids in known if self._can_be_malformed(ids)]

    def draw(self, data: DataObject) -> Case:
        """Draw a request; a sound one often names what exists, and is signed anew then."""
        kinds = strategies.sampled_from([*self._sound * 2, *self._malformed])
        strategy: SearchStrategy[Case] = data.draw(kinds)
        case = data.draw(strategy)
        if strategy in self._sound and isinstance(case.body, dict):
            case.body = data.draw(strategies.sampled_from([self._as_it_is, self._about_what_exists, self._as_known]))(
                case.body
            )
        return case

    def _as_it_is(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(body)

    def _as_known(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body that the walk of the tenants has for this operation, with what else was drawn."""
        bodies = [sample.body(self._names, self._site) for sample in self._good]
        objects = [known for known in bodies if isinstance(known, dict)]
        return objects[0] if objects else self._about_what_exists(body)

    def _about_what_exists(self, body: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: REFERENCES[name](self._names) if name in REFERENCES else value for name, value in body.items()}
        if {"digest", "signature", "format"} <= found.keys():
            content = {name: value for name, value in found.items() if name not in ("digest", "signature")}
            content["organization"] = str(self._site.organization.pk)
            with suppress(InvalidInputError):  # a body of a form that nobody can sign goes as it is
                return signed(self._site, content)
        return found

    def _strategy(self, mode: GenerationMode, ids: dict[str, str] | None) -> SearchStrategy[Case]:
        # A poll that waits is another test's matter.
        query = {"wait": 0} if self._is_a_poll and mode is GenerationMode.POSITIVE else None
        return self.operation.as_strategy(generation_mode=mode, path_parameters=ids, query=query)

    def _can_be_malformed(self, ids: dict[str, str] | None) -> bool:
        places = [self.operation.query, self.operation.headers, self.operation.body]
        return any(self._named(place) or len(place) for place in places) or (
            ids is None and bool(self._named(self.operation.path_parameters))
        )

    def _places(self, everything: Everything) -> list[dict[str, str]]:
        """Ids of what exists: the runs that take orders besides the one that is done."""
        names = self._named(self.operation.path_parameters)
        first = {name: self._place(name, everything) for name in names}
        runs = everything.live_runs if "run" in names else []
        return [first, *({**first, "run": str(run.pk)} for run in runs)]

    def _place(self, name: str, everything: Everything) -> str:
        return everything.world.other_consortium.slug if name == "slug" else PLACES[name](self._names)

    @staticmethod
    def _named(parameters: Any) -> list[str]:
        return [parameter.name for parameter in parameters]
