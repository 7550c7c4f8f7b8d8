import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.acts import ACTS, KIND_NUMBERS
from agent.errors import ContradictionError
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.sentences import sentence
from contracts.artifacts import shipped
from contracts.rpc.codec import type_text

_VALUES = {
    "bytes32": st.binary(min_size=32, max_size=32),
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "bool": st.booleans(),
}


def _value(kind: str) -> st.SearchStrategy[object]:
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:] or 256) - 1)
    return _VALUES[kind]


@st.composite
def _acts(draw: st.DrawFn) -> tuple[int, dict[str, object]]:
    number = draw(st.sampled_from(sorted(ACTS)))
    parts = [inner for part in ACTS[number].entry["inputs"] for inner in part.get("components", [part])]
    return number, {part["name"]: draw(_value(part["type"])) for part in parts}


@given(_acts())
@settings(max_examples=50, deadline=None)
def test_act_is_read_back_as_it_was_written(act: tuple[int, dict[str, object]]) -> None:
    number, arguments = act
    form = ACTS[number]

    encoded = form.encode(arguments)
    decoded = form.decode(form.selector + encoded)

    assert {name: str(value).lower() for name, value in decoded.items()} == {
        name: str(value).lower() for name, value in arguments.items()
    }
    assert form.phrase % dict.fromkeys(decoded, "x")


@pytest.mark.parametrize("number", sorted(ACTS))
def test_kind_calls_a_function_of_fixed_size_that_the_governor_routes_to(number: int) -> None:
    kinds = [type_text(part) for part in ACTS[number].entry["inputs"]]

    assert not any("[]" in kind or "string" in kind or kind == "bytes" for kind in kinds)
    assert KIND_NUMBERS[ACTS[number].name] == number


def test_encoding_is_the_abis() -> None:
    encoded = ACTS[11].encode({"id": bytes([1]) * 32, "purpose": 2, "newKey": "0x" + "ab" * 20})

    assert encoded == bytes([1]) * 32 + (2).to_bytes(32, "big") + bytes(12) + bytes([0xAB]) * 20


def test_all_kinds_of_the_contract_are_known() -> None:
    assert sorted(ACTS) == list(range(1, 19))
    assert all(form.entry in shipped()[form.contract].abi for form in ACTS.values())


@pytest.mark.parametrize("number", sorted(ACTS))
def test_who_proposes_an_act_reads_what_kind_it_is(number: int) -> None:
    message = {"organization": bytes(32), "arguments": b"", "description": "why", "nonce": 0, "deadline": 1}

    text = sentence("ProposeAct", message | {"kind": number}, {}).english

    assert "unknown" not in text


def test_another_function_or_encoding_is_refused() -> None:
    form = ACTS[2]
    with pytest.raises(ContradictionError, match="another function"):
        form.decode(ACTS[4].selector + bytes(32))
    with pytest.raises(ContradictionError, match="one encoding"):
        form.decode(form.selector + bytes(33))
    with pytest.raises(InvalidInputError, match="exactly: id"):
        form.encode({"organization": bytes(32)})
