"""`records.jsonl` and `proofs/inclusion.json`: each record, and that the log holds it at its index."""

from collections.abc import Mapping
from typing import Any

from consilium_verify.canonical import parse_canonical_object
from consilium_verify.fields import array, exact, natural
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.log import hashes
from consilium_verify.merkle import leaf_hash, tree_root, verify_inclusion
from consilium_verify.notes import Checkpoint

RECORDS = "records.jsonl"
INCLUSION = "proofs/inclusion.json"
MAX_RECORD_BYTES = 1024 * 1024

_Proofs = list[tuple[int, list[bytes]]]


def check_records(
    entries: Mapping[str, bytes], checkpoints: list[Checkpoint], findings: Findings
) -> dict[int, dict[str, Any]]:
    """Return the records by line (from 1), each held to the largest checkpoint by a proof of its own."""
    lines, proofs = _lines(entries, findings), _proofs(entries, checkpoints, findings)
    records: dict[int, dict[str, Any]] = {}
    if lines is None or proofs is None:
        return records
    if len(lines) != len(proofs):
        findings.refuse(INCLUSION, f"there are {len(proofs)} proofs for {len(lines)} records")
    before = len(findings.refusals)
    for number, (line, (index, path)) in enumerate(zip(lines, proofs, strict=False), start=1):
        with findings.at(f"{RECORDS} line {number} (log index {index})"):
            verify_inclusion(leaf_hash(line), index, checkpoints[-1].size, path, checkpoints[-1].root)
            records[number] = _record(line)
    if len(findings.refusals) == before:
        _tell(lines, proofs, checkpoints[-1], findings)
    return records


def _tell(lines: list[bytes], proofs: _Proofs, checkpoint: Checkpoint, findings: Findings) -> None:
    findings.checked.append(
        f"{len(lines)} of the log's {checkpoint.size} records are in the bundle, each proven to be at its index"
    )
    if len(lines) == checkpoint.size and tree_root([leaf_hash(line) for line in lines]) == checkpoint.root:
        findings.checked.append("the bundle holds the whole log up to its last checkpoint")
    else:
        findings.unchecked.append("the bundle is an extract: whether records that belong to it were left out")


def _lines(entries: Mapping[str, bytes], findings: Findings) -> list[bytes] | None:
    with findings.at(RECORDS):
        content = entries.get(RECORDS, b"")
        if not content.endswith(b"\n"):
            raise RefusedError("the file is missing, empty, or does not end in a newline")
        return content[:-1].split(b"\n")
    return None


def _proofs(entries: Mapping[str, bytes], checkpoints: list[Checkpoint], findings: Findings) -> _Proofs | None:
    with findings.at(INCLUSION):
        if not checkpoints:
            raise RefusedError("there is no checkpoint to prove records against")
        value = exact(parse_canonical_object(entries.get(INCLUSION, b"")), "checkpoint", "proofs")
        if value["checkpoint"] != f"checkpoints/{checkpoints[-1].size}.note":
            raise RefusedError("the proofs are not against the bundle's largest checkpoint")
        proofs = [_proof(item) for item in array(value["proofs"])]
        indices = [index for index, _ in proofs]
        if indices != sorted(set(indices)):
            raise RefusedError("the records are not in the order of the log, or one is there twice")
        return proofs
    return None


def _proof(item: Any) -> tuple[int, list[bytes]]:
    proof = exact(item, "index", "path")
    return natural(proof["index"]), hashes(proof["path"])


def _record(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_RECORD_BYTES:
        raise RefusedError("the record is too long")
    return parse_canonical_object(line)
