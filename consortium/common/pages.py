"""What views of pages share: refusals as pages, a limit on how often a door is tried, choices of a filter bar."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from consortium.common.parts import Words
from consortium.kernel.errors import ForbiddenError, NotFoundError

View = Callable[..., HttpResponse]


def refuses_as_page(view: View) -> View:
    """Answer as the API does: 404 for what is not visible, 403 for a role; other refusals are the view's own."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotFoundError as error:
            raise Http404 from error
        except ForbiddenError as error:
            raise PermissionDenied(error.message) from error

    return answer


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, also if it is nothing; None where none was sent."""
    return request.POST if request.method == "POST" else None


def is_tried_too_often(request: HttpRequest, door: str, *, most: int, seconds: int) -> bool:
    """Count a try at a door by the client's address; True above `most` tries in `seconds`."""
    key = f"tries:{door}:{request.META.get('REMOTE_ADDR', '')}"
    if cache.add(key, 1, timeout=seconds):
        return False
    try:
        return int(cache.incr(key)) > most
    except ValueError:
        # It ran out between the two calls: this is the first of the next window.
        cache.add(key, 1, timeout=seconds)
        return False


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter bar: its word, the query that makes it, whether it is on, and how many it would show."""

    label: Words
    query: str
    is_on: bool
    count: int | None = None


def choices(
    request: HttpRequest, name: str, options: Iterable[tuple[str, Words]], counts: dict[str, int] | None = None
) -> list[Choice]:
    """The choices of one parameter, others kept as they are; the first option is the one without a parameter."""
    others = {key: value for key, value in request.GET.items() if key != name}
    chosen = request.GET.get(name, "")
    known = list(options)
    if chosen not in {value for value, _label in known}:
        chosen = ""
    return [
        Choice(
            label,
            urlencode(others | ({name: value} if value else {})),
            value == chosen,
            None if counts is None else counts.get(value, 0),
        )
        for value, label in known
    ]
