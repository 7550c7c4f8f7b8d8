"""EIP-712 hashing of structured data, for any table of types: strict in what it takes as a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address

_MEMBER = r"[A-Za-z]\w*(?:\[\])? \w+"
_TYPE = re.compile(rf"([A-Za-z_]\w*)\(((?:{_MEMBER}(?:,{_MEMBER})*)?)\)\Z", re.ASCII)
_UINT = re.compile(r"uint(\d{1,3})\Z", re.ASCII)
_FIXED_BYTES = re.compile(r"bytes(\d{1,2})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class StructType:
    """A struct's name and its members, (type, name) each, in order."""

    name: str
    members: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> "StructType":
        """Read a type as EIP-712 encodes it: `Name(type name,type name)`."""
        if not (match := _TYPE.match(text)):
            raise InvalidInputError(f"{text!r} is not a struct type in the encoding of EIP-712.")
        members = (member.split(" ") for member in match[2].split(",") if member)
        return cls(match[1], tuple((kind, name) for kind, name in members))

    def __str__(self) -> str:
        return f"{self.name}({','.join(f'{kind} {name}' for kind, name in self.members)})"


Types = Mapping[str, StructType]


def encode_type(types: Types, primary: str) -> str:
    """Return the type's text with those it refers to after it in the order of their names."""
    found: set[str] = set()
    waiting = [primary]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            members = (kind.removesuffix("[]") for kind, _ in types[name].members)
            waiting += [kind for kind in members if kind in types]
    return "".join(str(types[name]) for name in [primary, *sorted(found - {primary})])


def hash_struct(types: Types, primary: str, message: Mapping[str, Any]) -> bytes:
    """Return keccak(typeHash || encoded members).

    Raises
    ------
    InvalidInputError
        If a member is missing or unknown, or a value is not exactly of its type: bytes are bytes of the
        right length, integers are ints in range (never bool), strings str, addresses 0x and 40 digits.
    """
    members = types[primary].members
    names = {name for _, name in members}
    if message.keys() != names:
        raise InvalidInputError(f"A {primary} has exactly the fields {', '.join(name for _, name in members)}.")
    encoded = [_encode(types, kind, message[name], f"{primary}.{name}") for kind, name in members]
    return keccak256(_type_hash(encode_type(types, primary)) + b"".join(encoded))


@lru_cache(maxsize=256)
def _type_hash(text: str) -> bytes:
    return keccak256(text.encode())


def signing_encoding(domain_separator: bytes, struct_hash: bytes) -> bytes:
    """Return 0x1901 || domain separator || struct hash, whose keccak-256 is signed."""
    return b"\x19\x01" + domain_separator + struct_hash


def signing_hash(domain_separator: bytes, struct_hash: bytes) -> bytes:
    """Return what is signed: keccak(0x1901 || domain separator || struct hash)."""
    return keccak256(signing_encoding(domain_separator, struct_hash))


def _encode(types: Types, kind: str, value: Any, where: str) -> bytes:
    if kind.endswith("[]"):
        _require(isinstance(value, (list, tuple)), where, kind)
        return keccak256(b"".join(_encode(types, kind[:-2], item, f"{where}[{i}]") for i, item in enumerate(value)))
    if kind in types:
        _require(isinstance(value, Mapping), where, kind)
        return hash_struct(types, kind, value)
    return _encode_atom(kind, value, where)


def _encode_atom(kind: str, value: Any, where: str) -> bytes:
    if match := _UINT.match(kind):
        _require(type(value) is int and 0 <= value < 2 ** int(match[1]), where, kind)
        return int(value).to_bytes(32, "big")
    if match := _FIXED_BYTES.match(kind):
        _require(type(value) is bytes and len(value) == int(match[1]), where, kind)
        return bytes(value).ljust(32, b"\0")
    if kind == "bytes":
        _require(type(value) is bytes, where, kind)
        return keccak256(value)
    if kind == "string":
        _require(type(value) is str, where, kind)
        return keccak256(value.encode())
    if kind == "bool":
        _require(type(value) is bool, where, kind)
        return int(value).to_bytes(32, "big")
    _require(kind == "address" and type(value) is str, where, kind)
    return bytes.fromhex(checksum_address(value)[2:]).rjust(32, b"\0")


def _require(condition: bool, where: str, kind: str) -> None:
    if not condition:
        raise InvalidInputError(f"{where} is not a value of type {kind}.")
