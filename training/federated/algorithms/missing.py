"""What stands in for a value that is missing: a rule of the plan for each column, never a guess of the code."""

from dataclasses import dataclass
from typing import Final

from training.federated.errors import RowFormatError

REFUSE: Final = "refuse"
MEAN: Final = "mean"
CATEGORY: Final = "category"
VALUE: Final = "value"


@dataclass(frozen=True, slots=True)
class MissingRule:
    """`rule` is one of the words above; a missing value is None in a row.

    Parameters
    ----------
    rule : str
    value : number or text, optional
        The constant of the rule `value`.
    has_indicator : bool
        Whether a column of 0 and 1 says that the value was missing.
    """

    rule: str = REFUSE
    value: str | int | float | None = None
    has_indicator: bool = False

    @property
    def allows(self) -> bool:
        return self.rule != REFUSE

    def fill(self, name: str, value: object) -> object:
        """Return the value, or the constant for a missing one; None stays for `mean` and `category`.

        Raises
        ------
        RowFormatError
            If the value is missing and the plan says nothing of it.
        """
        if value is not None:
            return value
        if not self.allows:
            raise RowFormatError(
                f"Column {name} is missing in a row, and the plan refuses missing values there. Mend the data set, or "
                "draft a plan with a rule for it."
            )
        return self.value

    def indicator(self, value: object) -> tuple[float, ...]:
        """Return the indicator's column, if there is one."""
        return (float(value is None),) if self.has_indicator else ()

    def indicator_column(self, name: str) -> tuple[str, ...]:
        return (f"{name} missing",) if self.has_indicator else ()


NONE_MISSING: Final = MissingRule()
