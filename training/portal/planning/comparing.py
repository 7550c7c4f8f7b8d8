"""Where two plans differ, field by field, in the words of the document."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from training.domain.plan_document import PlanDocument


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; an empty text stands for a field that one of them does not have."""

    field: str
    old: str
    new: str


def changes_between(old: PlanDocument, new: PlanDocument, names: Mapping[str, str]) -> list[Change]:
    """Return the fields that differ, in the order of the document; organizations by their names."""
    before, after = (dict(_flat(json.loads(one.to_bytes()), names)) for one in (old, new))
    fields = dict.fromkeys([*before, *after])
    return [Change(f, before.get(f, ""), after.get(f, "")) for f in fields if before.get(f) != after.get(f)]


def _flat(value: Any, names: Mapping[str, str], path: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, names, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield f"{path}.{item.get('name', '')}", _text({k: v for k, v in item.items() if k != "name"}, names)
    else:
        yield path, _text(value, names)


def _text(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item, names)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item, names) for item in value)
    return names.get(str(value), "none" if value is None else str(value))
