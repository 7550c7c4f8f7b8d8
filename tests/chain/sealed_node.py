"""A node of a QBFT network as its clients see it: an anvil behind a socket of ours, sealed with test keys.

State, receipts and proofs are anvil's. The set of validators that seals a block is the one that the contract held after
the block before, as QBFT has it. On command it prunes old states, as Besu does.
"""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from eth_account.signers.local import LocalAccount

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex
from contracts.network.quorum import quorum_of
from contracts.reading.block_proofs import header_bytes
from contracts.reading.evidence import written_header
from tests.chain.anvil import Anvil
from tests.chain.sealed import extra, seal

GET_VALIDATORS = to_hex(keccak256(b"getValidators()")[:4])
STATE_METHODS = {"eth_getProof": 2, "eth_call": 1}
PRUNED = {"code": -32000, "message": "World state unavailable"}


class SealedNode:
    """One node; `states_from` is the first block whose state it still has, None for an archive.

    `refused` are methods that it does not serve; `methods` are those that it was asked, in order.
    """

    def __init__(self, anvil: Anvil, source: str, keys: Sequence[LocalAccount]) -> None:
        self.anvil, self.source = anvil, source
        self.keys = {key.address.lower(): key for key in keys}
        self.states_from: int | None = None
        self.refused: set[str] = set()
        self.methods: list[str] = []
        self._blocks: dict[int, dict[str, Any]] = {}
        self._lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> "SealedNode":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        method, parameters = question["method"], question.get("params", [])
        self.methods.append(method)
        about = {"jsonrpc": "2.0", "id": question["id"]}
        if method in self.refused:
            return {**about, "error": {"code": -32604, "message": "Method not enabled"}}
        if self._is_pruned(method, parameters):
            return {**about, "error": PRUNED}
        if method == "qbft_getValidatorsByBlockNumber":
            # In contract mode this is the set after the block.
            return {**about, "result": self._in_force(int(parameters[0], 16) + 1)}
        found = self.anvil.answer(method, *parameters)
        return {**about, **({"error": found["error"]} if "error" in found else {"result": self._seen(found["result"])})}

    def _is_pruned(self, method: str, parameters: list[Any]) -> bool:
        place = STATE_METHODS.get(method)
        if self.states_from is None or place is None or len(parameters) <= place:
            return False
        where = str(parameters[place])
        return where.startswith("0x") and int(where, 16) < self.states_from

    def _seen(self, found: Any) -> Any:
        """An answer with the hashes that blocks have once they are sealed."""
        if isinstance(found, list):
            return [self._seen(one) for one in found]
        if not isinstance(found, dict):
            return found
        if "stateRoot" in found:
            return self.block(int(found["number"], 16))
        if found.get("blockHash") is None:
            return found
        hashed = {**found, "blockHash": self.block(int(found["blockNumber"], 16))["hash"]}
        return hashed | ({"logs": self._seen(found["logs"])} if "logs" in found else {})

    def block(self, number: int) -> dict[str, Any]:
        """A block as the nodes of the network write it."""
        with self._lock:
            for missing in range(len(self._blocks), number + 1):
                plain = self.anvil.ask("eth_getBlockByNumber", hex(missing), False)
                self._blocks[missing] = self._sealed(plain) if missing else self._first(plain)
            return self._blocks[number]

    def _first(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Block 0 with the root of its state, which anvil leaves out."""
        proof = self.anvil.ask("eth_getProof", self.source, [], "0x0")
        rooted = {**plain, "stateRoot": to_hex(keccak256(bytes.fromhex(proof["accountProof"][0][2:])))}
        return {**rooted, "hash": to_hex(keccak256(_header(rooted)))}

    def _sealed(self, plain: dict[str, Any]) -> dict[str, Any]:
        number = int(plain["number"], 16)
        members = self._in_force(number)
        sealers = [self.keys[member] for member in members[: quorum_of(len(members))]]
        bare = {**plain, "parentHash": self._blocks[number - 1]["hash"], "miner": members[number % len(members)]}
        digest = keccak256(_header({**bare, "extraData": to_hex(extra(0, []))}))
        sealed = to_hex(extra(0, [seal(sealer, digest) for sealer in sealers]))
        # In round 0 the seals sign what the block is called by.
        return {**bare, "extraData": sealed, "hash": to_hex(digest)}

    def _in_force(self, number: int) -> list[str]:
        raw = bytes.fromhex(
            self.anvil.ask("eth_call", {"to": self.source, "data": GET_VALIDATORS}, hex(number - 1))[2:]
        )
        words = [raw[at : at + 32] for at in range(64, len(raw), 32)]
        return [to_hex(word[12:]) for word in words]


def _header(block: dict[str, Any]) -> bytes:
    return header_bytes(written_header(block))


def _handler(node: SealedNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go in two writes: held together, every answer would wait 40 ms for the client's delayed ACK.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [node.answer(one) for one in asked] if isinstance(asked, list) else node.answer(asked)
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests print what they have to say."""

    return Handler
