"""Each recorded act as a sentence that a board member reads; the record itself stays what was hashed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from consortium.kernel.bands import EDGES, band_label

Names = Mapping[UUID, str]

# What a sentence may name: the record's own fields, `<field>_count` of a list, and organizations by their names.
SENTENCES: Mapping[str, str | Promise] = {
    "identity.login": lazy("A person logged in"),
    "identity.logout": lazy("A person logged out"),
    "identity.pass_phrase.change": lazy("A person changed their pass phrase"),
    "identity.agent_session.open": lazy("The organization's agent opened a session"),
    "membership.consortium.found": lazy("%(members_count)s members founded the consortium"),
    "membership.organization.apply": lazy("The organization applied for membership"),
    "membership.organization.admit": lazy("%(subject)s was admitted"),
    "membership.organization.suspend": lazy("%(subject)s was suspended"),
    "membership.organization.reinstate": lazy("%(subject)s was reinstated"),
    "membership.organization.remove": lazy("%(subject)s was removed"),
    "membership.validator.change": lazy("The node of %(subject)s was changed as validator"),
    "membership.key.relay": lazy("%(subject)s handed in a new %(purpose)s key"),
    "membership.key.rotate": lazy("%(subject)s replaced its %(purpose)s key"),
    "membership.policy.change": lazy("The members' policy changed"),
    "membership.organization.locate": lazy("The organization's country was set: %(country)s"),
    "membership.person.invite": lazy("A person was invited"),
    "membership.invitation.accept": lazy("An invited person came in"),
    "membership.invitation.revoke": lazy("An invitation was taken back"),
    "membership.person.suspend": lazy("A person was deactivated"),
    "membership.person.reinstate": lazy("A person was reactivated"),
    "membership.role.assign": lazy("A person was given the role %(role)s"),
    "membership.role.remove": lazy("The role %(role)s was taken from a person"),
    "membership.auditor.appoint": lazy("An auditor was appointed"),
    "membership.auditor.end": lazy("An auditor's appointment was ended"),
    "governance.proposal.open": lazy("A proposal was opened: %(kind)s"),
    "governance.ballot.relay": lazy("%(organization)s handed in its ballot: %(choice)s"),
    "governance.ballot.confirm": lazy("The ballot of %(organization)s counts: %(choice)s"),
    "governance.proposal.close": lazy("A vote ended %(outcome)s with %(yes)s yes and %(no)s no"),
    "governance.proposal.execute": lazy("A decision was carried out: %(kind)s"),
    "governance.proposal.cancel": lazy("A proposal was withdrawn"),
    "governance.veto.sign": lazy("%(organization)s signed against what had been voted"),
    "governance.proposal.veto": lazy("%(guardians)s vetoed what had been voted"),
    "consent.batch.import": lazy("Consents were imported: %(accepted)s accepted, %(refused)s refused"),
    "consent.grant.record": lazy("A consent was recorded"),
    "consent.withdrawal.record": lazy("A withdrawal of consent was recorded"),
    "consent.withdrawal.receive": lazy("The site signed the receipt of a withdrawal"),
    "consent.withdrawal.confirm": lazy("A withdrawal is in force from epoch %(epoch)s, entry %(seq)s"),
    "consent.subject.erase": lazy("A data subject's records were erased"),
    "consent.epoch.anchor": lazy("%(subject)s anchored its consents: epoch %(epoch)s, entry %(seq)s, %(band)s"),
    "consent.revocation.anchor": lazy("%(subject)s anchored revocations: epoch %(epoch)s, entry %(seq)s"),
    "consent.data_set.register": lazy("A member registered a data set"),
    "training.plan.draft": lazy("A plan was drafted"),
    "training.plan.propose": lazy("A plan was put to the vote"),
    "training.plan.decide": lazy("The members' vote on a plan: %(outcome)s"),
    "training.plan.retire": lazy("A plan was retired"),
    "training.run.create": lazy("A run was asked for"),
    "training.run.change": lazy("The run is %(state)s"),
    "training.lease.take": lazy("A coordinator took the run over, fence %(fence)s"),
    "training.round.open": lazy("Round %(round)s, attempt %(attempt)s opened with %(roster_count)s sites"),
    "training.round.close": lazy("Round %(round)s closed with the updates of %(survivors_count)s sites"),
    "training.attempt.abandon": lazy("Round %(round)s, attempt %(attempt)s was given up: %(reason)s"),
    "training.site.refuse": lazy("%(organization)s refused: %(reason)s"),
    "training.site.lose": lazy("%(organization)s was lost in round %(round)s, attempt %(attempt)s"),
    "model.candidate.register": lazy("A run's last weights were registered as a candidate"),
    "model.release.propose": lazy("A model's release was put to the vote"),
    "model.release.decide": lazy("The members' vote on the release: %(outcome)s"),
    "model.recall.decide": lazy("The members' vote on the recall: %(outcome)s"),
    "model.peer.decide": lazy("The members' vote on another consortium's proofs: %(outcome)s"),
    "model.peer.open": lazy("The proven history of another consortium began at the anchor that was voted for"),
    "model.peer.advance": lazy("Another consortium's header and the validators after it were proven"),
    "model.foreign.prove": lazy("It was proven that another consortium's chain says of a model: %(state)s"),
    "model.prediction.serve": lazy("The model answered %(rows)s rows"),
    "audit.personal.erase": lazy("The personal side of records was erased"),
    "audit.personal.expire": lazy("The personal side of old records was erased"),
    "audit.bundle.export": lazy("An evidence bundle was made"),
    "contracts.deploy": lazy("The contract %(contract)s was deployed"),
    "contracts.transaction.fail": lazy("A transaction failed: %(contract)s.%(function)s, %(reason)s"),
    "contracts.outbox.prune": lazy(
        "The platform dropped its copies of %(transactions)s old calls, which the chain holds"
    ),
}
# What is added where a record has the field.
_MORE: Mapping[str, tuple[str, str | Promise]] = {"training.run.change": ("reason", lazy(" (%(reason)s)"))}
_ORGANIZATIONS = frozenset({"organization"})


class _Fields(dict[str, str]):
    """A record's fields as a sentence writes them; one that the record lacks is said to be unknown."""

    def __missing__(self, key: str) -> str:
        return _("not stated")


def sentence(action: str, data: Mapping[str, Any], names: Names, *, subject: str = "") -> str:
    """Return the act in words; one without a sentence keeps its name, so that nothing is hidden.

    `subject` is the name of the organization that the act is about, if it is about one.
    """
    text = SENTENCES.get(action)
    if text is None:
        return action
    field, more = _MORE.get(action, ("", ""))
    fields = _fields(data, names)
    fields["subject"] = subject or _("A member")
    return f"{text}{more if field in data else ''}" % fields


def organizations_in(data: Mapping[str, Any]) -> set[UUID]:
    """Return the organizations that a sentence of this record names."""
    return {UUID(data[field]) for field in _ORGANIZATIONS if isinstance(data.get(field), str)}


def _fields(data: Mapping[str, Any], names: Names) -> _Fields:
    fields = _Fields()
    for name, value in data.items():
        if isinstance(value, list):
            fields[f"{name}_count"] = str(len(value))
        elif name in _ORGANIZATIONS:
            fields[name] = names.get(UUID(str(value)), _("a former member"))
        elif name == "band" and value in EDGES:
            fields[name] = _("%(band)s people") % {"band": band_label(value)}
        else:
            fields[name] = str(value).replace("_", " ")
    return fields
