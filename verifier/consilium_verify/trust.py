"""The trust file: what the asker knows from elsewhere, and holds the bundle to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilium_verify.canonical import parse_json
from consilium_verify.chain.validators import Source
from consilium_verify.fields import array, exact, natural, raw, text
from consilium_verify.findings import Findings, RefusedError, TrustFileError
from consilium_verify.manifest import Manifest
from consilium_verify.notes import Checkpoint, VerifierKey, unbase64

FORMAT = "consilium-trust/1"
_PURPOSES = ("vote", "site")


@dataclass(frozen=True, slots=True)
class EarlierKey:
    """A key that was replaced: the blocks in which the registry began and ended to list it, both included."""

    purpose: str
    key: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Organization:
    """A member's name and the addresses of its keys, by purpose (`vote`, `site`), and those that they replaced."""

    name: str
    keys: Mapping[str, bytes]
    earlier: tuple[EarlierKey, ...] = ()

    def held(self, purpose: str, address: bytes, block: int | None = None) -> bool:
        """Say whether this was its key in a block; without one, whether it ever was.

        In the block of a replacement both keys count: the order within it is not part of a bundle.
        """
        before = [one for one in self.earlier if one.purpose == purpose]
        began = max((one.last for one in before), default=0)
        if self.keys.get(purpose) == address and (block is None or block >= began):
            return True
        return any(one.key == address and (block is None or one.first <= block <= one.last) for one in before)


@dataclass(frozen=True, slots=True)
class Trust:
    """Origin established elsewhere: the log and its key, the chain and its contracts, and perhaps more."""

    log_key: VerifierKey
    log_id: bytes
    chain_id: int
    genesis: bytes | None
    pinned_block: tuple[int, bytes] | None
    source: Source | None
    contracts: Mapping[str, bytes]
    organizations: Mapping[bytes, Organization]
    witness_quorum: int
    pinned_checkpoint: Checkpoint | None


def read_trust(data: bytes) -> Trust:
    """Read a trust file; `TrustFileError` says what is wrong with it."""
    try:
        return _trust(parse_json(data))
    except RefusedError as error:
        raise TrustFileError(f"The trust file cannot be used: {error}.") from error


def check_origin(trust: Trust, manifest: Manifest, findings: Findings) -> None:
    """Hold what the manifest says about its origin to the trust file."""
    pairs: list[tuple[str, object, object]] = [
        ("log's key", manifest.log_key, trust.log_key),
        ("log's id", manifest.log_id, trust.log_id),
        ("chain id", manifest.chain.chain_id, trust.chain_id),
        ("genesis block", manifest.chain.genesis, trust.genesis or manifest.chain.genesis),
        ("contracts", manifest.chain.contracts, trust.contracts),
    ]
    wrong = [name for name, found, expected in pairs if found != expected]
    for name in wrong:
        findings.refuse("manifest.json", f"the {name} is not the one in the trust file")
    if not wrong:
        findings.checked.append("log, chain and contracts are those of the trust file")


def read_source(value: Any) -> Source:
    """Read where a chain keeps the digest of its validators."""
    source = exact(value, "address", "slot")
    return Source(raw(source["address"], 20), natural(source["slot"]))


def _trust(value: Any) -> Trust:
    exact(value, "format", "chain", "contracts", "log", optional=("organizations", "witness_quorum", "log_checkpoint"))
    if value["format"] != FORMAT:
        raise RefusedError(f"its format is not {FORMAT}")
    log = exact(value["log"], "origin", "key", "id")
    key = VerifierKey.parse(text(log["key"]))
    if key.name != log["origin"]:
        raise RefusedError("the log's key has another name than its origin")
    chain = exact(value["chain"], "chain_id", optional=("genesis", "checkpoint", "validators"))
    if "genesis" not in chain and "checkpoint" not in chain:
        raise RefusedError("the chain needs its genesis block's hash or a checkpoint of height and hash")
    organizations = _object(value.get("organizations", {}))
    quorum = natural(value.get("witness_quorum", 0))
    if quorum > len(organizations):
        raise RefusedError("the witness quorum is larger than the number of organizations")
    return Trust(
        key,
        raw(log["id"], 32),
        natural(chain["chain_id"]),
        raw(chain["genesis"], 32) if "genesis" in chain else None,
        _block(chain["checkpoint"]) if "checkpoint" in chain else None,
        read_source(chain["validators"]) if "validators" in chain else None,
        {text(name): raw(address, 20) for name, address in _object(value["contracts"]).items()},
        {raw(identifier, 32): _organization(member) for identifier, member in organizations.items()},
        quorum,
        _checkpoint(value["log_checkpoint"]) if "log_checkpoint" in value else None,
    )


def _organization(value: Any) -> Organization:
    member = exact(value, "name", optional=("vote", "site", "earlier"))
    keys = {purpose: raw(member[purpose], 20) for purpose in _PURPOSES if purpose in member}
    earlier = tuple(_earlier(item) for item in array(member.get("earlier", []), 1000))
    return Organization(text(member["name"]), keys, earlier)


def _earlier(value: Any) -> EarlierKey:
    item = exact(value, "purpose", "key", "from", "until")
    if item["purpose"] not in _PURPOSES:
        raise RefusedError("an earlier key is for neither vote nor site")
    first, last = natural(item["from"]), natural(item["until"])
    if first > last:
        raise RefusedError("an earlier key ended before it began")
    return EarlierKey(item["purpose"], raw(item["key"], 20), first, last)


def _block(value: Any) -> tuple[int, bytes]:
    block = exact(value, "height", "hash")
    return natural(block["height"]), raw(block["hash"], 32)


def _checkpoint(value: Any) -> Checkpoint:
    checkpoint = exact(value, "size", "root")
    root = unbase64(text(checkpoint["root"]))
    if len(root) != 32:
        raise RefusedError("the pinned checkpoint's root is not 32 bytes")
    return Checkpoint(natural(checkpoint["size"]), root)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 1000:
        raise RefusedError("a member is not an object")
    return value
