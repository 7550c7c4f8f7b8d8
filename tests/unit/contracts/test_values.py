"""Arguments keep their types and every bit through the database's JSON; codec and ABI agree both ways."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ContractArgumentsError
from contracts.rpc import codec
from contracts.values import from_json, to_json

PLAIN = st.booleans() | st.integers(-(2**255), 2**256 - 1) | st.binary(max_size=64) | st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(VALUES)
def test_what_goes_in_comes_out_with_its_type(value):
    returned = from_json(json.loads(json.dumps(to_json(value))))
    assert returned == value
    assert type(returned) is type(value)


def test_a_struct_named_like_a_type_is_still_a_struct():
    structs: tuple[dict[str, Any], ...] = ({"int": 1}, {"bytes": "0x"}, {"struct": {}}, {})
    for value in structs:
        assert from_json(to_json(value)) == value


@pytest.mark.parametrize("value", [1.5, None, {1, 2}, object()])
def test_what_no_contract_knows_is_refused(value):
    with pytest.raises(ContractArgumentsError):
        to_json([value])


@pytest.mark.parametrize("value", [1, None, {"float": "1"}, {"int": "1", "bytes": "0x"}, 2.5])
def test_json_in_another_form_is_refused(value):
    with pytest.raises(ContractArgumentsError):
        from_json(value)


STRUCT: dict[str, Any] = {
    "name": "step",
    "type": "tuple[]",
    "components": [{"name": "by", "type": "uint64"}, {"name": "reason", "type": "bytes32"}],
}
COMPONENTS: list[dict[str, Any]] = [STRUCT, {"name": "who", "type": "address"}, {"name": "note", "type": "string"}]
STEPS = st.lists(
    st.fixed_dictionaries({"by": st.integers(0, 2**64 - 1), "reason": st.binary(min_size=32, max_size=32)}), max_size=4
)


@settings(max_examples=50)
@given(STEPS, st.text(max_size=40))
def test_arguments_come_back_from_their_encoding(steps, note):
    who = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    data = codec.encode_arguments(COMPONENTS, [steps, who, note])
    assert codec.decode_values(COMPONENTS, data) == [steps, who, note]


def test_a_signature_writes_structs_out():
    entry = {"name": "walk", "inputs": COMPONENTS}
    assert codec.signature(entry) == "walk((uint64,bytes32)[],address,string)"


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 96])
def test_data_that_does_not_fit_the_abi_is_refused(data):
    with pytest.raises(ContractArgumentsError):
        codec.decode_values(COMPONENTS, data)


def test_a_refusal_whose_data_is_cut_is_still_a_refusal():
    entry = {"name": "Refused", "inputs": [{"name": "code", "type": "uint256"}]}
    assert codec.decode_refusal(entry, b"\x01\x02\x03\x04" + b"\0" * 7).error == ""
    assert codec.decode_refusal(None, b"").error == ""
