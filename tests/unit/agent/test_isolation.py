import subprocess
import sys

_PROGRAM = """
import importlib, pkgutil, sys
for name in ("django", "rest_framework", "celery", "django_scopes", "substra", "substrafl", "syft"):
    sys.modules[name] = None
import agent
for module in pkgutil.walk_packages(agent.__path__, "agent."):
    importlib.import_module(module.name)
sys.stdout.write("web3" if "web3" in sys.modules else "imported")
"""


def test_agent_is_imported_with_django_celery_and_back_ends_blocked_and_without_web3() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("imported", "")
