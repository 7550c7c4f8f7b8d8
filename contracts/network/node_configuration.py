"""Besu's config.toml for one member's node: every option that a network of ours depends on, in words of its own.

Besu serves one set of APIs on its HTTP port. ADMIN and PERM change who may connect, so they are not
among them: an API that is not enabled is refused whatever a token says, and a token that leaks from a
program elsewhere opens nothing. They are served on Besu's second port, the WebSocket, which listens on
loopback alone and asks for a token too; reconciler and `chain status` use it on the node's own machine.
"""

import ipaddress
import json
from typing import Any

from contracts.network.members import Member

CONFIGURATION_FOLDER = "/etc/besu"
DATA_FOLDER = "/var/lib/besu"
HTTP_APIS = ("ETH", "NET", "WEB3", "QBFT", "TXPOOL")
OPERATIONS_APIS = ("ETH", "NET", "QBFT", "ADMIN", "PERM")
HTTP_PORT, OPERATIONS_PORT, METRICS_PORT = 8545, 8546, 9545
_LOOPBACK = "127.0.0.1"
# All 64 validators, observers and those that join: Besu's default of 25 would leave members out.
_MAX_PEERS = 100
# What our programs ask for at most; Besu's own default, named since a lower one would stop the projector.
_MAX_LOG_BLOCKS = 5_000

_COMMENT = """\
# {name}, a node of the network {network}. Start Besu with --profile=ENTERPRISE beside this file.
# HTTP: {http}. WebSocket on loopback alone: {operations}.
"""


def besu_configuration(member: Member, network: str) -> str:
    """The text of config.toml."""
    head = _COMMENT.format(
        name=member.name, network=network, http=", ".join(HTTP_APIS), operations=", ".join(OPERATIONS_APIS)
    )
    groups = (_files(), _peers(member), _permissions(), _http(member), _operations(), _rest())
    return head + "\n" + "\n".join("".join(f"{key}={json.dumps(value)}\n" for key, value in g.items()) for g in groups)


def _files() -> dict[str, Any]:
    return {
        "data-path": DATA_FOLDER,
        "genesis-file": f"{CONFIGURATION_FOLDER}/genesis.json",
        "node-private-key-file": f"{CONFIGURATION_FOLDER}/node.key",
        # The profile leaves these two to the one who starts a QBFT network.
        "sync-mode": "FULL",
        "data-storage-format": "FOREST",
    }


def _peers(member: Member) -> dict[str, Any]:
    return {
        "p2p-host": member.host,
        "p2p-port": member.port,
        "nat-method": "NONE",
        # Every peer is on the allow-list and every static node is dialled again and again: nothing to discover.
        "discovery-enabled": False,
        "static-nodes-file": f"{CONFIGURATION_FOLDER}/static-nodes.json",
        "max-peers": _MAX_PEERS,
    }


def _permissions() -> dict[str, Any]:
    # In the data folder: Besu rewrites the file at each perm_* call.
    path = f"{DATA_FOLDER}/permissions_config.toml"
    return {
        "permissions-nodes-config-file-enabled": True,
        "permissions-nodes-config-file": path,
        "permissions-accounts-config-file-enabled": True,
        "permissions-accounts-config-file": path,
    }


def _http(member: Member) -> dict[str, Any]:
    own = [] if ipaddress.ip_address(member.rpc_host).is_unspecified else [member.rpc_host]
    return {
        "rpc-http-enabled": True,
        "rpc-http-host": member.rpc_host,
        "rpc-http-port": HTTP_PORT,
        "rpc-http-api": HTTP_APIS,
        "rpc-http-authentication-enabled": True,
        "rpc-http-authentication-jwt-public-key-file": f"{CONFIGURATION_FOLDER}/rpc-public.pem",
        "host-allowlist": list(dict.fromkeys(["localhost", _LOOPBACK, *own, *member.rpc_names])),
        "rpc-max-logs-range": _MAX_LOG_BLOCKS,
    }


def _operations() -> dict[str, Any]:
    return {
        "rpc-ws-enabled": True,
        "rpc-ws-host": _LOOPBACK,
        "rpc-ws-port": OPERATIONS_PORT,
        "rpc-ws-api": OPERATIONS_APIS,
        "rpc-ws-authentication-enabled": True,
        "rpc-ws-authentication-jwt-public-key-file": f"{CONFIGURATION_FOLDER}/rpc-public.pem",
    }


def _rest() -> dict[str, Any]:
    return {
        # The default drops free transactions in silence; ALL nodes need it.
        "min-gas-price": 0,
        "tx-pool": "SEQUENCED",
        "tx-pool-enable-save-restore": True,
        "revert-reason-enabled": True,
        "metrics-enabled": True,
        "metrics-host": _LOOPBACK,
        "metrics-port": METRICS_PORT,
        "logging": "INFO",
    }
