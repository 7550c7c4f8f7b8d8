"""A consortium's history as a node's logs: five hospitals train, anchor, vote and release, in realistic shares.

Of 100 events 58 are accepted commitments, 12 opened and 12 closed rounds, 12 anchored checkpoints of logs (which
nothing is projected from); the rest are consent epochs, revocations, decisions with their ballots, runs and models.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from consortium.governance.domain.operations import timelock_operation, vetoed_subject
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import shipped
from contracts.events import BlockHeader, ChainEvent, ContractReference
from contracts.rpc import codec
from contracts.rpc.log_windows import read_logs

ROUNDS, SITES, EPOCH_EVERY = 50, 5, 10
NAMES = (
    *("ConsortiumRegistry", "ConsortiumGovernor", "DecisionBoard", "ConsentAnchor", "TrainingLedger"),
    *("ModelRegistry", "AuditAnchor", "Guardian"),
)
PARAMETERS = {
    **{"witnessQuorum": 3, "minimumValidators": 4, "commitmentMaxAgeBlocks": 20, "asOfToleranceSeconds": 300},
    **{"maxAbandonedAttempts": 5, "admissionIntervalSeconds": 1},
}
RULE = {"quorumBps": 5000, "thresholdBps": 5000, "periodSeconds": 60, "minimumVotes": 1, "excludeAuthor": False}
TERMS = {"minimumSites": 3, "threshold": 3, "colluders": 1, "verifierQuorum": 2, "rounds": ROUNDS, "maxRuns": 1}
_FULL_TERMS = TERMS | {"minimumBand": 10, "initialWeightsRule": bytes(32)}


def digest(*parts: object) -> bytes:
    return keccak256("/".join(str(part) for part in parts).encode())


def address(*parts: object) -> str:
    return checksum_address("0x" + digest(*parts)[-20:].hex())


def contract(name: str) -> ContractReference:
    return ContractReference(name, address("contract", name))


def _keys(organization: bytes) -> dict[str, Any]:
    names = ("voteKey", "siteKey", "validator")
    return {name: address(name, organization) for name in names} | {"profile": digest("profile", organization)}


@dataclass
class History:
    """Logs of `runs` runs, a block for each transaction; `logs` answers as a node's eth_getLogs does."""

    runs: int
    sites: list[uuid.UUID] = field(default_factory=lambda: [uuid.uuid4() for _ in range(SITES)])
    logs: list[dict[str, Any]] = field(default_factory=list)
    block: int = 0
    seed: bytes = field(default_factory=lambda: uuid.uuid4().bytes)

    def __post_init__(self) -> None:
        self._found()
        self._govern()
        for run in range(self.runs):
            self._run(run)

    @property
    def organizations(self) -> list[bytes]:
        return [uuid_to_bytes32(site) for site in self.sites]

    def _found(self) -> None:
        admitted = [
            ("ConsortiumRegistry", "OrganizationAdmitted", {"organization": organization} | _keys(organization))
            for organization in self.organizations
        ]
        rules = [("ConsortiumRegistry", "DecisionRuleSet", {"kind": kind, "rule": RULE}) for kind in (1, 2, 3, 4)]
        policy = ("ConsortiumRegistry", "PolicySet", {"policy": digest("policy")})
        self._mine(*admitted, *rules, ("ConsortiumRegistry", "ParametersSet", {"parameters": PARAMETERS}), policy)

    def _govern(self) -> None:
        """A suspension and a reinstatement by vote, an admission that is canceled, a rotated key."""
        one = self.organizations[-1]
        self._act(1, 2, ("ConsortiumRegistry", "OrganizationSuspended", {"organization": one}))
        self._act(2, 3, ("ConsortiumRegistry", "OrganizationReinstated", {"organization": one}))
        self._act(3, 1, None)
        appointed = {"isAppointed": True, "threshold": 2, "members": 2}
        guardians = self.organizations[:2]
        self._mine(*(("Guardian", "GuardianSet", appointed | {"organization": name}) for name in guardians))
        self._act(4, 2, None, vetoed_by=guardians)
        rotated = {"purpose": 2, "previousKey": _keys(one)["siteKey"], "newKey": address("new", one)}
        self._mine(
            ("ConsortiumRegistry", "KeyReplaced", {"organization": one, "recovered": False} | rotated),
        )

    def _act(
        self,
        number: int,
        kind: int,
        effect: tuple[str, str, dict[str, Any]] | None,
        vetoed_by: Sequence[bytes] = (),
    ) -> None:
        governor, proposal = "ConsortiumGovernor", {"proposalId": number}
        about = {"organization": self.organizations[0], "kind": kind, "arguments": self.organizations[-1]}
        call = {"targets": [address("registry")], "values": [0], "signatures": [""], "calldatas": [bytes(4)]}
        times = {"voteStart": 1_700_000_000, "voteEnd": 1_700_000_600, "proposer": address("proposer")}
        text = {"description": f"Act {number}"}
        self._mine(
            (governor, "ActProposed", proposal | about | text),
            (governor, "ProposalCreated", proposal | call | times | text),
        )
        for site in self.organizations[:4]:
            cast = {"voter": _keys(site)["voteKey"], "support": 1, "weight": 1, "reason": ""}
            self._mine((governor, "VoteCast", proposal | cast))
        if effect is None and not vetoed_by:
            self._mine((governor, "ProposalCanceled", proposal))
            return
        self._mine((governor, "ProposalQueued", proposal | {"etaSeconds": 1_700_000_700}))
        if effect is None:
            waiting = call | text | {"calldatas": ["0x" + bytes(4).hex()]}
            operation = timelock_operation(contract(governor).address, waiting)
            named = {"operation": operation, "subject": vetoed_subject(waiting), "guardians": list(vetoed_by)}
            self._mine(("Guardian", "ActVetoed", named))
            return
        self._mine(effect, (governor, "ProposalExecuted", proposal))

    def _run(self, run: int) -> None:
        name, plan = uuid_to_bytes32(uuid.uuid4()), digest("plan", run)
        self._decide(run, 1, digest("plan subject", run))
        opening = {"run": name, "plan": plan, "decision": digest("decision", run, 1), "terms": _FULL_TERMS}
        author, weights = self.organizations[0], digest(name, 0)
        opened = opening | {"author": author, "initialWeights": weights}
        self._mine(("TrainingLedger", "RunOpened", opened))
        for number in range(1, ROUNDS + 1):
            self._round(name, plan, number)
            if number % EPOCH_EVERY == 0:
                self._consents(run * ROUNDS + number)
        lost = {"run": name, "round": ROUNDS // 2, "attempt": 2}
        skipped = {"organization": self.organizations[1], "reason": 6}
        self._mine(("TrainingLedger", "CommitmentRefused", lost | skipped))
        self._mine(("TrainingLedger", "AttemptAbandoned", lost | {"reason": 1}))
        last = digest(name, ROUNDS)
        self._mine(
            ("TrainingLedger", "RoundClosed", self._closed(name, ROUNDS)),
            ("TrainingLedger", "RunCompleted", {"run": name, "plan": plan, "finalWeights": last}),
        )
        model = {"model": last, "run": name, "card": digest("card", run), "author": author}
        self._mine(("ModelRegistry", "ModelRegistered", model))
        self._decide(run, 2, last)
        self._mine(("ModelRegistry", "ModelReleased", {"model": last, "decision": digest("decision", run, 2)}))

    def _round(self, run: bytes, plan: bytes, number: int) -> None:
        """`advanceRound`: the last round closes, and each site's commitment opens the next one."""
        names = {"run": run, "round": number}
        shared = names | {"attempt": 1, "plan": plan, "weights": digest(run, number - 1)}
        opened = shared | {
            **{"roster": self.organizations, "rosterDigest": digest("roster", run, number)},
            "parentHash": digest("block", self.block),
        }
        commitments = [
            (
                "TrainingLedger",
                "CommitmentAccepted",
                names | {"organization": site, "commitment": self._commit(shared, site)},
            )
            for site in self.organizations
        ]
        closed = [("TrainingLedger", "RoundClosed", self._closed(run, number - 1))] if number > 1 else []
        self._mine(*closed, *commitments, ("TrainingLedger", "RoundOpened", opened))
        anchored = {"log": digest("log"), "size": self.block, "root": digest("root", self.block)}
        self._mine(("AuditAnchor", "CheckpointAnchored", anchored | {"witnesses": self.organizations[:3]}))

    def _commit(self, shared: dict[str, Any], site: bytes) -> dict[str, Any]:
        return shared | {
            **{"organization": site, "cohortRoot": digest("cohort", shared, site), "band": 100, "epoch": 1},
            **{"seq": 1, "asOf": 1_700_000_000, "blockNumber": self.block, "blockHash": digest("block", self.block)},
            **{"maskKeys": digest("keys", shared, site), "privacyEvent": bytes(32), "validUntilBlock": self.block + 99},
        }

    def _closed(self, run: bytes, number: int) -> dict[str, Any]:
        return {
            **{"run": run, "round": number, "attempt": 1, "survivors": 2**SITES - 1},
            **{"maskedDigests": digest("masked", run, number), "aggregate": digest("aggregate", run, number)},
            **{"nextWeights": digest(run, number), "verifiers": self.organizations[:3]},
        }

    def _consents(self, number: int) -> None:
        for place, site in enumerate(self.organizations[:2]):
            names = {"organization": site, "epoch": number, "seq": 10 * number + place}
            anchored = names | {"root": digest("root", names), "band": 1000, "asOf": 1_700_000_000 + number}
            self._mine(("ConsentAnchor", "ConsentEpochAnchored", anchored))
        revoked = {"organization": site, "epoch": number, "seq": 10 * number + 9, "subjects": [digest("S", number)]}
        self._mine(("ConsentAnchor", "ConsentsRevoked", revoked | {"revoked": 1, "revocations": digest("R", number)}))

    def _decide(self, run: int, kind: int, subject: bytes) -> None:
        names = {"decision": digest("decision", run, kind), "subject": subject}
        times = {"openedAt": 1_700_000_000, "closesAt": 1_700_000_060, "base": SITES, "rule": RULE}
        about = {"kind": kind, "policy": digest("policy"), "author": self.organizations[0], "owners": []}
        self._mine(("DecisionBoard", "DecisionOpened", names | times | about))
        for site in self.organizations[:3]:
            self._mine(("DecisionBoard", "BallotCast", names | {"organization": site, "choice": 1}))
        result = {"kind": kind, "isApproved": True, "yes": 3, "no": 0, "abstain": 0}
        self._mine(("DecisionBoard", "DecisionClosed", names | result))

    def _mine(self, *events: tuple[str, str, dict[str, Any]]) -> None:
        self.block += 1
        transaction = "0x" + digest("transaction", self.seed, self.block).hex()
        for index, (name, event, arguments) in enumerate(events):
            self.logs.append(_log(name, event, arguments, self.block, index) | {"transactionHash": transaction})


def _log(name: str, event: str, arguments: dict[str, Any], block: int, index: int) -> dict[str, Any]:
    entry = next(entry for entry in shipped()[name].entries("event") if entry["name"] == event)
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    topics = [codec.selector(entry), *(codec.encode_arguments([part], [arguments[part["name"]]]) for part in indexed)]
    data = codec.encode_arguments(plain, [arguments[part["name"]] for part in plain])
    return {
        **{"address": contract(name).address, "topics": ["0x" + topic.hex() for topic in topics]},
        **{"data": "0x" + data.hex(), "blockNumber": hex(block), "blockHash": "0x" + digest("block", block).hex()},
        **{"blockTimestamp": hex(1_700_000_000 + block)},
        "logIndex": hex(index),
    }


@dataclass
class HistoryChain:
    """A node that holds the history and answers at once: what is measured is ours, decoding included."""

    history: History
    chain_id: int = 31_337
    artifacts: Any = field(default_factory=shipped)

    def check_chain(self) -> None:
        """It is the right one."""

    def head(self) -> BlockHeader:
        return self._header(self.history.block)

    def block(self, number: int) -> BlockHeader | None:
        return self._header(number) if number <= self.history.block else None

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        found = list(self._between(from_block, to_block))
        return read_logs(lambda method, parameters: found, self.artifacts, contracts, from_block, to_block)

    def _between(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        return (log for log in self.history.logs if first <= int(log["blockNumber"], 16) <= last)

    @staticmethod
    def _header(number: int) -> BlockHeader:
        return BlockHeader(number, digest("block", number), 1_700_000_000 + number)
