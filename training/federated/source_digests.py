"""Digests of our own sources, by which a plan names its code and the registry its runner.

Substra's archive checksums change at each registration of the same code, so they name nothing.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest

_PACKAGE: Final = Path(__file__).parent
# Every module of this package that runs in the process that reads rows; a test holds the list complete.
CODE_SOURCES: Final = (
    "__init__.py",
    "algorithms/__init__.py",
    "algorithms/base.py",
    "algorithms/counts.py",
    "algorithms/features.py",
    "algorithms/logistic_regression.py",
    "algorithms/missing.py",
    "algorithms/moments.py",
    "algorithms/perceptron.py",
    "algorithms/targets.py",
    "errors.py",
    "layout.py",
    "plan.py",
    "plan_code.py",
    "plan_columns.py",
    "secagg/__init__.py",
    "secagg/parameters.py",
    "secagg/prg.py",
    "secagg/quantization.py",
    "tensors.py",
    "weights.py",
    "wire.py",
)


def code_digest() -> str:
    """Return the digest of the plan's code: what trains on rows."""
    return sources_digest(_PACKAGE, CODE_SOURCES)


def runner_digest() -> str:
    """Return the digest of the trusted runner: every source of this package."""
    return sources_digest(_PACKAGE, (path.relative_to(_PACKAGE).as_posix() for path in _PACKAGE.rglob("*.py")))


def sources_digest(root: Path, relative_paths: Iterable[str]) -> str:
    """Return `sha256:<hex>` over the canonical JSON that maps each relative path to its bytes' digest."""
    return sha256_digest(canonical_json({path: sha256_digest((root / path).read_bytes()) for path in relative_paths}))
