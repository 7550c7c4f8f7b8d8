"""Five agents in one thread: they take work from the real channel, read the real chain, mask and sign for real."""

import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection, transaction

from consortium.common import blobs
from consortium.common.tenancy import act_for
from consortium.kernel.bands import band
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex, to_hex, uuid_to_bytes32
from consortium.kernel.secp256k1 import address_of, recover
from consortium.membership.channel import work
from consortium.membership.models import WorkItem
from contracts.gateway import Gateway
from tests.integration.training.consortium_chain import ConsortiumChain, Member
from training.domain.messages import message_to_json
from training.domain.plan_document import PlanDocument, parse_plan
from training.federated.algorithms.features import Row
from training.federated.errors import SignatureRefusedError
from training.federated.plan_code import TrainTask, train
from training.federated.runner import prepare_vector
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.deals import SignedDeal, SignedFields
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.releases import OpenedSecrets
from training.federated.secagg.share_transport import EncryptedShare
from training.federated.secagg.site import SiteAttempt
from training.federated.secagg.survivors import SurvivorSet
from training.federated.secagg.verification import RoundResult, verify_round
from training.federated.strategies.federated_averaging import strategy_step

Key = tuple[str, int, int]


class RefusedError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Site:
    """One member's agent. `spoil` names work that it answers wrongly, `silent` work that kills it before it answers."""

    def __init__(self, chain: ConsortiumChain, member: Member, rows: list[Row]) -> None:
        self.chain, self.member, self.rows = chain, member, rows
        self.gateway = Gateway([chain.anvil.url], chain_id=chain.gateway.chain_id)
        self.attempts: dict[Key, SiteAttempt] = {}
        self.opened: dict[Key, OpenedAttempt] = {}
        self.silent: set[tuple[str, int]] = set()
        self.refuses: dict[str, str] = {}
        self.spoil: dict[str, Any] = {}
        self.asked: Counter[tuple[str, int, int]] = Counter()
        self.fences: list[int] = []
        self.sent: dict[Key, set[bytes]] = {}
        self.is_dead = False
        self.plans: dict[str, PlanDocument] = {}

    @property
    def organization(self) -> uuid.UUID:
        return self.member.organization

    def answer(self, item: WorkItem) -> dict[str, Any] | bytes:
        payload = item.payload
        self.asked[(item.kind, payload.get("round", 0), payload.get("attempt", 0))] += 1
        self.fences.append(item.fence)
        if item.kind in self.refuses:
            raise RefusedError(self.refuses[item.kind])
        answered = getattr(self, item.kind)(payload)
        return self.spoil[item.kind](answered) if item.kind in self.spoil else answered

    def restart(self) -> None:
        """A restarted agent has lost its attempts' secrets by intent."""
        self.is_dead = False
        self.attempts.clear()
        self.opened.clear()

    def commit(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        key = _key(payload)
        self.plan = self._plan(payload["plan"])
        if to_hex(self.plan.terms.subject(payload["plan"])) != to_hex(self._decision(payload)["subject"]):
            raise RefusedError("plan_not_approved")
        closing = payload.get("closing")
        last = closing["next_weights"] if closing else to_hex(self.chain.run_on_chain(uuid.UUID(key[0]))["weights"])
        if to_hex(digest_to_bytes32(payload["weights"])) != last:
            raise RefusedError("weights_differ")
        if key not in self.attempts:
            self.attempts[key] = self._new_attempt(key, payload["weights"])
        keys = self.attempts[key].mask_keys()
        fields = self._commitment(key, payload, keys)
        return {
            "commitment": message_to_json(fields),
            "signature": to_hex(self._sign("Commitment", fields)),
            "mask_keys": keys.to_wire(),
        }

    def shares(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        key = _key(payload)
        attempt = self._attempt(key)
        self.opened[key] = self._open(key, [MaskKeys.from_wire(keys) for keys in payload["mask_keys"]])
        deal = attempt.deal(self.opened[key])
        return {"deal": deal.public.to_wire(), "shares": [share.to_wire() for share in deal.shares]}

    def train(self, payload: Mapping[str, Any]) -> bytes:
        key = _key(payload)
        attempt = self._attempt(key)
        attempt.receive(
            [SignedDeal.from_wire(deal) for deal in payload["deals"]],
            [EncryptedShare.from_wire(share) for share in payload["shares"]],
        )
        plan = self.plan.training_plan
        plain = train(TrainTask(plan, self._blob(payload["weights"])), self.rows)
        if "update" in self.spoil:
            plain = self.spoil["update"](plain)
        sent = attempt.mask(prepare_vector(plan, plain)).data
        self.sent.setdefault(key, set()).add(sent)
        return sent

    def sign(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        attempt = self._attempt(_key(payload))
        return {"signature": to_hex(attempt.sign_survivors(SurvivorSet.from_wire(payload["survivors"])))}

    def reveal(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        signatures = {uuid.UUID(entry["organization"]): from_hex(entry["signature"]) for entry in payload["signatures"]}
        return dict(self._attempt(_key(payload)).release_shares(signatures).to_wire())

    def verify(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Needs nothing of the attempt: a site that restarted verifies like the others."""
        key = _key(payload)
        opened = self._open(key, [MaskKeys.from_wire(keys) for keys in payload["mask_keys"]])
        survivors = SurvivorSet.from_wire(payload["survivors"])
        for entry in payload["signatures"]:
            signature = from_hex(entry["signature"])
            self._verify(uuid.UUID(entry["organization"]), "SurvivorSet", survivors.fields(opened), signature)
        result = payload["result"]
        claimed = RoundResult(survivors, from_hex(result["aggregate"]), from_hex(result["next_weights"]))
        plan, incoming = self.plan.training_plan, self._blob(payload["weights"])
        masked = {uuid.UUID(e["organization"]): self._blob(e["digest"]) for e in payload["vectors"]}
        verify_round(
            opened=opened,
            claimed=claimed,
            masked={site: MaskedVector(site, data) for site, data in masked.items()},
            secrets=OpenedSecrets.from_wire(payload["opened"]),
            size=plan.layout().size,
            step=lambda total, survivors: strategy_step(incoming, total, plan, survivors=survivors),
        )
        return {"signature": to_hex(self._sign("RoundResult", claimed.fields(opened)))}

    def cancel(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        fields = {"run": uuid_to_bytes32(uuid.UUID(payload["run"])), "reason": from_hex(payload["reason"])}
        return {"signature": to_hex(self._sign("CancelRun", fields))}

    def register(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        fields = {
            "model": digest_to_bytes32(payload["model"]),
            "run": uuid_to_bytes32(uuid.UUID(payload["run"])),
            "card": digest_to_bytes32(payload["card"]),
        }
        signature = self.chain.sign("ModelRegistry", "RegisterCandidate", fields, self.member.site)
        return {"signature": to_hex(signature)}

    def _attempt(self, key: Key) -> SiteAttempt:
        if key not in self.attempts:
            raise RefusedError("attempt_unknown")
        return self.attempts[key]

    def _new_attempt(self, key: Key, weights: str) -> SiteAttempt:
        return SiteAttempt(
            context=self._context(key),
            organization=self.organization,
            weights=digest_to_bytes32(weights),
            sign=self._sign,
            verify=self._verify,
            record=lambda choice: None,
        )

    def _context(self, key: Key) -> AttemptContext:
        ledger = from_hex(self.chain.contracts["TrainingLedger"].address.lower(), size_bytes=20)
        return AttemptContext(self.gateway.chain_id, ledger, uuid.UUID(key[0]), key[1], key[2])

    def _commitment(self, key: Key, payload: Mapping[str, Any], keys: MaskKeys) -> dict[str, int | bytes]:
        head = self.gateway.head()
        state = self.gateway.call(self.chain.contracts["ConsentAnchor"], "stateOf", self.member.id32)
        return {
            "run": uuid_to_bytes32(uuid.UUID(key[0])),
            "round": key[1],
            "attempt": key[2],
            "organization": self.member.id32,
            "plan": digest_to_bytes32(payload["plan"]),
            "weights": digest_to_bytes32(payload["weights"]),
            "cohortRoot": bytes([5]) * 32,
            "band": band(len(self.rows)),
            "epoch": state["epoch"],
            "seq": self.spoil.get("seq", state["seq"]),
            "asOf": head.time,
            "blockNumber": head.number,
            "blockHash": head.hash,
            "maskKeys": keys.digest(self._context(key)),
            "privacyEvent": bytes(32),
            "validUntilBlock": head.number + 20,
        }

    def _open(self, key: Key, keys: list[MaskKeys]) -> OpenedAttempt:
        """Read roster and accepted keys from the chain; the platform's word is not asked."""
        events = self.chain.ledger_events(self.gateway)
        ours = [e for e in events if e.arguments.get("run") == uuid_to_bytes32(uuid.UUID(key[0]))]
        opening = next(
            e.arguments
            for e in ours
            if e.name == "RoundOpened" and (e.arguments["round"], e.arguments["attempt"]) == key[1:]
        )
        accepted = {
            e.arguments["organization"]: e.arguments["commitment"]["maskKeys"]
            for e in ours
            if e.name == "CommitmentAccepted"
            and (e.arguments["round"], e.arguments["commitment"]["attempt"]) == key[1:]
        }
        terms = self.plan.terms
        return open_attempt(
            context=self._context(key),
            parameters=SecureAggregationParameters(
                n=len(opening["roster"]),
                t=terms.threshold,
                c=terms.colluders,
                ring_bits=self.plan.training_plan.ring_bits,
            ),
            weights=opening["weights"],
            committed=[(bytes32_to_uuid(site), accepted[site]) for site in opening["roster"]],
            keys=keys,
        )

    def _decision(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        board = self.chain.contracts["DecisionBoard"]
        found: dict[str, Any] = self.gateway.call(board, "decision", from_hex(payload["decision"]))
        return found

    def _plan(self, digest: str) -> PlanDocument:
        if digest not in self.plans:
            self.plans[digest] = parse_plan(self._blob(digest))
        return self.plans[digest]

    @staticmethod
    def _blob(digest: str) -> bytes:
        return bytes(blobs.find(digest=digest).data)

    def _sign(self, kind: str, fields: SignedFields) -> bytes:
        return self.chain.sign("TrainingLedger", kind, dict(fields), self.member.site)

    def _verify(self, organization: uuid.UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        member = next(m for m in self.chain.members if m.organization == organization)
        digest = typed_hash(self.chain.domain("TrainingLedger"), kind, dict(fields))
        if recover(digest, signature) != address_of(member.site):
            raise SignatureRefusedError(f"{kind} is not signed by {organization}.")


class Sites(threading.Thread):
    """Serves all sites from one thread, woken by the channel."""

    def __init__(self, sites: list[Site], url: dict[str, Any]) -> None:
        super().__init__(daemon=True, name="sites")
        self.sites = sites
        self.stopping = threading.Event()
        self.fault: BaseException | None = None
        self._parameters = url

    def run(self) -> None:
        try:
            with psycopg.connect(**self._parameters, autocommit=True) as listener:
                listener.execute(f"LISTEN {work.NEW_WORK}")
                while not self.stopping.is_set():
                    served = [self._serve(site) for site in self.sites if not site.is_dead]
                    if not any(served):
                        list(listener.notifies(timeout=0.05, stop_after=1))
        except Exception as fault:  # noqa: BLE001  whatever it is, the test that waits shall show it
            self.fault = fault
        finally:
            connection.close()

    def stop(self) -> None:
        self.stopping.set()
        self.join()

    def _serve(self, site: Site) -> bool:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL ROLE consilium_app")
            with act_for(organization_id=site.organization):
                work.mark_seen(site.organization)
                item = work.take_next(site.organization)
        if item is None:
            return False
        if (item.kind, item.payload.get("round", 0)) in site.silent:
            site.silent.discard((item.kind, item.payload.get("round", 0)))
            site.is_dead = True
            return True
        self._answer(site, item)
        return True

    def _answer(self, site: Site, item: WorkItem) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL ROLE consilium_app")
            with act_for(organization_id=site.organization):
                try:
                    answered = site.answer(item)
                except RefusedError as refusal:
                    work.refuse(item.pk, site.organization, code=refusal.code, text=f"Refused: {refusal.code}.")
                except work.WorkClosedError:
                    return
                except ConsiliumError as error:
                    code = {"not_finite": "update_not_finite"}.get(error.code, error.code)
                    work.refuse(item.pk, site.organization, code=code, text=error.message)
                else:
                    given: dict[str, Any] = {"result_bytes" if isinstance(answered, bytes) else "result": answered}
                    try:
                        work.answer(item.pk, site.organization, **given)
                    except work.WorkClosedError:
                        return


def _key(payload: Mapping[str, Any]) -> Key:
    return payload["run"], payload["round"], payload["attempt"]
