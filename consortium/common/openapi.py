"""How the API describes itself (OpenAPI 3.1): what all operations share is said here, once."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from consortium.common.api import PROBLEM_TYPE
from consortium.common.idempotency import HEADER, KEY_PATTERN

KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    required=True,
    description="New for each act, the same for its repetition: the same request with the same key acts once.",
)
_MEANINGS = {
    400: "The input breaks a stated rule, or is not readable at all.",
    401: "Nobody is known by what came as authentication.",
    403: "The role does not allow it, or the form token is missing.",
    404: "Nothing of that name is visible to you, whether or not it exists.",
    406: "No answer of the asked media type is given.",
    409: "The act does not fit the present state.",
    410: "It was called off, or its time ran out.",
    415: "A body of this media type is not read.",
    422: "The Idempotency-Key was used for another request.",
    502: "The chain's node gave an answer that cannot be used.",
    503: "A service that is needed does not answer; nothing was changed, try again.",
    504: "The chain's node did not answer in time.",
    507: "The platform's store does not hold it.",
}


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457): branch on `code`, show `detail`, quote `correlation_id` when asking for help."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    retryable = serializers.BooleanField()
    correlation_id = serializers.UUIDField()
    # As DRF nests them: by field, then by place in a list. DRF's own `errors` of a form is another thing.
    errors = serializers.JSONField(required=False)  # type: ignore[assignment] # see above
    fields = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment] # as above


class ApiSchema(AutoSchema):
    """Adds what the house holds every operation to: refusals as problems, and for a POST a key.

    A view whose POST may come twice without harm says so by `takes_key = False`, and docs/wire.md says why.
    """

    @property
    def takes_key(self) -> bool:
        return self.method == "POST" and getattr(self.view, "takes_key", True)

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *([KEY] if self.takes_key else [])]

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            operation["responses"] |= self._problems(operation)
        return operation

    def _problems(self, operation: dict[str, Any]) -> dict[str, Any]:
        """The usual refusals of an operation, and those that it names itself, each with its meaning."""
        self.resolve_serializer(ProblemSerializer(), "response")
        answers = operation["responses"].items()
        named = {int(status) for status, answer in answers if PROBLEM_TYPE in answer.get("content", {})}
        return {str(status): problem_answer(status) for status in sorted(named | self._usual(operation))}

    def _usual(self, operation: dict[str, Any]) -> set[int]:
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        usual = {406}
        if self.view.get_authenticators():
            usual |= {401, 403}
        # The objects that a post names stand in its body as often as in its address.
        usual |= {404} if "path" in places or self.takes_key else set()
        usual |= {400} if "query" in places or self.method == "POST" else set()
        usual |= {415} if "requestBody" in operation else set()
        return usual | ({409, 422} if self.takes_key else set())


def problem_answer(status: int) -> dict[str, Any]:
    """Describe a refusal with this status."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _MEANINGS[status], "content": {PROBLEM_TYPE: {"schema": schema}}}


def problems(*statuses: int) -> dict[tuple[int, str], type[ProblemSerializer]]:
    """Name refusals beyond the usual ones, for `extend_schema(responses=...)`."""
    return {(status, PROBLEM_TYPE): ProblemSerializer for status in statuses}


def results_of(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Describe a whole list in one answer, as agents get it."""
    name = item.__name__.removesuffix("Serializer")
    return inline_serializer(f"{name}Results", {"results": item(many=True)})


def answer_with(name: str, **fields: serializers.Field[Any, Any, Any, Any]) -> serializers.Serializer[Any]:
    """Describe a small answer by its fields."""
    return inline_serializer(name, dict(fields))
