"""A consortium of two hospitals on a real node: contracts deployed by an account that gives everything away."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from consortium.kernel.digests import digest_to_bytes32, keccak256
from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.events import ContractReference, Receipt
from contracts.gateway import Gateway
from training.federated.source_digests import runner_digest

VALIDATOR = "0x" + "00" * 19 + "77"
RULE = {"quorumBps": 5000, "thresholdBps": 5001, "periodSeconds": 600, "minimumVotes": 1, "excludeAuthor": True}
PARAMETERS = {
    **{"witnessQuorum": 1, "minimumValidators": 1, "commitmentMaxAgeBlocks": 20},
    **{"asOfToleranceSeconds": 60, "maxAbandonedAttempts": 5, "admissionIntervalSeconds": 0},
}
POLICY = bytes([5]) * 32
RUNNER = digest_to_bytes32(runner_digest())


@dataclass
class Network:
    """The contracts and the relay that submits what members signed."""

    gateway: Gateway
    relay: LocalAccount = field(default_factory=Account.create)
    addresses: dict[str, str] = field(default_factory=dict)

    def reference(self, name: str) -> ContractReference:
        return ContractReference(name, self.addresses[name])

    def send(self, data: bytes, to: str | None = None) -> Receipt:
        fees: dict[str, Any] = {"type": 2, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "value": 0, "gas": 15_000_000}
        about: dict[str, Any] = {
            "chainId": self.gateway.chain_id,
            "nonce": self.gateway.transaction_count(self.relay.address),
        }
        signed = self.relay.sign_transaction(fees | about | {"data": data} | ({"to": to} if to else {}))
        sent, deadline = self.gateway.send_raw(bytes(signed.raw_transaction)), time.monotonic() + 10
        while (receipt := self.gateway.receipt(sent)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert receipt.succeeded
        return receipt

    def deploy(self, name: str, *arguments: Any) -> str:
        self.gateway.simulate_deployment(name, *arguments, sender=self.relay.address)
        receipt = self.send(self.gateway.deploy_data(name, *arguments))
        assert receipt.contract_address is not None
        self.addresses[name] = receipt.contract_address
        return receipt.contract_address

    def transact(self, name: str, function: str, *arguments: Any) -> Receipt:
        return self.send(self.gateway.encode(self.reference(name), function, *arguments), self.addresses[name])

    def found(self, members: list[tuple[uuid.UUID, str, str]]) -> None:
        """Deploy everything and hand it over, all but the last right of the deployer."""
        timelock = self.deploy("TimelockController", 0, [], [], self.relay.address)
        source = self.deploy("ValidatorSource", 1, self.relay.address, self.relay.address, [VALIDATOR])
        founders = [
            {
                **{"id": uuid_to_bytes32(identity), "voteKey": vote, "siteKey": site, "profile": bytes([6]) * 32},
                "validator": VALIDATOR if number == 0 else "0x" + "00" * 20,
            }
            for number, (identity, vote, site) in enumerate(members)
        ]
        rules = [RULE] * 4
        registry = self.deploy("ConsortiumRegistry", timelock, source, founders, rules, PARAMETERS, POLICY, [RUNNER])
        guardians = [uuid_to_bytes32(identity) for identity, _vote, _site in members]
        guardian = self.deploy("Guardian", registry, timelock, guardians, 2)
        governor = self.deploy("ConsortiumGovernor", registry, timelock, guardian, 0, 3600)
        board = self.deploy("DecisionBoard", registry)
        anchor = self.deploy("ConsentAnchor", registry)
        self.deploy("AuditAnchor", registry)
        ledger = self.deploy("TrainingLedger", registry, board, anchor)
        self.deploy("ModelRegistry", registry, board, ledger)
        rights = {b"PROPOSER_ROLE": governor, b"EXECUTOR_ROLE": governor, b"CANCELLER_ROLE": guardian}
        for role, holder in rights.items():
            self.transact("TimelockController", "grantRole", keccak256(role), holder)
        self.transact("ValidatorSource", "setWriter", registry)
        self.transact("ValidatorSource", "setController", timelock)

    def renounce(self) -> None:
        self.transact("TimelockController", "renounceRole", bytes(32), self.relay.address)
