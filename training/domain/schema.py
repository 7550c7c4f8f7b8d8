"""Rows that somebody sends to be scored, held to the plan's features."""

from typing import Final

from training.errors import InputRefusedError
from training.federated.algorithms.features import Row
from training.federated.data_schema import DataSchema as DataSchema
from training.federated.data_schema import schema_of as schema_of
from training.federated.errors import RowFormatError
from training.federated.plan import TrainingPlan

MAX_ROWS_A_REQUEST: Final = 1000


def check_rows(plan: TrainingPlan, value: object) -> list[Row]:
    """Return rows to score: exactly the plan's features each, every value one that the feature takes.

    A missing value is null, and taken where the plan has a rule for it.

    Raises
    ------
    InputRefusedError
        Naming row and column, never the value.
    """
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ROWS_A_REQUEST:
        raise InputRefusedError(f"`rows` is a list of 1 to {MAX_ROWS_A_REQUEST} rows.")
    return [_check_row(plan, row, number) for number, row in enumerate(value, start=1)]


def _check_row(plan: TrainingPlan, row: object, number: int) -> Row:
    names = [feature.name for feature in plan.features]
    if not isinstance(row, dict) or set(row) != set(names):
        raise InputRefusedError(f"Row {number} is an object with exactly the columns {', '.join(names)}.", row=number)
    for feature in plan.features:
        value = row[feature.name]
        if value is not None and not isinstance(value, str | int | float | bool):
            raise InputRefusedError(f"Row {number}: {feature.name} is no number and no text.", row=number)
        try:
            feature.encode(value)
        except RowFormatError as error:
            raise InputRefusedError(f"Row {number}: {error.message}", row=number, column=feature.name) from error
    return row
