"""An anchor as a JSON file that consortia hand each other; members compare it with other nodes, then vote."""

import json
from typing import Any

from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address
from contracts.crosschain.anchors import Anchor

MAX_ANCHOR_BYTES = 16_384
_NUMBERS = ("chain_id", "height", "digest_slot")
_ADDRESSES = ("models", "source")
_WORDS = ("block_hash", "validators")
_MEMBERS = frozenset((*_NUMBERS, *_ADDRESSES, *_WORDS))


def anchor_text(anchor: Anchor) -> str:
    """The file; `peer`, its digest, stands there for people and is computed anew by whoever reads it."""
    plain = {name: getattr(anchor, name) for name in (*_NUMBERS, *_ADDRESSES)}
    words = {name: "0x" + getattr(anchor, name).hex() for name in _WORDS}
    return json.dumps({**plain, **words, "peer": "0x" + anchor.peer.hex()}, indent=2) + "\n"


def parse_anchor(content: bytes) -> Anchor:
    """Read an anchor's file.

    Raises
    ------
    InvalidInputError
        If it is no such file, or its `peer` is not the digest of the rest.
    """
    document = _document(content)
    written = document.pop("peer", None)
    if document.keys() != _MEMBERS:
        raise InvalidInputError(f"An anchor has exactly: {', '.join(sorted(_MEMBERS))}. Get the file anew.")
    values: dict[str, Any] = {name: _number(name, document[name]) for name in _NUMBERS}
    values |= {name: checksum_address(str(document[name])) for name in _ADDRESSES}
    values |= {name: _word(name, document[name]) for name in _WORDS}
    anchor = Anchor(**values)
    if written is not None and written != "0x" + anchor.peer.hex():
        raise InvalidInputError("The anchor's peer is not the digest of what stands there. Get the file anew.")
    return anchor


def _document(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_ANCHOR_BYTES:
        raise InvalidInputError("The file is too large for an anchor.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The file is no JSON. Get it anew from the other consortium.") from error
    if not isinstance(found, dict):
        raise InvalidInputError("The file is no anchor: an object with its members is needed.")
    return found


def _number(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise InvalidInputError(f"{name} of an anchor is a whole number.")
    return value


def _word(name: str, value: object) -> bytes:
    try:
        word = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        word = b""
    if len(word) != 32 or not str(value).startswith("0x"):
        raise InvalidInputError(f"{name} of an anchor is 0x and 64 hexadecimal digits.")
    return word
