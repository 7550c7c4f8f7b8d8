"""One site in one attempt: fresh secrets, five answers in order, each given once."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence

from training.federated.errors import (
    AlreadyChosenError,
    OutOfOrderError,
    QuantizationError,
    SecretsDestroyedError,
    SignatureRefusedError,
)
from training.federated.secagg.choices import ChoiceBook, ChoiceKind, Record
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.dealing import Deal, cut, make_deal
from training.federated.secagg.deals import ShareKind, Sign, SignedDeal, Verify, ensure_deal
from training.federated.secagg.mask_keys import AttemptSecrets, MaskKeys
from training.federated.secagg.masked_vector import MaskedVector, pack
from training.federated.secagg.masking import mask_vector
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.prg import RING_DTYPES, RingVector, ensure_ring
from training.federated.secagg.releases import ReleasedShare, ReleasedShares
from training.federated.secagg.share_transport import EncryptedShare, SharePair, by_dealers, unseal
from training.federated.secagg.survivors import SURVIVOR_SET, SurvivorSet, ensure_signable


class SiteAttempt:
    """A site's part in one attempt: mask_keys, deal, receive, mask, sign_survivors, release_shares, destroy.

    Secrets live in this object alone and only as long as the attempt; an agent that restarts has lost
    the attempt. Every answer is repeated unchanged when asked again, and refused when asked otherwise.

    Parameters
    ----------
    context : AttemptContext
    organization : uuid.UUID
        This site.
    weights : bytes
        Digest of the incoming weights that the site committed to, 32 bytes.
    sign : Sign
        Signs a kind and its fields with the site's key.
    verify : Verify
        Raises unless a signature is by that organization over that kind and fields.
    record : Record
        Makes a choice durable before its answer leaves; raises if another one is on record.
    """

    def __init__(
        self,
        *,
        context: AttemptContext,
        organization: uuid.UUID,
        weights: bytes,
        sign: Sign,
        verify: Verify,
        record: Record,
    ) -> None:
        self._context = context
        self._organization = organization
        self._weights = weights
        self._sign = sign
        self._verify = verify
        self._book = ChoiceBook(context, organization, record)
        self._secrets: AttemptSecrets | None = AttemptSecrets.generate()
        self._keys = self._secrets.public(context, organization)
        self._opened: OpenedAttempt | None = None
        self._deal: Deal | None = None
        self._own_pair: SharePair | None = None
        self._held: dict[uuid.UUID, SharePair] = {}
        self._plain_digest = b""
        self._masked: MaskedVector | None = None
        self._survivors: SurvivorSet | None = None
        self._signature = b""

    def mask_keys(self) -> MaskKeys:
        """Return the public keys and the seed commitment whose digest goes into the site's Commitment."""
        return self._keys

    def deal(self, opened: OpenedAttempt) -> Deal:
        """Cut both secrets for the opened roster; once, and never for another roster."""
        secrets = self._living()
        opened.ensure_own(self._context, self._weights, self._keys)
        # the keys are part of the value, so that a restarted site cannot deal again with new ones
        value = f"{opened.roster_digest().hex()}/{self._keys.digest(self._context).hex()}/t={opened.parameters.t}"
        if self._opened is not None and self._opened != opened:
            raise AlreadyChosenError("This site has already dealt to another roster in this attempt.")
        self._book.make(ChoiceKind.DEALT, value)
        if self._deal is None:
            pairs = cut(opened, secrets)
            self._deal = make_deal(opened, self._organization, secrets, pairs, self._sign)
            self._own_pair, self._opened = pairs[self._organization], opened
        return self._deal

    def receive(self, deals: Sequence[SignedDeal], shares: Sequence[EncryptedShare]) -> None:
        """Take the dealers' shares: at least t dealers, this site among them; again until it has masked.

        Raises
        ------
        DealRefusedError
            If a deal or share does not hold; nothing of the call is kept.
        """
        opened, secrets = self._opened_attempt(), self._living()
        if self._masked is not None:
            raise OutOfOrderError("The dealers are fixed once the site has masked its vector.")
        by_dealer, sealed = by_dealers(opened, self._organization, deals, shares)
        held = {self._organization: self._own()}
        for dealer, deal in by_dealer.items():
            ensure_deal(opened, deal, self._verify)
            if dealer != self._organization:
                held[dealer] = unseal(opened, deal, sealed[dealer], secrets.transport_private)
        self._held = held

    def mask(self, vector: RingVector) -> MaskedVector:
        """Mask the site's one vector; the same bytes for ever after, and no other vector.

        Raises
        ------
        AlreadyChosenError
            If another vector was masked in this attempt.
        """
        opened, secrets = self._opened_attempt(), self._living()
        ensure_ring(vector)
        if vector.dtype != RING_DTYPES[opened.parameters.ring_bits]:
            raise QuantizationError(f"The vector is not of the attempt's ring of {opened.parameters.ring_bits} bits.")
        if not self._held:
            raise OutOfOrderError("Shares of at least t dealers are received before a vector is masked.")
        plain_digest = hashlib.sha256(vector.data).digest()
        if self._masked is None:
            work = vector.copy()
            mask_vector(work, opened, self._organization, secrets, opened.in_order(self._held))
            self._masked, self._plain_digest = pack(self._organization, work), plain_digest
        elif plain_digest != self._plain_digest:
            raise AlreadyChosenError("This site has already masked another vector in this attempt.")
        self._book.make(ChoiceKind.MASKED, self._masked.digest().hex())
        return self._masked

    def sign_survivors(self, survivors: SurvivorSet) -> bytes:
        """Sign the one survivor set of this attempt; see `survivors.ensure_signable` for what is refused."""
        opened, _ = self._opened_attempt(), self._living()
        if ChoiceKind.MASKED not in self._book.made or self._masked is None:
            raise OutOfOrderError("A site signs a survivor set after it has sent its masked vector.")
        ensure_signable(
            opened,
            survivors,
            organization=self._organization,
            dealers=frozenset(self._held),
            masked_digest=self._masked.digest(),
        )
        self._book.make(ChoiceKind.SIGNED, _name(survivors))
        if self._survivors is None:
            self._survivors, self._signature = survivors, self._sign(SURVIVOR_SET, survivors.fields(opened))
        return self._signature

    def release_shares(self, signatures: Mapping[uuid.UUID, bytes]) -> ReleasedShares:
        """Release one kind of share a dealer, against t signatures of survivors on the set that this site signed.

        Raises
        ------
        SignatureRefusedError
            If there are fewer than t signatures or one is not a survivor's over that set.
        """
        opened, _ = self._opened_attempt(), self._living()
        if self._survivors is None:
            raise OutOfOrderError("A site releases shares after it has signed the survivor set.")
        members = self._survivors.members(opened)
        if len(signatures) < opened.parameters.t or not set(members).issuperset(signatures):
            raise SignatureRefusedError(f"Shares are released against t={opened.parameters.t} survivors' signatures.")
        fields = self._survivors.fields(opened)
        for organization, signature in signatures.items():
            self._verify(organization, SURVIVOR_SET, fields, signature)
        self._book.make(ChoiceKind.RELEASED, _name(self._survivors))
        kinds = {d: ShareKind.SEED if d in members else ShareKind.MASK_KEY for d in opened.in_order(self._held)}
        return ReleasedShares(
            self._organization, {d: ReleasedShare(kind, self._held[d].of(kind)) for d, kind in kinds.items()}
        )

    def destroy(self) -> None:
        """Forget every secret and share; only the masked bytes' record at the agent remains.

        Python cannot overwrite the memory of `bytes`; the references are dropped.
        """
        self._secrets = self._own_pair = self._deal = self._masked = None
        self._held = {}
        self._plain_digest = b""

    def _living(self) -> AttemptSecrets:
        if self._secrets is None:
            raise SecretsDestroyedError("The attempt has ended at this site; it is back in the next one.")
        return self._secrets

    def _opened_attempt(self) -> OpenedAttempt:
        if self._opened is None:
            self._living()
            raise OutOfOrderError("The site deals its shares to the opened roster first.")
        return self._opened

    def _own(self) -> SharePair:
        if self._own_pair is None:
            raise OutOfOrderError("The site deals its shares to the opened roster first.")
        return self._own_pair


def _name(survivors: SurvivorSet) -> str:
    return f"{survivors.survivors:x}/{survivors.combined_digest().hex()}"
