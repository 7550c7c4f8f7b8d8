"""Bundles of a QBFT chain: what an honest exporter puts under `chain/`, and the trust file that goes with it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bundle_builder as build
import qbft_network as qbft
from consilium_verify.trust import read_trust
from consilium_verify.verification import Result, Verdict, verify

CHAIN_ID = 20262
Change = Callable[[Any], None]


@dataclass
class SealedBundle:
    """A network with two anchors of a log, and changes of its validators before, between and after them."""

    log: build.Log = field(default_factory=build.Log)
    network: qbft.Network = field(default_factory=lambda: qbft.Network([1, 2, 3, 4]))
    anchors: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def honest(cls) -> "SealedBundle":
        made = cls()
        # the ballot's record is in the log before anything is anchored
        build.contents(made.log, build.ballot_statement(2, chain_id=CHAIN_ID))
        network = made.network
        network.mine()
        network.mine(replace=[[1, 2, 3, 4, 5]])
        network.mine()
        made.anchor(4)
        network.mine(replace=[[1, 2, 3, 5], [2, 3, 4, 5]])
        network.mine(round_=2)
        network.mine(replace=[[2, 3, 4, 5, 6]])
        made.anchor(11, other_logs=2)
        network.mine()
        return made

    def anchor(self, size: int, other_logs: int = 0) -> qbft.Block:
        """Mine a block with the anchor's event in its last transaction."""
        anchor = build.anchor(self.log, size, 0, chain_id=CHAIN_ID)
        event = anchor["receipt"]["log"]
        logs = [qbft.log_of("0x" + "44" * 20, [bytes(32)], b"%d" % i) for i in range(other_logs)]
        logs.append(qbft.log_of(event["address"], [build.word(t) for t in event["topics"]], build.word(event["data"])))
        block = self.network.mine(logs)
        anchor["block"] = placed(block)
        self.anchors.append({**anchor, "index": other_logs})
        return block

    def files(self) -> dict[str, bytes]:
        """Every file but manifest and signature."""
        anchors = [{k: v for k, v in anchor.items() if k != "index"} for anchor in self.anchors]
        statement = build.ballot_statement(2, chain_id=CHAIN_ID)
        return {
            **build.contents(self.log, statement),
            "chain/anchors.json": build.canonical({"anchors": anchors}),
            "chain/blocks.json": build.canonical(self.blocks()),
            "chain/receipts.json": build.canonical({"receipts": self.receipts()}),
        }

    def blocks(self) -> dict[str, Any]:
        """Block 0, each block that changed the set of validators, each block of an anchor."""
        chosen = {0} | {anchor["block"]["number"] for anchor in self.anchors}
        sets: list[list[str]] = []
        for block in self.network.blocks:
            members = members_after(block)
            if members not in sets:
                sets.append(members)
            if block.number and members != members_after(self.network.blocks[block.number - 1]):
                chosen.add(block.number)
        listed = [
            {"header": self.network.blocks[n].header, **self.network.blocks[n].set_proof()} for n in sorted(chosen)
        ]
        return {"source": {"address": qbft.SOURCE, "slot": 1}, "sets": sets, "blocks": listed}

    def receipts(self) -> list[dict[str, Any]]:
        return [
            {
                "block": anchor["block"]["number"],
                "transaction": anchor["index"],
                "proof": self.network.blocks[anchor["block"]["number"]].receipt_proof(anchor["index"]),
            }
            for anchor in self.anchors
        ]

    def manifest_chain(self) -> dict[str, Any]:
        genesis = build.hexed(self.network.blocks[0].hash)
        return {"chain_id": CHAIN_ID, "kind": "qbft", "genesis": genesis, "contracts": build.CONTRACTS}

    def zipped(self, files: dict[str, bytes] | None = None) -> bytes:
        return build.zipped(build.signed(self.files() if files is None else files, chain=self.manifest_chain()))

    def trust(self, **chain: Any) -> bytes:
        """A trust file; `chain` adds to what it knows of the chain, None takes away."""
        known = {
            "chain_id": CHAIN_ID,
            "genesis": build.hexed(self.network.blocks[0].hash),
            "validators": {"address": qbft.SOURCE, "slot": 1},
            **chain,
        }
        return build.trust_file(chain={name: value for name, value in known.items() if value is not None})


def placed(block: qbft.Block) -> dict[str, Any]:
    """An anchor's member `block`: its header is in chain/blocks.json."""
    timestamp = int(block.header["timestamp"], 16)
    return {"number": block.number, "hash": build.hexed(block.hash), "timestamp": timestamp, "header": None}


def members_after(block: qbft.Block) -> list[str]:
    """The list in the state of a block, from its storage: the elements are the words of 20 bytes."""
    words = [value for _, value in block.storage.pairs]
    return sorted("0x" + value[1:].hex() for value in words if len(value) == 21)


def judged(made: SealedBundle, files: dict[str, bytes] | None = None, **chain: Any) -> Result:
    return verify(made.zipped(files), read_trust(made.trust(**chain)))


def said(result: Result) -> str:
    assert (result.verdict is Verdict.REFUSED) == bool(result.findings.refusals)
    return "; ".join(f"{refusal.where}: {refusal.reason}" for refusal in result.findings.refusals)


def changed(made: SealedBundle, path: str, change: Change) -> dict[str, bytes]:
    """What an exporter, who holds the log's key, can make of the files."""
    files = made.files()
    document = json.loads(files[path])
    change(document)
    return {**files, path: build.canonical(document)}


def at(block: qbft.Block) -> dict[str, Any]:
    return {"height": block.number, "hash": build.hexed(block.hash)}
