"""Calls, answers, events and refusals between plain Python values and the contracts' ABI.

Structs are dicts (or tuples in order) on the way in and dicts on the way out; `bytesN` must have
exactly N bytes, because padding in silence would give another digest than the caller meant.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import encode
from eth_abi.decoding import ContextFramesBytesIO, TupleDecoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry

from consortium.kernel.digests import keccak256
from consortium.kernel.secp256k1 import checksum_address
from contracts.errors import ContractArgumentsError, TransactionRevertedError, UnknownContractError

AbiEntry = dict[str, Any]
WORD_BYTES = 32
# Solidity's own two: revert("text") and failed checks of the compiler.
_PLAIN_REASON = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_ARRAY = re.compile(r"(?P<item>.*)\[(?P<length>\d*)\]\Z")
# eth_abi leaves its decoders without types.
_STREAM: Any = ContextFramesBytesIO
_SIZED_BYTES = re.compile(r"bytes(\d+)\Z")


def type_text(component: AbiEntry) -> str:
    """The canonical type of a parameter: structs written out as tuples."""
    kind: str = component["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(type_text(part) for part in component["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def signature(entry: AbiEntry) -> str:
    return f"{entry['name']}({','.join(type_text(part) for part in entry['inputs'])})"


def selector(entry: AbiEntry) -> bytes:
    """The keccak-256 of the signature: four bytes of it call a function, all of it names an event."""
    return keccak256(signature(entry).encode())


def find_function(abi: Sequence[AbiEntry], function: str, count: int) -> AbiEntry:
    """The function of that name and number of arguments, or of that full signature.

    Raises
    ------
    UnknownContractError
        If there is none, or several of the same length (name the signature then).
    """
    name = function.partition("(")[0]
    found = [entry for entry in abi if entry["type"] == "function" and entry["name"] == name]
    if name != function:
        found = [entry for entry in found if signature(entry) == function]
    fitting = [entry for entry in found if len(entry["inputs"]) == count]
    if not found:
        raise UnknownContractError(f"The contract has no function {function!r}.", function=function)
    if not fitting:
        raise ContractArgumentsError(f"{signature(found[0])} was given {count} arguments.", function=function)
    if len(fitting) > 1:
        raise UnknownContractError(f"{function!r} names several functions; give the full signature.", function=function)
    return fitting[0]


def encode_call(abi: Sequence[AbiEntry], function: str, arguments: Sequence[Any]) -> bytes:
    """Four bytes of selector and the encoded arguments."""
    entry = find_function(abi, function, len(arguments))
    return selector(entry)[:4] + encode_arguments(entry["inputs"], arguments)


def encode_arguments(components: Sequence[AbiEntry], arguments: Sequence[Any]) -> bytes:
    """Encode values after their types.

    Raises
    ------
    ContractArgumentsError
        If number, type, size or a struct's field is wrong.
    """
    if len(components) != len(arguments):
        raise ContractArgumentsError(f"{len(components)} arguments are needed, {len(arguments)} were given.")
    values = [_prepare(part, value) for part, value in zip(components, arguments, strict=True)]
    try:
        return encode([type_text(part) for part in components], values)
    except (EncodingError, TypeError, ValueError) as error:
        raise ContractArgumentsError(f"The arguments do not fit the contract's types: {error}") from error


def decode_values(components: Sequence[AbiEntry], data: bytes) -> list[Any]:
    """Plain values of encoded data; `ContractArgumentsError` if the data does not fit."""
    try:
        raw = _decoder(tuple(type_text(part) for part in components))(_STREAM(data))
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise ContractArgumentsError(
            "The contract's answer does not fit its ABI: is this the right address?"
        ) from error
    return [_plain(part, value) for part, value in zip(components, raw, strict=True)]


def decode_answer(entry: AbiEntry, data: bytes) -> Any:
    """The value that a function returned: alone, or a tuple of several."""
    values = decode_values(entry["outputs"], data)
    return values[0] if len(values) == 1 else tuple(values)


def decode_event(entry: AbiEntry, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
    """The arguments of an event by name; an indexed value without fixed size is the hash that the chain keeps."""
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    if len(indexed) != len(topics) - 1:
        raise ContractArgumentsError(f"The event {entry['name']} does not fit the contract's ABI.")
    found = {part["name"]: _topic(part, topic) for part, topic in zip(indexed, topics[1:], strict=True)}
    found |= {part["name"]: value for part, value in zip(plain, decode_values(plain, data), strict=True)}
    return {part["name"]: found[part["name"]] for part in entry["inputs"]}


def decode_refusal(entry: AbiEntry | None, data: bytes) -> TransactionRevertedError:
    """The refusal that `data` holds, in the contract's own words."""
    try:
        if data[:4] == _PLAIN_REASON:
            return _refusal("Error", [{"name": "message", "type": "string"}], data)
        if data[:4] == _PANIC:
            return _refusal("Panic", [{"name": "code", "type": "uint256"}], data)
        if entry is not None:
            return _refusal(entry["name"], entry["inputs"], data)
    except ContractArgumentsError:
        return TransactionRevertedError("", data=data)
    return TransactionRevertedError("", data=data)


def _refusal(name: str, components: Sequence[AbiEntry], data: bytes) -> TransactionRevertedError:
    names = [part["name"] or f"_{index}" for index, part in enumerate(components)]
    values = decode_values(components, data[4:])
    return TransactionRevertedError(name, dict(zip(names, values, strict=True)), data=data)


@lru_cache(maxsize=512)
def _decoder(types: tuple[str, ...]) -> Any:
    """What eth_abi's `decode` makes anew for each value: with thousands of events a second it is made once."""
    made: Any = TupleDecoder
    return made(decoders=[registry.get_decoder(kind) for kind in types])


def _topic(component: AbiEntry, topic: bytes) -> Any:
    kind: str = component["type"]
    if kind == "bytes32" and len(topic) == WORD_BYTES:
        return topic
    is_hashed = kind in ("string", "bytes") or kind.startswith("tuple") or _ARRAY.match(kind)
    return topic if is_hashed else decode_values([component], topic)[0]


def _prepare(component: AbiEntry, value: Any) -> Any:
    kind: str = component["type"]
    if (array := _ARRAY.match(kind)) is not None:
        if not isinstance(value, (list, tuple)):
            raise ContractArgumentsError(f"{component['name']} is a list ({kind}).")
        return [_prepare(component | {"type": array["item"]}, item) for item in value]
    if kind == "tuple":
        return tuple(
            _prepare(part, item) for part, item in zip(component["components"], _fields(component, value), strict=True)
        )
    if (sized := _SIZED_BYTES.match(kind)) is not None:
        _require_bytes(component, value, int(sized[1]))
    return value


def _fields(component: AbiEntry, value: Any) -> Sequence[Any]:
    names = [part["name"] for part in component["components"]]
    if isinstance(value, Mapping):
        if set(value) != set(names):
            raise ContractArgumentsError(f"{component['name']} has the fields {', '.join(names)}.")
        return [value[name] for name in names]
    if not isinstance(value, (list, tuple)) or len(value) != len(names):
        raise ContractArgumentsError(f"{component['name']} has the fields {', '.join(names)}.")
    return value


def _require_bytes(component: AbiEntry, value: Any, size: int) -> None:
    if not isinstance(value, bytes) or len(value) != size:
        raise ContractArgumentsError(f"{component['name']} is {size} bytes ({component['type']}).")


def _plain(component: AbiEntry, value: Any) -> Any:
    kind: str = component["type"]
    if (array := _ARRAY.match(kind)) is not None:
        return [_plain(component | {"type": array["item"]}, item) for item in value]
    if kind == "tuple":
        parts = component["components"]
        return {part["name"]: _plain(part, item) for part, item in zip(parts, value, strict=True)}
    return checksum_address(value) if kind == "address" else value
