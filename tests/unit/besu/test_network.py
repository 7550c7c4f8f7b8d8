"""What a recording cannot hold: nodes that move on, stand still, restart, and disagree."""

import itertools
import time

from tests.besu.ledger import Outcome, recorded_ledger
from tests.besu.network import Network
from tests.besu.node import Node
from tests.besu.recordings import row
from tests.unit.besu.asking import SOMEBODY, new_account, refusal_of, signed


def test_what_one_node_takes_every_node_has_and_the_next_block_holds():
    network, account = Network(4), new_account()
    transaction_hash = network.nodes[0].ask("eth_sendRawTransaction", [signed(account, 0)])
    assert [node.ask("txpool_besuStatistics", [])["remoteCount"] for node in network.nodes] == [0, 1, 1, 1]

    network.mine()
    for node in network.nodes:
        receipt = node.ask("eth_getTransactionReceipt", [transaction_hash])
        assert (receipt["status"], receipt["blockNumber"]) == ("0x1", "0x1")
        assert len(node.pool) == 0
        assert node.ask("net_peerCount", []) == "0x3"


def test_a_frozen_network_takes_transactions_and_answers_as_if_it_were_well():
    network, account = Network(4), new_account()
    network.mine(3)
    network.freeze()
    network.mine(5)
    assert network.nodes[0].ask("eth_blockNumber", []) == "0x3"
    assert network.nodes[0].ask("eth_syncing", []) is False
    transaction_hash = network.nodes[0].ask("eth_sendRawTransaction", [signed(account, 0)])

    network.thaw()
    network.mine()
    assert network.nodes[3].ask("eth_getTransactionReceipt", [transaction_hash])["blockNumber"] == "0x4"


def test_a_node_that_stands_still_knows_nothing_newer_until_it_follows_again():
    network, account = Network(2), new_account()
    network.mine()
    late = network.nodes[1]
    late.stand_still()
    transaction_hash = network.nodes[0].ask("eth_sendRawTransaction", [signed(account, 0)])
    network.mine()
    assert late.ask("eth_blockNumber", []) == "0x1"
    assert late.ask("eth_getTransactionReceipt", [transaction_hash]) is None
    assert late.ask("eth_getTransactionCount", [account.address, "latest"]) == "0x0"
    assert late.ask("eth_getBlockByNumber", ["0x2", False]) is None
    assert refusal_of(late, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x2"}) == (-32602, "Invalid params")

    late.follow()
    assert late.ask("eth_getTransactionCount", [account.address, "latest"]) == "0x1"


def test_a_restart_loses_the_pool_unless_it_is_kept():
    forgetful, keeping = Node(), Node(keeps_pool=True)
    for node in (forgetful, keeping):
        node.ask("eth_sendRawTransaction", [signed(new_account(), 1)])
        node.restart()
    assert (len(forgetful.pool), len(keeping.pool)) == (0, 1)


def test_an_account_is_stuck_behind_a_price_until_it_gets_a_balance():
    network, account = Network(1), new_account()
    node = network.nodes[0]
    priced = {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 10**9}
    node.ask("eth_sendRawTransaction", [signed(account, 0, **priced)])
    node.ask("eth_sendRawTransaction", [signed(account, 1)])
    wanted = row("rpc", "send: price 0 against it").response["error"]
    refused = refusal_of(node, "eth_sendRawTransaction", signed(account, 0))
    assert refused == (wanted["code"], wanted["message"])
    network.mine(3)
    assert node.ask("eth_getTransactionCount", [account.address, "latest"]) == "0x0"
    assert node.ask("eth_getTransactionCount", [account.address, "pending"]) == "0x2"

    network.ledger.allocate(account.address, 10**18)
    network.mine()
    assert node.ask("eth_getTransactionCount", [account.address, "latest"]) == "0x2"


def test_a_refused_middle_of_a_row_leaves_a_gap_when_later_ones_are_taken_after_a_block():
    """Why sending stops at the first nonce that is too far ahead."""
    network, account = Network(1), new_account()
    node = network.nodes[0]
    for nonce in range(615):
        node.ask("eth_sendRawTransaction", [signed(account, nonce)])
    assert refusal_of(node, "eth_sendRawTransaction", signed(account, 615))[1].startswith("Transaction nonce is too")
    network.mine()
    node.ask("eth_sendRawTransaction", [signed(account, 616)])
    network.mine(3)
    assert node.ask("eth_getTransactionCount", [account.address, "latest"]) == hex(615)
    assert len(node.pool) == 1


def test_an_account_taken_off_the_list_is_never_mined_though_it_waits(tmp_path):
    network, account = Network(1), new_account()
    node = network.nodes[0]
    node.permissions.accounts = [account.address.lower()]
    transaction_hash = node.ask("eth_sendRawTransaction", [signed(account, 0)])
    node.ask("perm_removeAccountsFromAllowlist", [[account.address]])
    network.mine(2)
    assert node.ask("eth_getTransactionReceipt", [transaction_hash]) is None


def test_a_program_says_what_a_transaction_does_and_a_view_what_a_call_answers():
    network, account = Network(1), new_account()
    node = network.nodes[0]
    network.ledger.programs[SOMEBODY.lower()] = lambda transaction: Outcome(
        logs=((SOMEBODY, ("0x" + "11" * 32,), "0x" + transaction.data.hex()),), gas_used=50_000
    )
    network.ledger.programs[""] = lambda transaction: Outcome(succeeded=False, revert_reason="0x")
    network.ledger.views[SOMEBODY.lower()] = lambda data, height: "0x" + data.hex() + f"{height:02x}"
    first = node.ask("eth_sendRawTransaction", [signed(account, 0, data="0x0102")])
    second = node.ask("eth_sendRawTransaction", [signed(account, 1, to="", data="0x00")])
    network.mine()

    receipt = node.ask("eth_getTransactionReceipt", [first])
    assert (receipt["gasUsed"], receipt["logs"][0]["data"], receipt["logs"][0]["logIndex"]) == (
        "0xc350",
        "0x0102",
        "0x0",
    )
    logs = node.ask("eth_getLogs", [{"address": SOMEBODY, "fromBlock": "0x1", "toBlock": "latest"}])
    assert [log["transactionHash"] for log in logs] == [first]
    refused = node.ask("eth_getTransactionReceipt", [second])
    assert (refused["status"], refused["revertReason"], bool(refused["contractAddress"])) == ("0x0", "0x", True)
    assert node.ask("eth_call", [{"to": SOMEBODY, "data": "0x07"}, "latest"]) == "0x0701"


def test_a_fork_shares_its_past_and_nothing_after():
    ledger = recorded_ledger(until=20)
    other = ledger.fork(10)
    other.mine(salt="other")
    assert other.blocks[10] == ledger.blocks[10]
    assert other.blocks[11]["hash"] != ledger.blocks[11]["hash"]
    assert ledger.head == 20


def test_blocks_that_are_made_follow_each_other_and_the_clock():
    network = Network(1)
    network.mine(3)
    blocks = network.ledger.blocks
    assert all(after["parentHash"] == before["hash"] for before, after in itertools.pairwise(blocks))
    assert abs(int(blocks[3]["timestamp"], 16) - time.time()) < 10
    assert set(blocks[3]) == set(recorded_ledger(until=1).blocks[1])


def test_the_permissions_file_is_written_at_each_change_and_read_again(tmp_path):
    path = tmp_path / "permissions_config.toml"
    node = Node()
    node.permissions.path, node.permissions.nodes = path, []
    enode = Node(index=7).enode
    node.ask("perm_addNodesToAllowlist", [[enode]])
    assert path.read_text() == f'nodes-allowlist=["{enode}"]\n'

    path.write_text("nodes-allowlist=[]\n")
    node.ask("perm_reloadPermissionsFromFile", [])
    assert node.ask("perm_getNodesAllowlist", []) == []


def test_a_refused_list_changes_nothing():
    node = Node()
    known, new = Node(index=1).enode, Node(index=2).enode
    node.permissions.nodes = [known]
    assert refusal_of(node, "perm_addNodesToAllowlist", [new, known])[1] == "Cannot add an existing node to allowlist"
    assert node.ask("perm_getNodesAllowlist", []) == [known]
    removal = refusal_of(node, "perm_removeNodesFromAllowlist", [known, new])
    assert removal[1] == "Cannot remove an absent node from allowlist"
    assert node.ask("perm_getNodesAllowlist", []) == [known]


def test_a_peer_that_is_removed_is_no_longer_connected():
    network = Network(3)
    gone = network.nodes[2].enode
    assert network.nodes[0].ask("admin_removePeer", [gone]) is True
    assert [peer["enode"] for peer in network.nodes[0].ask("admin_peers", [])] == [network.nodes[1].enode]
