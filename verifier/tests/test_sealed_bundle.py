"""Bundles of a QBFT chain: anchors in blocks that validators sealed, with proofs of sets and receipts."""

import json
import random
from collections.abc import Callable
from typing import Any

import bundle_builder as build
import pytest
import qbft_network as qbft
from consilium_verify.trust import read_trust
from consilium_verify.verification import Verdict, verify
from sealed_bundle import Change, SealedBundle, changed, judged, placed, said


@pytest.fixture
def made() -> SealedBundle:
    return SealedBundle.honest()


def resealed(network: qbft.Network, number: int, sealers: list[int], **how: Any) -> None:
    block = network.blocks[number]
    qbft.seal(block, [qbft.key(i) for i in sealers], how.pop("round_", 0), **how)


def test_honest_bundle_is_proven_by_the_validators_seals(made: SealedBundle) -> None:
    result = judged(made)

    assert (result.verdict, said(result)) == (Verdict.VERIFIED, "")
    assert {
        "6 blocks from 0 to 8 are proven by the validators' seals, over 3 changes of their set; after the last 4 "
        "of 5 are a quorum",
        "2 of 2 anchors lie in blocks proven by the validators' seals",
        "2 of 2 anchors' events are proven to lie in their blocks",
    } <= set(result.findings.checked)
    assert not [text for text in result.findings.unchecked if "exporter's node" in text or "receipt proof" in text]


def test_without_a_trust_file_seals_establish_no_origin(made: SealedBundle) -> None:
    assert verify(made.zipped(), None).verdict is Verdict.ORIGIN_NOT_ESTABLISHED


def test_bundle_without_seals_is_refused_where_the_asker_knows_the_validators_contract(made: SealedBundle) -> None:
    files = {path: content for path, content in made.files().items() if path != "chain/blocks.json"}
    del files["chain/receipts.json"]

    assert "chain/blocks.json: the trust file names the validators' contract" in said(judged(made, files))
    result = judged(made, files, validators=None)
    assert result.verdict is Verdict.VERIFIED
    assert any(
        "the word of the exporter's node: the bundle has no sealed blocks" in t for t in result.findings.unchecked
    )
    assert any("no receipt proofs for 2 anchors" in t for t in result.findings.unchecked)
    assert result.findings.assumed == []


def test_anchor_left_out_of_blocks_or_receipts_is_told_or_refused(made: SealedBundle) -> None:
    def last(document: Any) -> None:
        document["blocks"].pop()

    files = changed(made, "chain/blocks.json", last)
    assert "the block is not among those that the validators' seals prove" in said(judged(made, files))
    files = changed(made, "chain/receipts.json", lambda document: document["receipts"].pop())
    assert "no receipt proves that the event lies in its block" in said(judged(made, files))
    result = judged(made, files, validators=None)
    assert "1 of 2 anchors' events are proven to lie in their blocks" in result.findings.checked


@pytest.mark.parametrize(
    ("sealers", "how", "reason"),
    [
        ([1, 2, 3], {}, "3 of 5 validators sealed; a quorum is 4"),
        ([], {}, "0 of 5 validators sealed"),
        ([1, 2, 3, 3], {}, "sealed twice"),
        ([1, 2, 3, 9], {}, "seal 4 is not by a validator in force"),
        ([1, 2, 3, 6], {}, "seal 4 is not by a validator in force"),
        ([1, 2, 3, 4], {"round_": 1, "signed_round": 0}, "seal 1 is not by a validator in force"),
        ([1, 2, 3, 4], {"round_": 0, "signed_round": 1}, "seal 1 is not by a validator in force"),
    ],
)
def test_block_without_a_quorum_of_the_set_in_force_is_refused(
    made: SealedBundle, sealers: list[int], how: dict[str, int], reason: str
) -> None:
    resealed(made.network, 4, sealers, **how)

    reasons = said(judged(made))
    assert reasons.startswith("chain/blocks.json block 4: ")
    assert reason in reasons


@pytest.mark.parametrize("members", range(6))
def test_headers_of_every_fork_are_read(made: SealedBundle, members: int) -> None:
    """From London, whose base fee all have here, to Prague's requests."""
    later = {"withdrawalsRoot": "0x" + "01" * 32, "blobGasUsed": "0x00", "excessBlobGas": "0x020000"}
    later |= {"parentBeaconBlockRoot": "0x" + "02" * 32, "requestsHash": "0x" + "03" * 32}
    present: dict[str, Any] = dict(list(later.items())[:members])
    made.network.mine(replace=[[1, 2, 3, 4]], **present)

    result = judged(made)

    assert (result.verdict, said(result)) == (Verdict.VERIFIED, "")
    assert any("blocks from 0 to 10 are proven" in text for text in result.findings.checked)


def test_more_seals_than_a_quorum_and_a_seal_turned_over_are_taken(made: SealedBundle) -> None:
    resealed(made.network, 4, [1, 2, 3, 4, 5])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    header = made.network.blocks[4].header
    seals = build.word(header["extraData"])[-5 * 67 :]
    first = seals[2:67]
    high = order - int.from_bytes(first[32:64], "big")
    turned = first[:32] + high.to_bytes(32, "big") + bytes([first[64] ^ 1])
    header["extraData"] = header["extraData"].replace(first.hex(), turned.hex())

    assert judged(made).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: e[:-1], "RLP ends early"),
        (lambda e: e + b"\0", "RLP goes on after its end"),
        (lambda e: b"", "RLP ends early"),
        (lambda e: b"\xf9" + b"\0" + e[1:], "RLP is not in its shortest form"),
        (lambda e: qbft.extra_data(0, [], b"more"), "a list of 6 items where 5 belong"),
        (lambda e: qbft.extra_data(0, [b"\1" * 64]), "RLP has 64 bytes where 65 belong"),
        (lambda e: qbft.extra_data(0, [b"\1" * 64 + b"\2"]), "recovery id other than 0 and 1"),
        (lambda e: qbft.extra_data(0, [b"\xff" * 64 + b"\0"]), "no signature that a key can have made"),
        (lambda e: qbft.rlp([bytes(32), [], [], b"\0\1", []]), "a number with leading zeros"),
        (lambda e: qbft.rlp([bytes(32), [bytes(20)], [], b"", []]), "names validators or a vote"),
        (lambda e: qbft.rlp([bytes(32), [], [bytes(20), b"\xff"], b"", []]), "names validators or a vote"),
        (lambda e: qbft.rlp([bytes(31), [], [], b"", []]), "RLP has 31 bytes where 32 belong"),
    ],
)
def test_extra_data_in_another_form_is_refused(
    made: SealedBundle, change: Callable[[bytes], bytes], reason: str
) -> None:
    header = made.network.blocks[4].header
    forged_extra = build.hexed(change(build.word(header["extraData"])))
    files = changed(
        made, "chain/blocks.json", lambda document: document["blocks"][2]["header"].update(extraData=forged_extra)
    )

    assert reason in said(judged(made, files))


def test_change_of_the_set_that_is_left_out_is_refused(made: SealedBundle) -> None:
    def skip(document: Any) -> None:
        document["blocks"] = [b for b in document["blocks"] if b["header"]["number"] != "0x02"]

    files = changed(made, "chain/blocks.json", skip)

    reasons = said(judged(made, files))
    assert (
        f"chain/blocks.json block 4: the proposer {build.address(qbft.key(5))} is not a validator in force" in reasons
    )


def test_change_that_the_old_sets_seals_hide_shows_in_the_state(made: SealedBundle) -> None:
    """A quorum of the old set is still in the new one: the seals alone would pass."""
    network = qbft.Network([1, 2, 3, 4])
    hidden = SealedBundle(made.log, network)
    network.mine(replace=[[1, 2, 3, 5]])
    network.mine(sealers=[1, 2, 3])
    network.mine()
    hidden.anchor(4)
    assert judged(hidden).verdict is Verdict.VERIFIED

    def skip(document: Any) -> None:
        document["blocks"] = [b for b in document["blocks"] if b["header"]["number"] != "0x01"]

    assert "the set of validators changed after block 0 and before block 4, in a block that is not here" in said(
        judged(hidden, changed(hidden, "chain/blocks.json", skip))
    )


def _block_changes() -> list[Any]:
    def move(first: int, second: int) -> Change:
        def change(document: Any) -> None:
            blocks = document["blocks"]
            blocks[first], blocks[second] = blocks[second], blocks[first]

        return change

    def header(place: int, **members: Any) -> Change:
        return lambda document: document["blocks"][place]["header"].update(members)

    def put(name: str, number: int, value: Any) -> Change:
        return lambda document: document["blocks"][number].update({name: value})

    return [
        pytest.param(move(2, 3), "does not come after block", id="order"),
        pytest.param(lambda d: d["blocks"].append(d["blocks"][-1]), "does not come after block", id="twice"),
        pytest.param(header(2, timestamp="0x01"), "is earlier than block 2", id="time"),
        pytest.param(header(3, parentHash="0x" + "00" * 32), "names another parent than block 4", id="parent"),
        pytest.param(header(2, stateRoot="0x" + "00" * 32), "over another header or round", id="state"),
        pytest.param(header(2, number="0x03"), "names another parent than block 2", id="number"),
        pytest.param(header(2, more="0x"), "does not have the members", id="more"),
        pytest.param(header(2, stateRoot="0x00"), "the header's stateRoot has 1 bytes", id="size"),
        pytest.param(
            put("account", 2, []), "the proof of the validators' contract fails: the proof ends", id="account"
        ),
        pytest.param(put("digest", 2, []), "the proof of the validators' digest fails: the proof ends", id="digest"),
        pytest.param(lambda d: d["sets"].pop(0), "no list of validators has the digest", id="list-missing"),
        pytest.param(lambda d: d["sets"].append(d["sets"][0]), "is there twice", id="list-twice"),
        pytest.param(
            lambda d: d["sets"].append(["0x" + "09" * 20]), "no block of the file had in force", id="list-more"
        ),
        pytest.param(lambda d: d["sets"][0].reverse(), "ascending and not zero", id="list-order"),
        pytest.param(lambda d: d["sets"][0].append("0x" + "ff" * 20), "no list of validators has", id="list-garbage"),
        pytest.param(lambda d: d["sets"][0].clear(), "is not 1 to 256 addresses", id="list-empty"),
        pytest.param(lambda d: d["blocks"].clear(), "has no blocks", id="none"),
        pytest.param(lambda d: d["source"].update(slot=0), "is not the one that is known", id="slot"),
        pytest.param(
            lambda d: d["source"].update(address="0x" + "09" * 20), "is not the one that is known", id="source"
        ),
    ]


@pytest.mark.parametrize(("change", "reason"), _block_changes())
def test_exporter_cannot_change_the_blocks(made: SealedBundle, change: Change, reason: str) -> None:
    reasons = said(judged(made, changed(made, "chain/blocks.json", change)))

    assert reasons.startswith("chain/blocks.json")
    assert reason in reasons


def test_proof_that_another_contract_keeps_the_list_is_refused(made: SealedBundle) -> None:
    def slot(document: Any) -> None:
        document["source"]["slot"] = 5

    files = changed(made, "chain/blocks.json", slot)

    assert "the proof of the validators' digest fails" in said(
        judged(made, files, validators={"address": qbft.SOURCE, "slot": 5})
    )


def _receipt_changes() -> list[Any]:
    def row(number: int, **members: Any) -> Change:
        return lambda document: document["receipts"][number].update(members)

    return [
        pytest.param(row(1, transaction=1), "block 8 transaction 1: ", id="other-transaction"),
        pytest.param(row(0, block=3), "no header of this block is known", id="other-block"),
        pytest.param(row(1, block=7), "is not the one that its parent or the root names", id="listed-block"),
        pytest.param(lambda d: d["receipts"].reverse(), "not in the order of blocks", id="order"),
        pytest.param(lambda d: d["receipts"].append(d["receipts"][1]), "or one is there twice", id="twice"),
        pytest.param(row(0, proof=[]), "the proof ends early", id="empty"),
        pytest.param(lambda d: d["receipts"][0]["proof"].append("0x80"), "goes on after the end", id="more"),
        pytest.param(row(0, proof=["0x00"]), "is not the one that its parent or the root names", id="other"),
    ]


@pytest.mark.parametrize(("change", "reason"), _receipt_changes())
def test_exporter_cannot_change_the_receipts(made: SealedBundle, change: Change, reason: str) -> None:
    reasons = said(judged(made, changed(made, "chain/receipts.json", change)))

    assert "chain/receipts.json" in reasons
    assert reason in reasons


def test_proof_that_a_block_has_no_such_transaction_is_no_receipt(made: SealedBundle) -> None:
    def absent(document: Any) -> None:
        document["receipts"][1].update(transaction=7, proof=made.network.blocks[8].receipt_proof(7))

    assert "block 8 transaction 7: the block has no transaction of this index" in said(
        judged(made, changed(made, "chain/receipts.json", absent))
    )


def test_true_receipt_of_another_transaction_proves_no_anchor(made: SealedBundle) -> None:
    block = made.network.blocks[8]

    def other(document: Any) -> None:
        document["receipts"][1] = {"block": 8, "transaction": 0, "proof": block.receipt_proof(0)}

    assert "anchor 2 (size 11): no proven receipt of the block has this event" in said(
        judged(made, changed(made, "chain/receipts.json", other))
    )


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("hash", "0x" + "09" * 32, "the block is not the one that the validators sealed at this height"),
        ("timestamp", 1, "the validators sealed another time of the block"),
        ("number", 3, "the block is not among those that the validators' seals prove"),
    ],
)
def test_exporter_cannot_move_an_anchor(made: SealedBundle, member: str, value: Any, reason: str) -> None:
    files = changed(
        made, "chain/anchors.json", lambda document: document["anchors"][0]["block"].update({member: value})
    )

    assert f"chain/anchors.json anchor 1 (size 4): {reason}" in said(judged(made, files))


def test_header_beside_an_anchor_is_held_to_its_hash(made: SealedBundle) -> None:
    header = made.network.blocks[4].header
    files = changed(made, "chain/anchors.json", lambda document: document["anchors"][0]["block"].update(header=header))
    assert judged(made, files).verdict is Verdict.VERIFIED
    files = changed(
        made,
        "chain/anchors.json",
        lambda document: document["anchors"][0]["block"].update(header={**header, "gasUsed": "0x01"}),
    )
    assert "the block's hash does not follow from its header" in said(judged(made, files))


def test_development_chain_has_receipts_proven_and_no_seals() -> None:
    log = build.Log()
    files = build.contents(log)
    network = qbft.Network([1])
    document = json.loads(files["chain/anchors.json"])
    receipts = []
    for anchor in document["anchors"]:
        event = anchor["receipt"]["log"]
        emitted = qbft.log_of(event["address"], [build.word(t) for t in event["topics"]], build.word(event["data"]))
        block = network.mine([emitted])
        block.header["extraData"] = "0x"
        plain = build.hexed(build.keccak256(qbft.encoded_header(block.header, b"")))
        anchor["block"] = {**placed(block), "hash": plain, "header": block.header}
        receipts.append({"block": block.number, "transaction": 0, "proof": block.receipt_proof(0)})
    files["chain/anchors.json"] = build.canonical(document)
    files["chain/receipts.json"] = build.canonical({"receipts": receipts})

    result = verify(build.zipped(build.signed(files)), read_trust(build.trust_file()))

    assert (result.verdict, said(result)) == (Verdict.VERIFIED, "")
    assert "2 of 2 anchors' events are proven to lie in their blocks" in result.findings.checked
    assert any(t.startswith("not sealed by validators: development chain") for t in result.findings.unchecked)


def test_seals_on_a_development_chain_are_refused(made: SealedBundle) -> None:
    files = {**build.contents(build.Log()), "chain/blocks.json": build.canonical(made.blocks())}

    result = verify(build.zipped(build.signed(files)), read_trust(build.trust_file()))

    assert "it has no validators who seal" in said(result)


def change_digits(made: SealedBundle, count: int, seed: int) -> None:
    """Change single hexadecimal digits, one at a time, as an exporter who signs anew: each is refused by its place."""
    dice = random.Random(seed)  # noqa: S311 samples, no secrets
    files, trust = made.files(), read_trust(made.trust())
    for _ in range(count):
        path = dice.choice(["chain/blocks.json", "chain/receipts.json"])
        content = bytearray(files[path])
        places = [i for i, byte in enumerate(content) if chr(byte) in "0123456789abcdef" and _in_hex(content, i)]
        place = dice.choice(places)
        content[place] = ord(dice.choice([d for d in "0123456789abcdef" if ord(d) != content[place]]))
        result = verify(made.zipped({**files, path: bytes(content)}), trust)
        assert any(r.where.startswith(path) for r in result.findings.refusals), bytes(content[place - 80 : place + 80])


def _in_hex(content: bytearray, place: int) -> bool:
    """Whether a byte is a digit within a text that begins with 0x, behind that."""
    begin = content.rfind(b'"', 0, place)
    return content[begin + 1 : begin + 3] == b"0x" and place > begin + 2


def test_every_digit_of_blocks_and_receipts_has_a_meaning(made: SealedBundle) -> None:
    change_digits(made, 60, seed=1)


@pytest.mark.soak
def test_every_digit_of_blocks_and_receipts_has_a_meaning_in_thousands(made: SealedBundle) -> None:
    change_digits(made, 3000, seed=2)
