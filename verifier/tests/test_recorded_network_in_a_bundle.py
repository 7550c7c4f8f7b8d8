"""The format of `chain/blocks.json` and `chain/receipts.json`, filled with what real Besu nodes answered."""

from typing import Any

import bundle_builder as build
import pytest
import qbft_network as qbft
import recordings as rec
from consilium_verify.chain.headers import MEMBERS
from consilium_verify.chain.receipts import encode_receipt
from consilium_verify.node_answers import answered_receipt, whole_bytes
from consilium_verify.trust import read_trust
from consilium_verify.verification import Result, Verdict, verify

CHANGES = [20, 28, 33, 37, 38, 43, 69, 88]
SOURCE = {"address": build.hexed(rec.SOURCE.address), "slot": rec.SOURCE.slot}
CHAIN = {
    "chain_id": 20261,
    "kind": "qbft",
    "genesis": rec.lines("blocks.jsonl")[0]["hash"],
    "contracts": build.CONTRACTS,
}


def listed(number: int) -> dict[str, Any]:
    answer, proof = rec.lines("blocks.jsonl")[number], rec.set_proofs()[number]
    return {
        "header": {name: whole_bytes(answer[name]) for name in MEMBERS if name in answer},
        "account": list(map(build.hexed, proof.account)),
        "digest": list(map(build.hexed, proof.digest)),
    }


def receipts(number: int) -> list[dict[str, Any]]:
    encoded = [encode_receipt(answered_receipt(answer)) for answer in rec.receipts()[number]]
    trie = qbft.Trie({qbft.rlp(qbft.scalar(i)): receipt for i, receipt in enumerate(encoded)})
    proofs = [trie.prove(qbft.rlp(qbft.scalar(i))) for i in range(len(encoded))]
    return [
        {"block": number, "transaction": i, "proof": list(map(build.hexed, proof))} for i, proof in enumerate(proofs)
    ]


def judged(numbers: list[int], **chain: Any) -> Result:
    log = build.Log()
    files = build.contents(log, build.ballot_statement(2, chain_id=20261))
    sets = [[build.hexed(member) for member in validators.members] for validators in rec.sets().values()]
    files |= {
        "chain/anchors.json": build.canonical({"anchors": []}),
        "chain/blocks.json": build.canonical({"source": SOURCE, "sets": sets, "blocks": list(map(listed, numbers))}),
        "chain/receipts.json": build.canonical({"receipts": [row for n in CHANGES for row in receipts(n)]}),
    }
    known = {"chain_id": 20261, "genesis": CHAIN["genesis"], "validators": SOURCE, **chain}
    trust = build.trust_file(chain=known, witness_quorum=0)
    return verify(build.zipped(build.signed(files, chain=CHAIN)), read_trust(trust))


def test_recorded_network_is_proven_from_its_genesis_block() -> None:
    result = judged([0, *CHANGES, 110])

    assert (result.verdict, result.findings.refusals) == (Verdict.VERIFIED, [])
    assert any(
        "10 blocks from 0 to 110 are proven by the validators' seals, over 8" in t for t in result.findings.checked
    )


@pytest.mark.parametrize("skipped", CHANGES)
def test_recorded_network_with_a_change_left_out_is_refused(skipped: int) -> None:
    result = judged([0, *(number for number in CHANGES if number != skipped), 110])

    assert result.verdict is Verdict.REFUSED
    assert any(refusal.where.startswith("chain/blocks.json") for refusal in result.findings.refusals)


def test_recorded_network_is_held_to_a_pinned_block() -> None:
    block = {"height": 110, "hash": rec.lines("blocks.jsonl")[110]["hash"]}
    other = {"height": 110, "hash": rec.lines("blocks.jsonl")[109]["hash"]}

    assert judged([0, *CHANGES, 110], checkpoint=block).verdict is Verdict.VERIFIED
    assert judged([0, *CHANGES, 110], checkpoint=other).verdict is Verdict.REFUSED
