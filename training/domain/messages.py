"""Typed messages on the wire: EIP-712 fields as JSON, bytes32 in hexadecimal and integers as integers."""

from collections.abc import Mapping
from typing import Any

from consortium.kernel.eip712 import TYPES
from training.errors import AnswerInvalidError
from training.federated.errors import WireFormatError
from training.federated.wire import read_hex, read_integer, read_object, write_hex

_LARGEST = 2**53 - 1
SIGNATURE_BYTES = 65


def message_from_json(kind: str, value: object) -> dict[str, int | bytes]:
    """Read a message of integers and bytes32 by the field names of its EIP-712 type.

    Raises
    ------
    AnswerInvalidError
        If a field is missing, unknown, or not of its type.
    """
    members = TYPES[kind].members
    try:
        fields = read_object(value, [name for _, name in members], what=kind)
        return {name: _read(member, name, fields[name]) for member, name in members}
    except WireFormatError as error:
        raise AnswerInvalidError(error.message) from error


def message_to_json(fields: Mapping[str, int | bytes]) -> dict[str, Any]:
    """Return the JSON form that `message_from_json` reads."""
    return {name: write_hex(value) if isinstance(value, bytes) else value for name, value in fields.items()}


def read_signature(value: object) -> bytes:
    """Return a signature's 65 bytes; `AnswerInvalidError` for anything else."""
    try:
        return read_hex(value, what="signature", size_bytes=SIGNATURE_BYTES)
    except WireFormatError as error:
        raise AnswerInvalidError(error.message) from error


def _read(kind: str, name: str, value: object) -> int | bytes:
    if kind == "bytes32":
        return read_hex(value, what=name, size_bytes=32)
    bits = int(kind.removeprefix("uint"))
    return read_integer(value, what=name, maximum=min(2**bits - 1, _LARGEST))
