"""Anchoring: which epoch or revocation this site signs next, and what became of the last one.

One entry of a consortium is on its way at a time: its number is one above what the site's own node shows, and the
next is signed when this one is on the chain, or lost. So epochs and revocations, from whichever program of the
member, keep one counter. The platform carries entries; it makes none, and what it loses is signed anew.
"""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from agent.chain import Chain, Consortium
from agent.client import PREFIX
from agent.consents.anchors import EPOCH, REVOCATION, Anchor, Anchors, ChainState, explains
from agent.consents.content import EpochContent, build_content
from agent.consents.effects import Effect, Effects
from agent.consents.errors import ConsentStateError
from agent.consents.holds import Holds
from agent.consents.outgoing import Outgoing, OutgoingMail
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from agent.policy import SigningRequest
from agent.signer import Signer
from consent.domain.conflicts import DEFAULT_POLICY, ConflictPolicy
from consortium.kernel.bands import band
from consortium.kernel.consent_leaf import LeafContext
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from contracts.events import BlockHeader

CONTRACT = "ConsentAnchor"
EPOCHS_PATH = f"{PREFIX}/consents/epochs"
REVOCATIONS_PATH = f"{PREFIX}/consents/revocations"
# The contract's limit for one revocation.
MAX_SUBJECTS = 256
MAX_WITHDRAWALS = 10_000
# After that an entry counts as lost. Should it land after all, its number is known here and it is recognized.
LANDING_SECONDS = 300
RETRY_SECONDS = 30
_PRIMARY = {EPOCH: "AnchorEpoch", REVOCATION: "RevokeConsents"}


class Step(StrEnum):
    """What `advance` did, or why it did nothing."""

    IDLE = "idle"
    WAITING = "waiting"
    HELD = "held"
    REVOKED = "revoked"
    ANCHORED = "anchored"


class Anchoring:
    """Signs epochs and revocations of one member."""

    def __init__(
        self,
        *,
        store: ConsentStore,
        vault: SaltVault,
        mail: OutgoingMail,
        signer: Signer,
        chain: Chain,
        organization: uuid.UUID,
        policy: ConflictPolicy = DEFAULT_POLICY,
    ) -> None:
        self._store = store
        self._vault = vault
        self._mail = mail
        self._signer = signer
        self._chain = chain
        self._organization = organization
        self._policy = policy
        self.anchors = Anchors(store.database)
        self.effects = Effects(store.database)
        self.holds = Holds(store.database)

    def chain_state(self, consortium: Consortium) -> ChainState:
        """Return what the site's own node shows of its consents."""
        found = self._chain.call(consortium.reference(CONTRACT), "stateOf", uuid_to_bytes32(self._organization))
        return ChainState(
            epoch=found["epoch"],
            seq=found["seq"],
            as_of=found["asOf"],
            band=found["band"],
            root=bytes(found["root"]),
            revocations=bytes(found["revocations"]),
        )

    def settle(self, consortium: Consortium) -> ChainState:
        """Compare the chain with what was signed here, and return the chain's state.

        Raises
        ------
        ConsentStateError
            If the chain holds an entry that this site did not sign. Replace the site key at once.
        """
        state = self.chain_state(consortium)
        head = self._chain.head()
        with self._store.database.transaction():
            if state.seq and not self._is_known(consortium.id, state):
                self._land(consortium.id, state, head)
            pending = self.anchors.on_its_way(consortium.id)
            if pending is not None and self._is_lost(pending, state, head.time):
                self.anchors.mark(pending.digest, "lost")
                self.effects.detach(pending.digest)
                self.effects.wish_epoch([consortium.id] if pending.kind == EPOCH else [])
        return state

    def advance(self, consortium: Consortium) -> Step:
        """Sign what is due, if nothing holds it back; call it often, it is cheap when nothing is."""
        state = self.settle(consortium)
        head = self._chain.head()
        if self._is_blocked(consortium.id, state):
            return Step.WAITING
        if self.holds.is_held(consortium.id, head=head.number):
            return Step.HELD
        if self._revoke(consortium, state, head.number, head.time):
            return Step.REVOKED
        if self.effects.waiting(consortium.id):
            self.effects.wish_epoch([consortium.id])
        if not self.effects.is_epoch_wished(consortium.id):
            return Step.IDLE
        return Step.ANCHORED if self._anchor(consortium, state, head.number, head.time) else Step.WAITING

    def _is_known(self, consortium: uuid.UUID, state: ChainState) -> bool:
        last = self.anchors.last_landed(consortium)
        return last is not None and last.seq == state.seq and self._explains(consortium, last, state)

    def _land(self, consortium: uuid.UUID, state: ChainState, head: BlockHeader) -> None:
        """Find the entry that made the chain's state, among all that were ever signed under its number."""
        for anchor in self.anchors.at_seq(consortium, state.seq):
            if self._explains(consortium, anchor, state):
                break
        else:
            raise ConsentStateError(
                f"The chain holds entry {state.seq} of this site's consents, and this site did not sign it. Nothing is "
                "signed any more: have the site key replaced by the members' vote."
            )
        if anchor.state == "landed":
            # A development chain that came back shorter; the rest is mined again from the stored bytes.
            return
        self.anchors.mark(anchor.digest, "landed")
        self.anchors.note_landing(anchor.digest, block=head.number, at=head.time)
        if anchor.kind == EPOCH:
            self.anchors.load_rules(consortium, anchor.digest)

    def _explains(self, consortium: uuid.UUID, anchor: Anchor, state: ChainState) -> bool:
        return explains(anchor, state, self.anchors.revoked_in(consortium, anchor.epoch, anchor.seq - 1))

    def _is_lost(self, pending: Anchor, state: ChainState, now: int) -> bool:
        age = now - pending.signed_at
        is_refused = self._mail.state_of(pending.digest) == "refused"
        if state.seq >= pending.seq or age > LANDING_SECONDS or (is_refused and age > RETRY_SECONDS):
            return True
        # The contract refuses what a replaced key signed; if it landed just before, its number is recognized here.
        return not self._signer.is_by_present_key(pending.digest, pending.consortium)

    def _is_blocked(self, consortium: uuid.UUID, state: ChainState) -> bool:
        last = self.anchors.last_landed(consortium)
        return self.anchors.on_its_way(consortium) is not None or (last is not None and last.seq > state.seq)

    def _revoke(self, consortium: Consortium, state: ChainState, head: int, now: int) -> bool:
        """Sign a revocation of everybody in the current epoch who has withdrawn and is still in it."""
        current = self.anchors.epoch_of(consortium.id, state.epoch, state.root)
        if current is None:
            return False
        with self._store.database.transaction():
            leaves = self.anchors.leaves(current.digest)
            gone = set(self.anchors.revoked_in(consortium.id, state.epoch, state.seq))
            due: dict[bytes, list[Effect]] = {}
            for effect in self.effects.waiting(consortium.id):
                if effect.is_urgent and effect.subject in leaves and effect.subject not in gone:
                    due.setdefault(effect.subject, []).append(effect)
            subjects = sorted(due)[:MAX_SUBJECTS]
            if not subjects or not self._is_free(consortium.id, head):
                return False
            message = {
                **{"organization": uuid_to_bytes32(self._organization), "epoch": state.epoch},
                **{"seq": state.seq + 1, "subjects": subjects},
            }
            if self._was_signed(consortium, REVOCATION, message):
                # It was lost, and would be the same request again: an epoch without the subjects takes its place.
                return False
            anchor = self._sign(consortium, REVOCATION, message, state, now, root=state.root, band_edge=state.band)
            carried = [effect for subject in subjects for effect in due[subject]]
            body = {"subjects": [to_hex(subject) for subject in subjects]}
            self._queue(anchor[0], anchor[1], REVOCATIONS_PATH, body, carried)
        return True

    def _anchor(self, consortium: Consortium, state: ChainState, head: int, now: int) -> bool:
        """Build the epoch outside the lock, then sign it if nothing has changed since; the next call tries again."""
        content = build_content(
            store=self._store,
            vault=self._vault,
            context=LeafContext(consortium.chain_id, consortium.id, self._organization),
            as_of=max(now, state.as_of),
            policy=self._policy,
        )
        trie = content.trie()
        with self._store.database.transaction():
            if content.generation != self._store.generation or not self._is_free(consortium.id, head):
                return False
            message = {
                **{"organization": uuid_to_bytes32(self._organization), "epoch": state.epoch + 1, "root": trie.root},
                **{"band": band(trie.count), "seq": state.seq + 1, "asOf": content.as_of},
            }
            if self._was_signed(consortium, EPOCH, message):
                # The next block's time makes it another one.
                return False
            self._keep_epoch(consortium, message, state, now, content)
        return True

    def _keep_epoch(
        self, consortium: Consortium, message: Mapping[str, Any], state: ChainState, now: int, content: EpochContent
    ) -> None:
        anchor, signature = self._sign(
            consortium, EPOCH, message, state, now, root=message["root"], band_edge=message["band"]
        )
        self.anchors.keep_leaves(anchor.digest, content)
        body = {"root": to_hex(anchor.root), "band": anchor.band, "as_of": anchor.as_of}
        self._queue(anchor, signature, EPOCHS_PATH, body, self.effects.waiting(consortium.id)[:MAX_WITHDRAWALS])
        self.effects.grant_wish(consortium.id)

    def _is_free(self, consortium: uuid.UUID, head: int) -> bool:
        """Ask again, under the writer's lock: another program of this member may have signed or held meanwhile."""
        return self.anchors.on_its_way(consortium) is None and not self.holds.is_held(consortium, head=head)

    def _was_signed(self, consortium: Consortium, kind: str, message: Mapping[str, Any]) -> bool:
        digest = typed_hash(consortium.domain(CONTRACT), _PRIMARY[kind], message)
        return self.anchors.knows(to_hex(digest))

    def _sign(
        self,
        consortium: Consortium,
        kind: str,
        message: Mapping[str, Any],
        state: ChainState,
        now: int,
        *,
        root: bytes,
        band_edge: int,
    ) -> tuple[Anchor, bytes]:
        signed = self._signer.sign(SigningRequest(_PRIMARY[kind], consortium.domain(CONTRACT), message, consortium.id))
        anchor = Anchor(
            digest=to_hex(signed.digest),
            consortium=consortium.id,
            kind=kind,
            epoch=message["epoch"],
            seq=message["seq"],
            as_of=message.get("asOf", state.as_of),
            root=root,
            band=band_edge,
            revoked=tuple(message.get("subjects", ())),
            signed_at=now,
        )
        self.anchors.add(anchor)
        return anchor, signed.signature

    def _queue(
        self, anchor: Anchor, signature: bytes, path: str, body: Mapping[str, Any], carried: list[Effect]
    ) -> None:
        """Keep the request beside the entry: from here on a kill changes nothing but when it is sent."""
        common = {
            **{"consortium": str(anchor.consortium), "epoch": anchor.epoch, "seq": anchor.seq},
            **{"signature": to_hex(signature), "withdrawals": [str(effect.withdrawal) for effect in carried]},
        }
        self._mail.keep(Outgoing(anchor.digest, path, {**common, **body}))
        self.effects.attach(anchor.consortium, carried, anchor.digest)
