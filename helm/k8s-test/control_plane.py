"""A real control plane on the loopback: etcd, API server and controllers, in a folder that is deleted at the end."""

import contextlib
import ctypes
import json
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from api import Api, ApiError

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
# Nothing runs here, so nothing reports: without these controllers nobody concludes that the node is dead. Claims are
# bound by the fake kubelet.
_CONTROLLERS = "*,-node-lifecycle-controller,-pod-garbage-collector-controller,-persistentvolume-binder-controller"
_RSA_KEY = """
import sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(65537, 2048)
sys.stdout.buffer.write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption()))
"""


@dataclass(frozen=True)
class ControlPlane:
    """`kubeconfig` is for Helm."""

    api: Api
    kubeconfig: Path


@contextlib.contextmanager
def running(binaries: Path, folder: Path, project_python: Path) -> Iterator[ControlPlane]:
    """Start all three, wait until they answer, and end them."""
    with contextlib.ExitStack() as stack:
        made = _Maker(binaries, folder, project_python, stack)
        made.start_etcd()
        plane = made.start_server()
        made.start_controllers(plane)
        yield plane


class _Maker:
    def __init__(self, binaries: Path, folder: Path, project_python: Path, stack: contextlib.ExitStack) -> None:
        self._binaries, self._folder, self._stack = binaries, folder, stack
        self._etcd, self._server = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("http", "https"))
        self._signing_key = folder / "accounts.key"
        made = subprocess.run([project_python, "-c", _RSA_KEY], check=True, capture_output=True)
        self._signing_key.write_bytes(made.stdout)

    def start_etcd(self) -> None:
        peer = f"http://127.0.0.1:{free_port()}"
        self._start(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            *(f"--listen-client-urls={self._etcd}", f"--advertise-client-urls={self._etcd}"),
            *(
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
            ),
            "--unsafe-no-fsync",
        )

    def start_server(self) -> ControlPlane:
        token = secrets.token_hex(16)
        tokens, certificates = self._folder / "tokens.csv", self._folder / "certificates"
        tokens.write_text(f'{token},tester,tester,"system:masters"\n')
        process = self._start(
            "kube-apiserver",
            *(f"--etcd-servers={self._etcd}", f"--cert-dir={certificates}", "--bind-address=127.0.0.1"),
            *(f"--secure-port={self._server.rpartition(':')[2]}", "--service-cluster-ip-range=10.0.0.0/24"),
            *("--service-account-issuer=https://kubernetes.default.svc", f"--token-auth-file={tokens}"),
            *(
                f"--service-account-key-file={self._signing_key}",
                f"--service-account-signing-key-file={self._signing_key}",
            ),
            *("--authorization-mode=RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"),
        )
        authority = certificates / "apiserver.crt"
        self._wait(process, authority.exists, "the server's certificate")
        api = Api(self._server, token, authority)
        self._wait(process, lambda: answers(api), "the API server")
        return ControlPlane(api, self._write_kubeconfig(token, authority))

    def start_controllers(self, plane: ControlPlane) -> None:
        self._start(
            "kube-controller-manager",
            *(f"--kubeconfig={plane.kubeconfig}", "--leader-elect=false", f"--controllers={_CONTROLLERS}"),
            *(f"--service-account-private-key-file={self._signing_key}", f"--cert-dir={self._folder / 'controllers'}"),
            *("--bind-address=127.0.0.1", f"--secure-port={free_port()}"),
        )

    def _write_kubeconfig(self, token: str, authority: Path) -> Path:
        path = self._folder / "kubeconfig"
        cluster = {"server": self._server, "certificate-authority": str(authority)}
        document = {
            **{"apiVersion": "v1", "kind": "Config", "current-context": "test"},
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "tester", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "tester"}}],
        }
        path.write_text(json.dumps(document))
        return path

    def _start(self, name: str, *options: str) -> "subprocess.Popen[bytes]":
        log = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [self._binaries / name, *options], stdout=log, stderr=log, preexec_fn=end_with_parent
        )
        self._stack.callback(_end, process)
        return process

    def _wait(
        self, process: "subprocess.Popen[bytes]", ready: Callable[[], bool], what: str, seconds: float = 90.0
    ) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                logs = "\n".join(log.read_text(errors="replace")[-2000:] for log in self._folder.glob("*.log"))
                raise RuntimeError(f"{what} does not come. {logs}")
            time.sleep(0.1)


def answers(api: Api) -> bool:
    try:
        return api.get("/readyz").get("text") == "ok" and api.exists("/api/v1/namespaces/default")
    except (OSError, ApiError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def end_with_parent() -> None:
    """Let a killed test leave nothing running (Linux)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
