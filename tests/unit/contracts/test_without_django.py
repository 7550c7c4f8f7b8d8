"""The agent uses the gateway, and the network's room, on a machine that has no Django."""

import subprocess
import sys

from consortium.embedded.layout import project_root

BLOCKED = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "rest_framework", "celery", "django_scopes"}:
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Refuse())
import contracts.gateway, contracts.errors, contracts.events, contracts.artifacts, contracts.values
import contracts.network.joining, contracts.network.making, contracts.network.operations_port, contracts.network.status
import contracts.reconciler, contracts.signing.web3signer
print(contracts.gateway.Gateway.__name__)
"""


def test_the_gateway_imports_where_django_is_not_installed():
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED], cwd=project_root(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "Gateway\n"), ran.stderr
