"""A consortium's chain in memory: registry, board, consents and ledger, as the sites' nodes show them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex, uuid_to_bytes32
from contracts.errors import ChainRequestError
from contracts.events import BlockHeader, ChainEvent, ContractReference

NO_KEY = "0x" + "0" * 40
LEDGER = "TrainingLedger"


@dataclass
class RunInMemory:
    """`ITrainingLedger.Run` and its roster."""

    fields: dict[str, Any]
    roster: list[bytes] = field(default_factory=list)


@dataclass
class SharedChain:
    """One chain that five sites read; each block is a second. What a contract would refuse is left to the tests."""

    addresses: dict[str, str]
    keys: dict[uuid.UUID, str]
    height: int = 100
    time: int = 0
    inactive: set[uuid.UUID] = field(default_factory=set)
    approved: set[tuple[bytes, bytes]] = field(default_factory=set)
    consents: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    refusing: set[uuid.UUID] = field(default_factory=set)
    runners: set[bytes] = field(default_factory=set)
    runs: dict[bytes, RunInMemory] = field(default_factory=dict)
    events: list[ChainEvent] = field(default_factory=list)

    def check_chain(self) -> None:
        return

    def head(self) -> BlockHeader:
        return BlockHeader(self.height, _hash(self.height), self.time)

    def block(self, number: int) -> BlockHeader | None:
        return BlockHeader(number, _hash(number), self.time) if number <= self.height else None

    def code(self, address: str) -> bytes:
        return b""

    def transaction_count(self, address: str) -> int:
        return 1

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        names = {contract.name for contract in contracts}
        return [e for e in self.events if e.contract in names and from_block <= e.block_number <= to_block]

    def _DecisionBoard_nonceOf(self, organization: bytes) -> int:
        return 3

    def _ConsortiumRegistry_policyDigest(self) -> bytes:
        return bytes([5]) * 32

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any:
        assert self.addresses[contract.name] == contract.address
        view = getattr(self, f"_{contract.name}_{function}", None)
        if view is None:
            raise ChainRequestError(f"{contract.name} answers no {function} here.")
        return view(*arguments)

    def mine(self, blocks: int = 1) -> None:
        self.height += blocks
        self.time += blocks

    def anchor(self, organization: uuid.UUID, path: str, body: dict[str, Any]) -> None:
        """Let an epoch or a revocation land."""
        self.mine()
        state = self.consents.setdefault(organization, _no_consents())
        assert body["seq"] == state["seq"] + 1
        if path.endswith("/epochs"):
            state |= {"epoch": body["epoch"], "root": from_hex(body["root"]), "band": body["band"]}
            state |= {"asOf": body["as_of"], "revocations": bytes(32), "seq": body["seq"]}
            return
        for subject in body["subjects"]:
            state["revocations"] = keccak256(state["revocations"] + from_hex(subject))
        state["seq"] = body["seq"]

    def open_run(self, run: uuid.UUID, *, plan: bytes, decision: bytes, weights: bytes, terms: dict[str, Any]) -> None:
        numbers = {"status": 1, "attemptStatus": 0, "round": 0, "attempt": 0, "abandoned": 0, "withdrawals": 0}
        about = {"plan": plan, "decision": decision, "author": bytes(32), "weights": weights, "terms": terms}
        self.runs[uuid_to_bytes32(run)] = RunInMemory(numbers | about)

    def open_attempt(self, run: uuid.UUID, commitments: Sequence[dict[str, Any]]) -> None:
        """Accept the commitments and open the attempt that they name."""
        self.mine()
        known = self.runs[uuid_to_bytes32(run)]
        place = {"round": commitments[0]["round"], "attempt": commitments[0]["attempt"]}
        known.fields |= {"status": 2, "attemptStatus": 1, **place}
        known.roster = [commitment["organization"] for commitment in commitments]
        for commitment in commitments:
            accepted = {"run": uuid_to_bytes32(run), "round": place["round"], "commitment": commitment}
            self._emit("CommitmentAccepted", accepted | {"organization": commitment["organization"]})
        about = {"plan": known.fields["plan"], "weights": known.fields["weights"], "roster": known.roster}
        self._emit("RoundOpened", {"run": uuid_to_bytes32(run), **place, **about})

    def close_attempt(self, run: uuid.UUID, next_weights: bytes) -> None:
        self.mine()
        self.runs[uuid_to_bytes32(run)].fields |= {"attemptStatus": 2, "weights": next_weights}

    def abandon_attempt(self, run: uuid.UUID) -> None:
        self.mine()
        self.runs[uuid_to_bytes32(run)].fields |= {"attemptStatus": 3}

    def _emit(self, name: str, arguments: dict[str, Any]) -> None:
        event = ChainEvent(
            name=name,
            contract=LEDGER,
            address=self.addresses[LEDGER],
            arguments=arguments,
            block_number=self.height,
            block_hash=_hash(self.height),
            block_time=self.time,
            transaction_hash=_hash(self.height),
            log_index=len(self.events),
            transaction_log_index=0,
        )
        self.events.append(event)

    def _ConsortiumRegistry_isActive(self, organization: bytes) -> bool:
        return bytes32_to_uuid(organization) not in self.inactive

    def _ConsortiumRegistry_keyOf(self, organization: bytes, purpose: int) -> str:
        return self.keys.get(bytes32_to_uuid(organization), NO_KEY) if purpose == 2 else NO_KEY

    def _ConsortiumRegistry_isRunner(self, runner: bytes) -> bool:
        return runner in self.runners

    def _DecisionBoard_isApproved(self, kind: int, subject: bytes, decision: bytes) -> bool:
        return kind == 1 and (subject, decision) in self.approved

    def _DecisionBoard_hasConsented(self, _decision: bytes, organization: bytes) -> bool:
        return bytes32_to_uuid(organization) not in self.refusing

    def _ConsentAnchor_stateOf(self, organization: bytes) -> dict[str, Any]:
        return dict(self.consents.get(bytes32_to_uuid(organization), _no_consents()))

    def _TrainingLedger_runOf(self, run: bytes) -> dict[str, Any]:
        empty = {"status": 0, "attemptStatus": 0, "round": 0, "attempt": 0, "terms": {}}
        zero = dict.fromkeys(("plan", "decision", "author", "weights"), bytes(32))
        return dict(self.runs[run].fields) if run in self.runs else empty | zero

    def _TrainingLedger_rosterOf(self, run: bytes) -> list[bytes]:
        return list(self.runs[run].roster)

    def _TrainingLedger_completion(self, run: bytes, weights: bytes) -> tuple[bool, bytes]:
        fields = self._TrainingLedger_runOf(run)
        return fields["status"] == 3 and fields["weights"] == weights, fields["author"]


def _hash(number: int) -> bytes:
    return keccak256(number.to_bytes(32, "big"))


def _no_consents() -> dict[str, Any]:
    numbers = {"epoch": 0, "seq": 0, "asOf": 0, "band": 0, "revoked": 0}
    return numbers | {"root": bytes(32), "revocations": bytes(32)}
