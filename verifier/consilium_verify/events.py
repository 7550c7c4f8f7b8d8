"""`chain/receipts.json`: what transactions came to, each proven under the receipts root of its block."""

from collections.abc import Mapping
from typing import Any

from consilium_verify.canonical import parse_canonical_object
from consilium_verify.chain.headers import Header
from consilium_verify.chain.receipts import Receipt, proven_receipt
from consilium_verify.fields import array, exact, natural, nodes
from consilium_verify.findings import Findings, RefusedError

RECEIPTS = "chain/receipts.json"
MOST_RECEIPTS = 1_000_000

Receipts = dict[int, list[Receipt]]


def check_receipts(entries: Mapping[str, bytes], headers: Mapping[int, Header], findings: Findings) -> Receipts | None:
    """Return the proven receipts by block; None if the bundle has no such file. `headers` are those known by hash."""
    if RECEIPTS not in entries:
        return None
    found: Receipts = {}
    with findings.at(RECEIPTS):
        value = exact(parse_canonical_object(entries[RECEIPTS]), "receipts")
        rows = [_row(item) for item in array(value["receipts"], MOST_RECEIPTS)]
        places = [(block, index) for block, index, _ in rows]
        if places != sorted(set(places)):
            raise RefusedError("the receipts are not in the order of blocks and transactions, or one is there twice")
        for block, index, proof in rows:
            with findings.at(f"{RECEIPTS} block {block} transaction {index}"):
                if block not in headers:
                    raise RefusedError("no header of this block is known to hold the receipt to")
                found.setdefault(block, []).append(proven_receipt(headers[block].receipts_root, index, proof))
    return found


def _row(item: Any) -> tuple[int, int, list[bytes]]:
    row = exact(item, "block", "transaction", "proof")
    return natural(row["block"]), natural(row["transaction"]), nodes(row["proof"])
