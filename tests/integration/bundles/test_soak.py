"""The whole way of a stranger: an environment of its own, the verifier installed from its folder, a real bundle."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from consortium.embedded.layout import project_root

pytestmark = [pytest.mark.services, pytest.mark.soak]


def test_in_an_environment_without_the_platform_the_installed_verifier_accepts_it(real_bundle, tmp_path: Path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", project_root() / "verifier"], check=True, timeout=280)
    (tmp_path / "bundle.zip").write_bytes(real_bundle.bundle)
    (tmp_path / "trust.json").write_text(json.dumps(real_bundle.trust))

    without = subprocess.run([python, "-c", "import django"], capture_output=True, check=False)
    verifier: list[str | Path] = [tmp_path / "venv" / "bin" / "consilium-verify", "--trust", tmp_path / "trust.json"]
    done = subprocess.run(
        [*verifier, tmp_path / "bundle.zip"], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert without.returncode == 1
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED")
