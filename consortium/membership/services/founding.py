"""Founding: the first organizations, the policy, and the contracts that hold both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common import blobs
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import InvalidInputError
from consortium.membership.models import Consortium, Membership, Organization
from consortium.membership.services.applications import (
    KeyAddresses,
    checked_enode,
    profile_digest,
    publish_profile,
    record_keys,
)
from contracts.founding import DecisionRule, Founder, Founding

RULE_KINDS = ("approve_plan", "release_model", "recall_model", "grant_licence")
_KEYS = {"name", "slug", "founders", "policy", "runners", "guardian"}
_POLICY_KEYS = {"rules", "parameters", "voting_delay_seconds", "voting_period_seconds", "timelock_delay_seconds"}


@dataclass(frozen=True)
class FoundingDocument:
    """What the founders agreed on: who they are, with which keys, and the numbers they govern by.

    `policy` has `rules` (of each of RULE_KINDS), `parameters` of the registry, and the governor's
    delays; its digest goes on the chain. `runners` are the digests of the trusted runner that the
    founders accept, as `consilium-site plans runner` prints them; sites train with no other. `guardians`
    are the founders of whom `guardian_threshold` together may veto once what was voted; none is a choice.
    """

    name: str
    slug: str
    founders: Mapping[str, KeyAddresses]
    policy: Mapping[str, Any]
    runners: Sequence[str]
    guardians: Sequence[str]
    guardian_threshold: int


def parse_founding(value: Any) -> FoundingDocument:
    """Read a founding document strictly.

    Raises
    ------
    InvalidInputError
        Naming what is missing or unknown.
    """
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise InvalidInputError(f"A founding document has exactly these keys: {', '.join(sorted(_KEYS))}.")
    policy = value["policy"]
    if not isinstance(policy, dict) or not policy.keys() >= _POLICY_KEYS:
        raise InvalidInputError(f"A policy has at least these keys: {', '.join(sorted(_POLICY_KEYS))}.")
    if missing := set(RULE_KINDS) - policy["rules"].keys():
        raise InvalidInputError(f"The policy has no rule for: {', '.join(sorted(missing))}.")
    founders = {slug: KeyAddresses(**keys) for slug, keys in value["founders"].items()}
    if not founders:
        raise InvalidInputError("A consortium needs at least one founder.")
    guardians, threshold = _guardian(value["guardian"], founders)
    return FoundingDocument(
        value["name"], value["slug"], founders, policy, _runners(value["runners"]), guardians, threshold
    )


@transaction.atomic
def register_founding(document: FoundingDocument, *, chain_id: int) -> Founding:
    """Record consortium, founders and policy; what stands from an interrupted founding is used again.

    Returns the numbers for `contracts.deployment.deploy_consortium`.
    """
    consortium, is_new = Consortium.objects.get_or_create(
        slug=document.slug, defaults={"name": document.name, "chain_id": chain_id}
    )
    organizations = _organizations(document.founders)
    policy_digest = blobs.put_document(consortium_id=consortium.pk, document=document.policy)
    if is_new:
        for slug, keys in document.founders.items():
            membership = Membership.objects.create(
                consortium=consortium,
                organization=organizations[slug],
                validator=keys.validator,
                enode=checked_enode(keys),
                profile_digest=profile_digest(organizations[slug]),
            )
            record_keys(membership, keys)
            publish_profile(consortium.pk, organizations[slug])
        _record(consortium, list(organizations.values()))
    return Founding(
        consortium_id=consortium.pk,
        founders=[_founder(organizations[slug], keys) for slug, keys in document.founders.items()],
        rules=[DecisionRule(**document.policy["rules"][kind]) for kind in RULE_KINDS],
        parameters=document.policy["parameters"],
        policy=digest_to_bytes32(policy_digest),
        runners=[digest_to_bytes32(runner) for runner in document.runners],
        voting_delay_seconds=document.policy["voting_delay_seconds"],
        voting_period_seconds=document.policy["voting_period_seconds"],
        timelock_delay_seconds=document.policy["timelock_delay_seconds"],
        guardians=[organizations[slug].pk for slug in document.guardians],
        guardian_threshold=document.guardian_threshold,
        minimum_validators=document.policy["parameters"]["minimumValidators"],
    )


def _guardian(value: Any, founders: Mapping[str, KeyAddresses]) -> tuple[tuple[str, ...], int]:
    if not isinstance(value, dict) or value.keys() != {"members", "threshold"}:
        raise InvalidInputError("`guardian` has exactly these keys: members (slugs of founders), threshold.")
    members, threshold = value["members"], value["threshold"]
    if not isinstance(members, list) or len(set(members)) != len(members) or not set(members) <= founders.keys():
        raise InvalidInputError("The guardian's members are founders, each named once.")
    if not isinstance(threshold, int) or not 2 <= threshold <= max(len(members), 2):
        raise InvalidInputError("The guardian's threshold is at least 2, and at most the number of its members.")
    return tuple(members), threshold


def _runners(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidInputError("`runners` names at least one digest, as `consilium-site plans runner` prints it.")
    for runner in value:
        digest_to_bytes32(runner)
    return tuple(value)


def complete_founding(consortium_id: UUID) -> None:
    """Note that the contracts stand and nobody holds a right that was not voted."""
    Consortium.objects.filter(pk=consortium_id, founded_at__isnull=True).update(founded_at=timezone.now())


def _organizations(founders: Mapping[str, KeyAddresses]) -> dict[str, Organization]:
    known = {organization.slug: organization for organization in Organization.objects.filter(slug__in=founders)}
    if missing := founders.keys() - known.keys():
        raise InvalidInputError(
            f"There is no organization {', '.join(sorted(missing))} here. Use `manage.py create_organizations`."
        )
    return known


def _founder(organization: Organization, keys: KeyAddresses) -> Founder:
    return Founder(
        organization_id=organization.pk,
        vote_key=keys.vote_key,
        site_key=keys.site_key,
        profile=digest_to_bytes32(profile_digest(organization)),
        validator=keys.validator,
    )


def _record(consortium: Consortium, founders: Sequence[Organization]) -> None:
    record(
        action="membership.consortium.found",
        organization_id=None,
        consortium_id=consortium.pk,
        actor=Actor.system("founding"),
        subject=Subject("consortium", str(consortium.pk)),
        data={"chain_id": consortium.chain_id, "members": sorted(str(founder.pk) for founder in founders)},
    )
