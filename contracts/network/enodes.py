"""A node's name on the peer-to-peer network: public key, IP address, port.

The node's address, under which the registry and the validator list know it, follows from the public
key. So whoever tells us an enode cannot lie about the key: at worst the address leads nowhere.
"""

import ipaddress
import re
from dataclasses import dataclass

import coincurve

from consortium.kernel.digests import keccak256
from consortium.kernel.secp256k1 import checksum_address
from contracts.network.errors import EnodeError

DEFAULT_PORT = 30_303
PUBLIC_KEY_BYTES = 64
_ENODE = re.compile(
    r"enode://(?P<key>[0-9a-fA-F]{128})@(?P<host>[^@/?#]+):(?P<port>\d{1,5})(\?discport=(?P<disc>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Enode:
    """One node: `key` is the public key's 64 bytes, `host` an IP address in its canonical spelling."""

    key: bytes
    host: str
    port: int

    @property
    def address(self) -> str:
        """The checksummed address that the registry lists as validator."""
        return address_of_node(self.key)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"enode://{self.key.hex()}@{host}:{self.port}"


def parse_enode(text: str) -> Enode:
    """Read an enode; a discovery port is dropped, since our networks discover nothing.

    Raises
    ------
    EnodeError
        If it is none, its key is no point of the curve, or it names a host instead of an IP address.
    """
    if (found := _ENODE.fullmatch(text.strip())) is None:
        raise EnodeError("An enode reads enode://128 hexadecimal digits@IP:port, as `net_enode` shows it.")
    key = parse_node_key(found["key"])
    return Enode(key, parse_host(found["host"].removeprefix("[").removesuffix("]")), parse_port(int(found["port"])))


def parse_node_key(text: str) -> bytes:
    """The 64 bytes of a node's public key; `EnodeError` if it is not a point of secp256k1."""
    digits = text.removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{128}", digits):
        raise EnodeError("A node's public key has 128 hexadecimal digits: what `besu public-key export` prints.")
    key = bytes.fromhex(digits)
    try:
        coincurve.PublicKey(b"\x04" + key)
    except ValueError as error:
        raise EnodeError("This public key is no point of secp256k1: a digit is wrong. Export it again.") from error
    return key


def parse_host(text: str) -> str:
    """An IP address; Besu refuses host names in allow-lists, and the wildcard is nobody's address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise EnodeError(f"{text!r} is no IP address. Besu takes no host names in enodes: give the IP.") from error
    if address.is_unspecified or address.is_multicast:
        raise EnodeError(f"Nobody is reached at {text}. Give the IP under which the other members reach this node.")
    return str(address)


def parse_port(number: int) -> int:
    if not 1 <= number <= 65_535:
        raise EnodeError(f"{number} is no port. Ports lie within 1 and 65535; Besu's own is {DEFAULT_PORT}.")
    return number


def address_of_node(key: bytes) -> str:
    """The checksummed address of a node's public key of 64 bytes."""
    return checksum_address("0x" + keccak256(key)[-20:].hex())


def public_key_of(private_key: bytes) -> bytes:
    """The 64 bytes of the public key."""
    return coincurve.PrivateKey(private_key).public_key.format(compressed=False)[1:]
