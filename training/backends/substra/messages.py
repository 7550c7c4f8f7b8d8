"""What a coordinator and its run's child tell each other: a JSON head and a body of bytes, nothing that executes.

Each message is two sizes, the head and the body. Every message to the child carries its coordinator's fence.
"""

import json
import struct
from collections.abc import Mapping
from typing import IO, Any, Final

# A head names a task and its sites; a body is one vector of at most 2**27 words of 64 bits.
MAX_HEAD_BYTES: Final = 2**20
MAX_BODY_BYTES: Final = 2**30 + 2**10
_SIZES: Final = struct.Struct("<IQ")


class MessageError(Exception):
    """The other side sent something that is not a message; the pipe is of no use any more."""


def write_message(stream: IO[bytes], head: Mapping[str, Any], body: bytes = b"") -> None:
    """Write one message and flush it; `BrokenPipeError` where nobody reads."""
    text = json.dumps(head, separators=(",", ":")).encode()
    stream.write(_SIZES.pack(len(text), len(body)) + text)
    stream.write(body)
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Return the next message, None at the end of the stream.

    Raises
    ------
    MessageError
        If sizes or head are none that `write_message` writes, or the stream ends within a message.
    """
    sizes = stream.read(_SIZES.size)
    if not sizes:
        return None
    if len(sizes) < _SIZES.size:
        raise MessageError("The stream ended within a message.")
    head_bytes, body_bytes = _SIZES.unpack(sizes)
    if head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
        raise MessageError("A message is larger than any of ours.")
    head, body = stream.read(head_bytes), stream.read(body_bytes)
    if len(head) < head_bytes or len(body) < body_bytes:
        raise MessageError("The stream ended within a message.")
    try:
        fields = json.loads(head)
    except ValueError as error:
        raise MessageError("The head of a message is not JSON.") from error
    if not isinstance(fields, dict):
        raise MessageError("The head of a message is an object.")
    return fields, body
