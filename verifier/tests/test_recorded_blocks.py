"""Blocks, receipts and proofs of a real Besu network, as its nodes answered them."""

import dataclasses
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import recordings as rec
from consilium_verify.chain.accounts import proven_account, proven_slot
from consilium_verify.chain.headers import MEMBERS, Header, block_hash, read_extra, write_extra
from consilium_verify.chain.histories import History
from consilium_verify.chain.receipts import decode_receipt, encode_receipt, may_hold, proven_receipt
from consilium_verify.chain.seals import require_sealed
from consilium_verify.chain.tries import list_root
from consilium_verify.chain.validators import SetProof, ValidatorSet, proven_digest
from consilium_verify.findings import RefusedError
from consilium_verify.node_answers import answered_header, answered_receipt, whole_bytes
from qbft_network import Trie, rlp, scalar

BLOCKS = rec.lines("blocks.jsonl")
Flip = Callable[[random.Random], tuple[str, str]]


def begun(at: int = 0) -> History:
    header = rec.headers()[at]
    return History.begin(rec.SOURCE, rec.sets(), header, block_hash(header), rec.set_proofs()[at])


def followed(to: int) -> History:
    history = begun()
    for header in rec.headers()[1 : to + 1]:
        history.extend(header, rec.set_proofs().get(header.number))
    return history


def with_extra(header: Header, **changes: Any) -> Header:
    extra = dataclasses.replace(read_extra(header), **changes)
    return dataclasses.replace(header, extra_data=write_extra(extra, extra.round, extra.seals))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return str(caught.value)


def test_every_recorded_header_has_its_hash() -> None:
    assert [block_hash(header).hex() for header in rec.headers()] == [block["hash"][2:] for block in BLOCKS]


def test_every_recorded_block_is_sealed_by_the_set_proven_before_it() -> None:
    history, ranges = begun(), rec.document("network.json")["validators"]
    for header in rec.headers()[1:]:
        [expected] = [r["members"] for r in ranges if r["from_block"] <= header.number <= r["to_block"]]
        assert [f"0x{member.hex()}" for member in history.in_force.members] == expected
        history.extend(header, rec.set_proofs().get(header.number))

    assert (history.head.number, history.changes) == (110, 8)


def test_blocks_with_gaps_between_are_proven_by_the_changes_alone() -> None:
    history = begun()
    for number in (20, 28, 33, 37, 38, 43, 69, 88, 110):
        history.extend(rec.headers()[number], rec.set_proofs()[number])

    assert (history.head.number, history.changes) == (110, 8)


def test_two_replacements_in_one_block_count_by_the_last() -> None:
    history = followed(37)

    events = [log for r in rec.receipts()[37] for log in r["logs"] if int(log["address"], 16) == 0x7777]
    assert len(events) == 2
    assert history.in_force.digest == rec.raw(events[1]["data"])[:32]
    assert history.in_force.digest != rec.raw(events[0]["data"])[:32]


def test_replacement_by_the_same_list_is_no_change() -> None:
    before, after = followed(46), followed(47)

    assert may_hold(rec.headers()[47].bloom, rec.SOURCE.address)
    assert (after.in_force, after.changes) == (before.in_force, before.changes)


def test_every_recorded_receipt_and_transaction_is_in_its_root() -> None:
    for block, header in zip(BLOCKS, rec.headers(), strict=True):
        encoded = [encode_receipt(answered_receipt(r)) for r in rec.receipts().get(header.number, [])]
        assert list_root(encoded) == header.receipts_root
        assert list_root([rec.transaction(t) for t in block["transactions"]]) == header.transactions_root
        assert [encode_receipt(decode_receipt(e)) for e in encoded] == encoded


def test_every_recorded_account_and_storage_proof_holds() -> None:
    present = absent = 0
    for row in rec.lines("proofs.jsonl"):
        answer = row["response"]["result"]
        account = proven_account(rec.raw(row["stateRoot"]), rec.raw(answer["address"]), nodes(answer["accountProof"]))
        if account is None:
            assert int(answer["balance"], 16) == int(answer["nonce"], 16) == 0
            assert answer["storageProof"] == []
            continue
        assert (account.nonce, account.balance) == (int(answer["nonce"], 16), int(answer["balance"], 16))
        assert account.storage_root == rec.raw(answer["storageHash"])
        for slot in answer["storageProof"]:
            value = proven_slot(account.storage_root, int(slot["key"], 16), nodes(slot["proof"]))
            assert value == int(slot["value"], 16)
            present, absent = present + bool(value), absent + (not value)

    assert (present, absent) == (230, 71)


def nodes(proof: list[str]) -> list[bytes]:
    return [rec.raw(node) for node in proof]


# Which check finds a flipped bit: each part of what is verified has its own.
SEALS = "is not by a validator in force|is no signature that a key|recovery id other|sealed twice"
EXTRA = "extraData|RLP|names validators or a vote"
PROOF = "is not the one that its parent or the root names"


def flip_header(dice: random.Random) -> tuple[str, str]:
    header = dict(BLOCKS[number := dice.randrange(1, len(BLOCKS))])
    name = dice.choice([name for name in MEMBERS if len(header.get(name, "")) > 2])
    data = rec.raw(whole_bytes(header[name]))
    header[name] = "0x" + flipped(data, dice.randrange(8 * len(data))).hex()
    return refusal(lambda: require_sealed(answered_header(header), in_force(number))), f"{SEALS}|{EXTRA}"


def flip_seal(dice: random.Random) -> tuple[str, str]:
    header = rec.headers()[dice.randrange(1, len(BLOCKS))]
    seals = list(read_extra(header).seals)
    chosen = dice.randrange(len(seals))
    seals[chosen] = flipped(seals[chosen], dice.randrange(8 * 65))
    return refusal(lambda: require_sealed(with_extra(header, seals=tuple(seals)), in_force(header.number))), SEALS


def flip_round(dice: random.Random) -> tuple[str, str]:
    header = rec.headers()[dice.randrange(1, len(BLOCKS))]
    other = read_extra(header).round ^ 1 << dice.randrange(8)
    return refusal(lambda: require_sealed(with_extra(header, round=other), in_force(header.number))), SEALS


def flip_receipt(dice: random.Random) -> tuple[str, str]:
    number = dice.choice(sorted(rec.receipts()))
    encoded = [encode_receipt(answered_receipt(r)) for r in rec.receipts()[number]]
    chosen = dice.randrange(len(encoded))
    proof = Trie({rlp(scalar(i)): value for i, value in enumerate(encoded)}).prove(rlp(scalar(chosen)))
    node = dice.randrange(len(proof))
    proof[node] = flipped(proof[node], dice.randrange(8 * len(proof[node])))
    return refusal(lambda: proven_receipt(rec.headers()[number].receipts_root, chosen, proof)), PROOF


def flip_proof(dice: random.Random) -> tuple[str, str]:
    number = dice.choice(sorted(rec.set_proofs()))
    proof = rec.set_proofs()[number]
    account, digest = list(proof.account), list(proof.digest)
    part = dice.choice([account, digest])
    chosen = dice.randrange(len(part))
    part[chosen] = flipped(part[chosen], dice.randrange(8 * len(part[chosen])))
    root = rec.headers()[number].state_root
    return refusal(lambda: proven_digest(root, rec.SOURCE, SetProof(account, digest))), PROOF


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def in_force(number: int) -> ValidatorSet:
    ranges = rec.document("network.json")["validators"]
    [members] = [r["members"] for r in ranges if r["from_block"] <= number <= r["to_block"]]
    return ValidatorSet(tuple(map(rec.raw, members)))


FLIPS = [flip_header, flip_seal, flip_round, flip_receipt, flip_proof]


@pytest.mark.parametrize("flip", FLIPS)
def test_a_flipped_bit_is_refused_by_the_check_that_looks_at_it(flip: Flip) -> None:
    flip_bits(flip, 60, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("flip", FLIPS)
def test_thousands_of_flipped_bits_are_refused(flip: Flip) -> None:
    flip_bits(flip, 5000, seed=2)


def flip_bits(flip: Flip, count: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 samples, no secrets
    for _ in range(count):
        reason, expected = flip(dice)
        assert re.search(expected, reason), reason


def test_proofs_of_the_generator_are_those_of_the_network() -> None:
    """The tests' own tries give the roots of real blocks, so what they make for forged chains is well formed."""
    for number, answers in rec.receipts().items():
        encoded = [encode_receipt(answered_receipt(answer)) for answer in answers]
        trie = Trie({rlp(scalar(i)): value for i, value in enumerate(encoded)})
        assert trie.root == rec.headers()[number].receipts_root
        for index, value in enumerate(encoded):
            receipt = proven_receipt(trie.root, index, trie.prove(rlp(scalar(index))))
            assert encode_receipt(receipt) == value
