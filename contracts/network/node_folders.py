"""What each member gets: a folder with its node's files, and none of another member's secrets."""

import hashlib
import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from contracts.network.enodes import Enode, public_key_of
from contracts.network.genesis import build_genesis
from contracts.network.members import Member, MembersFile
from contracts.network.node_configuration import HTTP_PORT, METRICS_PORT, OPERATIONS_PORT, besu_configuration
from contracts.network.permissions import AllowList
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.network.quorum import may_fail, quorum_of

TEXTS = Path(__file__).parent / "texts"
SECRET_MODE, SCRIPT_MODE, PLAIN_MODE = 0o600, 0o755, 0o644
# Order of secp256k1: a private key lies below it and above zero.
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class NodeFile:
    """One file to write: a path below the output folder, its content, its mode."""

    path: str
    content: bytes
    mode: int = PLAIN_MODE


@dataclass(frozen=True, slots=True)
class MemberNode:
    """A member with its node's name, and the private key where it was made here."""

    member: Member
    enode: Enode
    private_key: bytes | None


def make_nodes(members: Sequence[Member]) -> list[MemberNode]:
    """Give each member its node, with a key from the operating system's generator where it brought none."""
    return [_make_node(member) for member in members]


def network_files(file: MembersFile, nodes: Sequence[MemberNode], *, relays: Sequence[str]) -> list[NodeFile]:
    """All files of a network: the genesis and one folder a member.

    `relays` are the accounts that may send; the first writes ValidatorSource until the founding.
    """
    validators = [node.enode.address for node in nodes]
    genesis = _json(build_genesis(file.numbers, validators, relay=relays[0]))
    allowed = AllowList.of((node.enode for node in nodes), relays).to_toml().encode()
    shared = [NodeFile("genesis.json", genesis), NodeFile("permissions_config.toml", allowed)]
    files = [NodeFile("genesis.json", genesis)]
    for node in nodes:
        own = [*shared, *_own_files(file, node, nodes, genesis=genesis, relay=relays[0])]
        files += [NodeFile(f"{node.member.name}/{one.path}", one.content, one.mode) for one in own]
    return files


def _own_files(
    file: MembersFile, node: MemberNode, nodes: Sequence[MemberNode], *, genesis: bytes, relay: str
) -> list[NodeFile]:
    network = file.numbers.name
    others = [str(other.enode) for other in nodes if other is not node]
    words = _words(file, node, len(nodes), genesis=genesis, relay=relay)
    files = [
        NodeFile("static-nodes.json", _json(others)),
        NodeFile("config.toml", besu_configuration(node.member, network).encode()),
        NodeFile("besu.env", _text("besu.env", words)),
        NodeFile("besu.service", _text("besu.service", words)),
        NodeFile("consilium-reconcile.service", _text("consilium-reconcile.service", words)),
        NodeFile("container.sh", _text("container.sh", words), SCRIPT_MODE),
        NodeFile("README.md", _text("README.md", words)),
    ]
    if node.private_key is not None:
        files.append(NodeFile("node.key", f"0x{node.private_key.hex()}\n".encode(), SECRET_MODE))
    return files


def _words(file: MembersFile, node: MemberNode, count: int, *, genesis: bytes, relay: str) -> dict[str, object]:
    made = node.private_key is not None
    return {
        "name": node.member.name,
        "network": file.numbers.name,
        "chain_id": file.numbers.chain_id,
        "genesis_digest": hashlib.sha256(genesis).hexdigest(),
        "enode": node.enode,
        "address": node.enode.address,
        "host": node.member.host,
        "port": node.member.port,
        "rpc_host": node.member.rpc_host,
        "asked_at": _asked_at(node.member.rpc_host),
        "count": count,
        "others": count - 1,
        "quorum": quorum_of(count),
        "failing": may_fail(count),
        "source": SOURCE_ADDRESS,
        "relay": relay,
        "http_port": HTTP_PORT,
        "operations_port": OPERATIONS_PORT,
        "metrics_port": METRICS_PORT,
        "key_word": "" if made else ", and you made it yourself: it is not here",
        "key_step": _KEY_MADE if made else _KEY_OWN,
    }


_KEY_MADE = (
    "`node.key` was made where this folder was written, and whoever wrote it has seen it. Move it here by a way that "
    "nobody else reads and delete it there; a member who does not want that makes its key itself and hands in the "
    "public half."
)
_KEY_OWN = "Put your own `node.key` beside these files; its public half is the one in the table."


def _asked_at(rpc_host: str) -> str:
    """The listening address as it stands in an address on this machine; its own host allow-list knows it so."""
    if ipaddress.ip_address(rpc_host).is_unspecified:
        return "127.0.0.1"
    return f"[{rpc_host}]" if ":" in rpc_host else rpc_host


def _make_node(member: Member) -> MemberNode:
    if member.public_key is not None:
        return MemberNode(member, Enode(member.public_key, member.host, member.port), None)
    private_key = (secrets.randbelow(_ORDER - 1) + 1).to_bytes(32, "big")
    return MemberNode(member, Enode(public_key_of(private_key), member.host, member.port), private_key)


def _text(name: str, words: dict[str, object]) -> bytes:
    return Template((TEXTS / name).read_text()).substitute(words).encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
