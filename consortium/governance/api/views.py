"""Proposals as members read them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consortium.governance import selectors
from consortium.governance.access import access_proposal
from consortium.governance.models import Ballot, Proposal, Veto
from consortium.membership.access import access_consortium


class BallotSerializer(serializers.ModelSerializer[Ballot]):
    class Meta:
        model = Ballot
        fields = ["organization", "choice", "chain_state", "confirmed_block", "transaction_hash", "is_struck"]


class VetoSerializer(serializers.ModelSerializer[Veto]):
    class Meta:
        model = Veto
        fields = ["organization", "reason", "voter", "signature", "created_at"]


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    ballots = BallotSerializer(many=True)
    vetoes = VetoSerializer(many=True)
    yes_needed = serializers.SerializerMethodField()
    tally = serializers.SerializerMethodField()

    class Meta:
        model = Proposal
        fields = [
            *("id", "consortium", "organization", "contract", "kind", "chain_key", "subject", "description"),
            *("document_digest", "policy_digest", "owners", "state", "chain_state", "base", "yes_needed", "tally"),
            *("opened_at", "closes_at", "executable_at", "confirmed_block", "settled_block", "transaction_hash"),
            *("created_at", "ballots", "vetoed_by", "vetoes"),
        ]

    def get_yes_needed(self, proposal: Proposal) -> int | None:
        return proposal.yes_needed() if proposal.base and (proposal.is_act or proposal.rule) else None

    def get_tally(self, proposal: Proposal) -> dict[str, int]:
        count = proposal.count()
        return {"yes": count.yes, "no": count.no, "abstain": count.abstain, "base": count.base}


class ProposalsView(generics.ListAPIView[Proposal]):
    """Proposals of a consortium, newest first."""

    serializer_class = ProposalSerializer
    queryset = Proposal.objects.none()

    def get_queryset(self) -> QuerySet[Proposal]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.proposals(access_consortium(self.kwargs["consortium"]).pk)


class ProposalView(APIView):
    """One proposal with its ballots and tally."""

    @extend_schema(responses=ProposalSerializer)
    def get(self, request: Request, proposal: UUID) -> Response:
        access_proposal(proposal)
        found: Any = selectors.proposals().get(pk=proposal)
        return Response(ProposalSerializer(found).data)
