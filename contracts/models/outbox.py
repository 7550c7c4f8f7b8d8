"""What is to be sent to the chain, how far it has come, and the account that sends it."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Func, Q, Value
from django.utils.translation import gettext_lazy as _

from consortium.common.models import TransactionState, UuidModel
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest
from contracts.values import from_json

# Constructors go through the outbox like calls, under this name.
CONSTRUCTOR = "constructor"
# An empty transaction that uses up a nonce whose own transaction the node will never take.
FILLER = "fill_nonce"


class OutboxTransaction(UuidModel):
    """One call of a contract: asked for in the caller's transaction, sent and followed by the dispatcher.

    `arguments` are in the form of `contracts.values`; `raw` are the signed bytes, kept before they
    are sent, so that the same bytes can be sent again. `block`, `gas` and the error come from the chain.
    Of an old call that is confirmed both may have been dropped (`contracts.sending.pruning`): the chain has
    them, and `arguments_digest` still tells whether a call that is asked for again is the same.
    """

    # In the order of asking, also within one transaction; a consortium's calls keep this order.
    position = models.BigIntegerField(
        _("position"),
        db_default=Func(Value("contracts_outbox_position"), function="nextval"),
        editable=False,
    )
    consortium_id = models.UUIDField(_("consortium"))
    organization_id = models.UUIDField(_("author"), null=True, blank=True)
    contract = models.CharField(_("contract"), max_length=60)
    function = models.CharField(_("function"), max_length=200)
    arguments = models.JSONField(_("arguments"), default=list)
    idempotency_key = models.CharField(_("idempotency key"), max_length=200)
    correlation_id = models.CharField(_("correlation id"), max_length=36)
    state = models.CharField(
        _("state"), max_length=10, choices=TransactionState.choices, default=TransactionState.RECORDED
    )
    sender = models.CharField(_("sender"), max_length=42, blank=True, default="")
    # Founding calls what only the account that began it may call; no member names an account.
    only_sender = models.CharField(_("only sender"), max_length=42, blank=True, default="")
    address = models.CharField(_("contract's address"), max_length=42, blank=True, default="")
    nonce = models.PositiveBigIntegerField(_("nonce"), null=True, blank=True)
    raw = models.BinaryField(_("signed bytes"), null=True, blank=True)
    transaction_hash = models.CharField(_("transaction"), max_length=66, blank=True, default="")
    block = models.PositiveBigIntegerField(_("block"), null=True, blank=True)
    gas = models.PositiveBigIntegerField(_("gas used"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=100, blank=True, default="")
    error_text = models.TextField(_("error in words"), blank=True, default="")
    submitted_at = models.DateTimeField(_("signed"), null=True, blank=True)
    # How often other bytes had used its nonce up; it cannot have happened then.
    lost_nonces = models.PositiveSmallIntegerField(_("lost nonces"), default=0)
    broadcast_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    contents_dropped_at = models.DateTimeField(_("contents dropped"), null=True, blank=True)
    arguments_digest = models.CharField(_("digest of the arguments"), max_length=71, blank=True, default="")
    # The handlers of the outcome ran, in the transaction that set this.
    outcome_delivered_at = models.DateTimeField(_("outcome delivered"), null=True, blank=True)
    outcome_error = models.TextField(_("outcome's fault"), blank=True, default="")
    outcome_attempts = models.PositiveIntegerField(_("failed deliveries"), default=0)
    outcome_retry_at = models.DateTimeField(_("next delivery"), null=True, blank=True)

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        ordering = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium_id", "idempotency_key"], name="outbox_once_an_intent"),
            models.UniqueConstraint(fields=["sender", "nonce"], condition=Q(nonce__isnull=False), name="one_a_nonce"),
            models.CheckConstraint(
                condition=Q(state__in=["recorded", "submitted", "confirmed", "failed"]), name="outbox_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["submitted", "confirmed"])
                | Q(raw__isnull=False, nonce__isnull=False) & ~Q(transaction_hash="")
                | Q(contents_dropped_at__isnull=False),
                name="sent_only_with_stored_bytes",
            ),
            models.CheckConstraint(
                condition=Q(contents_dropped_at__isnull=True, arguments_digest="")
                | Q(contents_dropped_at__isnull=False, state="confirmed", raw__isnull=True, arguments=[])
                & Q(nonce__isnull=False, block__isnull=False)
                & ~Q(transaction_hash="")
                & ~Q(arguments_digest=""),
                name="dropped_only_when_confirmed",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["consortium_id", "position"], condition=Q(state="recorded"), name="outbox_waiting_of_one"
            ),
            models.Index(fields=["sender", "nonce"], condition=Q(state="submitted"), name="outbox_in_flight"),
            models.Index(fields=["transaction_hash"], name="outbox_by_hash"),
            models.Index(
                fields=["settled_at"],
                condition=Q(state__in=["confirmed", "failed"], outcome_delivered_at__isnull=True),
                name="outbox_outcomes_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract}.{self.function} ({self.state})"

    @property
    def digest(self) -> str:
        """SHA-256 of the arguments, also after they were dropped."""
        return self.arguments_digest or sha256_digest(canonical_json(self.arguments))

    @property
    def values(self) -> list[Any]:
        """The arguments as Python values."""
        return [from_json(argument) for argument in self.arguments]


class StuckCode(models.TextChoices):
    """Why nothing of an account is mined."""

    NOT_AUTHORIZED = "not_authorized", _("the nodes refuse the account")
    NONCE_HELD = "nonce_held", _("a transaction that is not ours holds the nonce")
    NOT_MINED = "not_mined", _("blocks are made without its transactions")
    NOT_SIGNED = "not_signed", _("what holds its key gives no signature")


class RelayAccount(models.Model):
    """An account that sends, one lane of several; its row is the lock under which nonces are taken.

    While it is stuck it takes no new calls; what it has signed stays its own (see `contracts.sending.lanes`).
    """

    address = models.CharField(_("address"), max_length=42, primary_key=True)
    next_nonce = models.PositiveBigIntegerField(_("next nonce"), default=0)
    stuck_code = models.CharField(_("stuck"), max_length=20, choices=StuckCode.choices, blank=True, default="")
    stuck_text = models.TextField(_("stuck, in words"), blank=True, default="")
    stuck_since = models.DateTimeField(_("stuck since"), null=True, blank=True)

    class Meta:
        verbose_name = _("relay account")
        verbose_name_plural = _("relay accounts")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(stuck_code="", stuck_since__isnull=True)
                | Q(stuck_code__in=StuckCode.values, stuck_since__isnull=False),
                name="stuck_with_code_and_time",
            )
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_stuck(self) -> bool:
        return bool(self.stuck_code)
