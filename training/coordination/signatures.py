"""Site keys' signatures over the ledger's typed messages, checked before anything is passed on."""

import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.errors import InvalidSignatureError
from consortium.kernel.secp256k1 import recover
from consortium.membership.models import OrganizationKey
from training.federated.errors import SignatureRefusedError
from training.federated.secagg.deals import SignedFields

# A rotated key is known a second later; the chain and the other sites check by themselves.
FRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class SiteSignatures:
    """Checks signatures in one consortium; the registry's present keys are read anew each second."""

    consortium_id: UUID
    domain: Domain
    _keys: dict[UUID, str] = field(default_factory=dict)
    _read_at: list[float] = field(default_factory=lambda: [0.0])

    def verify(self, organization: UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        """Raise `SignatureRefusedError` unless the organization's site key signed these fields."""
        address = self.site_key(organization)
        try:
            signer = recover(typed_hash(self.domain, kind, fields), signature)
        except InvalidSignatureError as error:
            raise SignatureRefusedError(f"The signature of {organization} over {kind} is malformed.") from error
        if address is None or signer.lower() != address.lower():
            raise SignatureRefusedError(f"{kind} is not signed by the site key of {organization}.")

    def site_key(self, organization: UUID) -> str | None:
        """Return the address of the organization's present site key, as the registry's events said."""
        if time.monotonic() - self._read_at[0] > FRESH_SECONDS:
            self._keys.clear()
            self._keys.update(self._read())
            self._read_at[0] = time.monotonic()
        return self._keys.get(organization)

    def _read(self) -> dict[UUID, str]:
        keys = OrganizationKey.objects.filter(
            membership__consortium_id=self.consortium_id,
            purpose=OrganizationKey.Purpose.SITE,
            retired_at_block__isnull=True,
        )
        return dict(keys.values_list("membership__organization_id", "address"))
