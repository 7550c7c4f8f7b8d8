import subprocess
import sys
from pathlib import Path

import consortium.kernel.errors

KERNEL = Path(consortium.kernel.errors.__file__).parent


def test_kernel_imports_with_django_web3_and_celery_blocked() -> None:
    modules = sorted(f"consortium.kernel.{path.stem}" for path in KERNEL.glob("*.py") if path.stem != "__init__")
    code = (
        "import importlib, sys\n"
        "for name in ('django', 'rest_framework', 'celery', 'web3', 'eth_account', 'substrafl', 'syft'):\n"
        "    sys.modules[name] = None\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=KERNEL.parents[1], capture_output=True, text=True, check=False, timeout=60
    )

    assert len(modules) >= 18
    assert (answer.returncode, answer.stderr) == (0, "")
