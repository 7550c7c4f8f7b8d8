"""Invariant 1, over every model and every address: a foreign object cannot be told from none, nor changed.

The walk finds models and addresses by itself. A new one fails here until it has a sample: for a model a row in
tests/factories/everything.py, for an address its ids and bodies in endpoints.py.
"""

import copy
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model as Row
from django.http import HttpResponse
from django.test import Client

from consortium.common.tenancy import act_for
from consortium.membership.models import AuditorAppointment, Consortium
from tests.factories.everything import PSEUDONYM, Everything
from tests.integration.tenancy.conftest import Principals
from tests.integration.tenancy.endpoints import (
    METHODS,
    NO_IDS,
    OWN_ADDRESS,
    QUERIES,
    SAMPLES,
    Address,
    Ghost,
    Names,
    Sample,
    addresses,
)
from tests.integration.tenancy.models import PRIVATE, key_of, markers_of, our_models, state_of

Ask = Callable[[Principals], Callable[[str], Principals]]
State = Callable[[], dict[str, str]]


@pytest.fixture
def state(everything: Everything, become: Any) -> State:
    """Every table as it is, whoever may see it."""

    def read() -> dict[str, str]:
        with become("NONE"):
            return state_of(our_models())

    return read


@pytest.fixture
def hospitals_view(everything: Everything) -> State:
    """Every table as the hospital sees it."""

    def read() -> dict[str, str]:
        with act_for(organization_id=everything.world.hospital.pk):
            return state_of(our_models())

    return read


# Models


def test_every_model_has_a_row_of_the_hospital(everything):
    missing = [model._meta.label for model in our_models() if model not in everything.rows]

    assert missing == [], (
        "Add a row of these models to tests/factories/everything.py, and the model to PRIVATE in "
        "tests/integration/tenancy/models.py unless its consortium's members read it too; or exempt it there."
    )
    assert not PRIVATE - set(our_models()), "PRIVATE names models that are gone."


def test_a_stranger_neither_sees_nor_changes_nor_adds_a_row_of_the_hospital(everything, state):
    before = state()
    with act_for(organization_id=everything.world.outsider.pk):
        for row in everything.rows.values():
            assert not sees(row), f"An outsider sees {row._meta.label}."
            assert changes(row) == [], f"An outsider changes {row._meta.label}."
            assert not adds_a_copy_of(row), f"An outsider adds a {row._meta.label} in the hospital's name."
    assert state() == before


def test_a_partner_sees_what_the_consortium_shares_alone_and_changes_none_of_it(everything, state):
    before = state()
    with act_for(organization_id=everything.world.bank.pk):
        for model, row in everything.rows.items():
            assert sees(row) == (model not in PRIVATE), f"A partner's view of {model._meta.label} is wrong."
            assert changes(row) == [], f"A partner changes {model._meta.label}."
    assert state() == before


@pytest.mark.parametrize("name", ["hospital", "bank", "outsider"])
def test_what_is_an_auditors_own_no_organization_sees_nor_changes_nor_adds(everything, state, name):
    before = state()
    with act_for(organization_id=getattr(everything.world, name).pk):
        for row in everything.persons_own:
            assert (sees(row), changes(row), adds_a_copy_of(row)) == (False, [], False), row._meta.label
    assert state() == before


def test_an_auditor_sees_their_own(everything):
    with act_for(organization_id=None, person_id=everything.get(AuditorAppointment).user_id):
        assert all(sees(row) for row in everything.persons_own)


def test_nobody_sees_anything_without_an_identity(everything):
    with act_for(organization_id=None):
        rows = [*everything.rows.values(), *everything.persons_own]
        assert [row._meta.label for row in rows if sees(row)] == []


def sees(row: Row) -> bool:
    """Whether a row is found by the ORM or by SQL; both are asked, and both must say the same."""
    where, values = _where(row)
    by_orm = _try(lambda: type(row)._default_manager.filter(pk=row.pk).count())
    by_sql = _try(lambda: _execute(f"SELECT FROM {_table(row)} WHERE {where}", values))
    assert by_orm == by_sql, row._meta.label
    return by_orm > 0


def changes(row: Row) -> list[str]:
    """The ways in which the row can be changed."""
    where, values = _where(row)
    plain = next(f for f in row._meta.concrete_fields if not f.primary_key and f not in row._meta.pk_fields)
    same = {plain.attname: getattr(row, plain.attname)}
    column = connection.ops.quote_name(str(plain.column))
    # S608: what these statements are made of are names of our own tables and columns.
    ways = {
        "update": lambda: type(row)._default_manager.filter(pk=row.pk).update(**same),
        "UPDATE": lambda: _execute(f"UPDATE {_table(row)} SET {column} = {column} WHERE {where}", values),  # noqa: S608
        "DELETE": lambda: _execute(f"DELETE FROM {_table(row)} WHERE {where}", values),  # noqa: S608
    }
    return [name for name, way in ways.items() if _try(way)]


def adds_a_copy_of(row: Row) -> bool:
    """Whether the same row can be written under another id."""
    other = copy.copy(row)
    other._state = copy.copy(row._state)
    if isinstance(row.pk, uuid.UUID) and row._meta.pk_fields[0].column == "id":
        other.pk = uuid.uuid4()
    return bool(_try(lambda: _insert(other)))


def _insert(row: Row) -> int:
    row.save(force_insert=True)
    return 1


def _try(act: Callable[[], int]) -> int:
    """Do it and take it back; 0 if the database refuses it."""
    try:
        with transaction.atomic():
            done = act()
            transaction.set_rollback(True)
    except DatabaseError:
        return 0
    return done


def _execute(statement: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _table(row: Row) -> str:
    return connection.ops.quote_name(row._meta.db_table)


def _where(row: Row) -> tuple[str, list[Any]]:
    key = key_of(row)
    return " AND ".join(f"{connection.ops.quote_name(name)} = %s" for name in key), list(key.values())


# Addresses


def test_a_foreign_id_is_answered_as_one_of_nothing_by_every_address_and_method(everything, principals, state):
    stranger, before, implemented = principals("outsider"), state(), set()
    for address in (address for address in addresses() if address.places):
        assert SAMPLES.keys() >= {address.name} or not takes_posts(stranger, address, everything), needs_a_sample(
            address
        )
        for method in METHODS:
            for sample in SAMPLES.get(address.name, [NOTHING]) if method == "post" else [NOTHING]:
                found = ask(stranger, address, method, sample, Names(everything))
                assert found.status_code in (404, 405), told(address, method, found)
                if found.status_code == 404 and not sample.unlike_nothing:
                    nothing = ask(stranger, address, method, sample, Ghost(everything))
                    assert said(found) == said(nothing), told(address, method, found)
                implemented |= {address.name} if found.status_code == 404 else set()
    assert state() == before
    assert implemented == {address.name for address in addresses() if address.places}


def test_an_id_in_a_body_or_a_query_is_held_to_the_same(everything, principals, state, hospitals_view):
    stranger, seen = principals("outsider"), hospitals_view()
    for address in (address for address in addresses() if not address.places):
        assert address.name in SAMPLES or not takes_posts(stranger, address, everything), needs_a_sample(address)
        before = state()
        for sample in SAMPLES.get(address.name, []):
            refused(stranger, address, "post", sample, everything)
            assert sample.status != 404 or state() == before, f"POST {address.route} changed something."
        if address.name in QUERIES:
            refused(stranger, address, "get", NOTHING, everything)
        assert hospitals_view() == seen, f"{address.route} changed what the hospital sees."


def test_a_foreign_id_in_the_body_of_ones_own_address_is_held_to_the_same(everything, principals, hospitals_view):
    stranger, before = principals("outsider"), hospitals_view()
    own = Own(everything)
    by_name = {address.name: address for address in addresses() if address.is_api}
    for name, samples in OWN_ADDRESS.items():
        for sample in samples:
            path = by_name[name].path(own)
            answers = [
                send(stranger, by_name[name], "post", path, sample.body(n, stranger.site)) for n in both(everything)
            ]
            assert [answer.status_code for answer in answers] == [sample.status] * 2, answers[0].content
            assert said(answers[0]) == said(answers[1])
    assert hospitals_view() == before


def test_lists_and_pages_show_strangers_nothing_and_partners_nothing_private(everything, principals):
    rows = everything.rows.values()
    persons = markers_of(everything.persons_own)
    everyones = markers_of(rows) | persons | {PSEUDONYM, "only@hospital.example"}
    private = markers_of(row for model, row in everything.rows.items() if model in PRIVATE) | persons | {PSEUDONYM}
    for name, hidden in (("outsider", everyones), ("bank", private), ("hospital", persons)):
        asking = principals(name)
        for address in addresses():
            answer = ask(asking, address, "get", NOTHING, Names(everything))
            shown = {text for text in hidden if text in body_of(answer)}
            if address.places and answer.status_code == 404:
                shown -= set(address.path(Names(everything)).split("/"))
            assert not shown, f"GET {address.route} shows {name}: {[r._meta.label for r in rows if str(r.pk) in shown]}"


def test_the_hospital_itself_sees_its_rows_at_nearly_every_address(everything, principals):
    own, shown = principals("hospital"), set()
    markers = markers_of(everything.rows.values()) | {PSEUDONYM}
    for address in addresses():
        answer = ask(own, address, "get", NOTHING, Names(everything))
        if answer.status_code == 200 and any(marker in body_of(answer) for marker in markers):
            shown.add(address.name)

    # Else the walk would look for what nobody is ever shown.
    assert {a.name for a in addresses()} - shown <= WITHOUT_MARKERS, "Make its row, or list the address here."


def test_an_address_without_a_sample_fails_with_advice(everything):
    with pytest.raises(AssertionError, match=r"endpoints\.PLACES what stands for <secret>"):
        Address("api/v1/secrets/<uuid:secret>", "secret").path(Names(everything))


def test_every_id_in_a_query_has_a_sample(everything):
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)["paths"]
    named = {
        (path.removeprefix("/"), parameter["name"])
        for path, item in paths.items()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter["schema"].get("format") == "uuid"
    }
    known = {(a.route, name) for a in addresses() if a.name in QUERIES for name in QUERIES[a.name](Names(everything))}
    missing = {(path, name) for path, name in named if name not in NO_IDS} - known
    assert missing == set(), "Say in endpoints.QUERIES which id stands there, or in NO_IDS why it is none."


# A page may repeat the id or digest that it could not find.
SHORTEST_ID = 30
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
NOTHING = Sample(lambda _names, _site: {})
# Answers without an id of the hospital's rows: posts only, files, documents and figures, each tested in its own app.
WITHOUT_MARKERS = {
    *(
        "agent-ballot",
        "agent-veto",
        "agent-beat",
        "agent-checkpoint-signature",
        "agent-consent-batches",
        "agent-consent-epochs",
    ),
    *("agent-consent-erasures", "agent-consent-receipt", "agent-consent-revocations", "agent-data-sets"),
    *("agent-proposals", "agent-refusal", "agent-result", "agent-session", "bundle-content", "consent-purposes"),
    "agent-key-rotations",
    *("model-predictions", "run-cancel", "run-pause", "run-resume", "trust"),
    *("page:bundle_file", "page:bundles", "page:choose_consortium", "page:choose_organization", "page:more"),
    "page:trust_file",
    *("page:report_html", "page:report_json", "page:report_pdf"),
    # `follow` leads on, `search` finds what it is asked for, the others are forms or take posts only.
    *("page:follow", "page:search", "page:run_order", "page:model_scores"),
    "page:gallery",
    *("page:apply", "page:country", "page:deactivate_person", "page:end_appointment", "page:import", "page:invite"),
    *("page:invite_auditor", "page:member_page", "page:reactivate_person", "page:revoke_invitation"),
    *("page:data_set", "page:withdraw_consent", "page:withdrawal"),
}


class Own(Names):
    """The outsider's own consortium in an address."""

    def of(self, model: type[Row]) -> str:
        return str(self._made.world.other_consortium.pk) if model is Consortium else super().of(model)


def both(everything: Everything) -> tuple[Names, Names]:
    return Names(everything), Ghost(everything)


def refused(stranger: Principals, address: Address, method: str, sample: Sample, everything: Everything) -> None:
    found, nothing = (ask(stranger, address, method, sample, names) for names in both(everything))
    assert found.status_code == sample.status, told(address, method, found)
    if not sample.unlike_nothing:
        assert said(found) == said(nothing), address.route


def told(address: Address, method: str, answer: HttpResponse) -> str:
    return f"{method} {address.route}: {answer.status_code} {answer.content[:300]!r}"


def takes_posts(stranger: Principals, address: Address, everything: Everything) -> bool:
    return ask(stranger, address, "post", NOTHING, Ghost(everything)).status_code != 405


def needs_a_sample(address: Address) -> str:
    return f"{address.route} takes a POST: add what a stranger would post to SAMPLES[{address.name!r}] in endpoints.py."


def ask(principals: Principals, address: Address, method: str, sample: Sample, names: Names) -> HttpResponse:
    path = address.path(names)
    if method == "get" and address.name in QUERIES and address.is_api:
        path += "?" + "&".join(f"{name}={value}" for name, value in QUERIES[address.name](names).items())
    return send(principals, address, method, path, sample.body(names, principals.site))


def send(principals: Principals, address: Address, method: str, path: str, body: Any) -> Any:
    client: Client = principals.site.client if address.is_agents else principals.person
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    if address.is_agents:
        headers |= {"Authorization": f"Bearer {principals.site.token}"}
    if method == "get":
        return client.get(path, headers=headers)
    if not address.is_api:
        return getattr(client, method)(path, body if method == "post" else "", headers=headers)
    content_type = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    content = body if isinstance(body, bytes) else json.dumps(body)
    return getattr(client, method)(path, content, content_type=content_type, headers=headers)


def body_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode("latin-1")


def said(answer: Any) -> tuple[int, Any]:
    """Status and text, without the id that each request has for itself, and without what it asked for."""
    if answer["Content-Type"] == "application/problem+json":
        return answer.status_code, {name: value for name, value in answer.json().items() if name != "correlation_id"}
    asked = [part for part in answer.wsgi_request.path.split("/") if len(part) > SHORTEST_ID]
    text = FORM_TOKEN.sub("", body_of(answer))
    for part in asked:
        text = text.replace(part, "")
    return answer.status_code, text
