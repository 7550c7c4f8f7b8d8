"""Reading the plan form as a browser does, and the data sets that it offers."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

from consent.models import DataSet
from tests.factories.training import digest


def make_data_set(world: Any, organization: Any, columns: list[dict[str, Any]], **changes: Any) -> DataSet:
    fields = {"name": "stays", "band": 100, "purposes": ["DUO:0000006"], "conditions": []}
    number = DataSet.objects.count() + 10
    return DataSet.objects.create(
        consortium=world.consortium,
        organization=organization,
        schema={"columns": columns},
        schema_digest=digest(number),
        digest=digest(number + 100),
        signed_at=datetime(2026, 11, 1, tzinfo=UTC),
        signature="0x",
        **{**fields, **changes},
    )


class Entries(HTMLParser):
    """What a browser would send of a page's form: all but its buttons."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._select = ""
        self.feed(re.search(r"<form[^>]*plan-form.*?</form>", answer.content.decode(), re.DOTALL)[0])  # type: ignore[index]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "select":
            self._select = found["name"] or ""
        elif tag == "option" and (self._select not in self.found or "selected" in found):
            # Without a choice, the first one counts.
            self.found[self._select] = [found["value"] or ""]
        elif tag == "input" and "disabled" not in found:
            is_box = found.get("type") == "checkbox"
            if not is_box or "checked" in found:
                self.found.setdefault(found["name"] or "", []).append(found.get("value") or ("on" if is_box else ""))


def entries_of(answer: Any) -> dict[str, list[str]]:
    """The entries of the form on the page, ready to be sent."""
    found = Entries(answer).found
    found.pop("csrfmiddlewaretoken", None)
    found.pop("previewed", None)
    return found


def document_text(answer: Any) -> str:
    """The document that the preview shows, byte for byte."""
    shown = re.search(r'aria-label="Document"><span>(.*?)</span>', answer.content.decode(), re.DOTALL)
    assert shown, errors_of(answer)
    return unescape(shown[1])


def document_of(answer: Any) -> Any:
    return json.loads(document_text(answer))


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def errors_of(answer: Any) -> dict[str, str]:
    """The errors by the field that they stand beside."""
    found = re.findall(r'<p class="error" id="(\S+?)-error1">.*?</svg>(.*?)</p>', answer.content.decode(), re.DOTALL)
    return {name: unescape(text) for name, text in found}


def previewed(answer: Any) -> str:
    found = re.search(r'name="previewed" value="(\S+)"', answer.content.decode())
    assert found, errors_of(answer)
    return found[1]
