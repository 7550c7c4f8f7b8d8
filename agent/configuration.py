"""site.toml: who this member is, where the platform and its own node answer, and its local rules."""

import json
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from agent.errors import ConfigurationError
from agent.node_settings import NodeSettings, read_node
from agent.signing.settings import SignerSettings, read_signer

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
MAX_NAME_CHARACTERS = 200
# A whole round at one site needs about ten signatures; a stolen session must not get thousands.
DEFAULT_SIGNATURES_PER_MINUTE = 120
# QBFT blocks come each second; a minute without one means that the chain stands or our node is cut off.
DEFAULT_HEAD_AGE_SECONDS = 60
DEFAULT_PORT = 8471
# Below ten people every number about a cohort is the lowest band, and a sum may stand for too few.
DEFAULT_MINIMUM_COHORT = 10
DEFAULT_MAX_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """What this member allows whatever the consortium decides.

    `work_kinds` None allows every kind that this program knows, `purposes` None every purpose that was voted for.
    With `plans_by_hand` an approved plan also waits for `consilium-site plans allow`. Without `repair_allow_list`
    a difference between the node's allow-lists and the registries is told and not mended.
    """

    signatures_per_minute: int = DEFAULT_SIGNATURES_PER_MINUTE
    max_head_age_seconds: int = DEFAULT_HEAD_AGE_SECONDS
    work_kinds: tuple[str, ...] | None = None
    minimum_cohort: int = DEFAULT_MINIMUM_COHORT
    max_rounds: int = DEFAULT_MAX_ROUNDS
    purposes: tuple[str, ...] | None = None
    plans_by_hand: bool = False
    repair_allow_list: bool = True

    def to_toml(self) -> list[str]:
        """Return the lines of the table [rules]."""
        lines = [
            f"signatures_per_minute = {self.signatures_per_minute}",
            f"max_head_age_seconds = {self.max_head_age_seconds}",
            f"minimum_cohort = {self.minimum_cohort}",
            f"max_rounds = {self.max_rounds}",
            f"plans_by_hand = {json.dumps(self.plans_by_hand)}",
            f"repair_allow_list = {json.dumps(self.repair_allow_list)}",
        ]
        lists = (("work_kinds", self.work_kinds), ("purposes", self.purposes))
        return lines + [f"{name} = {json.dumps(list(value))}" for name, value in lists if value is not None]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One member's site. `hosts` are names under which the member's own proxy serves the member page.

    `chain_token_file` and `chain_jwt_key_file` are for a node that asks for a token: a file with one, or the RSA
    key that makes them; one of the two at most, empty for none.

    `operations_url` is the web socket of the member's own node on its own machine, by which it sees its peers;
    `operations_token_file` holds the token for it. `node` is what the reconciler knows of that node.
    """

    organization: uuid.UUID
    name: str
    platform_url: str
    chain_id: int
    chain_urls: tuple[str, ...]
    port: int = DEFAULT_PORT
    hosts: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)
    chain_token_file: str = ""
    chain_jwt_key_file: str = ""
    operations_url: str = ""
    operations_token_file: str = ""
    node: NodeSettings = field(default_factory=NodeSettings)
    vote_signer: SignerSettings = field(default_factory=SignerSettings)
    site_signer: SignerSettings = field(default_factory=SignerSettings)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MAX_NAME_CHARACTERS or not self.name.isprintable():
            raise ConfigurationError(f"The name is 1 to {MAX_NAME_CHARACTERS} printable characters on one line.")
        _require_url(self.platform_url, "platform.url", plain_allowed=False)
        if not self.chain_urls:
            raise ConfigurationError("chain.rpc_urls names no node. A member reads the chain from its own node.")
        for url in self.chain_urls:
            _require_url(url, "chain.rpc_urls", plain_allowed=True)
        if self.chain_token_file and self.chain_jwt_key_file:
            raise ConfigurationError("chain.token_file and chain.jwt_key_file are both given. Keep one of them.")
        _require_operations(self.operations_url)
        _require_range(self.chain_id, "chain.id", 1, 2**53 - 1)
        _require_range(self.port, "member_page.port", 0, 65_535)
        _require_range(self.rules.signatures_per_minute, "rules.signatures_per_minute", 1, 100_000)
        _require_range(self.rules.max_head_age_seconds, "rules.max_head_age_seconds", 1, 86_400)
        _require_range(self.rules.minimum_cohort, "rules.minimum_cohort", 1, 2**31)
        _require_range(self.rules.max_rounds, "rules.max_rounds", 1, 100_000)

    def to_toml(self) -> str:
        """Return the file's text; a JSON string is a TOML basic string for printable text."""
        lines = [
            *("[organization]", f"id = {json.dumps(str(self.organization))}", f"name = {json.dumps(self.name)}", ""),
            *("[platform]", f"url = {json.dumps(self.platform_url)}", ""),
            *("[chain]", f"id = {self.chain_id}", f"rpc_urls = {json.dumps(list(self.chain_urls))}"),
            *self._token_lines(),
            *self._operations_lines(),
            "",
            *self.node.to_toml(),
            *("[member_page]", f"port = {self.port}", f"hosts = {json.dumps(list(self.hosts))}", ""),
            *("[rules]", *self.rules.to_toml(), ""),
            *self.vote_signer.to_toml("vote"),
            *self.site_signer.to_toml("site"),
        ]
        return "\n".join(lines)

    def _token_lines(self) -> list[str]:
        named = (("token_file", self.chain_token_file), ("jwt_key_file", self.chain_jwt_key_file))
        return [f"{key} = {json.dumps(path)}" for key, path in named if path]

    def _operations_lines(self) -> list[str]:
        named = (("operations_url", self.operations_url), ("operations_token_file", self.operations_token_file))
        return [f"{name} = {json.dumps(value)}" for name, value in named if value]


def parse_configuration(content: bytes) -> Configuration:
    """Read site.toml strictly: every table and key is known, every value of its type.

    Raises
    ------
    ConfigurationError
        Naming the key.
    """
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("site.toml is not TOML. Correct it, or make the site anew.") from error
    reader = _Reader(document)
    configuration = Configuration(
        organization=_uuid(reader.value("organization", "id", str)),
        name=reader.value("organization", "name", str),
        platform_url=reader.value("platform", "url", str).rstrip("/"),
        chain_id=reader.value("chain", "id", int),
        chain_urls=_strings(reader.value("chain", "rpc_urls", list), "chain.rpc_urls"),
        chain_token_file=reader.optional("chain", "token_file", str, ""),
        chain_jwt_key_file=reader.optional("chain", "jwt_key_file", str, ""),
        port=reader.optional("member_page", "port", int, DEFAULT_PORT),
        hosts=_strings(reader.optional("member_page", "hosts", list, []), "member_page.hosts"),
        rules=_rules(reader),
        operations_url=reader.optional("chain", "operations_url", str, ""),
        operations_token_file=reader.optional("chain", "operations_token_file", str, ""),
        node=read_node(reader.table("node")),
        vote_signer=read_signer("vote", reader.optional("signer", "vote", dict, {})),
        site_signer=read_signer("site", reader.optional("signer", "site", dict, {})),
    )
    reader.require_all_read()
    return configuration


class _Reader:
    """Takes values out of the document, so that what is left at the end is unknown."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._left = {name: dict(table) if isinstance(table, dict) else {} for name, table in document.items()}

    def optional(self, table: str, key: str, kind: type, default: Any = None) -> Any:
        value = self._left.get(table, {}).pop(key, default)
        if value is not default and type(value) is not kind:
            raise ConfigurationError(f"site.toml: {table}.{key} must be of type {kind.__name__}.")
        return value

    def value(self, table: str, key: str, kind: type) -> Any:
        if (value := self.optional(table, key, kind)) is None:
            raise ConfigurationError(f"site.toml: {table}.{key} is missing.")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        """A whole table, empty if it is not there; whoever takes it reads all of it."""
        found = dict(self._left.get(name, {}))
        self._left.get(name, {}).clear()
        return found

    def require_all_read(self) -> None:
        known = {"organization", "platform", "chain", "node", "member_page", "rules", "signer"}
        unknown = [name for name in self._left if name not in known]
        unknown += [f"{table}.{key}" for table, keys in self._left.items() for key in keys]
        if unknown:
            raise ConfigurationError(f"site.toml: unknown {', '.join(sorted(unknown))}. Remove it or correct its name.")


def _rules(reader: _Reader) -> Rules:
    kinds, purposes = (reader.optional("rules", name, list) for name in ("work_kinds", "purposes"))
    return Rules(
        signatures_per_minute=reader.optional("rules", "signatures_per_minute", int, DEFAULT_SIGNATURES_PER_MINUTE),
        max_head_age_seconds=reader.optional("rules", "max_head_age_seconds", int, DEFAULT_HEAD_AGE_SECONDS),
        work_kinds=None if kinds is None else _strings(kinds, "rules.work_kinds"),
        minimum_cohort=reader.optional("rules", "minimum_cohort", int, DEFAULT_MINIMUM_COHORT),
        max_rounds=reader.optional("rules", "max_rounds", int, DEFAULT_MAX_ROUNDS),
        purposes=None if purposes is None else _strings(purposes, "rules.purposes"),
        plans_by_hand=reader.optional("rules", "plans_by_hand", bool, False),
        repair_allow_list=reader.optional("rules", "repair_allow_list", bool, True),
    )


def _strings(values: list[Any], key: str) -> tuple[str, ...]:
    if not all(type(value) is str for value in values):
        raise ConfigurationError(f"site.toml: {key} must be a list of texts.")
    return tuple(values)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ConfigurationError("site.toml: organization.id must be a UUID, as the platform shows it.") from error


def _require_url(url: str, key: str, *, plain_allowed: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"{key} must be an http or https address.")
    if parts.scheme == "http" and not plain_allowed and parts.hostname not in _LOOPBACK:
        raise ConfigurationError(f"{key} must be https: what leaves the member's house is encrypted.")


def _require_operations(url: str) -> None:
    parts = urlsplit(url)
    if url and not (parts.scheme == "wss" or (parts.scheme == "ws" and parts.hostname in _LOOPBACK)):
        raise ConfigurationError(
            "chain.operations_url must be ws:// on this machine, or wss://: a token goes with each question."
        )


def _require_range(value: int, key: str, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise ConfigurationError(f"{key} must lie within {lowest} and {highest}.", field=key.rpartition(".")[2])
