"""The stand-alone verifier was written apart from the kernel; here the two are held against each other."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.canonical import canonical_json
from consortium.kernel.checkpoints import Checkpoint, sign_checkpoint
from consortium.kernel.eip712 import DOMAIN_OF, TYPES, Domain, struct_type, typed_hash
from consortium.kernel.merkle import MemoryTree, leaf_hash
from consortium.kernel.notes import NoteSigner

VERIFIER = str(Path(__file__).parents[3] / "verifier")


def twin(name: str) -> ModuleType:
    if VERIFIER not in sys.path:
        sys.path.insert(0, VERIFIER)
    return importlib.import_module(f"consilium_verify.{name}")


@settings(max_examples=40)
@given(st.integers(1, 70), st.data())
def test_proofs_of_the_kernel_convince_the_verifier(size: int, data: st.DataObject) -> None:
    merkle, tree = twin("merkle"), MemoryTree(bytes([i]) for i in range(size))
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))

    assert merkle.tree_root([leaf_hash(bytes([i])) for i in range(size)]) == tree.root()
    merkle.verify_inclusion(merkle.leaf_hash(bytes([index])), index, size, tree.inclusion_path(index), tree.root())
    merkle.verify_consistency(first, size, (tree.root(first), tree.root()), tree.consistency_proof(first))


@settings(max_examples=100)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text(max_size=9)
        | st.floats(-1e300, 1e300),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=10,
    )
)
def test_both_write_one_canonical_json(value: Any) -> None:
    canonical = twin("canonical")

    assert canonical.encode(value) == canonical_json(value)
    assert canonical.parse_canonical(canonical_json(value)) == value


def test_checkpoint_of_the_kernel_opens_in_the_verifier() -> None:
    notes, signer = twin("notes"), NoteSigner("log.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    checkpoint = Checkpoint("log.example", 5, bytes(range(32)))

    opened = notes.open_checkpoint(
        sign_checkpoint(checkpoint, [signer]).encode(), notes.VerifierKey.parse(str(signer.key))
    )

    assert (opened.size, opened.root) == (checkpoint.size, checkpoint.root)


ZEROS: dict[str, tuple[Any, str]] = {
    "bytes32": (bytes(32), "0x" + "00" * 32),
    "bytes": (b"ab", "0x6162"),
    "string": ("text", "text"),
    "address": ("0x" + "00" * 20, "0x" + "00" * 20),
}


@pytest.mark.parametrize("primary", sorted(TYPES.keys() - {"AgentRequest"}))
def test_both_hash_every_message_of_the_contracts_alike(primary: str) -> None:
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for kind, name in TYPES[primary].members:
        plain, written = ZEROS.get(kind.removesuffix("[]"), (7, "7"))
        ours[name], theirs[name] = ([plain, plain], [written, written]) if kind.endswith("[]") else (plain, written)
    domain = Domain(DOMAIN_OF[primary], 31337, "0x" + "11" * 20)

    assert struct_type(primary) in twin("statements").KNOWN_TYPES
    assert twin("statements").KNOWN_TYPES[struct_type(primary)][0] == domain.name
    assert typed_hash(domain, primary, ours) == twin("ethereum").typed_data_digest(
        domain.name, 31337, b"\x11" * 20, struct_type(primary), theirs
    )
