"""What the chain determines of our tables: declared beside the handlers, held to by `manage.py chain replay`.

A replay starts from the rows as they were before any event: what people asked for here, without what the chain said
of it. So each derived column has an SQL expression, over the live row, of what it held then; for a column that its
event always writes that is the column itself, since a wrong value is overwritten on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from django.db import models

from consortium.kernel.errors import ConsiliumError

NOTHING: Mapping[str, str] = MappingProxyType({})
# Of `ChainBacked`: a request that the chain has not confirmed stays what it is.
CHAIN_BACKED: Final[dict[str, str]] = {
    "chain_state": "CASE chain_state WHEN 'confirmed' THEN 'recorded' ELSE chain_state END",
    "confirmed_block": "CASE chain_state WHEN 'confirmed' THEN NULL ELSE confirmed_block END",
    "transaction_hash": "CASE chain_state WHEN 'confirmed' THEN '' ELSE transaction_hash END",
}


class UndeclaredColumnError(ConsiliumError):
    """A read model says of a column neither that the chain determines it nor why it does not."""

    code = "undeclared_column"


@dataclass(frozen=True)
class ReadModel:
    """One table that events write.

    Attributes
    ----------
    before : SQL expression of each derived column over the live row: what it held before any event
    ours : why, of each other column: it comes from us, and is taken over as it is and not compared
    identity : columns by which a row is the same row in both; they are compared by that
    seeded : SQL condition on live rows: those that stood before any event; the others are the events' own
    compared_as : SQL expression of a derived column in which both must agree, where its plain value need not
    """

    model: type[models.Model]
    before: Mapping[str, str]
    ours: Mapping[str, str]
    identity: tuple[str, ...] = ("id",)
    seeded: str = "true"
    compared_as: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> list[str]:
        return [str(found.column) for found in self.model._meta.concrete_fields]

    @property
    def derived(self) -> list[str]:
        return [column for column in self.columns if column in self.before and column not in self.identity]


@dataclass(frozen=True)
class Scratch:
    """A table that handlers write beside read models: in a replay into a copy that is thrown away, unseen."""

    model: type[models.Model]
    why: str
    copied: bool = True

    @property
    def table(self) -> str:
        return self.model._meta.db_table


_READ_MODELS: dict[str, ReadModel] = {}
_SCRATCH: dict[str, Scratch] = {}


def read_model(
    model: type[models.Model],
    *,
    before: Mapping[str, str] = NOTHING,
    written: tuple[str, ...] = (),
    ours: Mapping[str, str],
    **more: Any,
) -> None:
    """Declare a table that events write; `written` names the derived columns that each row's event always writes.

    Raises
    ------
    UndeclaredColumnError
        If a column is declared twice or not at all.
    """
    declared = ReadModel(model, {**before, **{column: column for column in written}}, ours, **more)
    named = [*declared.before, *declared.ours, *(c for c in declared.identity if c not in declared.before)]
    if sorted(named) != sorted(declared.columns):
        odd = sorted({c for c in named if named.count(c) > 1} | set(named) ^ set(declared.columns))
        raise UndeclaredColumnError(
            f"Say once of each column of {declared.table} that the chain determines it, or why not: {', '.join(odd)}."
        )
    _READ_MODELS[declared.table] = declared


def scratch(model: type[models.Model], why: str, *, copied: bool = True) -> None:
    """Declare a table that handlers write beside read models; `copied` where they also read what stands in it."""
    _SCRATCH[model._meta.db_table] = Scratch(model, why, copied)


def read_models() -> list[ReadModel]:
    return list(_READ_MODELS.values())


def scratch_tables() -> list[Scratch]:
    return list(_SCRATCH.values())
