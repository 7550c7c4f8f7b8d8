"""A report as one standalone page: the portal's tokens, no script, nothing loaded from anywhere."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

TEMPLATE = "audit/report.html"
# The faces would have to be loaded; their fallbacks are on every machine.
_FACES = re.compile(r"@font-face\s*\{[^}]*\}")


def render_html(report: Mapping[str, Any]) -> bytes:
    """Return the page; the same report makes the same bytes in whatever language the process speaks."""
    with override("en"):
        return render_to_string(TEMPLATE, {"report": report, "tokens": _tokens()}).encode()


@lru_cache(maxsize=1)
def _tokens() -> SafeString:
    path = finders.find("tokens.css")
    if not isinstance(path, str):
        raise FileNotFoundError("tokens.css is not among the static files.")
    with open(path, encoding="utf-8") as file:
        # Our own style sheet, no foreign text.
        return mark_safe(_FACES.sub("", file.read()))  # noqa: S308
