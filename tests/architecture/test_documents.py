"""What documents name exists: tests of the threat model, files behind links and paths, variables, rules."""

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from agent.configuration import Rules
from consortium.embedded.layout import project_root

ROOT = project_root()
DOCUMENTS = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "verifier" / "README.md", *ROOT.glob("helm/*/README.md")]
)
THREAT_MODEL = ROOT / "docs" / "threat-model.md"
_NAMED_TEST = re.compile(r"`([\w/.]+)::(\w+)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_VARIABLE = re.compile(r'(?:env\.(?:secret|text|words|integer)\(|environ\.get\()"(\w+)"')
_PATH = re.compile(r"`(\w+(?:/[\w.*-]+)+)`")
_SOLIDITY_TEST = re.compile(r"function (test\w+)\(")


@cache
def defined_in(path: Path) -> frozenset[str]:
    """Return the tests that a file defines, in Python or Solidity; none if there is no such file."""
    if not path.is_file():
        return frozenset()
    if path.suffix == ".sol":
        return frozenset(_SOLIDITY_TEST.findall(path.read_text()))
    found = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def threats() -> list[str]:
    """Return the rows of the threat model, without titles and rules."""
    rows = [line for line in THREAT_MODEL.read_text().splitlines() if line.startswith("|")]
    return [row for row in rows if not row.startswith(("| who |", "|---"))]


def test_every_threat_names_a_test_that_exists() -> None:
    rows = threats()
    assert len(rows) > 50

    without = [row for row in rows if not _NAMED_TEST.search(row.split("|")[-2])]
    missing = [f"{p}::{n}" for row in rows for p, n in _NAMED_TEST.findall(row) if n not in defined_in(ROOT / p)]

    assert (without, missing) == ([], [])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    links = _LINK.findall(document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_of_ours_that_a_document_names_exists(document: Path) -> None:
    named = [path for path in _PATH.findall(document.read_text()) if (ROOT / path.split("/")[0]).is_dir()]

    assert [path for path in named if not any(ROOT.glob(path))] == []


def test_every_variable_that_the_settings_read_stands_in_the_operators_guide() -> None:
    read = {
        name for path in (ROOT / "consortium" / "settings").glob("*.py") for name in _VARIABLE.findall(path.read_text())
    }
    guide = (ROOT / "docs" / "guides" / "operator.md").read_text()
    assert len(read) > 15

    assert sorted(name for name in read if f"`{name}`" not in guide) == []


def test_every_rule_of_a_member_stands_in_the_members_guide() -> None:
    guide = (ROOT / "docs" / "guides" / "member.md").read_text()

    assert [rule.name for rule in fields(Rules) if f"`{rule.name}`" not in guide] == []
