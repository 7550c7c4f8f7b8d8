"""An event read by readers made once says what the library says, and is left to it wherever it looks otherwise."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from contracts.artifacts import shipped
from contracts.errors import ContractArgumentsError
from contracts.rpc.codec import AbiEntry, decode_event, selector, type_text
from contracts.rpc.event_forms import EventForm

WORDS = ("bytes32", "address", "bool", "uint8", "uint48", "uint64", "uint256", "bytes4")
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


def value_of(kind: str, components: list[AbiEntry]) -> st.SearchStrategy[Any]:
    if kind.endswith("[]"):
        return st.lists(value_of(kind[:-2], components), max_size=4)
    if kind == "tuple":
        return st.tuples(*(value_of(part["type"], part.get("components", [])) for part in components))
    if kind in ("string", "bytes"):
        return st.text(max_size=40) if kind == "string" else st.binary(max_size=40)
    if kind == "address":
        return ADDRESSES
    if kind == "bool":
        return st.booleans()
    if kind.startswith("bytes"):
        return st.binary(min_size=int(kind[5:]), max_size=int(kind[5:]))
    if kind.startswith("int"):
        bits = int(kind[3:]) - 1
        return st.integers(-(2**bits), 2**bits - 1)
    return st.integers(0, 2 ** int(kind[4:]) - 1)


def parts(kinds: st.SearchStrategy[str], *, least: int = 0) -> st.SearchStrategy[list[AbiEntry]]:
    one = st.builds(lambda kind: {"type": kind, "indexed": False}, kinds)
    return st.lists(one, min_size=least, max_size=5).map(
        lambda found: [part | {"name": f"p{place}"} for place, part in enumerate(found)]
    )


@st.composite
def events(draw: st.DrawFn) -> tuple[AbiEntry, list[bytes], bytes]:
    """An event of any types, those without readers of their own among them, with topics and data that fit it."""
    word = st.sampled_from(WORDS)
    any_kind = st.one_of(word, word.map(lambda kind: kind + "[]"), st.sampled_from(["string", "bytes", "int64"]))
    inputs: list[AbiEntry] = draw(parts(any_kind, least=1))
    if draw(st.booleans()):
        inner = draw(parts(st.one_of(word, any_kind), least=1))
        inputs.append({"name": "struct", "type": "tuple", "indexed": False, "components": inner})
    indexed = draw(parts(word))[:3]
    inputs += [part | {"name": "i" + part["name"], "indexed": True} for part in indexed]
    entry: AbiEntry = {"type": "event", "name": "Told", "inputs": draw(st.permutations(inputs))}
    kinds = [part["type"] for part in entry["inputs"] if part["indexed"]]
    topics = [selector(entry), *(encode([kind], [draw(value_of(kind, []))]) for kind in kinds)]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    values = [draw(value_of(part["type"], part.get("components", []))) for part in plain]
    return entry, topics, encode([type_text(part) for part in plain], values)


def outcome(read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except ContractArgumentsError as refusal:
        return refusal.message


@given(events())
def test_an_event_is_read_as_the_library_reads_it(told):
    entry, topics, data = told
    found = EventForm(entry).decode(topics, data)
    assert found == decode_event(entry, topics, data)
    assert list(found) == [part["name"] for part in entry["inputs"]]


@given(events(), st.data())
def test_bytes_that_were_changed_are_read_or_refused_as_the_library_does(told, drawn):
    entry, topics, data = told
    raw = bytearray(data)
    for _ in range(drawn.draw(st.integers(1, 3))):
        if raw:
            raw[drawn.draw(st.integers(0, len(raw) - 1))] = drawn.draw(st.sampled_from([0, 1, 2, 0x20, 0x7F, 0xFF]))
    shown = bytes(raw)[: drawn.draw(st.integers(0, len(raw)))] if drawn.draw(st.booleans()) else bytes(raw)

    assert outcome(EventForm(entry).decode, topics, shown) == outcome(decode_event, entry, topics, shown)


@given(st.integers(0, 5), st.binary(min_size=0, max_size=40))
def test_topics_that_do_not_fit_are_refused_as_the_library_does(count, odd):
    entry = next(entry for entry in shipped()["TrainingLedger"].entries("event") if entry["name"] == "RoundClosed")
    topics = [selector(entry), *[odd] * count]
    assert outcome(EventForm(entry).decode, topics, bytes(640)) == outcome(decode_event, entry, topics, bytes(640))


@pytest.mark.parametrize("name", ["TrainingLedger", "ConsentAnchor", "AuditAnchor", "DecisionBoard"])
def test_most_events_of_our_contracts_have_readers_of_their_own(name):
    """Those with texts and lists of structs are left to the library."""
    forms = shipped()[name].event_forms
    assert len(forms) == len(shipped()[name].events)
    assert sum(form.has_readers for form in forms.values()) >= 0.7 * len(forms)
