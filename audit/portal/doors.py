"""Who comes in: people who may export; everybody else is told why not, and strangers that there is nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from audit.bundles.exporters import require_some_export
from consortium.kernel.errors import ForbiddenError, NotFoundError

View = Callable[..., HttpResponse]


def refusals_in_words(view: View) -> View:
    """Answer as the API does: 404 for what is not visible, 403 for a role, with the reason on a page."""

    @login_required
    @wraps(view)
    def answer(request: HttpRequest, *arguments: Any, **names: Any) -> HttpResponse:
        try:
            return view(request, *arguments, **names)
        except NotFoundError as error:
            raise Http404 from error
        except ForbiddenError as error:
            return render(request, "audit/not_for_you.html", {"message": error.message}, status=403)

    return answer


def for_exporters(view: View) -> View:
    """Let those in who may export for their organization, and auditors. What they may not see the view refuses."""

    @refusals_in_words
    @wraps(view)
    def answer(request: HttpRequest, *arguments: Any, **names: Any) -> HttpResponse:
        require_some_export(request)
        return view(request, *arguments, **names)

    return answer
