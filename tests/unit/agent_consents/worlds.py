"""A site with consents on a ConsentAnchor in memory that checks what the contract checks."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.chain import Consortium
from agent.configuration import Configuration, Rules
from agent.consents.office import ConsentOffice
from agent.consents.question import PlanQuestion
from agent.founding import found_site
from agent.keystore import KeyPurpose
from agent.people import Role
from agent.site import open_site
from consent.domain.provisions import category
from consent.fhir.generator import GeneratedConsents, generate_consents
from consortium.kernel.bands import EDGES
from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.identifiers import from_hex
from consortium.kernel.secp256k1 import recover
from tests.unit.agent.worlds import ADDRESSES, CHAIN_ID, CONSORTIUM, HOSPITAL, PHRASE, START, ChainInMemory, word

CONTRACTS = ADDRESSES | {"ConsentAnchor": "0x" + f"{0x2222:040x}"}
SHARED = Consortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, CONTRACTS)
RESEARCH = PlanQuestion(
    purpose="DUO:0000006", categories=frozenset({category("Procedure")}), recipients=frozenset({str(HOSPITAL)})
)
TOLERANCE_SECONDS = 300


class RevertedError(Exception):
    """The contract refused."""


@dataclass
class AnchorInMemory(ChainInMemory):
    """ConsentAnchor for one organization: next numbers, timely `asOf`, lower edges and the site key's signature."""

    site_key: str = ""
    state: dict[str, Any] = field(
        default_factory=lambda: {
            **{"epoch": 0, "seq": 0, "asOf": 0, "band": 0, "revoked": 0},
            **{"root": bytes(32), "revocations": bytes(32)},
        }
    )

    def __post_init__(self) -> None:
        self.set("ConsentAnchor", stateOf=lambda _organization: dict(self.state))

    def submit(self, path: str, body: dict[str, Any]) -> None:
        """Do what the relay's transaction does, and mine a block."""
        self.height, self.time = self.height + 1, self.time + 1
        (self._anchor if path.endswith("/epochs") else self._revoke)(body)

    def _anchor(self, body: dict[str, Any]) -> None:
        message = {
            **{"organization": word(HOSPITAL), "epoch": body["epoch"], "root": from_hex(body["root"])},
            **{"band": body["band"], "seq": body["seq"], "asOf": body["as_of"]},
        }
        self._require("AnchorEpoch", message, body, epoch=self.state["epoch"] + 1)
        if body["band"] not in (0, *EDGES) or abs(body["as_of"] - self.time) > TOLERANCE_SECONDS:
            raise RevertedError("band or time")
        if body["as_of"] < self.state["asOf"]:
            raise RevertedError("backwards")
        self.state |= {"epoch": body["epoch"], "seq": body["seq"], "asOf": body["as_of"], "band": body["band"]}
        self.state |= {"root": message["root"], "revoked": 0, "revocations": bytes(32)}

    def _revoke(self, body: dict[str, Any]) -> None:
        subjects = [from_hex(subject) for subject in body["subjects"]]
        message = {"organization": word(HOSPITAL), "epoch": body["epoch"], "seq": body["seq"], "subjects": subjects}
        self._require("RevokeConsents", message, body, epoch=self.state["epoch"])
        for subject in subjects:
            self.state["revocations"] = keccak256(self.state["revocations"] + subject)
        self.state |= {"seq": body["seq"], "revoked": self.state["revoked"] + len(subjects)}

    def _require(self, primary: str, message: dict[str, Any], body: dict[str, Any], *, epoch: int) -> None:
        digest = typed_hash(SHARED.domain("ConsentAnchor"), primary, message)
        if recover(digest, from_hex(body["signature"])) != self.site_key:
            raise RevertedError("signature")
        if (body["epoch"], body["seq"]) != (epoch, self.state["seq"] + 1):
            raise RevertedError("number")


def make_office(folder: Path) -> ConsentOffice:
    """Return the consents of a new site with a steward (stan)."""
    configuration = Configuration(
        organization=HOSPITAL,
        name="Hospital 6.5",
        platform_url="http://127.0.0.1:9",
        chain_id=CHAIN_ID,
        chain_urls=("http://127.0.0.1:9",),
        port=0,
        rules=Rules(signatures_per_minute=1000),
    )
    found_site(folder, configuration)
    office = reopen(folder, AnchorInMemory())
    office.site.people.add(name="stan", display_name="Stan", roles=frozenset({Role.STEWARD}), pass_phrase=PHRASE)
    office.site.pins.pin(CONSORTIUM, CONTRACTS)
    chain_of(office).site_key = office.site.signer.address(KeyPurpose.SITE)
    return office


def reopen(folder: Path, chain: AnchorInMemory) -> ConsentOffice:
    """Open the site as a new process would."""
    site = open_site(folder)
    site.given_chain = chain
    return ConsentOffice(site)


def chain_of(office: ConsentOffice) -> AnchorInMemory:
    chain = office.site.chain
    assert isinstance(chain, AnchorInMemory)
    return chain


def generated(count: int, *, seed: int = 1) -> GeneratedConsents:
    return generate_consents([f"patient-{number}" for number in range(count)], seed=seed, made_for=START)


def write_lines(path: Path, lines: Iterable[Any]) -> Path:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def import_generated(office: ConsentOffice, count: int) -> GeneratedConsents:
    made = generated(count)
    path = write_lines(office.root.parent / "consents.ndjson", made.resources)
    report = office.importer.import_file(path, consortia=[CONSORTIUM])
    assert (report.accepted, report.refused) == (count, ())
    return made


def carry(office: ConsentOffice) -> list[str]:
    """Carry what waits, as the platform's relay does; return the last parts of the paths."""
    carried = []
    for message in office.mail.waiting():
        if message.path.endswith(("/epochs", "/revocations")):
            chain_of(office).submit(message.path, dict(message.body))
        office.mail.settle(message, "sent")
        carried.append(message.path.rsplit("/", 1)[1])
    return carried


def anchor(office: ConsentOffice) -> None:
    """Sign the epoch that is wished for and let it land."""
    assert office.anchoring.advance(SHARED) == "anchored"
    carry(office)
    office.anchoring.settle(SHARED)


def select(office: ConsentOffice, *, minimum: int = 1, question: PlanQuestion = RESEARCH):
    at = chain_of(office).time
    return office.cohorts.select_cohort(SHARED, question, as_of=at, valid_until=at + 60, minimum=minimum)
