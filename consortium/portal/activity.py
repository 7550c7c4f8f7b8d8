"""Recent acts in the logs that a person may read, in words, each with its proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from audit.log.states import with_state
from audit.models import AuditRecord
from audit.models.records import ActorKind, Outcome, RecordState
from audit.sentences import organizations_in, sentence
from consortium.common.parts import ProofMark
from consortium.membership.models import Organization
from consortium.portal.asker import Asker


@dataclass(frozen=True, slots=True)
class Act:
    """One act: when, in words, and its proof; private acts stand in the organization's own log."""

    when: datetime
    words: str
    proof: ProofMark
    is_private: bool
    is_refused: bool


def recent(asker: Asker, limit: int = 8) -> list[Act]:
    """The newest acts of the chosen consortium's log and of one's organization's own."""
    logs = Q()
    if asker.consortium is not None:
        logs |= Q(log__consortium_id=asker.consortium.pk)
    if asker.organization is not None:
        logs |= Q(log__organization_id=asker.organization.pk)
    if not logs:
        return []
    records = with_state(AuditRecord.objects.filter(logs).select_related("log").defer("canonical"))
    found = list(records.order_by("-recorded_at")[:limit])
    names = _names(found)
    return [_act(record, names) for record in found]


def words_of(record: AuditRecord, names: Mapping[UUID, str]) -> str:
    """The record in words, organizations by the names that the person may see."""
    is_organization = record.subject_kind == "organization"
    subject = names.get(UUID(record.subject_id), "") if is_organization else ""
    return sentence(record.action, record.body, names, subject=subject)


def _act(record: Any, names: Mapping[UUID, str]) -> Act:
    block = record.body.get("block")
    is_anchored = record.state == RecordState.ANCHORED
    state = "confirmed" if block is not None else "anchored" if is_anchored else "integrated"
    proof = ProofMark(state, _actor(record, names), record.recorded_at, block, record.digest, record.leaf_index)
    is_private = record.log.organization_id is not None
    return Act(record.recorded_at, words_of(record, names), proof, is_private, record.outcome == Outcome.REFUSED)


def _actor(record: AuditRecord, names: Mapping[UUID, str]) -> str:
    organization = names.get(record.actor_organization_id, _("A member")) if record.actor_organization_id else ""
    return {
        ActorKind.AGENT: _("%(name)s, by its agent") % {"name": organization},
        ActorKind.PERSON: _("A person of %(name)s") % {"name": organization},
    }.get(ActorKind(record.actor_kind), _("The platform, from the chain"))


def _names(records: list[Any]) -> dict[UUID, str]:
    wanted = {record.actor_organization_id for record in records if record.actor_organization_id}
    wanted |= {UUID(record.subject_id) for record in records if record.subject_kind == "organization"}
    wanted = wanted.union(*(organizations_in(record.body) for record in records))
    return dict(Organization.objects.filter(pk__in=wanted).values_list("pk", "name"))
