"""A key behind Consensys Web3Signer, and by it in an HSM or a cloud's key service.

Requests and answers as its OpenAPI description (`eth1`) and its page on JSON-RPC have them. `eth1/sign` hashes what it
is given with keccak-256, so it is given what is hashed: the EIP-712 encoding of a message, or a transaction without its
signature (ADR 14). `eth_signTypedData` gets the whole message.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from consortium.kernel.digests import keccak256
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address
from contracts.signing.channel import Answer, Question, SignerChannel
from contracts.signing.errors import SignerAwayError, SignerError, SignerNotTrustedError, SignerRefusedError
from contracts.signing.keys import TypedData, checked_signature

_IDENTIFIER = re.compile(r"0x[0-9a-f]{128}\Z")
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}\Z")
MAX_KEYS = 1000
# Answers are flat. A parser that is let down a hundred thousand brackets may end the process, not only the parse.
_MOST_NESTED = 8


class Interface(StrEnum):
    """Which of Web3Signer's two doors is asked."""

    REST = "rest"
    JSON_RPC = "json-rpc"


def signer_url(text: str) -> str:
    """Return the address of a signer, which is asked by TLS alone and knows nobody by a name.

    Raises
    ------
    InvalidInputError
        For anything but https://HOST:PORT, with a path at most.
    """
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise InvalidInputError("It must be https://HOST:PORT: what signs is not asked in the clear.")
    return text


def key_identifier(text: str) -> str:
    """Return a public key as Web3Signer names it: 0x and 128 digits, x and y.

    Raises
    ------
    InvalidInputError
        For anything else, an address among it.
    """
    digits = text.strip().lower().removeprefix("0x")
    # The point's uncompressed form starts with 04; Web3Signer leaves that out.
    digits = digits[2:] if len(digits) == 130 and digits.startswith("04") else digits
    if not _IDENTIFIER.match(f"0x{digits}"):
        raise InvalidInputError("A key of Web3Signer is named by its public key: 0x and 128 hexadecimal digits.")
    return f"0x{digits}"


@dataclass(frozen=True)
class Web3SignerKey:
    """One of the signer's keys, named by its public key."""

    channel: SignerChannel
    identifier: str
    interface: Interface = Interface.REST
    place: str = field(default="web3signer", init=False)

    @cached_property
    def address(self) -> str:
        public_key = bytes.fromhex(self.identifier.removeprefix("0x"))
        return checksum_address("0x" + keccak256(public_key)[-20:].hex())

    def sign(self, data: TypedData) -> bytes:
        """Return what the signer gives back, well-formed but not yet held to the key.

        Raises
        ------
        SignerAwayError, SignerRefusedError, SignerNotTrustedError
            As each says; nothing is usable then.
        """
        if self.interface is Interface.JSON_RPC:
            return _signature(self._by_json_rpc(data))
        question = self._question(data.encoding)
        return _rest_signature(self.channel.ask(question.method, question.path, question.body))

    def sign_many(self, encodings: Sequence[bytes]) -> list[bytes | SignerError]:
        """Return each encoding's signature, by this key over its keccak-256, or why there is none, in their order.

        All of them within the channel's one time-out; after a fault no more is asked for.

        Raises
        ------
        SignerFileError, SignerNotTrustedError
            If our certificates cannot be used; nothing was asked.
        """
        questions = [self._question(encoding) for encoding in encodings]
        return self.channel.ask_many(questions, lambda index, answer: self._checked(answer, encodings[index]))

    def _checked(self, answer: Answer, encoding: bytes) -> bytes:
        return checked_signature(_rest_signature(answer), keccak256(encoding), self.address)

    def is_loaded(self) -> bool:
        """Ask whether the signer is up and lists the key."""
        _require_success(self.channel.ask("GET", "/upcheck"))
        return self.identifier in public_keys(self.channel)

    def _question(self, encoding: bytes) -> Question:
        return Question("POST", f"/api/v1/eth1/sign/{self.identifier}", {"data": "0x" + encoding.hex()})

    def _by_json_rpc(self, data: TypedData) -> str:
        params = [self.address, json.dumps(data.document(), separators=(",", ":"))]
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_signTypedData", "params": params}
        value = _read(self.channel.ask("POST", "/", question))
        if not isinstance(value, dict) or value.get("id") != 1:
            raise SignerNotTrustedError("The signer's answer is not to our question.")
        if "error" in value:
            raise SignerRefusedError(f"The signer refused: {_error_words(value['error'])}.")
        result = value.get("result")
        return result if isinstance(result, str) else ""


def _rest_signature(answer: Answer) -> bytes:
    return _signature(_require_success(answer).content.decode(errors="replace").strip())


def _signature(text: str) -> bytes:
    if not _SIGNATURE.match(text):
        raise SignerNotTrustedError("The signer gave back something that is no signature.")
    return bytes.fromhex(text[2:])


def public_keys(channel: SignerChannel) -> list[str]:
    """Return the public keys that the signer has loaded."""
    value = _read(_require_success(channel.ask("GET", "/api/v1/eth1/publicKeys")))
    if not isinstance(value, list) or len(value) > MAX_KEYS or not all(isinstance(item, str) for item in value):
        raise SignerNotTrustedError("The signer's list of keys is no list of keys.")
    return [item.lower() for item in value]


def reload_keys(channel: SignerChannel) -> None:
    """Have the signer read its key files again; it does so in its own time."""
    _require_success(channel.ask("POST", "/reload"))


_MEANINGS = {
    400: "it found the request malformed",
    401: "it does not know our certificate",
    403: "it does not let our certificate in",
    404: "it has no key of that name; load it there, or correct the public key in the settings",
    412: "it holds the signature against its own protection rules",
}


def _require_success(answer: Answer) -> Answer:
    if answer.status == 200:
        return answer
    if answer.status >= 500 or answer.status == 429:
        raise SignerAwayError(f"The signer answered {answer.status}. Look into its log.")
    meaning = _MEANINGS.get(answer.status, "which means nothing we know")
    raise SignerRefusedError(f"The signer answered {answer.status}: {meaning}.", status=answer.status)


def _read(answer: Answer) -> Any:
    if answer.content.count(b"[") + answer.content.count(b"{") > _MOST_NESTED:
        raise SignerNotTrustedError("The signer's answer is built unlike any that was asked for.")
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        if answer.status >= 500:
            raise SignerAwayError(f"The signer answered {answer.status}. Look into its log.") from error
        raise SignerNotTrustedError("The signer's answer is not JSON.") from error


def _error_words(error: Any) -> str:
    """Return the error's number alone: texts of others do not enter our journal."""
    code = error.get("code") if isinstance(error, dict) else None
    return f"error {code}" if type(code) is int else "an error without a number"
