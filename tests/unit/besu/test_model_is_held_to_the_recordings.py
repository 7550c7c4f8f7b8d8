"""Every recorded question is asked of the model, in the state in which it was asked; the answers are the same."""

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from tests.besu.exchange import Reply
from tests.besu.ledger import genesis_ledger, recorded_blocks, recorded_ledger, recorded_receipts
from tests.besu.node import Node
from tests.besu.rebuilding import raw_of
from tests.besu.recordings import EXCHANGES, Row, all_rows, rows
from tests.besu.transactions import decode
from tests.unit.besu.coverage import NOT_COVERED, reason_for_leaving_out
from tests.unit.besu.more_sessions import (
    layered_session,
    make_key,
    permissions_session,
    single_session,
    tokens_session,
)
from tests.unit.besu.sessions import MainSession, differences

COVERED = {"rpc": 245, "rpc_more": 15, "perm": 41, "jwt": 33}


@pytest.fixture(params=["main", "permissions", "tokens", "single"])
def session(request, tmp_path) -> Iterable[tuple[Row, Reply]]:
    sessions = {
        "main": lambda: MainSession().run(),
        "permissions": lambda: permissions_session(tmp_path),
        "tokens": lambda: tokens_session(make_key()),
        "single": single_session,
    }
    found: Iterator[tuple[Row, Reply]] = sessions[request.param]()
    return found


def test_the_model_answers_as_the_recorded_node_did(session):
    asked = [(row, reply) for row, reply in session if reason_for_leaving_out(row) is None]
    assert [text for row, reply in asked if (text := differences(row, reply))] == []
    assert asked


def test_what_is_not_covered_is_listed_with_its_reason_and_nothing_else_is(capsys):
    covered = Counter(row.file for row in all_rows() if reason_for_leaving_out(row) is None)
    reasons = Counter(reason_for_leaving_out(row) for row in all_rows())
    with capsys.disabled():
        print(f"\n{sum(covered.values())} of {len(all_rows())} recorded exchanges are held: {dict(covered)}")  # noqa: T201
        for reason, count in reasons.most_common():
            if reason is not None:
                print(f"{count:4} left out: {reason}")  # noqa: T201

    assert dict(covered) == COVERED
    used = {reason_for_leaving_out(row) for row in all_rows()}
    assert {why for _, _, why in NOT_COVERED} <= used


def test_each_file_of_recordings_is_whole():
    assert {file: len(rows(file)) for file in EXCHANGES} == {"rpc": 307, "rpc_more": 59, "perm": 43, "jwt": 40}


def test_every_recorded_transaction_is_read_as_the_node_read_it():
    """Bytes rebuilt from the block: the same hash, the same sender, the same members in the block."""
    for block in recorded_blocks():
        for index, mined in enumerate(block["transactions"]):
            found = decode("0x" + raw_of(mined).hex())
            assert found.mined_json(block=block, index=index) == mined


def test_every_recorded_block_is_what_the_pool_would_have_offered():
    """Put in backwards, the pool brings each sender's transactions in the order of their nonces, and all at once."""
    blocks, receipts = recorded_blocks(), recorded_receipts()
    node = Node(genesis_ledger())
    for number in range(1, len(blocks)):
        mined = [decode("0x" + raw_of(found).hex()) for found in blocks[number]["transactions"]]
        for transaction in reversed(mined):
            node.take(transaction)
        # The node executed them one after another, so the sums of their limits may exceed a block's.
        offered = {t.hash for t in node.pool.executable(node.ledger)}
        assert offered == {t.hash for t in mined} or sum(t.gas for t in mined) > 60_000_000
        node.ledger.append(blocks[number], receipts.get(number, ()))
        node.see(blocks[number])
        assert len(node.pool) == 0


def test_balances_follow_from_the_recorded_blocks():
    """Transfers, fees and the proposers' income: the one recorded balance comes out."""
    node = Node(recorded_ledger(until=59))
    asked = next(row for row in rows("rpc") if row.label == "balance")
    assert node.ask("eth_getBalance", asked.request["params"]) == asked.response["result"] == hex(10**18)


def test_the_layered_pool_differs_only_where_it_is_said_to():
    """The limit of nonces ahead is an option; the counts that differ are what `coverage` leaves out."""
    ahead = [(row, reply) for row, reply in layered_session() if "ahead" in row.label]
    assert len(ahead) == 3
    assert [text for row, reply in ahead if (text := differences(row, reply))] == []
