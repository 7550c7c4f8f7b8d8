"""What is looked at before anything is sent: is it a network of ours, does nobody use it, may our accounts send?"""

import time
from dataclasses import dataclass, field

from consortium.embedded.anvil import DEVELOPMENT_CHAIN_ID
from consortium.kernel.errors import ConsiliumError
from contracts.errors import ChainError, SenderNotAuthorizedError
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.relay import Relay
from tests.chain.given import PATIENCE_SECONDS, GivenNetwork, GivenNetworkError

SOURCE = ContractReference("ValidatorSource", SOURCE_ADDRESS)
TRANSFER_GAS = 21_000


@dataclass
class Seen:
    """The nodes' versions by their addresses, the head, and how the network's validators are kept."""

    versions: dict[str, str] = field(default_factory=dict)
    height: int = 0
    genesis: str = ""
    mode: str = ""


def look(given: GivenNetwork) -> Seen:
    """Ask every node; nothing is sent.

    Raises
    ------
    GivenNetworkError
        If the nodes are no network that the suite may run on.
    """
    if given.chain_id == DEVELOPMENT_CHAIN_ID:
        raise GivenNetworkError(
            f"{given.chain_id} is the development chain's id: somebody's demo runs there. Start another node."
        )
    seen = Seen()
    genesis: set[bytes] = set()
    for place, url in enumerate(given.urls):
        genesis.add(_look_at(given.node(place), url, seen))
    if len(genesis) > 1:
        raise GivenNetworkError("The nodes have different genesis blocks: they are of several networks.")
    seen.genesis = "0x" + genesis.pop().hex()
    seen.mode = _require_unused(given.gateway)
    return seen


def require_senders(given: GivenNetwork) -> None:
    """Send one empty transaction from each account and wait until it is mined.

    Raises
    ------
    GivenNetworkError
        If an account may not send, or no block is made.
    """
    gateway = given.gateway
    refused = [relay.address for relay in given.relays if not _may_send(gateway, relay)]
    if refused:
        listed = ", ".join(f'"{address}"' for address in (relay.address for relay in given.relays))
        raise GivenNetworkError(
            f"The nodes' account allow-list lacks {', '.join(refused)}. On every node, at its operations port "
            f'(permission perm:*): {{"method": "perm_addAccountsToAllowlist", "params": [[{listed}]]}}. They are the '
            "suite's own accounts, kept for later runs; take them off the list when you are done."
        )


def _look_at(node: Gateway, url: str, seen: Seen) -> bytes:
    try:
        seen.versions[url.rpartition("@")[2].rpartition("//")[2]] = str(node.ask("web3_clientVersion"))
        node.check_chain()
        block = node.ask("eth_getBlockByNumber", ["latest", False])
        first = node.block(0)
    except ChainError as error:
        raise GivenNetworkError(f"{url.rpartition('@')[2]}: {error.message}") from error
    if int(block.get("baseFeePerGas") or "0x0", 16) != 0:
        raise GivenNetworkError(f"{url.rpartition('@')[2]}: gas has a price there, so it is no network of ours.")
    if first is None:
        raise GivenNetworkError(f"{url.rpartition('@')[2]} does not have block 0.")
    seen.height = max(seen.height, int(block["number"], 16))
    return first.hash


def _require_unused(gateway: Gateway) -> str:
    """Refuse a network on which a consortium stands: its list of validators belongs to a registry."""
    if not gateway.code(SOURCE_ADDRESS):
        return f"no ValidatorSource at {SOURCE_ADDRESS} in its genesis: seals are left out"
    try:
        writer = str(gateway.call(SOURCE, "writer"))
    except ConsiliumError:
        return f"another contract at {SOURCE_ADDRESS} than ours"
    if gateway.code(writer):
        raise GivenNetworkError(
            f"A consortium was founded on this network: the contract {writer} writes its validators. The suite runs on "
            "networks that are thrown away afterwards, or found later, and on no others."
        )
    count = len(gateway.call(SOURCE, "getValidators"))
    return f"ValidatorSource at {SOURCE_ADDRESS} with {count} validators, written by {writer}"


def _may_send(gateway: Gateway, relay: Relay) -> bool:
    nonce = gateway.transaction_count(relay.address)
    signed = relay.sign(to=relay.address, data=b"", nonce=nonce, gas=TRANSFER_GAS, chain_id=gateway.chain_id)
    try:
        gateway.send_raw(signed.raw)
    except SenderNotAuthorizedError:
        return False
    except ChainError as error:
        raise GivenNetworkError(f"A first transaction was refused: {error.message}") from error
    deadline = time.monotonic() + PATIENCE_SECONDS
    while gateway.receipt(signed.hash) is None:
        if time.monotonic() > deadline:
            raise GivenNetworkError(
                f"A transaction was taken and is not mined after {PATIENCE_SECONDS:.0f} s: does the network make "
                "blocks, and has every node --min-gas-price=0?"
            )
        time.sleep(0.2)
    return True
