"""What is put to the vote, and who voted how."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consortium.common.models import ChainBacked, UuidModel
from consortium.governance.domain.tally import Count, Rule, is_settled, yes_needed, yes_needed_for_act
from consortium.membership.models import Consortium, Organization


class Proposal(ChainBacked, UuidModel):
    """A constitutional act or a frequent decision; `chain_key` is its id in its contract."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        ACTIVE = "active", _("Open for votes")
        SUCCEEDED = "succeeded", _("Succeeded")
        QUEUED = "queued", _("Queued")
        EXECUTED = "executed", _("Executed")
        DEFEATED = "defeated", _("Defeated")
        CANCELED = "canceled", _("Canceled")
        EXPIRED = "expired", _("Expired")

    TERMINAL = frozenset({State.EXECUTED, State.DEFEATED, State.CANCELED, State.EXPIRED})

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="proposals")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="proposals")
    contract = models.CharField(max_length=30)
    kind = models.CharField(_("kind"), max_length=30)
    chain_key = models.CharField(_("number on the chain"), max_length=80, blank=True, default="")
    subject = models.CharField(_("subject"), max_length=66, blank=True, default="")
    arguments = models.TextField(blank=True, default="")
    description = models.TextField(_("description"), blank=True, default="")
    document_digest = models.CharField(_("document"), max_length=71, blank=True, default="")
    policy_digest = models.CharField(_("policy"), max_length=71, blank=True, default="")
    owners = models.JSONField(default=list)
    # The exact call of an act, as the governor announced it.
    call = models.JSONField(default=dict)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    base = models.PositiveIntegerField(_("may vote"), default=0)
    rule = models.JSONField(default=dict)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    executable_at = models.DateTimeField(_("can be executed from"), null=True, blank=True)
    settled_block = models.PositiveBigIntegerField(_("settled in block"), null=True, blank=True)
    # The guardians whose signatures stopped it, as the chain named them.
    vetoed_by = models.JSONField(_("vetoed by"), default=list, blank=True)

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["consortium", "contract", "chain_key"], condition=~Q(chain_key=""), name="proposal_once_a_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.chain_key or self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.PENDING, self.State.ACTIVE)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens: an act that was voted and waits is not over."""
        return self.state in self.TERMINAL

    @property
    def state_label(self) -> str:
        """Its state in words for people; a veto is told apart from a proposal that the chain refused."""
        if self.state == self.State.QUEUED:
            return gettext("Voted and waiting")
        return gettext("Vetoed") if self.vetoed_by else self.get_state_display()

    @property
    def is_act(self) -> bool:
        return self.contract == "ConsortiumGovernor"

    def count(self) -> Count:
        """The ballots that the chain has confirmed."""
        cast = [ballot for ballot in self.ballots.all() if ballot.counts]
        choices = {str(ballot.organization_id): ballot.choice for ballot in cast}
        owners = [owner for owner in self.owners if owner != str(self.organization_id)]
        values = list(choices.values())
        return Count(
            base=self.base,
            yes=values.count("yes"),
            no=values.count("no"),
            abstain=values.count("abstain"),
            owners=len(owners),
            owners_yes=sum(choices.get(owner) == "yes" for owner in owners),
            owners_refused=any(choices.get(owner) in {"no", "abstain"} for owner in owners),
        )

    def yes_needed(self) -> int:
        return yes_needed_for_act(self.base) if self.is_act else yes_needed(self._rule(), self.base)

    def is_settled(self) -> bool:
        """Whether the outcome stands already, by the same arithmetic as the contract's."""
        count = self.count()
        if self.is_act:
            return count.yes >= yes_needed_for_act(self.base) and self.base > 0
        return is_settled(self._rule(), count)

    def _rule(self) -> Rule:
        return Rule(self.rule["quorum_bps"], self.rule["threshold_bps"], self.rule["minimum_votes"])


class Ballot(ChainBacked, UuidModel):
    """One organization's vote; public among members. Which person approved it, the member alone knows."""

    class Choice(models.TextChoices):
        YES = "yes", _("Yes")
        NO = "no", _("No")
        ABSTAIN = "abstain", _("Abstain")

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="ballots")
    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="ballots")
    choice = models.CharField(_("choice"), max_length=7, choices=Choice.choices)
    is_struck = models.BooleanField(_("struck"), default=False)
    failure = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("ballot")
        verbose_name_plural = _("ballots")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["proposal", "organization"],
                condition=~Q(chain_state="failed"),
                name="one_ballot_an_organization",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.choice}"

    @property
    def counts(self) -> bool:
        return self.chain_state == "confirmed" and not self.is_struck
