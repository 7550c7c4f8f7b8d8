"""A member's site on a chain in memory and a platform on loopback, for tests of the agent."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.acts import ACTS
from agent.chain import Consortium
from agent.clock import now
from agent.configuration import Configuration, Rules
from agent.folder import SiteFolder
from agent.founding import found_site
from agent.keystore import KeyPurpose, LoadedKey
from agent.people import Role
from agent.site import Site, open_site
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex
from contracts.errors import ChainRequestError
from contracts.events import BlockHeader, ChainEvent, ContractReference

CHAIN_ID = 417_001
HOSPITAL = uuid.UUID("0a0a0a0a-0000-4000-8000-000000000001")
APPLICANT = uuid.UUID("0b0b0b0b-0000-4000-8000-000000000002")
AUTHOR = uuid.UUID("0c0c0c0c-0000-4000-8000-000000000003")
CONSORTIUM = uuid.UUID("0d0d0d0d-0000-4000-8000-000000000004")
PHRASE = "correct horse battery"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NAMES = (
    *("ConsortiumRegistry", "ConsortiumGovernor", "DecisionBoard", "TimelockController", "ValidatorSource"),
    "Guardian",
)
ADDRESSES = {name: "0x" + f"{number:040x}" for number, name in enumerate(NAMES, start=0x1111)}
PROPOSAL = 7
DECISION = bytes([9]) * 32
SUBJECT = bytes([8]) * 32


def word(identifier: uuid.UUID) -> bytes:
    return identifier.bytes + bytes(16)


@dataclass
class SettableClock:
    """A clock that stands until it is moved."""

    moment: datetime = START

    def __call__(self) -> datetime:
        return self.moment

    def pass_seconds(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class ChainInMemory:
    """Answers views from a table; a value that is callable gets the arguments."""

    views: dict[tuple[str, str], Any] = field(default_factory=dict)
    height: int = 100
    time: int = int(START.timestamp())

    def check_chain(self) -> None:
        return

    def head(self) -> BlockHeader:
        return BlockHeader(self.height, bytes([1]) * 32, self.time)

    def block(self, number: int) -> BlockHeader | None:
        return BlockHeader(number, bytes([1]) * 32, self.time) if number <= self.height else None

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any:
        if (contract.name, function) not in self.views:
            raise ChainRequestError(f"{contract.name} answers no {function} here.")
        value = self.views[contract.name, function]
        return value(*arguments) if callable(value) else value

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        return []

    def code(self, address: str) -> bytes:
        return b""

    def transaction_count(self, address: str) -> int:
        return 1

    def set(self, contract: str, **views: Any) -> None:
        self.views |= {(contract, name): value for name, value in views.items()}


def admission_chain(*, description: str = "Please let us in") -> ChainInMemory:
    """Return a chain with one proposal, the admission of an applicant, and one decision, open to ballots."""
    chain = ChainInMemory()
    arguments = ACTS[1].encode(
        {
            "id": word(APPLICANT),
            "voteKey": "0x" + "aa" * 20,
            "siteKey": "0x" + "bb" * 20,
            "validator": "0x" + "00" * 20,
            "profile": bytes(32),
        }
    )
    numbered = f"{description} [{to_hex(word(AUTHOR))}/0]"
    registry = ADDRESSES["ConsortiumRegistry"]
    chain.set(
        "ConsortiumGovernor",
        actOf=lambda proposal: {
            "organization": word(AUTHOR),
            "kind": 1 if proposal == PROPOSAL else 0,
            "argumentsDigest": keccak256(arguments),
        },
        proposalDetails=([registry], [0], [ACTS[1].selector + arguments], keccak256(numbered.encode())),
        routeOf=(registry, ACTS[1].selector, len(arguments)),
        proposalSnapshot=chain.time - 10,
        proposalDeadline=chain.time + 600,
        proposalVotes=(0, 1, 0),
        state=1,
        quorum=3,
        hasOrganizationVoted=False,
        nonceOf=1,
        nonces=4,
    )
    rule = {"quorumBps": 5000, "thresholdBps": 5001, "periodSeconds": 600, "minimumVotes": 2, "excludeAuthor": True}
    chain.set(
        "DecisionBoard",
        decision=lambda found: {
            "kind": 1 if found == DECISION else 0,
            "state": 1,
            "openedAt": chain.time - 5,
            "closesAt": chain.time + 600,
            **{"base": 4, "yes": 1, "no": 0, "abstain": 0},
            **{"subject": SUBJECT, "policy": bytes(32), "author": word(AUTHOR), "rule": rule},
        },
        ownersOf=[word(HOSPITAL)],
        ballotOf=0,
        nonceOf=2,
    )
    chain.set(
        "ConsortiumRegistry", isActive=True, wasActiveAt=True, organization={"profile": bytes(32)}, policyDigest=SUBJECT
    )
    return chain


def consortium() -> Consortium:
    return Consortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, ADDRESSES)


def make_site(
    folder: Path,
    *,
    platform: str = "http://127.0.0.1:9",
    chain: ChainInMemory | None = None,
    rules: Rules | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Site:
    """Return a site with one voter (vera) and one steward (stan), its contracts pinned."""
    configuration = Configuration(
        organization=HOSPITAL,
        name="Hospital 6.5",
        platform_url=platform,
        chain_id=CHAIN_ID,
        chain_urls=("http://127.0.0.1:9",),
        port=0,
        rules=rules or Rules(),
    )
    found_site(folder, configuration)
    site = reopen(SiteFolder(folder), chain=chain, clock=clock)
    site.people.add(name="vera", display_name="Vera", roles=frozenset({Role.VOTER}), pass_phrase=PHRASE)
    site.people.add(name="stan", display_name="Stan", roles=frozenset({Role.STEWARD}), pass_phrase=PHRASE)
    site.pins.pin(CONSORTIUM, ADDRESSES)
    return site


def reopen(
    folder: SiteFolder, *, chain: ChainInMemory | None = None, clock: Callable[[], datetime] | None = None
) -> Site:
    """Open a site as a new process would."""
    site = open_site(folder.root, clock=clock or now)
    site.given_chain = chain or admission_chain()
    return site


def site_secret(site: Site) -> bytes:
    """Return the site key's bytes, for the platform's side of a test that signs as this site."""
    (key,) = site.keyring.held(KeyPurpose.SITE)
    assert isinstance(key, LoadedKey)
    return key._secret
