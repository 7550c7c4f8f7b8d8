"""Making a network: from a members file to the folders that are handed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consortium.kernel.secp256k1 import checksum_address
from contracts.network.errors import MembersFileError
from contracts.network.members import parse_members
from contracts.network.node_folders import MemberNode, make_nodes, network_files
from contracts.network.output_folder import write_together


@dataclass(frozen=True, slots=True)
class MadeNetwork:
    """What was written: the nodes in the order of the members file."""

    name: str
    nodes: tuple[MemberNode, ...]


def make_network(content: bytes, *, relays: Sequence[str], target: Path) -> MadeNetwork:
    """Write a network's files from a members file's bytes.

    Raises
    ------
    MembersFileError, InvalidInputError
        If the file, or a relay's address, cannot be used; nothing is written then.
    FolderNotEmptyError
        If `target` holds something.
    """
    accounts = [checksum_address(relay) for relay in relays]
    file = parse_members(content)
    nodes = make_nodes(file.members)
    if shared := {node.enode.address for node in nodes} & set(accounts):
        raise MembersFileError(f"{shared.pop()} is a node's address and a relay's. The relay has a key of its own.")
    write_together(network_files(file, nodes, relays=accounts), target)
    return MadeNetwork(file.numbers.name, tuple(nodes))
