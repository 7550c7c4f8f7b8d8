"""Which of a site's data sets a plan may be answered from: one rule, for the rows that leave and for what pages say."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from consent.domain.purposes import covers
from training.federated.plan_document import PlanDocument


class Terms(Protocol):
    """What a data set offers: its columns, and the DUO terms under which it may be used."""

    @property
    def columns(self) -> Sequence[Mapping[str, Any]]: ...

    @property
    def purposes(self) -> tuple[str, ...]: ...

    @property
    def conditions(self) -> tuple[str, ...]: ...


def serves(terms: Terms, plan: PlanDocument) -> bool:
    """Say whether a data set has a plan's columns, permits its purpose, and asks no condition that it does not keep."""
    columns = {column["name"]: column["kind"] for column in terms.columns}
    has_columns = all(columns.get(name) == kind for name, kind in plan.data_schema.columns.items())
    has_purpose = any(covers(purpose, plan.purpose) for purpose in terms.purposes)
    return has_columns and has_purpose and set(terms.conditions) <= set(plan.conditions)
