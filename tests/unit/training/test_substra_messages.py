"""Messages between a coordinator and its run's child."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.backends.substra.messages import MessageError, read_message, write_message

HEADS = st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8), max_size=4)


@given(st.lists(st.tuples(HEADS, st.binary(max_size=64)), max_size=4))
def test_messages_come_out_as_they_went_in(messages):
    stream = io.BytesIO()
    for head, body in messages:
        write_message(stream, head, body)
    stream.seek(0)

    assert [read_message(stream) for _message in messages] == messages
    assert read_message(stream) is None


@given(HEADS, st.binary(min_size=1, max_size=64), st.data())
def test_a_message_that_is_cut_off_is_none(head, body, data):
    stream = io.BytesIO()
    write_message(stream, head, body)
    whole = stream.getvalue()

    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]

    with pytest.raises(MessageError, match="ended within"):
        read_message(io.BytesIO(cut))


@pytest.mark.parametrize("raw", [b"\xff" * 12, b"\1\0\0\0" + b"\xff" * 8])
def test_sizes_beyond_ours_are_refused_before_anything_is_read(raw):
    stream = io.BytesIO(raw + b"x" * 64)

    with pytest.raises(MessageError, match="larger"):
        read_message(stream)
    assert stream.tell() == 12


@pytest.mark.parametrize("text", [b"no", b"[]", b"\xff\xff"])
def test_a_head_is_a_json_object(text):
    stream = io.BytesIO(bytes([len(text), 0, 0, 0]) + bytes(8) + text)

    with pytest.raises(MessageError):
        read_message(stream)
