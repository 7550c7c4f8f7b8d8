"""What Ethereum gives us: keccak-256, EIP-712 hashes, recovery of signers."""

import re
from collections.abc import Mapping
from typing import Any

import coincurve
from Crypto.Hash import keccak

from consilium_verify.fields import array, raw
from consilium_verify.findings import RefusedError

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def keccak256(data: bytes) -> bytes:
    """Return keccak-256, the padding before FIPS 202."""
    return keccak.new(digest_bits=256, data=data).digest()


def typed_data_digest(
    contract: str, chain_id: int, address: bytes, type_text: str, message: Mapping[str, Any]
) -> bytes:
    """Return the EIP-712 digest of a flat message, its values as JSON writes them.

    Unsigned integers are decimal texts, bytes and addresses 0x-hexadecimal, arrays lists.
    """
    name, _, body = type_text.rstrip(")").partition("(")
    members = [member.split(" ") for member in body.split(",")]
    if not isinstance(message, dict) or message.keys() != {member for _, member in members}:
        raise RefusedError(f"the message does not have the members of {name}")
    encoded = b"".join(_encode(kind, message[member]) for kind, member in members)
    struct = keccak256(keccak256(type_text.encode()) + encoded)
    return keccak256(b"\x19\x01" + _domain(contract, chain_id, address) + struct)


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the 20 bytes of the address that signed the digest (r, s, v; s low, v 27 or 28)."""
    if len(signature) != 65 or signature[64] not in (27, 28) or int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise RefusedError("the signature is malformed")
    try:
        key = coincurve.PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except ValueError as error:
        raise RefusedError("no key can have made the signature") from error
    return keccak256(key.format(compressed=False)[1:])[-20:]


def natural_text(value: Any) -> int:
    """Return an unsigned integer of a message, which JSON holds as a decimal text."""
    if not isinstance(value, str) or not re.fullmatch(r"0|[1-9][0-9]{0,77}", value, re.ASCII):
        raise RefusedError("an unsigned integer is not a decimal text")
    return int(value)


def _domain(contract: str, chain_id: int, address: bytes) -> bytes:
    kind = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    words = keccak256(contract.encode()) + keccak256(b"1") + chain_id.to_bytes(32, "big") + address.rjust(32, b"\0")
    return keccak256(keccak256(kind) + words)


def _encode(kind: str, value: Any) -> bytes:
    if kind.endswith("[]"):
        return keccak256(b"".join(_encode(kind[:-2], item) for item in array(value, 4096)))
    if kind.startswith("uint"):
        if (number := natural_text(value)) >= 2 ** int(kind[4:]):
            raise RefusedError(f"a number is too large for {kind}")
        return number.to_bytes(32, "big")
    if kind == "string":
        if not isinstance(value, str):
            raise RefusedError("a string is not a text")
        return keccak256(value.encode())
    if kind == "bytes":
        return keccak256(raw(value))
    return raw(value, 20 if kind == "address" else 32).rjust(32, b"\0")
