"""Which benchmarks there are: the modules of the package, each with a function `run` that returns figures."""

import ast
import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path


class UnknownBenchmarkError(ValueError):
    """A name that no benchmark has; the message names those there are."""


def find_benchmarks(package: str) -> dict[str, str]:
    """Return the first line of each benchmark's docstring by its name, sorted, without importing any."""
    folders = [Path(folder) for folder in importlib.import_module(package).__path__]
    names = sorted(
        module.name
        for module in pkgutil.iter_modules([str(folder) for folder in folders])
        if not module.ispkg and not module.name.startswith("_")
    )
    return {name: _first_line(next(f for folder in folders if (f := folder / f"{name}.py").exists())) for name in names}


def choose(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the asked benchmarks, each once, or all if none is asked for.

    Raises
    ------
    UnknownBenchmarkError
    """
    if unknown := [name for name in asked if name not in known]:
        raise UnknownBenchmarkError(f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(known)}.")
    return list(dict.fromkeys(asked)) or list(known)


def _first_line(source: Path) -> str:
    return (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]
