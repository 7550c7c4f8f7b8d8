"""Changing the local rules: validated, written into site.toml as one step beside what people wrote there, journaled."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.configuration import Configuration, Rules, parse_configuration
from agent.errors import ConfigurationError
from agent.folder import SiteFolder, read_private, write_private
from agent.journal import Entry, Journal
from agent.people import Person, Role
from consent.domain.purposes import require_exact_purpose
from consortium.kernel.errors import InvalidInputError

KIND = "rule"
_HEADER = re.compile(r"\s*\[rules\]\s*(#.*)?\Z")
_TABLE = re.compile(r"\s*\[")


class RulesFile:
    """The table [rules] of one site's file; the journal's lock keeps two writers apart, whichever program they are."""

    def __init__(self, folder: SiteFolder, journal: Journal) -> None:
        self._folder = folder
        self._journal = journal

    def read(self) -> Rules:
        """Return the rules as the file has them now."""
        return parse_configuration(read_private(self._folder.configuration)).rules

    def change(self, values: Mapping[str, Any], *, person: Person) -> Rules:
        """Set the rules that are named and return all of them; unchanged ones are neither written nor journaled.

        Raises
        ------
        PersonRefusedError
            If the person is no steward.
        InvalidInputError, ConfigurationError
            Naming the rule and its range; nothing was changed.
        """
        person.require(Role.STEWARD)
        with self._journal.transaction():
            content = read_private(self._folder.configuration)
            before = parse_configuration(content)
            after = _checked(before, values)
            changed = {name: getattr(after.rules, name) for name in values if _differs(before.rules, after.rules, name)}
            if not changed:
                return before.rules
            text = rewritten(content.decode(), changed)
            if parse_configuration(text.encode()) != after:
                raise ConfigurationError("site.toml is written in a way that cannot be changed here. Set it by hand.")
            for name, value in changed.items():
                old = getattr(before.rules, name)
                self._journal.record(KIND, "changed", person=person.name, rule=name, old=_plain(old), new=_plain(value))
            write_private(self._folder.configuration, text.encode())
        return after.rules

    def history(self, limit: int = 20) -> list[Entry]:
        """Return the latest changes, newest first."""
        return self._journal.entries(limit=limit, kinds=(KIND,))


def rewritten(text: str, values: Mapping[str, Any]) -> str:
    """Return the file's text with these rules set, everything else (comments among it) as it stood."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if _HEADER.match(line)), None)
    if start is None:
        lines, start = [*lines, "", "[rules]"], len(lines) + 1
    for name, value in values.items():
        end = next((n for n in range(start + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
        first, after = _place(lines, start + 1, end, name)
        comment = _comment(lines[first]) if after == first + 1 else ""
        lines[first:after] = [] if value is None else [f"{name} = {json.dumps(_plain(value))}{comment}"]
    return "\n".join(lines) + "\n"


def _place(lines: list[str], start: int, end: int, name: str) -> tuple[int, int]:
    """Return which lines hold a key's value; an empty range behind the table's last key if it has none."""
    key = re.compile(rf"\s*{name}\s*=")
    for first in range(start, end):
        if key.match(lines[first]):
            return first, _end_of_value(lines, first)
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end, end


def _end_of_value(lines: list[str], first: int) -> int:
    for after in range(first + 1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[first:after]))
        except tomllib.TOMLDecodeError:
            continue
        return after
    raise ConfigurationError("site.toml is not TOML. Correct it by hand.")


def _comment(line: str) -> str:
    _value, hash_sign, text = line.partition("#")
    return f"  # {text.strip()}" if hash_sign and '"' not in text else ""


def _checked(before: Configuration, values: Mapping[str, Any]) -> Configuration:
    """Return the configuration with the values, which its own checks hold to their ranges."""
    if unknown := set(values) - set(Rules.__dataclass_fields__):
        raise InvalidInputError(f"There is no rule {', '.join(sorted(unknown))}.")
    try:
        for purpose in values.get("purposes") or ():
            require_exact_purpose(purpose)
    except InvalidInputError as error:
        raise InvalidInputError(error.message, field="purposes") from error
    return replace(before, rules=replace(before.rules, **values))


def _differs(before: Rules, after: Rules, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
