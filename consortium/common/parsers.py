"""JSON as the API takes it: what PostgreSQL cannot keep, and Python cannot follow, is refused at the door."""

import math
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from consortium.kernel.canonical import MAX_DEPTH

# NUL, and halves of characters that have no UTF-8.
_NOT_TEXT = re.compile(r"[\x00\ud800-\udfff]")
# A text with its escapes, whose brackets count for nothing, or a bracket. A text without an end goes to the end of
# all, so that no character is read twice.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


class StrictJSONParser(JSONParser):
    """Refuses NUL characters, lone surrogates, numbers beyond a double, and what is nested too deeply."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        context, body = dict(parser_context or {}), stream.read()
        # Before it is parsed: where something has raised the interpreter's own limit, its parser ends the process.
        if _is_deep(body.decode(context.get("encoding") or settings.DEFAULT_CHARSET, errors="replace")):
            raise ParseError(_("The body is nested more than %(most)s deep.") % {"most": MAX_DEPTH})
        value = super().parse(BytesIO(body), media_type, context)
        if not all(_is_plain(scalar) for scalar in _scalars(value)):
            raise ParseError(_("The body holds a NUL character, half a character, or a number that is none."))
        return value


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            return True
    return False


def _scalars(value: Any) -> Iterator[Any]:
    """Every key and every value that holds no others."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        else:
            yield item


def _is_plain(scalar: Any) -> bool:
    if isinstance(scalar, str):
        return _NOT_TEXT.search(scalar) is None
    return not isinstance(scalar, float) or math.isfinite(scalar)
