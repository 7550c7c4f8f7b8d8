"""The compiled contracts that ship with us: ABI and bytecode by name, errors by selector."""

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from contracts.errors import UnknownContractError
from contracts.rpc.codec import AbiEntry, selector

# Settings of the compiler, sources' digests and storage layouts included, ours have about 300 kB.
MAX_ARTIFACT_BYTES = 8 * 2**20


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


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_ARTIFACT_BYTES:
        raise UnknownContractError(f"{path.name} is too large for a compiled contract. Run `make contracts`.")
    document: dict[str, Any] = json.loads(path.read_text())
    return document
