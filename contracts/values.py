"""Arguments of calls and events as JSON that keeps their types: what goes in comes out, to the last bit.

Integers are written as text, because JSON's readers round above 2**53; bytes as hexadecimal.
"""

from collections.abc import Mapping
from typing import Any

from contracts.errors import ContractArgumentsError

Json = bool | str | list["Json"] | dict[str, "Json"]

_INTEGER = "int"
_BYTES = "bytes"
_STRUCT = "struct"


def to_json(value: Any) -> Json:
    """The JSON form of bool, int, str, bytes, and of lists, tuples and dicts (structs) of them.

    Raises
    ------
    ContractArgumentsError
        For any other type: no float, no None, nothing that a contract does not know.
    """
    # The commonest first: most of what events say is 32 bytes.
    if isinstance(value, bytes):
        return {_BYTES: "0x" + value.hex()}
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {_INTEGER: str(value)}
    if isinstance(value, dict):
        return {_STRUCT: {str(name): to_json(item) for name, item in value.items()}}
    return _rarely_to_json(value)


def _rarely_to_json(value: Any) -> Json:
    if isinstance(value, (bytearray, memoryview)):
        return {_BYTES: "0x" + bytes(value).hex()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {_STRUCT: {str(name): to_json(item) for name, item in value.items()}}
    raise ContractArgumentsError(f"A contract takes no {type(value).__name__}.")


def from_json(value: Any) -> Any:
    """The value that `to_json` wrote; tuples come back as lists."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind == _BYTES:
            return bytes.fromhex(content.removeprefix("0x"))
        if kind == _INTEGER:
            return int(content)
        if kind == _STRUCT:
            return {name: from_json(item) for name, item in content.items()}
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, list):
        return [from_json(item) for item in value]
    raise ContractArgumentsError("The stored arguments are not in the form that the outbox writes.")
