"""Vetoing: guardians sign at their own agents, the platform gathers the signatures, the guardian's contract counts."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.governance.access import access_proposal
from consortium.governance.domain.kinds import Contract
from consortium.governance.domain.operations import GUARDIAN, timelock_salt, veto_digest
from consortium.governance.errors import AlreadySignedError, NotGuardianError, NotVetoableError, VetoSignatureError
from consortium.governance.models import GuardianRule, Proposal, Veto
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import from_hex, to_hex, uuid_to_bytes32
from consortium.kernel.secp256k1 import recover
from consortium.membership.access import require_member
from consortium.membership.models import Membership, OrganizationKey
from contracts.models import ContractDeployment

# The guardian's own replacement is beyond its reach, or it could never be replaced.
OWN_REPLACEMENT = "set_guardian"


def sign(*, proposal_id: UUID, organization_id: UUID, reason: str, signature: bytes, actor: Actor) -> Veto:
    """Record a guardian's signature against an act that waits; it is relayed once there are enough.

    Raises
    ------
    NotFoundError, ForbiddenError
        If the organization does not see the proposal, or is no member or no guardian of its consortium.
    NotVetoableError
        If nothing waits that could be stopped; the message says why.
    AlreadySignedError
        If the organization has signed with the key that it has now.
    VetoSignatureError
        If the signature is of another key, or over something else.
    """
    proposal = access_proposal(proposal_id)
    require_member(proposal.consortium_id, organization_id)
    require_vetoable(proposal)
    if not is_guardian(proposal.consortium_id, organization_id):
        raise NotGuardianError(_("Your organization is no guardian of this consortium: the members appoint them."))
    voter = _require_own(proposal, organization_id, signature)
    if proposal.vetoes.filter(organization_id=organization_id, voter__iexact=voter).exists():
        raise AlreadySignedError(_("Your organization has signed against this act already."))
    veto = Veto.objects.create(
        proposal=proposal,
        consortium_id=proposal.consortium_id,
        organization_id=organization_id,
        reason=reason,
        voter=voter,
        signature=to_hex(signature),
    )
    record(
        action="governance.veto.sign",
        organization_id=None,
        consortium_id=proposal.consortium_id,
        actor=actor,
        subject=Subject("proposal", str(proposal.pk)),
        data={"organization": str(organization_id)},
    )
    return veto


def require_vetoable(proposal: Proposal) -> None:
    """Refuse what no guardian can stop, in words: `NotVetoableError`."""
    if why := why_not_vetoable(proposal):
        raise NotVetoableError(why)


def why_not_vetoable(proposal: Proposal) -> str:
    """Return why no guardian can stop a proposal, empty if one can."""
    if proposal.contract != Contract.GOVERNOR:
        return _("Only what changes the consortium itself waits in the timelock. A decision like this has no veto.")
    if proposal.vetoed_by:
        return _("This act was vetoed.")
    if proposal.state == Proposal.State.EXECUTED:
        return _("This act was carried out; a veto comes too late. Propose to undo it.")
    if proposal.state != Proposal.State.QUEUED:
        return _("Nothing waits here: an act can be vetoed from the end of its vote until it is carried out.")
    if proposal.kind == OWN_REPLACEMENT:
        return _("The guardian cannot veto a change of itself.")
    if was_vetoed_before(proposal):
        return _("The same act was vetoed before, and the members voted again: a veto is had once.")
    return ""


def was_vetoed_before(proposal: Proposal) -> bool:
    """Whether the very same call was vetoed in another proposal."""
    same = Proposal.objects.filter(
        consortium_id=proposal.consortium_id,
        call__targets=proposal.call.get("targets"),
        call__calldatas=proposal.call.get("calldatas"),
    )
    return same.exclude(pk=proposal.pk).exclude(vetoed_by=[]).exists()


def is_guardian(consortium_id: UUID, organization_id: UUID) -> bool:
    """Whether the members have appointed the organization."""
    rule = GuardianRule.objects.filter(consortium_id=consortium_id).first()
    return rule is not None and str(organization_id) in rule.organizations


def standing(proposal: Proposal) -> list[Veto]:
    """The signatures that the contract would count now: of guardians that are active, by the keys they have now."""
    rule = GuardianRule.objects.filter(consortium_id=proposal.consortium_id).first()
    keys = dict(
        OrganizationKey.objects.filter(
            membership__consortium_id=proposal.consortium_id,
            membership__status=Membership.Status.ACTIVE,
            membership__organization_id__in=rule.organizations if rule else [],
            purpose=OrganizationKey.Purpose.VOTE,
            retired_at_block__isnull=True,
        ).values_list("membership__organization_id", "address")
    )
    given = proposal.vetoes.order_by("created_at")
    return [veto for veto in given if veto.voter.casefold() == keys.get(veto.organization_id, "").casefold()]


def complete_call(proposal: Proposal) -> list[Any] | None:
    """Return the arguments of the guardian's `veto` if enough signatures stand, else None."""
    rule = GuardianRule.objects.filter(consortium_id=proposal.consortium_id).first()
    if rule is None or why_not_vetoable(proposal):
        return None
    signed = standing(proposal)
    if len(signed) < rule.threshold:
        return None
    signatures = [
        {"organization": uuid_to_bytes32(veto.organization_id), "signature": from_hex(veto.signature)}
        for veto in signed
    ]
    salt = timelock_salt(_address(proposal, Contract.GOVERNOR), proposal.call["description"])
    return [proposal.call["targets"][0], from_hex(proposal.call["calldatas"][0]), salt, signatures]


def _require_own(proposal: Proposal, organization_id: UUID, signature: bytes) -> str:
    """Return the address that signed; one bad signature would make the contract refuse all of them."""
    digest = veto_digest(
        governor=_address(proposal, Contract.GOVERNOR),
        guardian=_address(proposal, GUARDIAN),
        chain_id=proposal.consortium.chain_id,
        call=proposal.call,
    )
    try:
        voter = recover(digest, signature)
    except InvalidInputError as error:
        raise VetoSignatureError(_("This is no signature that a contract would take.")) from error
    held = OrganizationKey.objects.filter(
        membership__consortium_id=proposal.consortium_id,
        membership__organization_id=organization_id,
        purpose=OrganizationKey.Purpose.VOTE,
        retired_at_block__isnull=True,
        address__iexact=voter,
    )
    if not held.exists():
        raise VetoSignatureError(_("The signature is not of your organization's vote key over this very act."))
    return voter


def _address(proposal: Proposal, contract: str) -> str:
    return ContractDeployment.objects.get(consortium_id=proposal.consortium_id, name=contract).address
