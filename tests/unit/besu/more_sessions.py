"""The recorded sessions of the small networks: permissions, tokens, restarts, minimum price."""

import time
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from tests.besu.access import Tokens
from tests.besu.exchange import Reply
from tests.besu.ledger import genesis_ledger
from tests.besu.node import Node
from tests.besu.permissions import Permissions
from tests.besu.recordings import Row, row, rows
from tests.unit.besu.sessions import ask

HEAD_OF_SMALL_NETWORKS = 20


def permissions_session(folder: Any) -> Iterator[tuple[Row, Reply]]:
    """One node with lists of nodes and accounts in a file, and a log range limit of 10."""
    start = {name: row("perm", f"{name} at the start").response["result"] for name in ("nodes", "accounts")}
    lists = Permissions(**start, fixed=tuple(start["nodes"]), path=folder / "permissions_config.toml")
    node = Node(_small_ledger(), permissions=lists, max_logs_range=10)
    for found in rows("perm"):
        if found.label == "send: a gap from the added account":
            node.mine()
        yield found, ask(node, found)


def tokens_session(key: RSAPrivateKey) -> Iterator[tuple[Row, Reply]]:
    """One node in public key mode; each recorded token is made anew, same claims, by a key that we have."""
    node = Node(_small_ledger(), tokens=Tokens(key.public_key(), ("net_version",)))
    for found in rows("jwt"):
        if found.network == "jwt":
            yield found, ask(node, found, headers=_signed_anew(found, key))


def single_session() -> Iterator[tuple[Row, Reply]]:
    """One validator: without peers, restarted without and with its pool kept, then with a minimum price."""
    node = Node(_small_ledger())
    for found in rows("rpc_more"):
        if found.network != "single":
            continue
        if found.label.startswith("pool after a restart"):
            node.keeps_pool = "save-restore" in found.label
            node.restart()
        if found.label == "gas price with a minimum of 1000":
            node = Node(_small_ledger(), min_gas_price=1000)
        yield found, ask(node, found)


def layered_session() -> Iterator[tuple[Row, Reply]]:
    """What the default pool has in common with the other, but for its limit ahead."""
    node = Node(_small_ledger(), max_ahead=199)
    for found in rows("rpc_more"):
        if found.network == "layered":
            yield found, ask(node, found)


def make_key() -> RSAPrivateKey:
    return generate_private_key(65_537, 2_048)


def _small_ledger() -> Any:
    ledger = genesis_ledger()
    for _ in range(HEAD_OF_SMALL_NETWORKS):
        ledger.mine()
    return ledger


def _signed_anew(found: Row, key: RSAPrivateKey) -> dict[str, str]:
    """The recorded headers, the token in them signed by our key and moved to the present."""
    before = found.headers.get("Authorization", "")
    token = before.removeprefix("Bearer ")
    if token.count(".") != 2:
        return found.headers
    algorithm = jwt.get_unverified_header(token)["alg"]
    claims = _moved(jwt.decode(token, options={"verify_signature": False}))
    signer: Any = make_key() if found.label == "signed by another key" else key
    secret: Any = {"HS256": "a secret of thirty-two characters", "none": None}.get(algorithm, signer)
    again = jwt.encode(claims, secret, algorithm=algorithm)
    return found.headers | {"Authorization": before.replace(token, again)}


def _moved(claims: dict[str, Any]) -> dict[str, Any]:
    right = row("jwt", "right: *:*").headers["Authorization"].removeprefix("Bearer ")
    recorded_at = jwt.decode(right, options={"verify_signature": False})["iat"]
    # Tokens were made within two seconds of the first; none may lie in the future now.
    shift = int(time.time()) - recorded_at - 2
    return {name: value + shift if name in ("iat", "exp", "nbf") else value for name, value in claims.items()}
