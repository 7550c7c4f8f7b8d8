"""Substra and PySyft resolve and import in the same environment; each in a process of its own, for they are slow."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["substrafl", "syft"])
def test_a_heavy_back_end_imports(module):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", f"import {module}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-800:]
