"""A consortium of five hospitals on a real chain: its contracts, keys, consent epochs and votes."""

import uuid
from dataclasses import dataclass
from typing import Any

import coincurve
from eth_account import Account

from consortium.kernel.bands import band
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import address_of, sign_digest
from contracts.events import ChainEvent, ContractReference
from contracts.gateway import Gateway
from contracts.relay import Relay
from tests.chain.anvil import Anvil

NO_ADDRESS = "0x" + "00" * 20
POLICY = bytes([7]) * 32
GAS = 12_000_000
MAX_ABANDONED = 3


@dataclass(frozen=True)
class Member:
    """An organization's id and keys; real keys of secp256k1, made for one test session."""

    organization: uuid.UUID
    vote: bytes
    site: bytes

    @property
    def id32(self) -> bytes:
        return uuid_to_bytes32(self.organization)


def make_member(number: int) -> Member:
    keys = [coincurve.PrivateKey().secret for _ in range(2)]
    return Member(uuid.UUID(int=number << 96 | 0x4000 << 64 | 0x8000 << 48, version=4), *keys)


class ConsortiumChain:
    """The contracts as the ledger needs them; the registry is governed by the test's own account."""

    def __init__(self, anvil: Anvil, size: int = 5) -> None:
        self.anvil = anvil
        self.gateway = Gateway([anvil.url], chain_id=anvil.chain_id)
        self.operator = Relay(Account.create())
        self.members = [make_member(number) for number in range(1, size + 1)]
        self.contracts: dict[str, ContractReference] = {}
        self._events: list[ChainEvent] = []
        self._read_to = -1
        self._deploy()
        self._await_next_second()
        for member in self.members:
            self._anchor(member)

    def _deploy(self) -> None:
        validator = self.operator.address
        source = self._create("ValidatorSource", 1, validator, validator, [validator])
        founders = [
            {
                "id": member.id32,
                "voteKey": address_of(member.vote),
                "siteKey": address_of(member.site),
                "validator": validator if member is self.members[0] else NO_ADDRESS,
                "profile": bytes([1]) * 32,
            }
            for member in self.members
        ]
        rule = {
            "quorumBps": 5000,
            "thresholdBps": 5000,
            "periodSeconds": 3600,
            "minimumVotes": 1,
            "excludeAuthor": True,
        }
        parameters = {
            "witnessQuorum": 1,
            "minimumValidators": 1,
            "commitmentMaxAgeBlocks": 20,
            "asOfToleranceSeconds": 3600,
            "maxAbandonedAttempts": MAX_ABANDONED,
            "admissionIntervalSeconds": 1,
        }
        registry = self._create(
            "ConsortiumRegistry", self.operator.address, source, founders, [rule] * 4, parameters, POLICY, []
        )
        board = self._create("DecisionBoard", registry)
        anchor = self._create("ConsentAnchor", registry)
        ledger = self._create("TrainingLedger", registry, board, anchor)
        self._create("ModelRegistry", registry, board, ledger)

    def _create(self, name: str, *arguments: Any) -> str:
        receipt = self._send(None, self.gateway.deploy_data(name, *arguments))
        address = str(receipt.contract_address)
        self.contracts[name] = ContractReference(name, address)
        return address

    def send(self, name: str, function: str, *arguments: Any) -> None:
        contract = self.contracts[name]
        self.gateway.simulate(contract, function, *arguments, sender=self.operator.address)
        self._send(contract.address, self.gateway.encode(contract, function, *arguments))

    def _send(self, to: str | None, data: bytes) -> Any:
        nonce = self.gateway.transaction_count(self.operator.address)
        signed = self.operator.sign(to=to, data=data, nonce=nonce, gas=GAS, chain_id=self.gateway.chain_id)
        transaction = self.gateway.send_raw(signed.raw)
        # anvil answers when it has the bytes, and mines them right after
        while (receipt := self.gateway.receipt(transaction)) is None:
            continue
        assert receipt.succeeded
        return receipt

    def domain(self, name: str) -> Domain:
        return Domain(name, self.gateway.chain_id, self.contracts[name].address)

    def sign(self, name: str, kind: str, fields: dict[str, Any], key: bytes) -> bytes:
        return sign_digest(typed_hash(self.domain(name), kind, fields), key)

    def call(self, name: str, function: str, *arguments: Any) -> Any:
        return self.gateway.call(self.contracts[name], function, *arguments)

    def _await_next_second(self) -> None:
        """The board counts who was a member at the end of the second before."""
        born = self.gateway.head().time
        while self.gateway.head().time <= born:
            self.anvil.ask("evm_mine")

    def _anchor(self, member: Member) -> None:
        fields = {
            "organization": member.id32,
            "epoch": 1,
            "root": bytes([9]) * 32,
            "band": band(100),
            "seq": 1,
            "asOf": self.gateway.head().time,
        }
        signature = self.sign("ConsentAnchor", "AnchorEpoch", fields, member.site)
        self.send("ConsentAnchor", "anchorEpoch", *fields.values(), signature)

    def decide(self, kind: int, subject: bytes, *, against: int = 0) -> bytes:
        """Put a subject to the vote by the first member; the others vote yes, but for the last `against`."""
        author, owners = self.members[0], [member.id32 for member in self.members]
        opening = {
            "kind": kind,
            "subject": subject,
            "policy": POLICY,
            "author": author.id32,
            "owners": owners if kind == 1 else [],
            "nonce": self.call("DecisionBoard", "nonceOf", author.id32),
            "deadline": self.gateway.head().time + 3600,
        }
        signature = self.sign("DecisionBoard", "OpenDecision", opening, author.vote)
        decision = typed_hash(self.domain("DecisionBoard"), "OpenDecision", opening)
        arguments = [value for name, value in opening.items() if name != "nonce"]
        self.send("DecisionBoard", "openDecision", *arguments, signature)
        voters = self.members[1:]
        for place, member in enumerate(voters):
            self._vote(decision, subject, member, 2 if place >= len(voters) - against else 1)
        self.send("DecisionBoard", "close", decision)
        return decision

    def _vote(self, decision: bytes, subject: bytes, member: Member, choice: int) -> None:
        ballot = {"decision": decision, "subject": subject, "organization": member.id32, "choice": choice}
        signature = self.sign("DecisionBoard", "CastBallot", ballot, member.vote)
        self.send("DecisionBoard", "castBallot", decision, subject, member.id32, choice, signature)

    def revoke(self, member: Member, seq: int) -> None:
        """An urgent revocation: it raises the member's `seq`."""
        fields = {"organization": member.id32, "epoch": 1, "seq": seq, "subjects": [bytes([seq]) * 32]}
        signature = self.sign("ConsentAnchor", "RevokeConsents", fields, member.site)
        self.send("ConsentAnchor", "revokeConsents", *fields.values(), signature)

    def ledger_events(self, gateway: Gateway) -> list[ChainEvent]:
        """Every event of the ledger so far; what was read before is not read again."""
        head = gateway.head().number
        self._events += gateway.logs([self.contracts["TrainingLedger"]], self._read_to + 1, head)
        self._read_to = head
        return self._events

    def run_on_chain(self, run: uuid.UUID) -> dict[str, Any]:
        found: dict[str, Any] = self.call("TrainingLedger", "runOf", uuid_to_bytes32(run))
        return found

    def model_state(self, digest: str) -> int:
        return int(self.call("ModelRegistry", "modelOf", digest_to_bytes32(digest))["state"])
