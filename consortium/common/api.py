"""What every endpoint shares: problems as RFC 9457, cursor pages."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from consortium.common.correlation import correlation_id
from consortium.kernel.errors import ConsiliumError

PROBLEM_TYPE = "application/problem+json"


class CursorPagination(pagination.CursorPagination):
    """Pages that stay stable while rows are added: newest first. Refuses what is no size or no cursor of ours."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-created_at"

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not re.fullmatch("[1-9][0-9]{0,2}", given) or int(given) > self.max_page_size:
            message = _("A page holds 1 to %(most)s rows.") % {"most": self.max_page_size}
            raise exceptions.ValidationError({self.page_size_query_param: [message]})
        return int(given)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        # A cursor is text that anybody can write: its position may be no value of the column that orders the rows.
        except (exceptions.NotFound, ValidationError, ValueError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            message = _("This is no cursor of ours. Take `next` or `previous` of a page.")
            raise exceptions.ValidationError({self.cursor_query_param: [message]}) from error

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": address, "previous": address, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}


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
    if body["status"] == 401 and "WWW-Authenticate" not in headers:
        challenge = context["view"].get_authenticate_header(context["request"])
        headers |= {"WWW-Authenticate": challenge} if challenge else {}
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM_TYPE)


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
