import subprocess
import sys
from pathlib import Path

import consent.domain.purposes as purposes

ROOT = Path(purposes.__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("domain", "fhir")
    for path in (ROOT / "consent" / folder).glob("*.py")
    if path.stem != "__init__"
)
SCRIPT = """
import importlib, sys
for name in ("django", "rest_framework", "celery", "django_scopes", "web3", "psycopg"):
    sys.modules[name] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def test_consent_rules_and_fhir_import_with_django_blocked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *MODULES], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert len(MODULES) >= 18
    assert (done.returncode, done.stderr) == (0, "")
