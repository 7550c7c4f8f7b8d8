"""Who comes in: people who may export; everybody else is told why not, and strangers that there is nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from audit.bundles.attempts import EXPORTERS, acting_organization
from consortium.kernel.errors import ForbiddenError, NotFoundError
from consortium.membership.access import require_role

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
    """Let those in who may export for their organization. What they may not see is refused by the view."""

    @refusals_in_words
    @wraps(view)
    def answer(request: HttpRequest, *arguments: Any, **names: Any) -> HttpResponse:
        acting_organization(request)
        require_role(request, *EXPORTERS)
        return view(request, *arguments, **names)

    return answer
