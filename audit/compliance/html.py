"""A report as one standalone page: the portal's tokens and styles, no script, nothing loaded from anywhere."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from audit.compliance.reading import numbers_in, sections_of

TEMPLATE = "audit/report.html"
_STYLES = ("tokens.css", "reports.css")
# The faces would have to be loaded; their fallbacks are on every machine.
_FACES = re.compile(r"@font-face\s*\{[^}]*\}")


def render_html(report: Mapping[str, Any]) -> bytes:
    """Return the page; the same report makes the same bytes in whatever language the process speaks."""
    sections = sections_of(report)
    context = {"report": report, "sections": sections, "numbers": numbers_in(sections), "styles": _styles()}
    with override("en"):
        return render_to_string(TEMPLATE, context).encode()


@lru_cache(maxsize=1)
def _styles() -> SafeString:
    text = "\n".join(_style_sheet(name) for name in _STYLES)
    # Our own style sheets, no foreign text.
    return mark_safe(_FACES.sub("", text))  # noqa: S308


def _style_sheet(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(f"{name} is not among the static files.")
    return Path(path).read_text(encoding="utf-8")
