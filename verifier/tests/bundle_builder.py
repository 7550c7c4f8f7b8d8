"""Makes bundles by FORMAT.md with the standard library and without the verifier's readers, honest or not."""

import base64
import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import coincurve
from Crypto.Hash import keccak
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHAIN_ID = 31337
LOG_ID = "0x" + "aa" * 32
GENESIS = "0x" + "bb" * 32
CONTRACTS = {"AuditAnchor": "0x" + "01" * 20, "DecisionBoard": "0x" + "02" * 20, "ValidatorSource": "0x" + "03" * 20}
CONTRACTS["TrainingLedger"] = "0x" + "04" * 20
ORIGIN = "logs.example/cardiology"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SITES = {"0x" + f"{i:032x}" + "00" * 16: hashlib.sha256(b"site%d" % i).digest() for i in (1, 2, 3)}
VOTER, VOTE_KEY = next(iter(SITES)), hashlib.sha256(b"vote").digest()
COMMITMENT_MEMBERS = [
    *(("bytes32", "run"), ("uint32", "round"), ("uint32", "attempt"), ("bytes32", "organization"), ("bytes32", "plan")),
    *(("bytes32", "weights"), ("bytes32", "cohortRoot"), ("uint32", "band"), ("uint64", "epoch"), ("uint64", "seq")),
    *(("uint64", "asOf"), ("uint64", "blockNumber"), ("bytes32", "blockHash"), ("bytes32", "maskKeys")),
    *(("bytes32", "privacyEvent"), ("uint64", "validUntilBlock")),
]
COMMITMENT = f"Commitment({','.join(f'{kind} {name}' for kind, name in COMMITMENT_MEMBERS)})"
CAST_BALLOT = "CastBallot(bytes32 decision,bytes32 subject,bytes32 organization,uint8 choice)"


def canonical(value: Any) -> bytes:
    """Canonical enough: the builder uses no floats, and keys of ASCII alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*inclusion(index, leaves[:k]), root(leaves[k:])]
    return [*inclusion(index - k, leaves[k:]), root(leaves[:k])]


def consistency(first: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if first <= k:
        return [*consistency(first, leaves[:k], whole), root(leaves[k:])]
    return [*consistency(first - k, leaves[k:], False), root(leaves[:k])]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_id(name: str, key: Ed25519PrivateKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + key.public_key().public_bytes_raw()).digest()[:4]


def verifier_key(name: str = ORIGIN, key: Ed25519PrivateKey = LOG_KEY) -> str:
    return f"{name}+{key_id(name, key).hex()}+{b64(bytes([1]) + key.public_key().public_bytes_raw())}"


def note(text: str, key: Ed25519PrivateKey = LOG_KEY, name: str = ORIGIN) -> bytes:
    return f"{text}\n— {name} {b64(key_id(name, key) + key.sign(text.encode()))}\n".encode()


def typed_digest(contract: str, type_text: str, words: list[bytes], chain_id: int = CHAIN_ID) -> bytes:
    kind = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    address = bytes.fromhex(CONTRACTS[contract][2:]).rjust(32, b"\0")
    domain = keccak256(kind) + keccak256(contract.encode()) + keccak256(b"1") + chain_id.to_bytes(32, "big") + address
    struct = keccak256(keccak256(type_text.encode()) + b"".join(words))
    return keccak256(b"\x19\x01" + keccak256(domain) + struct)


def sign(digest: bytes, key: bytes) -> str:
    raw = coincurve.PrivateKey(key).sign_recoverable(digest, hasher=None)
    return "0x" + (raw[:64] + bytes([27 + raw[64]])).hex()


def address(key: bytes) -> str:
    public = coincurve.PrivateKey(key).public_key.format(compressed=False)
    return "0x" + keccak256(public[1:])[-20:].hex()


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def word(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@dataclass
class Log:
    """A log of records, the sizes it signed checkpoints at, and which of its indices are exported."""

    records: list[Any] = field(default_factory=lambda: [{"action": "demo.act", "number": i} for i in range(11)])
    sizes: tuple[int, ...] = (4, 7, 11)
    anchored: tuple[int, ...] = (4, 11)
    exported: tuple[int, ...] = (1, 5, 8, 10)

    @property
    def lines(self) -> list[bytes]:
        return [canonical(record) for record in self.records]

    @property
    def leaves(self) -> list[bytes]:
        return [hashlib.sha256(b"\x00" + line).digest() for line in self.lines]


def header(number: int) -> dict[str, str]:
    hashes = ["parentHash", "sha3Uncles", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash"]
    return {
        **{name: "0x" + f"{i:064x}" for i, name in enumerate(hashes)},
        "miner": "0x" + "00" * 20,
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x00",
        "number": hexed(number.to_bytes((number.bit_length() + 7) // 8, "big")),
        "gasLimit": "0x03938700",
        "gasUsed": "0xc350",
        "timestamp": "0x6a000000",
        "extraData": "0x",
        "nonce": "0x" + "00" * 8,
        "baseFeePerGas": "0x00",
    }


def rlp_header_hash(fields: dict[str, str]) -> str:
    """RLP of the 16 members of `header`, by the yellow paper's appendix B."""
    order = "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit "
    order += "gasUsed timestamp extraData mixHash nonce baseFeePerGas"
    scalars = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}

    def item(name: str) -> bytes:
        data = word(fields[name])
        data = data.lstrip(b"\0") if name in scalars else data
        if len(data) == 1 and data[0] < 128:
            return data
        return bytes([128 + len(data)]) + data if len(data) < 56 else b"\xb9" + len(data).to_bytes(2, "big") + data

    payload = b"".join(item(name) for name in order.split(" "))
    return "0x" + keccak256(b"\xf9" + len(payload).to_bytes(2, "big") + payload).hex()


def anchor(log: Log, size: int, number: int, chain_id: int = CHAIN_ID) -> dict[str, Any]:
    anchored_root = root(log.leaves[:size])
    words = [word(LOG_ID), size.to_bytes(32, "big"), anchored_root]
    digest = typed_digest("AuditAnchor", "Checkpoint(bytes32 log,uint64 size,bytes32 root)", words, chain_id)
    witnesses = list(SITES)[:2]
    listed = (96).to_bytes(32, "big") + len(witnesses).to_bytes(32, "big") + b"".join(map(word, witnesses))
    event = keccak256(b"CheckpointAnchored(bytes32,uint64,bytes32,bytes32[])")
    return {
        "size": size,
        "root": "0x" + anchored_root.hex(),
        "block": {
            "number": number,
            "hash": rlp_header_hash(header(number)),
            "timestamp": 0x6A000000,
            "header": header(number),
        },
        "receipt": {
            "transaction_hash": "0x" + "cc" * 32,
            "status": 1,
            "log": {
                "address": CONTRACTS["AuditAnchor"],
                "topics": ["0x" + event.hex(), LOG_ID],
                "data": "0x" + (words[1] + words[2] + listed).hex(),
            },
        },
        "witnesses": [{"organization": o, "signature": sign(digest, SITES[o])} for o in witnesses],
    }


def ballot_statement(line: int | None, choice: int = 1, chain_id: int = CHAIN_ID) -> tuple[dict[str, Any], str]:
    message = {"decision": "0x" + "11" * 32, "subject": "0x" + "22" * 32, "organization": VOTER, "choice": str(choice)}
    words = [word(message["decision"]), word(message["subject"]), word(VOTER), choice.to_bytes(32, "big")]
    digest = typed_digest("DecisionBoard", CAST_BALLOT, words, chain_id)
    statement = {"type": CAST_BALLOT, "organization": VOTER, "message": message, "line": line}
    return {**statement, "signature": sign(digest, VOTE_KEY)}, "0x" + digest.hex()


def commitment(organization: str, number: int, block_hash: bytes, chain_id: int = CHAIN_ID) -> dict[str, Any]:
    """A site's commitment to a round, which names the block that it read."""
    values = {name: ("0x" + "07" * 32 if kind == "bytes32" else "1") for kind, name in COMMITMENT_MEMBERS}
    message = values | {"organization": organization, "blockNumber": str(number), "blockHash": hexed(block_hash)}
    words = [word(message[n]) if k == "bytes32" else int(message[n]).to_bytes(32, "big") for k, n in COMMITMENT_MEMBERS]
    signature = sign(typed_digest("TrainingLedger", COMMITMENT, words, chain_id), SITES[organization])
    return {
        **{"type": COMMITMENT, "organization": organization, "message": message},
        **{"line": None, "signature": signature},
    }


def contents(log: Log, ballot: tuple[dict[str, Any], str] | None = None) -> dict[str, bytes]:
    """Every file but manifest and signature, honestly made."""
    statement, digest = ballot or ballot_statement(2)
    log.records[5] = {"action": "decision.ballot.cast", "statement": digest}
    leaves, size = log.leaves, log.sizes[-1]
    files = {
        "report.json": canonical({"title": "Extract of audit controls"}),
        "report.pdf": b"%PDF-1.7 not really\n",
        "records.jsonl": b"".join(log.lines[i] + b"\n" for i in log.exported),
        "proofs/inclusion.json": canonical(
            {
                "checkpoint": f"checkpoints/{size}.note",
                "proofs": [{"index": i, "path": [b64(h) for h in inclusion(i, leaves[:size])]} for i in log.exported],
            }
        ),
        "proofs/consistency.json": canonical(
            {
                "proofs": [
                    {"from": a, "to": b, "path": [b64(h) for h in consistency(a, leaves[:b])]}
                    for a, b in zip(log.sizes, log.sizes[1:], strict=False)
                ]
            }
        ),
        "proofs/statements.json": canonical({"statements": [statement]}),
        "chain/anchors.json": canonical({"anchors": [anchor(log, s, 100 + s) for s in log.anchored]}),
    }
    for s in log.sizes:
        files[f"checkpoints/{s}.note"] = note(f"{ORIGIN}\n{s}\n{b64(root(leaves[:s]))}\n")
    return files


def manifest(files: dict[str, bytes], /, **changes: Any) -> bytes:
    listed = [
        {"path": path, "sha256": hashlib.sha256(files[path]).hexdigest(), "size": len(files[path])}
        for path in sorted(files)
    ]
    value = {
        "format": "consilium-bundle/1",
        "consortium": "00000000-0000-0000-0000-000000000001",
        "exported_at": "2026-11-23T12:00:00Z",
        "verifier": {"name": "consilium-verify", "version": "0.1.0"},
        "log": {"origin": ORIGIN, "key": verifier_key(), "id": LOG_ID},
        "chain": {"chain_id": CHAIN_ID, "kind": "development", "genesis": GENESIS, "contracts": CONTRACTS},
        "files": listed,
    }
    return canonical({**value, **changes})


def signed(files: dict[str, bytes], /, key: Ed25519PrivateKey = LOG_KEY, **changes: Any) -> dict[str, bytes]:
    """Manifest and signature added: what the exporter, who holds the log's key, can always do."""
    listing = manifest(files, **changes)
    text = f"consilium-bundle/1\n{ORIGIN}\nsha256:{hashlib.sha256(listing).hexdigest()}\n"
    return {**files, "manifest.json": listing, "manifest.sig": note(text, key)}


def zipped(entries: dict[str, bytes]) -> bytes:
    """FORMAT.md section 1 by Python's own zipfile."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, entries[name])
    return target.getvalue()


def trust_file(**changes: Any) -> bytes:
    organizations = {o: {"name": f"Hospital {i}", "site": address(key)} for i, (o, key) in enumerate(SITES.items())}
    organizations[VOTER]["vote"] = address(VOTE_KEY)
    value = {
        "format": "consilium-trust/1",
        "chain": {"chain_id": CHAIN_ID, "genesis": GENESIS},
        "contracts": CONTRACTS,
        "log": {"origin": ORIGIN, "key": verifier_key(), "id": LOG_ID},
        "organizations": organizations,
        "witness_quorum": 2,
    }
    return json.dumps({**value, **changes}, indent=2).encode()
