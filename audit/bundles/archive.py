"""The archive in its one form (`verifier/FORMAT.md` section 1) and the signed manifest over it (section 3)."""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import to_hex
from consortium.kernel.notes import NoteSigner, sign_note

FORMAT = "consilium-bundle/1"
VERIFIER = {"name": "consilium-verify", "version": "0.1.0"}
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """The chain that a bundle speaks of. `kind` is development or qbft, `contracts` are lower-case addresses."""

    chain_id: int
    kind: str
    genesis: bytes
    contracts: Mapping[str, str]


def sealed(
    files: Mapping[str, bytes],
    *,
    consortium_id: UUID,
    exported_at: datetime,
    signer: NoteSigner,
    log_id: bytes,
    chain: ChainFacts,
) -> bytes:
    """Return the archive of these files with their manifest and its signature; equal input makes equal bytes."""
    manifest = canonical_json(
        {
            "format": FORMAT,
            "consortium": str(consortium_id),
            "exported_at": written_second(exported_at),
            "verifier": VERIFIER,
            "log": {"origin": signer.name, "key": str(signer.key), "id": to_hex(log_id)},
            "chain": _chain(chain),
            "files": [_listed(path, files[path]) for path in sorted(files)],
        }
    )
    digest = hashlib.sha256(manifest).hexdigest()
    signature = sign_note(f"{FORMAT}\n{signer.name}\nsha256:{digest}\n", [signer])
    return zipped({**files, MANIFEST: manifest, SIGNATURE: signature.encode()})


def written_second(moment: datetime) -> str:
    """Return a time in UTC to the second (RFC 3339)."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """Return the archive: names in order, contents stored as they are, every attribute fixed."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = _UNIX, _REGULAR_FILE
            archive.writestr(info, entries[name])
    return target.getvalue()


def _chain(chain: ChainFacts) -> dict[str, Any]:
    return {
        "chain_id": chain.chain_id,
        "kind": chain.kind,
        "genesis": to_hex(chain.genesis),
        "contracts": dict(chain.contracts),
    }


def _listed(path: str, content: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
