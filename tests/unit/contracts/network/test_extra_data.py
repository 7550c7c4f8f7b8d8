"""extraData, quorum and turns, held to every recorded header."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.network.errors import HeaderError
from contracts.network.extra_data import ExtraData, decode_extra_data, encode_extra_data
from contracts.network.quorum import may_fail, proposer, quorum_of

DATA = Path(__file__).parents[3] / "data" / "besu"
HEADERS = [json.loads(line) for line in (DATA / "headers.jsonl").read_text().splitlines()]
NETWORK = json.loads((DATA / "network.json").read_text())


def raw(header: dict[str, str]) -> bytes:
    return bytes.fromhex(header["extraData"][2:])


def members(number: int) -> list[str]:
    return next(r["members"] for r in NETWORK["validators"] if r["from_block"] <= number <= r["to_block"])


def test_every_recorded_header_is_read_and_comes_back_to_the_byte():
    assert len(HEADERS) == 111
    rounds = {}
    for header in HEADERS:
        found = decode_extra_data(raw(header))
        assert encode_extra_data(found) == raw(header)
        assert (found.validators, found.vote) == ((), ())
        if found.round:
            rounds[str(int(header["number"], 16))] = found.round
    assert rounds == NETWORK["rounds_above_0"]


def test_every_recorded_block_has_a_quorum_of_seals():
    for header in HEADERS[1:]:
        number = int(header["number"], 16)
        assert len(decode_extra_data(raw(header)).seals) == quorum_of(len(members(number)))


def test_every_recorded_proposer_had_the_turn():
    for parent, header in itertools.pairwise(HEADERS):
        number = int(header["number"], 16)
        before = parent["miner"] if number > 1 else None
        assert proposer(members(number), before, decode_extra_data(raw(header)).round) == header["miner"]


@pytest.mark.parametrize(
    ("count", "quorum", "failing"), [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 4, 1), (6, 4, 2), (7, 5, 2)]
)
def test_two_thirds_rounded_up_must_seal(count, quorum, failing):
    assert (quorum_of(count), may_fail(count)) == (quorum, failing)


@given(st.binary(max_size=120))
def test_any_bytes_are_extra_data_or_refused(content):
    try:
        assert encode_extra_data(decode_extra_data(content)) == content
    except HeaderError:
        return


@pytest.mark.parametrize("cut", [b"", b"\0" * 32, raw(HEADERS[5])[:-1], raw(HEADERS[5]) + b"\0"])
def test_what_is_not_qbft_is_refused(cut):
    with pytest.raises(HeaderError, match="not QBFT's"):
        decode_extra_data(cut)


@pytest.mark.parametrize(
    "value",
    [
        ExtraData(vanity=bytes(31)),
        ExtraData(validators=(bytes(19),)),
        ExtraData(seals=(bytes(64),)),
        ExtraData(round=2**32),
    ],
)
def test_an_item_of_another_size_is_refused(value):
    with pytest.raises(HeaderError):
        decode_extra_data(encode_extra_data(value))
