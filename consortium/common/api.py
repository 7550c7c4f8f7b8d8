"""What every endpoint shares: problems as RFC 9457, cursor pages."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination
from rest_framework.response import Response
from rest_framework.views import set_rollback

from consortium.common.correlation import correlation_id
from consortium.kernel.errors import ConsiliumError

PROBLEM_TYPE = "application/problem+json"


class CursorPagination(pagination.CursorPagination):
    """Pages that stay stable while rows are added: newest first."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-created_at"


def problem(
    *, status: int, code: str, detail: str, retryable: bool = False, errors: Any = None, fields: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """The body of a refusal (RFC 9457): stable `code`, plain `detail`, the id to quote when asking for help."""
    body: dict[str, Any] = {
        "type": f"urn:consilium:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "retryable": retryable,
        "correlation_id": correlation_id(),
    }
    if errors:
        body["errors"] = errors
    if fields:
        body["fields"] = {name: str(value) for name, value in fields.items()}
    return body


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn any refusal into one shape; let real faults through to the server's log."""
    headers: dict[str, str] = {}
    if isinstance(error, ConsiliumError):
        body = problem(
            status=error.http_status,
            code=error.code,
            detail=error.message,
            retryable=error.retryable,
            fields=error.fields,
        )
    elif isinstance(error, Http404):
        body = problem(status=404, code="not_found", detail=_("Nothing of that name is visible to you."))
    elif isinstance(error, PermissionDenied):
        body = problem(status=403, code="forbidden", detail=_("Your role does not allow this."))
    elif isinstance(error, exceptions.ValidationError):
        body = problem(
            status=400, code="invalid_input", detail=_("Some fields are not valid."), errors=error.get_full_details()
        )
    elif isinstance(error, exceptions.APIException):
        code = error.get_codes()
        body = problem(
            status=error.status_code, code=code if isinstance(code, str) else "error", detail=str(error.detail)
        )
        headers = _headers(error)
    else:
        return None
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM_TYPE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """The 404 of the API's unknown paths."""
    body = problem(status=404, code="not_found", detail=_("There is no such address."))
    return JsonResponse(body, status=404, content_type=PROBLEM_TYPE)


def server_error(request: HttpRequest) -> JsonResponse:
    """The 500 of the API: no detail of the fault, but the id that finds it in the log."""
    body = problem(status=500, code="internal", detail=_("Something failed here. Nothing of your request was kept."))
    return JsonResponse(body, status=500, content_type=PROBLEM_TYPE)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if (challenge := getattr(error, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers


def ensure_atomic() -> None:
    """Guard of services that must not run half: they are called inside a transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("This service has to run in a transaction.")
