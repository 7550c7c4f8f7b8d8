"""Every command and address that README, guides and channel document name is there, with the options named."""

import argparse
import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, ResolverMatch, resolve

from agent.cli import parser as site_parser
from consortium.client.cli import _parser as client_parser
from consortium.demo.__main__ import _parser as demo_parser
from consortium.demo.serve import _parser as serve_parser
from consortium.embedded.layout import project_root

ROOT = project_root()
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "verifier/README.md", "docs/architecture.md", "docs/wire.md")),
    *sorted(ROOT.glob("docs/guides/*.md")),
    *sorted(ROOT.glob("helm/*/README.md")),
]
_SPAN = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^(?: {4,}|```sh\n)(\S.*)$", re.MULTILINE)
_FENCED = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_ADDRESS = re.compile(r"`(GET|POST) (/?[a-z][\w/.?=&,-]*)`")
_TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)
# Upper-case parts of an address stand for one of these.
_STANDINS = ("00000000-0000-4000-8000-000000000001", "a-slug", "sha256:" + "0" * 64)


def commands(program: str) -> list[tuple[str, list[str]]]:
    """Return each command of a program that a document names, as (document, words without the program)."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text().replace("\\\n", " ")
        lines = [line for block in _FENCED.findall(text) for line in block.splitlines()]
        for line in [*_SPAN.findall(text), *_BLOCK.findall(text), *lines]:
            words = _words(line)
            if words[:1] == [program] and len(words) > 1:
                found.append((document.name, words[1:]))
    return found


def _words(line: str) -> list[str]:
    """Return a line's words: no comment, no redirection, optional parts as if they were given."""
    command = line.partition(" #")[0].partition(" >")[0].replace("[", "").replace("]", "")
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def unknown_words(parser: argparse.ArgumentParser, words: list[str]) -> Iterator[str]:
    """Yield the subcommands and options that a parser does not know, following the subcommands."""
    options = {text: action for action in parser._actions for text in action.option_strings}
    below: Any = next((a for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            action = options.get(word.partition("=")[0])
            if action is None:
                yield word
            elif action.nargs != 0 and "=" not in word and rest:
                rest.pop(0)
        elif below is not None:
            if word in below.choices:
                yield from unknown_words(below.choices[word], rest)
            else:
                yield word
            return


def test_commands_of_the_site_are_there_with_their_options() -> None:
    named = commands("consilium-site")
    assert len(named) > 25

    assert [(name, words, list(bad)) for name, words in named if (bad := [*unknown_words(site_parser(), words)])] == []


def test_commands_of_people_at_the_platform_are_there_with_their_options() -> None:
    named = commands("consilium")
    assert len(named) > 10

    assert [
        (name, words, list(bad)) for name, words in named if (bad := [*unknown_words(client_parser(), words)])
    ] == []


def test_commands_of_the_platform_are_there_with_their_options() -> None:
    named = commands("manage.py")
    assert len(named) > 10
    apps = get_commands()

    wrong = [(name, words) for name, words in named if words[0] not in apps]
    for name, words in named:
        parser = load_command_class(str(apps[words[0]]), words[0]).create_parser("manage.py", words[0])
        wrong += [(name, [*words, bad]) for bad in unknown_words(parser, words[1:])]

    assert wrong == []


def test_targets_of_make_are_there_and_the_demos_options() -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    named = commands("make")
    assert len(named) > 5

    assert [(name, words[0]) for name, words in named if words[0] not in targets] == []
    for target, parser in (("demo", demo_parser()), ("serve", serve_parser())):
        given = [word for _, words in named if words[0] == target for word in words[1:] if word.startswith("ARGS=")]
        assert [bad for word in given for bad in unknown_words(parser, word[5:].split())] == []


def test_the_verifiers_command_has_the_options_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "verifier"), *sys.path])
    cli = importlib.import_module("consilium_verify.cli")
    named = commands("consilium-verify")
    assert len(named) > 2

    parsers = {True: cli._parser_of_blocks(), False: cli._parser()}
    unknown = [(name, [*unknown_words(parsers[words[:1] == ["blocks"]], words)]) for name, words in named]
    assert [(name, bad) for name, bad in unknown if bad] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_addresses_are_served_by_the_method_named(document: Path) -> None:
    prefix = "/api/v1/agent/" if document.name == "wire.md" else "/"
    named = [(method, address.partition("?")[0]) for method, address in _ADDRESS.findall(document.read_text())]

    wrong = [(m, a) for m, a in named if not is_served(m, a if a.startswith("/") else prefix + a)]

    assert wrong == []


def is_served(method: str, address: str) -> bool:
    """Say whether a view answers the address, whatever its upper-case parts stand for, to the method."""
    for standin in _STANDINS:
        try:
            found = resolve(re.sub(r"(?<=/)[A-Z]+(?=/|\Z)", standin, address))
        except Resolver404:
            continue
        return _answers(found, method)
    return False


def _answers(found: ResolverMatch, method: str) -> bool:
    view = getattr(found.func, "cls", getattr(found.func, "view_class", None))
    return view is None or hasattr(view, method.lower())


def test_an_invented_command_option_or_address_is_noticed() -> None:
    assert [*unknown_words(site_parser(), ["consents", "forget", "RECORD"])] == ["forget"]
    assert [*unknown_words(site_parser(), ["ballots", "cast", "PROPOSAL", "yes", "--loud"])] == ["--loud"]
    assert not is_served("POST", "/api/v1/runs/RUN")
    assert not is_served("GET", "/api/v1/nothing/UUID")
