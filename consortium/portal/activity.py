"""Recent acts in the logs that a person may read, in words, each with its proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.log.states import with_state
from audit.models import AuditRecord
from audit.models.records import ActorKind, Outcome, RecordState
from consortium.common.parts import ProofMark
from consortium.kernel.bands import band_label
from consortium.kernel.errors import InvalidInputError
from consortium.membership.models import Organization
from consortium.portal.asker import Asker

# What a record says; the names in it are fields of the record. An act without words here is shown by its name.
_WORDS: Mapping[str, Any] = {
    "membership.consortium.found": gettext_lazy("The consortium was founded"),
    "membership.organization.admit": gettext_lazy("%(subject)s was admitted"),
    "membership.organization.suspend": gettext_lazy("%(subject)s was suspended"),
    "membership.organization.reinstate": gettext_lazy("%(subject)s was reinstated"),
    "membership.organization.remove": gettext_lazy("%(subject)s was removed"),
    "membership.organization.apply": gettext_lazy("Your organization applied for admission"),
    "membership.key.rotate": gettext_lazy("%(subject)s replaced its %(purpose)s key"),
    "membership.validator.change": gettext_lazy("The node of %(subject)s was changed as validator"),
    "membership.policy.change": gettext_lazy("Another policy was adopted"),
    "membership.person.invite": gettext_lazy("Somebody was invited"),
    "membership.invitation.accept": gettext_lazy("An invited person came in"),
    "membership.invitation.revoke": gettext_lazy("An invitation was taken back"),
    "membership.person.suspend": gettext_lazy("A person was deactivated"),
    "membership.person.reinstate": gettext_lazy("A person was reactivated"),
    "membership.role.assign": gettext_lazy("A person was given the role %(role)s"),
    "membership.role.remove": gettext_lazy("The role %(role)s was taken from a person"),
    "membership.auditor.appoint": gettext_lazy("An auditor was appointed"),
    "membership.auditor.end": gettext_lazy("An auditor's appointment was ended"),
    "governance.proposal.open": gettext_lazy("%(actor)s proposed: %(kind)s"),
    "governance.ballot.relay": gettext_lazy("%(organization)s signed a ballot: %(choice)s"),
    "governance.ballot.confirm": gettext_lazy("%(organization)s voted %(choice)s"),
    "governance.proposal.close": gettext_lazy("A vote ended: %(outcome)s, %(yes)s yes and %(no)s no"),
    "governance.proposal.execute": gettext_lazy("Carried out: %(kind)s"),
    "consent.batch.import": gettext_lazy("Consents imported: %(accepted)s accepted, %(refused)s refused"),
    "consent.withdrawal.record": gettext_lazy("A withdrawal was recorded"),
    "consent.withdrawal.receive": gettext_lazy("Your agent received a withdrawal"),
    "consent.withdrawal.confirm": gettext_lazy("A withdrawal is in force"),
    "consent.subject.erase": gettext_lazy("A person's data was erased"),
    "consent.epoch.anchor": gettext_lazy("%(subject)s anchored consent epoch %(epoch)s, %(band)s"),
    "consent.revocation.anchor": gettext_lazy("%(subject)s anchored a revocation within epoch %(epoch)s"),
    "consent.data_set.register": gettext_lazy("%(actor)s registered a data set, %(band)s"),
    "training.plan.draft": gettext_lazy("A plan was drafted"),
    "training.plan.propose": gettext_lazy("A plan was put to the vote"),
    "training.plan.decide": gettext_lazy("A plan was decided: %(outcome)s"),
    "training.plan.retire": gettext_lazy("A plan was retired"),
    "training.run.create": gettext_lazy("A run was started"),
    "training.run.change": gettext_lazy("A run is %(state)s"),
    "training.lease.take": gettext_lazy("A coordinator took a run over"),
    "training.round.open": gettext_lazy("Round %(round)s of a run opened"),
    "training.round.close": gettext_lazy("Round %(round)s of a run closed"),
    "training.attempt.abandon": gettext_lazy("An attempt at round %(round)s was given up"),
    "training.site.refuse": gettext_lazy("%(organization)s refused: %(reason)s"),
    "training.site.lose": gettext_lazy("%(organization)s was lost in round %(round)s"),
    "model.candidate.register": gettext_lazy("A model was registered as candidate"),
    "model.release.propose": gettext_lazy("A model's release was proposed"),
    "model.release.decide": gettext_lazy("A model's release was decided: %(outcome)s"),
    "model.recall.decide": gettext_lazy("A model's recall was decided: %(outcome)s"),
    "model.prediction.serve": gettext_lazy("A model scored %(rows)s rows"),
    "audit.bundle.export": gettext_lazy("Evidence was exported"),
    "contracts.deploy": gettext_lazy("The contract %(contract)s was deployed"),
    "contracts.transaction.fail": gettext_lazy("The chain refused a call of %(contract)s"),
}


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


def words_of(record: AuditRecord, names: Mapping[str, str]) -> str:
    """The record in words; its action's name where there are none, or a field that they need is missing."""
    words = _WORDS.get(record.action)
    if words is None:
        return record.action
    given = {name: _said(name, value, names) for name, value in record.body.items()}
    given |= {"subject": names.get(record.subject_id, _("A member")), "actor": _actor(record, names)}
    try:
        return str(words) % given
    except KeyError:
        return record.action


def _act(record: Any, names: Mapping[str, str]) -> Act:
    block = record.body.get("block")
    is_anchored = record.state == RecordState.ANCHORED
    state = "confirmed" if block is not None else "anchored" if is_anchored else "integrated"
    proof = ProofMark(state, _actor(record, names), record.recorded_at, block, record.digest, record.leaf_index)
    is_private = record.log.organization_id is not None
    return Act(record.recorded_at, words_of(record, names), proof, is_private, record.outcome == Outcome.REFUSED)


def _actor(record: AuditRecord, names: Mapping[str, str]) -> str:
    organization = names.get(str(record.actor_organization_id), _("A member"))
    return {
        ActorKind.AGENT: _("%(name)s, by its agent") % {"name": organization},
        ActorKind.PERSON: _("A person of %(name)s") % {"name": organization},
    }.get(ActorKind(record.actor_kind), _("The platform, from the chain"))


def _said(name: str, value: Any, names: Mapping[str, str]) -> str:
    if name == "organization":
        return names.get(str(value), _("A member"))
    if name == "band":
        try:
            return _("%(band)s people") % {"band": band_label(int(value))}
        except (InvalidInputError, ValueError):
            return str(value)
    return str(value).replace("_", " ")


def _names(records: list[Any]) -> dict[str, str]:
    wanted = {str(record.actor_organization_id) for record in records}
    wanted |= {record.subject_id for record in records if record.subject_kind == "organization"}
    wanted |= {str(record.body["organization"]) for record in records if "organization" in record.body}
    ids = [UUID(one) for one in wanted if one != "None"]
    return {str(pk): name for pk, name in Organization.objects.filter(pk__in=ids).values_list("pk", "name")}
