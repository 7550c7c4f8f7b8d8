"""Which contracts a consortium has, and where."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from contracts.events import ContractReference


class ContractDeployment(UuidModel):
    """One contract of a consortium, known from the receipt of its creation."""

    consortium_id = models.UUIDField(_("consortium"))
    name = models.CharField(_("contract"), max_length=60)
    address = models.CharField(_("address"), max_length=42)
    block = models.PositiveBigIntegerField(_("block"))
    transaction_hash = models.CharField(_("transaction"), max_length=66, blank=True, default="")
    # What its events looked like when it was deployed: a contract never changes, what ships with us does.
    schema = models.CharField(_("schema of its events"), max_length=16, blank=True, default="")
    constructor_arguments = models.JSONField(_("constructor's arguments"), default=list)

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering = ["block", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium_id", "name"], name="contract_once_a_consortium"),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.address}"

    @property
    def reference(self) -> ContractReference:
        return ContractReference(self.name, self.address, self.schema)
