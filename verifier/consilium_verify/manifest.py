"""`manifest.json` and `manifest.sig`: what the exporter says is in the bundle, and its signature over that."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from consilium_verify.canonical import parse_canonical_object
from consilium_verify.fields import array, exact, natural, raw, text
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.notes import VerifierKey, note_text

FORMAT = "consilium-bundle/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
REQUIRED = ("report.json", "records.jsonl", "proofs/inclusion.json", "proofs/consistency.json", "chain/anchors.json")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain: its id, its kind, its genesis block's hash and the consortium's contracts by name."""

    chain_id: int
    kind: str
    genesis: bytes
    contracts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifest says beside its list of files."""

    consortium: str
    exported_at: str
    log_key: VerifierKey
    log_id: bytes
    chain: Chain
    files: Mapping[str, tuple[str, int]]


def read_manifest(entries: Mapping[str, bytes]) -> Manifest:
    """Return the manifest; `RefusedError` if it is missing or malformed."""
    if MANIFEST not in entries:
        raise RefusedError("the file is missing")
    value = parse_canonical_object(entries[MANIFEST])
    if value.get("format") != FORMAT:
        raise RefusedError(f"this verifier reads {FORMAT}, not {value.get('format')!r}")
    exact(value, "format", "consortium", "exported_at", "verifier", "log", "chain", "files")
    text(exact(value["verifier"], "name", "version")["version"])
    log = exact(value["log"], "origin", "key", "id")
    key = VerifierKey.parse(text(log["key"]))
    if key.name != log["origin"]:
        raise RefusedError("the log's key has another name than its origin")
    return Manifest(
        text(value["consortium"], _UUID),
        text(value["exported_at"], r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
        key,
        raw(log["id"], 32),
        _chain(value["chain"]),
        _files(value["files"]),
    )


def check_files(manifest: Manifest, entries: Mapping[str, bytes], findings: Findings) -> None:
    """Hold every entry to the manifest's list, and the list to the entries."""
    for path in sorted(entries.keys() - manifest.files.keys() - {MANIFEST, SIGNATURE}):
        findings.refuse(path, "the file is not listed in the manifest")
    for path, (digest, size) in manifest.files.items():
        content = entries.get(path)
        if content is None:
            findings.refuse(path, "the file is listed in the manifest and missing")
        elif len(content) != size or hashlib.sha256(content).hexdigest() != digest:
            findings.refuse(path, "the file's SHA-256 or size is not the one in the manifest")
    for path in REQUIRED:
        if path not in manifest.files:
            findings.refuse(path, "every bundle has this file, and the manifest does not list it")
    if not findings.refusals:
        findings.checked.append(f"{len(manifest.files)} files are exactly those that the manifest lists")


def check_signature(entries: Mapping[str, bytes], key: VerifierKey, findings: Findings) -> None:
    """Hold `manifest.sig` to the manifest's bytes and the log's key."""
    with findings.at(SIGNATURE):
        if SIGNATURE not in entries:
            raise RefusedError("the file is missing")
        digest = hashlib.sha256(entries[MANIFEST]).hexdigest()
        if note_text(entries[SIGNATURE], key) != f"{FORMAT}\n{key.name}\nsha256:{digest}\n":
            raise RefusedError("the signature is over another manifest")
        findings.checked.append(f"the manifest is signed by the log's key {key.name}+{key.key_id.hex()}")


def _chain(value: object) -> Chain:
    chain = exact(value, "chain_id", "kind", "genesis", "contracts")
    contracts = chain["contracts"]
    if not isinstance(contracts, dict) or len(contracts) > 50:
        raise RefusedError("the contracts are not an object")
    addresses = {text(name, r"[A-Za-z]{1,50}"): raw(address, 20) for name, address in contracts.items()}
    return Chain(
        natural(chain["chain_id"]), text(chain["kind"], r"development|qbft"), raw(chain["genesis"], 32), addresses
    )


def _files(value: object) -> dict[str, tuple[str, int]]:
    files: dict[str, tuple[str, int]] = {}
    for item in array(value, 10_000):
        entry = exact(item, "path", "sha256", "size")
        path = text(entry["path"])
        if path in files or path in (MANIFEST, SIGNATURE):
            raise RefusedError(f"the manifest lists {path} twice, or itself")
        files[path] = (text(entry["sha256"], r"[0-9a-f]{64}"), natural(entry["size"]))
    if list(files) != sorted(files):
        raise RefusedError("the manifest's files are not in the order of their paths")
    return files
