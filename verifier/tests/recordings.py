"""Reads the recordings of real Besu networks beside this file."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from consilium_verify.chain import rlp
from consilium_verify.chain.headers import Header
from consilium_verify.chain.validators import SetProof, Source, ValidatorSet
from consilium_verify.node_answers import answered_header

FOLDER = Path(__file__).parent / "data" / "besu"
# The recorded network's contract keeps its digest in slot 0 and its list in slot 1; ours the other way round.
SOURCE = Source(bytes.fromhex("7777").rjust(20, b"\0"), 0)
LIST_SLOT = 1


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@cache
def document(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


@cache
def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


@cache
def headers() -> list[Header]:
    return [answered_header(block) for block in lines("blocks.jsonl")]


@cache
def sets() -> dict[bytes, ValidatorSet]:
    lists = [entry["members"] for entry in document("network.json")["validators"]]
    found = [ValidatorSet(tuple(map(raw, members))) for members in lists]
    return {validators.digest: validators for validators in found}


@cache
def receipts() -> dict[int, list[Any]]:
    return {row["number"]: row["receipts"] for row in lines("receipts.jsonl")}


@cache
def set_proofs() -> dict[int, SetProof]:
    """The proofs of the digest by block: Besu writes slots without leading zeros, and in an order of its own."""
    found = {}
    for row in lines("proofs.jsonl"):
        answer = row["response"]["result"]
        if raw(answer["address"]) == SOURCE.address:
            [digest] = [slot for slot in answer["storageProof"] if int(slot["key"], 16) == SOURCE.slot]
            found[row["block"]] = SetProof(list(map(raw, answer["accountProof"])), list(map(raw, digest["proof"])))
    return found


def transaction(answer: dict[str, Any]) -> bytes:
    """The bytes that a block's trie holds of a transaction of type 0, 1 or 2."""

    def number(name: str) -> bytes:
        return rlp.scalar(int(answer[name], 16))

    kind = int(answer["type"], 16)
    signature = [number("v" if kind == 0 else "yParity"), number("r"), number("s")]
    to = raw(answer["to"]) if answer["to"] else b""
    call: list[rlp.Item] = [number("gas"), to, number("value"), raw(answer["input"])]
    if kind == 0:
        return rlp.encode([number("nonce"), number("gasPrice"), *call, *signature])
    fees = [number("gasPrice")] if kind == 1 else [number("maxPriorityFeePerGas"), number("maxFeePerGas")]
    access: rlp.Item = [[raw(a["address"]), [raw(k) for k in a["storageKeys"]]] for a in answer["accessList"]]
    body = [number("chainId"), number("nonce"), *fees, *call, access, *signature]
    return bytes([kind]) + rlp.encode(body)
