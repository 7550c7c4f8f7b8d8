"""What an agent asks about training besides its work: drafts of its organization that wait to be proposed."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consortium.common.openapi import results_of
from consortium.membership.api.agent import AgentView
from training import selectors
from training.api.serializers import PlanForSignatureSerializer
from training.services.plans import plan_for_signature


class DraftsView(AgentView):
    """Drafted plans of the agent's organization, each with what `OpenDecision` carries."""

    @extend_schema(responses=results_of(PlanForSignatureSerializer))
    def get(self, request: Request) -> Response:
        return Response({"results": [plan_for_signature(plan) for plan in selectors.drafts_of(self.organization_id)]})
