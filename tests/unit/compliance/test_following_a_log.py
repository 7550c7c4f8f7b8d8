"""A witness's rule, on logs of any growth: what only grew is followed, every other history is refused."""

import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PlatformAwayError
from agent.witness import LogForkError, Step, Way, follow, read_way
from agent.witness_book import Seen
from consortium.kernel.checkpoints import Checkpoint, sign_checkpoint
from consortium.kernel.merkle import MemoryTree, consistency_proof, leaf_hash, root_of
from consortium.kernel.notes import NoteSigner

ORIGIN = "consilium.example/logs/1"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
sizes = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True).map(sorted)


def tree_of(count: int, changed: int | None = None) -> MemoryTree:
    tree = MemoryTree()
    for number in range(count):
        tree.append(leaf_hash(b"changed" if number == changed else str(number).encode()))
    return tree


def step(tree: MemoryTree, size: int, previous: int) -> Step:
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root_of(size, tree)), [SIGNER])
    proof = consistency_proof(previous, size, tree) if previous else []
    return Step(uuid.uuid4(), note, previous, tuple(proof))


def way(tree: MemoryTree, sizes: list[int], since: int = 0) -> Way:
    previous = [since, *sizes[:-1]] if since else [0, *sizes[:-1]]
    steps = tuple(step(tree, size, before) for size, before in zip(sizes, previous, strict=True))
    return Way(uuid.uuid4(), uuid.uuid4(), SIGNER.key, since, steps)


def seen(tree: MemoryTree, size: int) -> Seen:
    return Seen(SIGNER.key, size, root_of(size, tree))


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(0, 4))
def test_any_honest_growth_is_followed_from_any_checkpoint_of_it(grown, at):
    tree = tree_of(grown[-1])
    start = grown[min(at, len(grown) - 1)]

    last, signed = follow(seen(tree, start), way(tree, grown))

    assert (last.size, last.root) == (grown[-1], root_of(grown[-1], tree))
    assert signed.note.startswith(f"{ORIGIN}\n{grown[-1]}\n")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_a_log_that_changed_one_signed_leaf_is_refused(first, more, data):
    changed = data.draw(st.integers(0, first - 1))
    honest, forged = tree_of(first), tree_of(first + more, changed)

    with pytest.raises(LogForkError, match="does not extend"):
        follow(seen(honest, first), way(forged, [first + more], since=first))
    with pytest.raises(LogForkError, match=f"two histories of its first {first} leaves"):
        follow(seen(honest, first), way(forged, [first, first + more]))


def test_a_shorter_log_a_gap_and_another_key_are_refused():
    tree = tree_of(10)

    with pytest.raises(LogForkError, match="shrank to 5"):
        follow(seen(tree, 8), way(tree, [5]))
    with pytest.raises(LogForkError, match="starts at 6 leaves, not at 4"):
        follow(seen(tree, 4), way(tree, [10], since=6))
    other = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(LogForkError, match="another key"):
        follow(Seen(other.key, 4, root_of(4, tree)), way(tree, [10], since=4))


def test_at_first_sight_the_last_checkpoint_is_taken_if_its_key_signed_it():
    tree = tree_of(10)
    assert follow(None, way(tree, [10]))[0].size == 10
    strange = Way(uuid.uuid4(), uuid.uuid4(), NoteSigner("x/logs/2", SIGNER.private_key).key, 0, way(tree, [10]).steps)
    with pytest.raises(LogForkError, match="pinned key"):
        follow(None, strange)


def item(**changes):
    made = way(tree_of(3), [3]).steps[0]
    step = {"id": str(made.id), "note": made.note, "previous_size": 0, "proof": []}
    base = {"log": str(uuid.uuid4()), "consortium": str(uuid.uuid4()), "key": str(SIGNER.key), "since": 0}
    return base | {"steps": [step | changes.pop("step", {})]} | changes


def test_a_way_is_read_as_it_was_written():
    found = read_way(item())
    assert (found.origin, found.since, found.steps[0].previous_size) == (ORIGIN, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": []},
        {"steps": "x"},
        {"steps": [1]},
        {"steps": [{}] * 1001},
        {"key": "x"},
        {"log": "x"},
        {"since": -1},
        {"since": True},
        {"step": {"proof": ["0x11"]}},
        {"step": {"proof": ["11" * 32]}},
        {"step": {"proof": ["0x" + "11" * 32] * 131}},
        {"step": {"note": 7}},
        {"step": {"note": "x" * 70_000}},
        {"step": {"id": "1"}},
    ],
)
def test_an_answer_of_another_shape_is_the_platforms_fault(changes):
    with pytest.raises(PlatformAwayError):
        read_way(item(**changes))
