"""The columns that a plan trains on, by name and kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from training.federated.errors import PlanInvalidError, UnknownFeatureError, WireFormatError
from training.federated.plan import TrainingPlan
from training.federated.wire import read_list, read_object

KINDS: Final = ("numeric", "binary", "categorical")
_MAX_COLUMNS: Final = 2000


@dataclass(frozen=True, slots=True)
class DataSchema:
    """Kind of each column by name, in the plan's order."""

    columns: Mapping[str, str]

    def to_json(self) -> dict[str, object]:
        return {"columns": [{"name": name, "kind": kind} for name, kind in self.columns.items()]}

    @classmethod
    def from_json(cls, value: object) -> "DataSchema":
        """Read the schema; `PlanInvalidError` for another form, an unknown kind or a name that comes twice."""
        try:
            fields = read_object(value, ("columns",), what="data schema")
            items = read_list(fields["columns"], what="columns", max_items=_MAX_COLUMNS)
            entries = [read_object(item, ("name", "kind"), what="column") for item in items]
        except WireFormatError as error:
            raise PlanInvalidError(error.message) from error
        columns: dict[str, str] = {}
        for entry in entries:
            name, kind = entry["name"], entry["kind"]
            if not isinstance(name, str) or not 0 < len(name) <= 100 or name in columns:
                raise PlanInvalidError("Columns have names of 1 to 100 characters, each once.")
            if kind not in KINDS:
                raise PlanInvalidError(f"Column {name} is of no kind among {', '.join(KINDS)}.")
            columns[name] = str(kind)
        return cls(columns)

    def ensure_covers(self, plan: TrainingPlan) -> None:
        """Refuse features and a target that are not in the schema, or there with another kind.

        Raises
        ------
        UnknownFeatureError
            Naming the column.
        """
        wanted = {feature.name: feature.kind for feature in plan.features} | {plan.target.name: plan.target.kind}
        for name, kind in wanted.items():
            if self.columns.get(name) != kind:
                raise UnknownFeatureError(
                    f"The plan uses {name} as {kind}, and the data schema has no such column. "
                    "Correct the feature or the schema.",
                    column=name,
                )


def schema_of(columns: Sequence[tuple[str, str]]) -> DataSchema:
    """Return a schema from (name, kind) pairs."""
    return DataSchema.from_json({"columns": [{"name": name, "kind": kind} for name, kind in columns]})
