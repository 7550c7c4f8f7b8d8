"""A server that answers as Web3Signer's documentation has it, over mutual TLS on loopback, and misbehaves when told."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import coincurve

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import TYPES as CONSORTIUM_TYPES
from consortium.kernel.eip712 import Domain, typed_encoding
from consortium.kernel.secp256k1 import sign_digest
from contracts.signing.channel import Certificates, SignerChannel
from contracts.signing.web3signer import Interface, Web3SignerKey
from tests.unit.contracts.signing.certificates import Authority

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
Misbehavior = Callable[["Handler"], None]


def public_key(secret: bytes) -> str:
    return "0x" + coincurve.PrivateKey(secret).public_key.format(compressed=False)[1:].hex()


@dataclass
class SignerServer:
    """What it holds and does can be set; what it was asked can be looked at."""

    authority: Authority
    secrets: list[bytes] = field(default_factory=lambda: [bytes([7]) * 32])
    change: Callable[[bytes], bytes] = lambda signature: signature
    # What it hashes instead of what it was asked to.
    exchange: Callable[[bytes], bytes] = lambda encoding: encoding
    # How many requests it answers well before it misbehaves.
    patience: int = 0
    misbehave: Misbehavior | None = None
    status: int = 200
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def key(self, *, client: tuple[Path, Path] | None = None, **options: Any) -> Web3SignerKey:
        """Return our side of the server's first key."""
        certificate, secret = client or self.authority.issue("agent", "client")
        trusted = options.pop("authority", self.authority.path)
        channel = SignerChannel(options.pop("url", self.url), Certificates(certificate, secret, trusted), 2.0)
        return Web3SignerKey(channel, public_key(self.secrets[0]), options.pop("interface", Interface.REST))

    def signature(self, secret: bytes, encoding: bytes) -> str:
        return "0x" + self.change(sign_digest(keccak256(self.exchange(encoding)), secret)).hex()


class Handler(BaseHTTPRequestHandler):
    """One request; the server's `owner` says what becomes of it."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; with Nagle's algorithm the second waits for the client's word.
    disable_nagle_algorithm = True
    owner: ClassVar[SignerServer]

    def setup(self) -> None:
        self.owner.connections += 1
        super().setup()

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self._serve(json.loads(self.rfile.read(length) or b"null"))

    def _serve(self, body: Any) -> None:
        self.owner.asked.append((self.command, self.path, body))
        if len(self.owner.asked) <= self.owner.patience:
            self._answer_well(body)
        elif self.owner.misbehave is not None:
            self.close_connection = True
            self.owner.misbehave(self)
        elif self.owner.status != 200:
            self.answer(self.owner.status, b"")
        else:
            self._answer_well(body)

    def _answer_well(self, body: Any) -> None:
        if (self.command, self.path) == ("GET", "/upcheck"):
            self.answer(200, b"OK", "text/plain; charset=utf-8")
        elif (self.command, self.path) == ("POST", "/reload"):
            self.answer(200, b"")
        elif (self.command, self.path) == ("GET", "/api/v1/eth1/publicKeys"):
            keys = [public_key(secret) for secret in self.owner.secrets]
            self.answer(200, json.dumps(keys).encode(), "application/json")
        elif self.command == "POST" and self.path.startswith("/api/v1/eth1/sign/"):
            self._sign(self.path.rpartition("/")[2], body)
        elif (self.command, self.path) == ("POST", "/"):
            self._json_rpc(body)
        else:
            self.answer(404, b"")

    def _sign(self, identifier: str, body: Any) -> None:
        secret = next((one for one in self.owner.secrets if public_key(one) == identifier), None)
        data = body.get("data", "") if isinstance(body, dict) else ""
        if secret is None or not data.startswith("0x"):
            self.answer(404 if secret is None else 400, b"")
            return
        text = self.owner.signature(secret, bytes.fromhex(data[2:]))
        self.answer(200, text.encode(), "text/plain; charset=utf-8")

    def _json_rpc(self, body: Any) -> None:
        document = json.loads(body["params"][1])
        domain = document["domain"]
        place = Domain(domain["name"], int(domain["chainId"]), domain.get("verifyingContract"))
        kinds = {name: kind for kind, name in CONSORTIUM_TYPES[document["primaryType"]].members}
        message = {name: _value(kinds[name], value) for name, value in document["message"].items()}
        text = self.owner.signature(self.owner.secrets[0], typed_encoding(place, document["primaryType"], message))
        self.answer(200, json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": text}).encode(), "application/json")

    def answer(self, status: int, content: bytes, media_type: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    # A batch connects at once.
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses our certificate ends the handshake; that is what some tests are about."""


@contextmanager
def serving(
    owner: SignerServer, *, certificate: tuple[Path, Path] | None = None, plain: bool = False
) -> Iterator[None]:
    """Serve until the block ends, showing the certificate given or a good one."""
    handler = type("OwnedHandler", (Handler,), {"owner": owner})
    server = _QuietServer(("127.0.0.1", 0), handler)
    if not plain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(certificate or owner.authority.issue("signer", "server")))
        context.load_verify_locations(owner.authority.path)
        context.verify_mode = ssl.CERT_REQUIRED
        # The handshake belongs to the connection's own thread: one that hangs stops no other.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    owner.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        owner.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _value(kind: str, value: Any) -> Any:
    if kind.endswith("[]"):
        return [_value(kind[:-2], one) for one in value]
    if kind.startswith("bytes"):
        return bytes.fromhex(value[2:])
    return int(value) if kind.startswith("uint") else value
