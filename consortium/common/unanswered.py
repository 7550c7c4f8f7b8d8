"""Requests that no view answered: the API refuses with a problem, as everywhere else; people get a page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from consortium.common.api import PROBLEM_TYPE, problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be read at all, such as a body of too many bytes."""
    if not _is_for_programs(request):
        return render(request, "errors/400.html", status=400)
    return _problem(status=400, code="invalid_input", detail=_("The request cannot be read."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal that was raised outside the API's views."""
    if not _is_for_programs(request):
        return render(request, "errors/403.html", {"reason": str(exception)}, status=403)
    return _problem(status=403, code="forbidden", detail=_("Your role does not allow this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown address."""
    if not _is_for_programs(request):
        return render(request, "errors/404.html", status=404)
    return _problem(status=404, code="not_found", detail=_("There is no such address."))


def failed(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours: no detail of it, but the id that finds it in the log."""
    if not _is_for_programs(request):
        # Without the request: what every page shows is read from a database that may be what failed.
        return HttpResponse(render_to_string("errors/500.html"), status=500)
    return _problem(status=500, code="internal", detail=_("Something failed here. Nothing of your request was kept."))


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _problem(*, status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse(problem(status=status, code=code, detail=detail), status=status, content_type=PROBLEM_TYPE)
