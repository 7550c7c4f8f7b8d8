"""Scripts of every page have no words of their own: the page gives them, so that they can be translated."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "static"
LITERAL = re.compile(r'"([^"\n]*)"|`([^`]*)`')


@pytest.mark.parametrize("name", ["ui.js", "live.js", "member.js", "theme.js"])
def test_no_sentence_stands_in_a_script(name: str) -> None:
    code = re.sub(r"^\s*//.*$", "", (STATIC / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = [one or other for one, other in LITERAL.findall(code)]

    assert [text for text in texts if re.match(r"[A-Z][a-z]+ [a-z]", text)] == []
