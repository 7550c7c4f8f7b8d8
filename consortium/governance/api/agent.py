"""What an agent does about governance: learns which votes wait, proposes and casts, always signed at the member."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.acts import Actor
from consortium.common.idempotency import answer_once
from consortium.common.models import TransactionState
from consortium.common.openapi import answer_with, results_of
from consortium.governance import selectors
from consortium.governance.domain.kinds import Contract, kind_name
from consortium.governance.models import Ballot, Proposal
from consortium.governance.models.vetoes import LONGEST_REASON
from consortium.governance.services import ballots, proposals, vetoes
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex
from consortium.membership.api.agent import AgentView

SIGNATURE = r"^0x[0-9a-fA-F]{130}$"
ADDRESS = r"^0x[0-9a-fA-F]{40}$"
WORD = r"^0x([0-9a-fA-F]{64})?$"
RELAYED_BALLOT = answer_with(
    "RelayedBallot", ballot=serializers.UUIDField(), state=serializers.ChoiceField(TransactionState.choices)
)
RELAYED_VETO = answer_with("RelayedVeto", veto=serializers.UUIDField())
RELAYED_PROPOSAL = answer_with(
    "RelayedProposal", proposal=serializers.UUIDField(), state=serializers.ChoiceField(TransactionState.choices)
)


class BallotsView(AgentView):
    """Proposals on which the agent's organization may still vote."""

    class WaitingBallotSerializer(serializers.Serializer[Any]):
        proposal = serializers.UUIDField()
        consortium = serializers.UUIDField()
        contract = serializers.CharField()
        proposal_id = serializers.CharField()
        kind = serializers.CharField()
        subject = serializers.CharField(allow_null=True)
        title = serializers.CharField()
        document_digest = serializers.CharField(allow_null=True)
        closes_at = serializers.DateTimeField(allow_null=True)

    @extend_schema(responses=results_of(WaitingBallotSerializer))
    def get(self, request: Request) -> Response:
        return Response({"results": [describe(p) for p in selectors.waiting_for(self.organization_id)]})


class BallotView(AgentView):
    """Cast the organization's ballot."""

    class SignedBallotSerializer(serializers.Serializer[Any]):
        choice = serializers.ChoiceField(Ballot.Choice.choices)
        voter = serializers.RegexField(ADDRESS)
        signature = serializers.RegexField(SIGNATURE)

    @extend_schema(
        request=SignedBallotSerializer,
        responses={202: RELAYED_BALLOT},
    )
    def post(self, request: Request, proposal: UUID) -> Response:
        form = self.SignedBallotSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> Response:
            ballot = ballots.cast(
                proposal_id=proposal,
                organization_id=self.organization_id,
                choice=form.validated_data["choice"],
                voter=form.validated_data["voter"],
                signature=from_hex(form.validated_data["signature"]),
                actor=_actor(self),
            )
            return Response({"ballot": str(ballot.pk), "state": ballot.chain_state}, status=202)

        return answer_once(request, organization_id=self.organization_id, principal="agent", act=act)


class VetoesView(AgentView):
    """Acts that were voted, wait, and that the agent's organization may veto together with other guardians."""

    class WaitingActSerializer(BallotsView.WaitingBallotSerializer):
        pass

    @extend_schema(responses=results_of(WaitingActSerializer))
    def get(self, request: Request) -> Response:
        return Response({"results": [describe(p) for p in selectors.vetoable_by(self.organization_id)]})


class VetoView(AgentView):
    """Sign against an act that waits."""

    class SignedVetoSerializer(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=LONGEST_REASON)
        signature = serializers.RegexField(SIGNATURE)

    @extend_schema(request=SignedVetoSerializer, responses={202: RELAYED_VETO})
    def post(self, request: Request, proposal: UUID) -> Response:
        form = self.SignedVetoSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> Response:
            veto = vetoes.sign(
                proposal_id=proposal,
                organization_id=self.organization_id,
                reason=form.validated_data["reason"],
                signature=from_hex(form.validated_data["signature"]),
                actor=_actor(self),
            )
            return Response({"veto": str(veto.pk)}, status=202)

        return answer_once(request, organization_id=self.organization_id, principal="agent", act=act)


class ProposalsView(AgentView):
    """Propose an act or a decision that the organization's vote key signed."""

    class SignedProposalSerializer(serializers.Serializer[Any]):
        consortium = serializers.UUIDField()
        contract = serializers.ChoiceField([Contract.GOVERNOR.value, Contract.BOARD.value])
        kind = serializers.IntegerField(min_value=1, max_value=255)
        arguments = serializers.RegexField(r"^0x([0-9a-fA-F]{2}){0,4096}$", required=False, default="0x")
        subject = serializers.RegexField(WORD, required=False, default="0x")
        description = serializers.CharField(max_length=1_024, required=False, default="", allow_blank=True)
        policy = serializers.RegexField(WORD, required=False, default="0x")
        owners = serializers.ListField(child=serializers.RegexField(WORD), required=False, default=list, max_length=64)
        document_digest = serializers.RegexField(r"^(sha256:[0-9a-f]{64})?$", required=False, default="")
        nonce = serializers.IntegerField(min_value=0, max_value=2**53)
        deadline = serializers.IntegerField(min_value=1, max_value=2**53)
        signature = serializers.RegexField(SIGNATURE)

    @extend_schema(
        request=SignedProposalSerializer,
        responses={
            202: answer_with(
                "RelayedProposal",
                proposal=serializers.UUIDField(),
                state=serializers.ChoiceField(TransactionState.choices),
            )
        },
    )
    def post(self, request: Request) -> Response:
        form = self.SignedProposalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        signed = _signed(form.validated_data)

        def act() -> Response:
            proposal = proposals.propose(signed=signed, organization_id=self.organization_id, actor=_actor(self))
            return Response({"proposal": str(proposal.pk), "state": proposal.chain_state}, status=202)

        return answer_once(request, organization_id=self.organization_id, principal="agent", act=act)


def _signed(given: dict[str, Any]) -> proposals.SignedProposal:
    policy = from_hex(given["policy"])
    return proposals.SignedProposal(
        consortium_id=given["consortium"],
        contract=given["contract"],
        kind=kind_name(given["contract"], given["kind"]),
        arguments=from_hex(given["arguments"]),
        subject=from_hex(given["subject"]),
        description=given["description"],
        policy=bytes32_to_digest(policy) if policy else "",
        owners=[bytes32_to_uuid(from_hex(owner)) for owner in given["owners"]],
        document_digest=given["document_digest"],
        deadline=given["deadline"],
        signature=from_hex(given["signature"]),
    )


def _actor(view: AgentView) -> Actor:
    return Actor.agent(view.request.user.site_key, view.organization_id)  # type: ignore[union-attr] # AgentIdentity


def describe(proposal: Proposal) -> dict[str, Any]:
    """A waiting vote as the agent gets it: a pointer; the agent reads the act itself on its own node."""
    return {
        "proposal": str(proposal.pk),
        "consortium": str(proposal.consortium_id),
        "contract": proposal.contract,
        "proposal_id": proposal.chain_key,
        "kind": proposal.kind,
        "subject": proposal.subject or None,
        "title": proposal.description or proposal.kind,
        "document_digest": proposal.document_digest or None,
        "closes_at": proposal.closes_at.isoformat() if proposal.closes_at else None,
    }
