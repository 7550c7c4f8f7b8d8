"""A described column of a data set as the feature of a plan."""

from collections.abc import Mapping
from typing import Any, Final

from training.federated.errors import PlanFormatError

RULES: Final = frozenset({"missing", "outside", "indicator"})
_NOT_OF_A_FEATURE: Final = frozenset({"unit"})


def feature_of(column: Mapping[str, Any]) -> dict[str, Any]:
    """Return the feature of a plan's training section, with the rules that stand beside the column.

    Raises
    ------
    PlanFormatError
        For a number without bounds, which nothing could be scaled by.
    """
    if column["kind"] == "numeric" and "minimum" not in column:
        raise PlanFormatError(
            f"Column {column['name']} needs minimum and maximum in its data-set file: a plan scales by bounds that "
            "everybody may know."
        )
    return {key: value for key, value in column.items() if key not in _NOT_OF_A_FEATURE}
