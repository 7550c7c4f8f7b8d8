"""The node itself: peers and permissions."""

import re
from typing import TYPE_CHECKING, Any

from tests.besu import refusals
from tests.besu.recordings import document

if TYPE_CHECKING:
    from tests.besu.node import Node

_ENODE = re.compile(r"enode://[0-9a-f]{128}@[^@:]+:\d+")


class Operation:
    def __init__(self, node: "Node") -> None:
        self._node = node

    def web3_clientVersion(self, *_: Any) -> str:
        return str(document("network.json")["client_version"])

    def net_version(self, *_: Any) -> str:
        return str(self._node.chain_id)

    def net_listening(self, *_: Any) -> bool:
        return True

    def net_peerCount(self, *_: Any) -> str:
        return hex(len(self._node.peers))

    def qbft_getRequestTimeoutSeconds(self, *_: Any) -> int:
        return 4

    def eth_accounts(self, *_: Any) -> list[str]:
        return []

    def eth_mining(self, *_: Any) -> bool:
        """True on a node that is in no set as well."""
        return True

    def admin_peers(self, *_: Any) -> list[dict[str, Any]]:
        version = self.web3_clientVersion()
        return [
            {"version": "0x5", "name": version, "id": "0x" + enode[8:136], "enode": enode, "port": "0x7661"}
            for enode in self._node.peers
        ]

    def admin_addPeer(self, enode: str) -> bool:
        """True where the node was not asked for before; also for one that is not permitted, which never comes."""
        if not _ENODE.match(enode):
            raise refusals.parse_error()
        is_new = enode not in self._node.wanted_peers
        self._node.wanted_peers.add(enode)
        return is_new

    def admin_removePeer(self, enode: str) -> bool:
        was_there = enode in self._node.wanted_peers or enode in self._node.peers
        self._node.wanted_peers.discard(enode)
        self._node.peers = [peer for peer in self._node.peers if peer != enode]
        return was_there

    def perm_getNodesAllowlist(self, *_: Any) -> list[str]:
        return self._node.permissions.list_nodes()

    def perm_getAccountsAllowlist(self, *_: Any) -> list[str]:
        return self._node.permissions.list_accounts()

    def perm_addNodesToAllowlist(self, *given: Any) -> str:
        return self._node.permissions.add_nodes(_only(given))

    def perm_removeNodesFromAllowlist(self, *given: Any) -> str:
        return self._node.permissions.remove_nodes(_only(given))

    def perm_addAccountsToAllowlist(self, *given: Any) -> str:
        return self._node.permissions.add_accounts(_only(given))

    def perm_removeAccountsFromAllowlist(self, *given: Any) -> str:
        return self._node.permissions.remove_accounts(_only(given))

    def perm_reloadPermissionsFromFile(self, *_: Any) -> str:
        return self._node.permissions.reload()


def _only(given: tuple[Any, ...]) -> Any:
    return given[0] if given else None
