"""Rows for a released model as people enter them: one in a form, or many in a CSV file."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from training.domain.schema import MAX_ROWS_A_REQUEST
from training.errors import InputRefusedError
from training.federated.algorithms.features import BinaryFeature, CategoricalFeature, Feature
from training.federated.algorithms.missing import CATEGORY, MEAN, VALUE
from training.federated.plan import TrainingPlan

LARGEST_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the form; `choices` is empty where a number is typed, `note` says what an empty one comes to."""

    name: str
    choices: tuple[tuple[str, str], ...]
    value: str
    note: str


def entries_of(plan: TrainingPlan, entered: Mapping[str, str]) -> list[Entry]:
    """Return a field for each feature, with what was entered before."""
    return [Entry(f.name, _choices(f), entered.get(f"x.{f.name}", ""), _note(f)) for f in plan.features]


def row_of_form(plan: TrainingPlan, entered: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the one row of the form, None where a value is missing and the plan has a rule for it.

    Raises
    ------
    InputRefusedError
        Naming the column that is empty without such a rule, or no number.
    """
    return [_row(plan, {f.name: entered.get(f"x.{f.name}", "") for f in plan.features}, 1)]


def rows_of_csv(plan: TrainingPlan, data: bytes) -> list[dict[str, Any]]:
    """Return the rows of a CSV file in UTF-8 with a header of exactly the plan's features; empty cells as in a form.

    Raises
    ------
    InputRefusedError
        Naming row and column, never a value.
    """
    if len(data) > LARGEST_FILE_BYTES:
        raise InputRefusedError(_("The file is larger than 1 MiB. Split it."))
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        names = [feature.name for feature in plan.features]
        if sorted(reader.fieldnames or []) != sorted(names):
            raise InputRefusedError(
                _("The header names exactly these columns: %(names)s.") % {"names": ", ".join(names)}
            )
        rows = [_row(plan, row, number) for number, row in enumerate(reader, start=1) if number <= _one_too_many()]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefusedError(_("The file is no CSV in UTF-8.")) from error
    if not 0 < len(rows) <= MAX_ROWS_A_REQUEST:
        raise InputRefusedError(_("A file has 1 to %(n)d rows.") % {"n": MAX_ROWS_A_REQUEST})
    return rows


def csv_of_scores(rows: Sequence[Mapping[str, Any]], scores: Sequence[float]) -> str:
    """Return the rows with one more column, `score`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*rows[0], "score"])
    writer.writerows([*row.values(), f"{score:.6f}"] for row, score in zip(rows, scores, strict=True))
    return out.getvalue()


def _one_too_many() -> int:
    return MAX_ROWS_A_REQUEST + 1


def _choices(feature: Feature) -> tuple[tuple[str, str], ...]:
    unknown = (("", _("not known")),) if feature.missing.allows else ()
    if isinstance(feature, BinaryFeature):
        return (*unknown, ("0", _("no (0)")), ("1", _("yes (1)")))
    if isinstance(feature, CategoricalFeature):
        return (*unknown, *((str(category), str(category)) for category in feature.categories))
    return ()


def _note(feature: Feature) -> str:
    """What the plan does with an empty field; nothing where it has no rule, and the field must be filled."""
    rule = feature.missing
    words = {
        MEAN: _("Left empty, it counts as the mean over all sites"),
        CATEGORY: _("Not known is a category of its own"),
        VALUE: _("Left empty, it counts as %(value)s") % {"value": rule.value},
    }
    return words.get(rule.rule, "")


def _row(plan: TrainingPlan, texts: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {feature.name: _value(feature, texts.get(feature.name), number) for feature in plan.features}


def _value(feature: Feature, text: Any, number: int) -> Any:
    """A cell as the type that its feature takes; whether it is in range the model's door says."""
    if not isinstance(text, str) or not text.strip():
        if feature.missing.allows:
            return None
        raise InputRefusedError(
            _("Row %(row)d: %(column)s is empty, and the plan has no rule for a missing value there.")
            % {"row": number, "column": feature.name},
            column=feature.name,
        )
    if isinstance(feature, CategoricalFeature):
        by_text: dict[str, Any] = {str(category): category for category in feature.categories}
        return by_text.get(text.strip(), text.strip())
    make: Callable[[str], Any] = int if isinstance(feature, BinaryFeature) else float
    try:
        return make(text.strip())
    except ValueError as error:
        raise InputRefusedError(
            _("Row %(row)d: %(column)s is no number.") % {"row": number, "column": feature.name}, column=feature.name
        ) from error
