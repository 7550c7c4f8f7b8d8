"""`consilium-verify blocks`: what a node answered, followed from a genesis file on."""

import json
from pathlib import Path
from typing import Any

import pytest
import recordings as rec
from consilium_verify.chain.genesis import read_genesis
from consilium_verify.chain.headers import block_hash
from consilium_verify.chain.validators import ValidatorSet
from consilium_verify.chain.votes import VotedHistory
from consilium_verify.cli import main
from consilium_verify.findings import RefusedError
from consilium_verify.node_answers import answered_header

SLOTS = ["--digest-slot", str(rec.SOURCE.slot), "--list-slot", str(rec.LIST_SLOT)]


@pytest.fixture
def proofs(tmp_path: Path) -> Path:
    """The recorded answers to eth_getProof, in the form that the command reads."""
    rows = [
        {"block": row["block"], "proof": row["response"]["result"]}
        for row in rec.lines("proofs.jsonl")
        if rec.raw(row["response"]["result"]["address"]) == rec.SOURCE.address
    ]
    path = tmp_path / "proofs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def written(folder: Path, blocks: list[Any]) -> Path:
    path = folder / "blocks.jsonl"
    path.write_text("".join(json.dumps(block) + "\n" for block in blocks))
    return path


def run(capsys: pytest.CaptureFixture[str], genesis: str, headers: Path, *more: object) -> tuple[int, str]:
    arguments = ["blocks", "--genesis", str(rec.FOLDER / genesis), "--headers", str(headers), *map(str, more)]
    return main(arguments), capsys.readouterr().out


@pytest.mark.parametrize(
    ("genesis", "blocks"), [("genesis.json", "blocks"), ("header_mode_genesis.json", "header_mode")]
)
def test_genesis_file_gives_the_hash_of_block_0(genesis: str, blocks: str) -> None:
    begin = read_genesis(rec.document(genesis))

    assert block_hash(begin.header).hex() == rec.lines(f"{blocks}.jsonl")[0]["hash"][2:]
    assert begin.chain_id == 20261


def test_recorded_chain_follows_from_its_genesis_file(proofs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, "genesis.json", rec.FOLDER / "blocks.jsonl", "--proofs", proofs, *SLOTS)

    assert (status, text.splitlines()[0]) == (0, "VERIFIED: the blocks hold against the genesis file.")
    assert "111 blocks up to 110 follow from the genesis file" in text
    assert "over 8 changes of their set" in text


def test_recorded_chain_whose_headers_vote_follows_from_its_genesis_file(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, "header_mode_genesis.json", rec.FOLDER / "header_mode.jsonl", "--json")

    found = json.loads(text)
    assert (status, found["verdict"], found["refusals"]) == (0, "verified", [])
    assert "24 blocks up to 23 follow from the genesis file" in found["checked"][0]


def test_gap_between_blocks_is_bridged_by_proofs_alone(
    proofs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = written(tmp_path, [rec.lines("blocks.jsonl")[n] for n in (20, 28, 33, 37, 38, 43, 69, 88, 110)])
    assert run(capsys, "genesis.json", chosen, "--proofs", proofs, *SLOTS)[0] == 0

    gap = written(tmp_path, [block for block in rec.lines("blocks.jsonl") if int(block["number"], 16) != 9])
    status, text = run(capsys, "genesis.json", gap, "--proofs", proofs, *SLOTS)
    assert status == 1
    assert "blocks line 10: blocks are missing between 8 and 10, and no proof of the set stands in for them" in text


def test_replacement_without_a_proof_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, "genesis.json", rec.FOLDER / "blocks.jsonl", *SLOTS)

    assert status == 1
    assert "blocks line 21: the block may have replaced validators, and there is no proof of the set after it" in text


@pytest.mark.parametrize(
    ("line", "member", "value", "reason"),
    [
        (0, "timestamp", "0x1", "hash of the block does not follow"),
        (5, "hash", "0x" + "00" * 32, "hash of the block does not follow"),
        (5, "parentHash", "0x1", "the header's parentHash has 1 bytes"),
        (5, "number", 5, "expected hexadecimal with 0x"),
        (5, "extraData", "0x00", "extraData"),
    ],
)
def test_changed_answer_is_refused_by_its_line(
    line: int, member: str, value: Any, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = [dict(block) for block in rec.lines("blocks.jsonl")[:20]]
    blocks[line][member] = value

    status, text = run(capsys, "genesis.json", written(tmp_path, blocks), *SLOTS)

    assert status == 1
    assert f"blocks line {line + 1}: " in text
    assert reason in text


def test_chain_of_another_genesis_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, "genesis.json", rec.FOLDER / "header_mode.jsonl", *SLOTS)

    assert (status, "block 0 is not the one that the genesis file describes" in text) == (1, True)


def test_votes_in_headers_allow_no_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = rec.lines("header_mode.jsonl")

    status, text = run(capsys, "header_mode_genesis.json", written(tmp_path, [*blocks[:5], *blocks[6:]]))

    assert (status, "after block 4 comes 5, not 6" in text) == (1, True)


def test_header_that_lists_other_validators_than_the_votes_made_is_refused() -> None:
    headers = [answered_header(block) for block in rec.lines("header_mode.jsonl")]
    told = rec.document("header_mode_validators.json")
    members = tuple(map(rec.raw, told["0"]))
    changed = next(n for n in range(1, 24) if told[str(n)] != told["0"])
    deaf = VotedHistory(headers[0], block_hash(headers[0]), ValidatorSet(members), epoch=1)
    for header in headers[1:changed]:
        deaf.extend(header)

    with pytest.raises(RefusedError, match="lists other validators than the votes before it made"):
        deaf.extend(headers[changed])


def test_digest_of_the_genesis_file_must_be_that_of_its_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((rec.FOLDER / "genesis.json").read_text())
    document["alloc"]["0" * 36 + "7777"]["storage"]["0x" + "00" * 32] = "0x01"
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(document))

    status, text = run(capsys, str(path), rec.FOLDER / "blocks.jsonl", *SLOTS)

    assert (status, "genesis: the genesis file's digest of the validators is not that of its list" in text) == (1, True)


@pytest.mark.parametrize("document", [{}, [], {"config": {}}, {"config": {"qbft": {}}, "alloc": {}}])
def test_file_that_is_no_genesis_file_is_refused(document: Any) -> None:
    with pytest.raises(RefusedError, match="not a genesis file of a QBFT chain"):
        read_genesis(document)


def test_genesis_file_that_moves_to_another_contract_later_is_refused() -> None:
    document = json.loads((rec.FOLDER / "genesis.json").read_text())
    document["config"]["transitions"] = {"qbft": [{"block": 10, "validatorselectionmode": "blockheader"}]}

    with pytest.raises(RefusedError, match="changes how validators are found at a later block"):
        read_genesis(document)


def test_missing_file_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "genesis.json", tmp_path / "none.jsonl") == (2, "")
