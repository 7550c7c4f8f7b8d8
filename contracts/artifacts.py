"""The compiled contracts that ship with us: ABI and bytecode by name, errors by selector.

What a deployed contract says never changes, and what ships with us does. So the events' forms have a name of their
own, the schema, and the ABI of each earlier one is kept: `NAME.json` is today's, `SCHEMA/NAME.json` an earlier one.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from consortium.kernel.canonical import canonical_json
from contracts.errors import UnknownContractError, UnknownSchemaError
from contracts.events import ContractReference
from contracts.rpc.codec import AbiEntry, selector
from contracts.rpc.event_forms import EventForm

# Settings of the compiler, sources' digests and storage layouts included, ours have about 300 kB.
MAX_ARTIFACT_BYTES = 8 * 2**20
SCHEMA_DIGITS = 16


class Artifact:
    """One contract: what its functions, events and errors look like, and its creation code."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.name: str = document["contractName"]
        self.abi: list[AbiEntry] = document["abi"]
        self.bytecode = bytes.fromhex(document["bytecode"].removeprefix("0x"))
        self.document = document

    def entries(self, kind: str) -> list[AbiEntry]:
        return [entry for entry in self.abi if entry["type"] == kind]

    @cached_property
    def errors(self) -> dict[bytes, AbiEntry]:
        """The contract's errors by their four bytes."""
        return {selector(entry)[:4]: entry for entry in self.entries("error")}

    @cached_property
    def events(self) -> dict[bytes, AbiEntry]:
        """The contract's events by their first topic; an anonymous one has none."""
        return {selector(entry): entry for entry in self.entries("event") if not entry.get("anonymous")}

    @cached_property
    def event_forms(self) -> dict[bytes, EventForm]:
        """Readers of the contract's events, by their first topic."""
        return {topic: EventForm(entry) for topic, entry in self.events.items()}

    @cached_property
    def schema(self) -> str:
        """The name of its events' forms: 16 hex digits of SHA-256; equal where each event reads as in the other."""
        forms = sorted((_form(entry) for entry in self.entries("event")), key=canonical_json)
        return hashlib.sha256(canonical_json(forms)).hexdigest()[:SCHEMA_DIGITS]


class Artifacts:
    """The artifacts of some folders; by default those of `contracts/abi`."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self.folders = list(folders) if folders is not None else [Path(__file__).parent / "abi"]
        self._loaded: dict[str, Artifact] = {}

    def __getitem__(self, name: str) -> Artifact:
        """The artifact of that name; `UnknownContractError` if there is none."""
        if name not in self._loaded:
            self._loaded[name] = Artifact(_read(self._path(name)))
        return self._loaded[name]

    def of(self, contract: ContractReference) -> Artifact:
        """The artifact whose events a deployed contract emits: today's, or an earlier one that was kept.

        Raises
        ------
        UnknownContractError
            If there is no contract of that name.
        UnknownSchemaError
            If its events have a form of which no ABI is here.
        """
        today = self[contract.name]
        if contract.schema in ("", today.schema):
            return today
        if (kept := self._kept(contract.name, contract.schema)) is None:
            raise UnknownSchemaError(
                f"The events of {contract.name} at {contract.address} have the schema {contract.schema}, and this "
                f"installation knows {today.schema} alone. Install the version that it was deployed with, or a later "
                f"one; or put its ABI at contracts/abi/{contract.schema}/{contract.name}.json.",
                contract=contract.name,
                schema=contract.schema,
            )
        return kept

    def _kept(self, name: str, schema: str) -> Artifact | None:
        key = f"{schema}/{name}"
        if key not in self._loaded:
            paths = [folder / schema / f"{name}.json" for folder in self.folders] if schema.isalnum() else []
            if (path := next((path for path in paths if path.exists()), None)) is None:
                return None
            found = Artifact(_read(path))
            if found.schema != schema:
                raise UnknownSchemaError(
                    f"{path.name} in the folder {schema} has the schema {found.schema}. Put it where it belongs.",
                    contract=name,
                    schema=schema,
                )
            self._loaded[key] = found
        return self._loaded[key]

    def error(self, four_bytes: bytes, name: str) -> AbiEntry | None:
        """The error with that selector: of contract `name`, else of any other, for refusals come up from below."""
        own = self[name].errors.get(four_bytes)
        return own or next((a.errors[four_bytes] for a in self._all if four_bytes in a.errors), None)

    @cached_property
    def _all(self) -> list[Artifact]:
        return [self[path.stem] for folder in self.folders for path in sorted(folder.glob("*.json"))]

    def _path(self, name: str) -> Path:
        candidates = [folder / f"{name}.json" for folder in self.folders] if name.isidentifier() else []
        if (found := next((path for path in candidates if path.exists()), None)) is None:
            raise UnknownContractError(f"There is no compiled contract {name!r}. Run `make contracts`.", contract=name)
        return found


@lru_cache(maxsize=1)
def shipped() -> Artifacts:
    """The artifacts of this installation, read once a process."""
    return Artifacts()


def _form(entry: AbiEntry) -> dict[str, Any]:
    """What decides how an event is read: names and types, not the compiler's own notes."""
    return {
        "name": entry["name"],
        "anonymous": bool(entry.get("anonymous")),
        "inputs": [_part(part) for part in entry["inputs"]],
    }


def _part(part: Any) -> dict[str, Any]:
    return {
        "name": part["name"],
        "type": part["type"],
        "indexed": bool(part.get("indexed")),
        "components": [_part(inner) for inner in part.get("components", [])],
    }


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_ARTIFACT_BYTES:
        raise UnknownContractError(f"{path.name} is too large for a compiled contract. Run `make contracts`.")
    document: dict[str, Any] = json.loads(path.read_text())
    return document
