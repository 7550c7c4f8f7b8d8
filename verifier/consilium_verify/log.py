"""`checkpoints/*.note` and `proofs/consistency.json`: the log's states, each a prefix of the next."""

import itertools
from collections.abc import Mapping
from typing import Any

from consilium_verify.canonical import parse_canonical_object
from consilium_verify.fields import array, exact, natural, text
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.merkle import verify_consistency
from consilium_verify.notes import Checkpoint, VerifierKey, open_checkpoint, unbase64

CONSISTENCY = "proofs/consistency.json"
_FOLDER = "checkpoints/"


def read_checkpoints(entries: Mapping[str, bytes], key: VerifierKey, findings: Findings) -> list[Checkpoint]:
    """Return the true checkpoints in the order of their sizes; refuse the others by file."""
    found: list[Checkpoint] = []
    for path in sorted(path for path in entries if path.startswith(_FOLDER)):
        with findings.at(path):
            checkpoint = open_checkpoint(entries[path], key)
            if path != f"{_FOLDER}{checkpoint.size}.note":
                raise RefusedError("the file is not named by the checkpoint's size")
            found.append(checkpoint)
    if not found:
        findings.refuse(_FOLDER, "the bundle has no checkpoint that the log signed")
    return sorted(found, key=lambda checkpoint: checkpoint.size)


def check_consistency(entries: Mapping[str, bytes], checkpoints: list[Checkpoint], findings: Findings) -> None:
    """Prove each checkpoint from the one before it, with exactly the proofs for that."""
    with findings.at(CONSISTENCY):
        value = parse_canonical_object(entries.get(CONSISTENCY, b""))
        proofs = [_proof(item) for item in array(exact(value, "proofs")["proofs"], 10_000)]
        steps = list(itertools.pairwise(checkpoints))
        if [(old.size, new.size) for old, new in steps] != [(first, second) for first, second, _ in proofs]:
            raise RefusedError("the proofs are not one for each step from a checkpoint to the next")
        before = len(findings.refusals)
        for (old, new), (first, second, path) in zip(steps, proofs, strict=True):
            with findings.at(f"{CONSISTENCY} from {first} to {second}"):
                verify_consistency(first, second, (old.root, new.root), path)
        if checkpoints and len(findings.refusals) == before:
            findings.checked.append(f"{len(checkpoints)} checkpoints are signed by the log and extend one another")


def check_pinned(pinned: Checkpoint | None, checkpoints: list[Checkpoint], findings: Findings) -> None:
    """Hold the log to a checkpoint that the asker knows: it may have grown since, never shrunk or changed."""
    if pinned is None:
        return
    roots = {checkpoint.size: checkpoint.root for checkpoint in checkpoints}
    if not checkpoints or checkpoints[-1].size < pinned.size:
        findings.refuse(_FOLDER, f"the log is shorter than the {pinned.size} records of the trust file's checkpoint")
    elif pinned.size not in roots:
        findings.unchecked.append(f"the trust file's checkpoint of {pinned.size} records is not in the bundle")
    elif roots[pinned.size] != pinned.root:
        findings.refuse(f"{_FOLDER}{pinned.size}.note", "the root is not that of the trust file's checkpoint")
    else:
        findings.checked.append(f"the log extends the trust file's checkpoint of {pinned.size} records")


def hashes(value: Any) -> list[bytes]:
    """Read a proof's path: base64 of 32 bytes each, at most 64."""
    path = [unbase64(text(item)) for item in array(value, 64)]
    if any(len(item) != 32 for item in path):
        raise RefusedError("a hash of a proof is not 32 bytes")
    return path


def _proof(item: Any) -> tuple[int, int, list[bytes]]:
    proof = exact(item, "from", "to", "path")
    return natural(proof["from"]), natural(proof["to"]), hashes(proof["path"])
