"""What OpenAPI cannot read off the views: how people and agents prove who they are, and the view outside DRF."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from consortium.common.openapi import problem_answer
from consortium.membership.api.authentication import ORGANIZATION_HEADER
from consortium.membership.channel.hub import IDS_PATTERN, LONGEST_WAIT_SECONDS

WORK = "/api/v1/agent/work"


class PersonTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """Access tokens of people."""

    target_class = "consortium.membership.api.authentication.BearerTokenAuthentication"
    name = "personToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "An access token of the OpenID provider that `/.well-known/openid-configuration` describes. "
                f"`{ORGANIZATION_HEADER}` chooses among the organizations in which the person has a role."
            ),
        }


class AgentSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as above
    """Session tokens of agents."""

    target_class = "consortium.membership.api.agent_authentication.AgentAuthentication"
    name = "agentSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of `POST /api/v1/agent/session`, which the site key signs for; ten minutes.",
        }


def describe_work(result: dict[str, Any], **_given: Any) -> dict[str, Any]:
    """Add the long poll, an asynchronous view outside DRF, to the description."""
    if any(path.startswith(WORK) for path in result["paths"]):
        result["paths"][WORK] = {"get": _poll()}
    return result


def _poll() -> dict[str, Any]:
    return {
        "operationId": "agent_work_retrieve",
        "description": "The oldest work that is not in hand; waits for some, and answers 204 where none came.",
        "parameters": [
            _query("wait", {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0}),
            _query(
                "in_hand",
                {"type": "string", "pattern": IDS_PATTERN, "description": "Ids of work, with commas between."},
            ),
        ],
        "tags": ["agent"],
        "security": [{AgentSessionScheme.name: []}],
        "responses": {
            "200": {"description": "Work.", "content": {"application/json": {"schema": _work_item()}}},
            "204": {"description": "There is nothing to do."},
        }
        | {str(status): problem_answer(status) for status in (400, 401)},
    }


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema}


def _work_item() -> dict[str, Any]:
    identifier = {"type": "string", "format": "uuid"}
    properties = {
        "id": identifier,
        "kind": {"type": "string"},
        "consortium": identifier,
        "fence": {"type": "integer", "minimum": 0},
        "deadline": {"type": "string", "format": "date-time"},
        "payload": {"type": "object", "additionalProperties": {}},
    }
    return {"type": "object", "properties": properties, "required": sorted(properties)}
