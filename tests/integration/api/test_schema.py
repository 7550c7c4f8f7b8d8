"""The API describes itself: without a warning, and with what every operation is held to."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from consortium.embedded.layout import project_root

Operation = dict[str, Any]
PREFIX = "/api/v1/agent/"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Written as the command writes it; a warning, or a breach of OpenAPI's own schema, fails here."""
    path = tmp_path_factory.mktemp("schema") / "openapi.json"
    call_command("spectacular", file=str(path), format="openapi-json", validate=True, fail_on_warn=True)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def without_a_key() -> tuple[str, ...]:
    """What docs/wire.md exempts from the key."""
    text = (project_root() / "docs" / "wire.md").read_text()
    sentence = re.search(r"Every POST but (.+?) carries an `Idempotency-Key`", text)
    assert sentence is not None
    return tuple(PREFIX + name for name in re.findall(r"`([a-z/]+)`", sentence[1]))


def test_components_have_names_that_tell_them_apart(schema):
    names = schema["components"]["schemas"]

    assert not [name for name in names if re.match(r"(Input|Output|State[0-9A-F])", name)]
    assert {"SignedBallotRequest", "SignedEpochRequest", "Session", "Problem"} <= set(names)


def test_every_post_declares_the_key_but_those_that_the_wire_exempts(schema):
    exempt = without_a_key()
    for method, path, operation in operations(schema):
        declared = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key" and p["required"]]
        is_exempt = any(path == name or (name.endswith("/") and path.startswith(name)) for name in exempt)
        assert len(declared) == (method == "post" and not is_exempt), f"{method} {path}"


def test_every_operation_names_who_may_ask_or_says_that_anybody_may(schema):
    open_to_all = []
    for method, path, operation in operations(schema):
        named = {name for requirement in operation["security"] for name in requirement}
        if not named:
            assert operation["security"] == [{}]
            open_to_all.append(f"{method} {path}")
            continue
        expected = {"agentSession"} if path.startswith(PREFIX) else {"personToken", "cookieAuth"}
        assert named == expected, f"{method} {path}"

    assert open_to_all == ["post /api/v1/agent/session"]
    assert set(schema["components"]["securitySchemes"]) == {"agentSession", "personToken", "cookieAuth"}


def test_every_refusal_is_a_problem(schema):
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for method, path, operation in operations(schema):
        refusals = {code: answer for code, answer in operation["responses"].items() if code >= "400"}
        assert "401" in refusals, f"{method} {path}"
        assert "404" in refusals or "{" not in path, f"{method} {path}"
        assert all(answer["content"] == problem for answer in refusals.values()), f"{method} {path}"


def test_lists_come_in_pages_behind_a_cursor(schema):
    lists = {path: item["get"] for path, item in schema["paths"].items() if path.endswith("/runs")}

    (operation,) = lists.values()
    assert {"cursor", "page_size"} <= {parameter["name"] for parameter in operation["parameters"]}
    page = schema["components"]["schemas"]["PaginatedRunList"]
    assert page["required"] == ["next", "previous", "results"]
    assert page["properties"]["next"]["type"] == ["string", "null"]


def test_the_long_poll_is_described_although_it_is_no_view_of_the_framework(schema):
    poll = schema["paths"]["/api/v1/agent/work"]["get"]

    assert set(poll["responses"]) == {"200", "204", "400", "401"}
