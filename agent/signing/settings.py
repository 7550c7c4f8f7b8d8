"""[signer.vote] and [signer.site] of site.toml: where each key lies, and how little it may sign."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.errors import ConfigurationError
from consortium.kernel.eip712 import TYPES
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address
from contracts.signing.web3signer import Interface, key_identifier, signer_url

# Web3Signer over a key service of a cloud takes a tenth of a second to one; a ballot can wait longer than a round.
DEFAULT_TIMEOUT_SECONDS = 5
# An epoch is signed under the writer's lock of the consents' store, which others wait ten seconds for.
_LONGEST_TIMEOUT_SECONDS = 9
KEYSTORE, WEB3SIGNER = "keystore", "web3signer"
_REMOTE = ("url", "identifier", "certificate", "key", "authority")


@dataclass(frozen=True, slots=True)
class Remote:
    """A key behind Web3Signer: address, public key, paths of certificates (relative ones lie in the site's folder)."""

    url: str
    identifier: str
    certificate: str
    key: str
    authority: str
    interface: Interface = Interface.REST
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key may sign besides the member's rules; None leaves the rule as it is."""

    types: tuple[str, ...] | None = None
    contracts: tuple[str, ...] | None = None
    signatures_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class SignerSettings:
    """One key's table; without `remote` it lies in the site's folder."""

    remote: Remote | None = None
    limits: Limits = field(default_factory=Limits)

    def to_toml(self, name: str) -> list[str]:
        """Return the table's lines; none for what is the default."""
        if self == SignerSettings():
            return []
        given = {"kind": WEB3SIGNER if self.remote else KEYSTORE}
        lines = [f"{key} = {json.dumps(value)}" for key, value in (given | _remote_values(self.remote)).items()]
        limits = {key: getattr(self.limits, key) for key in Limits.__dataclass_fields__}
        lines += [f"{key} = {json.dumps(value)}" for key, value in limits.items() if value is not None]
        return [f"[signer.{name}]", *lines, ""]


def read_signer(name: str, table: Mapping[str, Any]) -> SignerSettings:
    """Read one table strictly.

    Raises
    ------
    ConfigurationError
        Naming the key and what it should be.
    """
    reader = _Table(f"signer.{name}", dict(table))
    kind = reader.take("kind", str) or KEYSTORE
    if kind not in (KEYSTORE, WEB3SIGNER):
        raise ConfigurationError(f"site.toml: signer.{name}.kind must be {KEYSTORE} or {WEB3SIGNER}.")
    remote = _remote(reader) if kind == WEB3SIGNER else None
    limits = Limits(_types(reader), _contracts(reader), reader.number("signatures_per_minute", 1, 100_000))
    reader.require_empty(kind)
    return SignerSettings(remote, limits)


class _Table:
    """Takes values out of a table, so that what is left at the end is unknown."""

    def __init__(self, name: str, left: dict[str, Any]) -> None:
        self.name = name
        self._left = left

    def take(self, key: str, kind: type) -> Any:
        value = self._left.pop(key, None)
        if value is not None and type(value) is not kind:
            raise ConfigurationError(f"site.toml: {self.name}.{key} must be of type {kind.__name__}.")
        return value

    def number(self, key: str, lowest: int, highest: int) -> int | None:
        value: int | None = self.take(key, int)
        if value is not None and not lowest <= value <= highest:
            raise ConfigurationError(f"site.toml: {self.name}.{key} must lie within {lowest} and {highest}.")
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        values = self.take(key, list)
        if values is not None and not all(type(value) is str for value in values):
            raise ConfigurationError(f"site.toml: {self.name}.{key} must be a list of texts.")
        return None if values is None else tuple(values)

    def require_empty(self, kind: str) -> None:
        if self._left:
            unknown = ", ".join(f"{self.name}.{key}" for key in sorted(self._left))
            raise ConfigurationError(f"site.toml: {unknown} means nothing for a key of the kind {kind}. Remove it.")


def _remote(reader: _Table) -> Remote:
    given = {key: reader.take(key, str) for key in _REMOTE}
    if missing := [f"{reader.name}.{key}" for key, value in given.items() if not value]:
        raise ConfigurationError(
            f"site.toml: {', '.join(missing)} is missing; Web3Signer is asked by mutual TLS alone."
        )
    try:
        signer_url(given["url"])
    except InvalidInputError as error:
        raise ConfigurationError(f"site.toml: {reader.name}.url: {error.message}") from error
    try:
        given["identifier"] = key_identifier(given["identifier"])
        interface = Interface(reader.take("interface", str) or Interface.REST)
    except InvalidInputError as error:
        raise ConfigurationError(f"site.toml: {reader.name}.identifier: {error.message}") from error
    except ValueError as error:
        choices = " or ".join(Interface)
        raise ConfigurationError(f"site.toml: {reader.name}.interface must be {choices}.") from error
    seconds = reader.number("timeout_seconds", 1, _LONGEST_TIMEOUT_SECONDS) or DEFAULT_TIMEOUT_SECONDS
    return Remote(**given, interface=interface, timeout_seconds=seconds)


def _types(reader: _Table) -> tuple[str, ...] | None:
    types = reader.texts("types")
    if unknown := sorted(set(types or ()) - set(TYPES)):
        raise ConfigurationError(f"site.toml: {reader.name}.types: there is no message {', '.join(unknown)}.")
    return types


def _contracts(reader: _Table) -> tuple[str, ...] | None:
    contracts = reader.texts("contracts")
    try:
        return None if contracts is None else tuple(checksum_address(address) for address in contracts)
    except InvalidInputError as error:
        raise ConfigurationError(f"site.toml: {reader.name}.contracts: {error.message}") from error


def _remote_values(remote: Remote | None) -> dict[str, Any]:
    if remote is None:
        return {}
    values = {key: getattr(remote, key) for key in Remote.__dataclass_fields__}
    defaults = {"interface": Interface.REST, "timeout_seconds": DEFAULT_TIMEOUT_SECONDS}
    return {key: value for key, value in values.items() if defaults.get(key) != value}
