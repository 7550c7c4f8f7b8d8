"""What an agent does about consents: posts what its site key signed, and learns which withdrawals wait."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.acts import Actor
from consent import selectors
from consent.api import documents
from consent.api.documents import SIGNATURE, UINT64
from consent.domain.documents import MAX_BATCH_BYTES
from consent.services import anchoring, batches, data_sets, erasure, receipts
from consortium.common.api import PROBLEM_TYPE, problem
from consortium.common.idempotency import answer_once
from consortium.common.openapi import results_of
from consortium.common.parsers import StrictJSONParser
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import from_hex
from consortium.membership.api.agent import AgentView

HASH = r"^0x[0-9a-f]{64}$"


class BoundedJSONParser(StrictJSONParser):
    """JSON of at most `MAX_BATCH_BYTES`: more is not read, let alone parsed."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        length = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        if length > MAX_BATCH_BYTES:
            raise ParseError(f"The body has more than {MAX_BATCH_BYTES} bytes. Send smaller batches.")
        return super().parse(stream, media_type, parser_context)


class ConsentAgentView(AgentView):
    """A signed message of the site; each is taken once for each Idempotency-Key."""

    parser_classes = [BoundedJSONParser]

    def actor(self) -> Actor:
        return Actor.agent(self.request.user.site_key, self.organization_id)  # type: ignore[union-attr]  # AgentIdentity

    def once(self, act: Callable[[], Response]) -> Response:
        return answer_once(self.request, organization_id=self.organization_id, principal="agent", act=act)

    def signed_document(self) -> tuple[dict[str, Any], str, str]:
        """Take digest and signature off the body; the rest is the document that was signed."""
        body = self.request.data
        form = documents.SignedDocumentSerializer(data=body)
        form.is_valid(raise_exception=True)
        named = body.items() if isinstance(body, dict) else ()
        document = {name: value for name, value in named if name not in ("digest", "signature")}
        return document, form.validated_data["digest"], form.validated_data["signature"]


class BatchesView(ConsentAgentView):
    """Take a batch of stripped consents."""

    @extend_schema(request=documents.SignedBatchSerializer, responses={201: documents.TAKEN_BATCH})
    def post(self, request: Request) -> Response:
        document, digest, signature = self.signed_document()

        def act() -> Response:
            row = batches.accept_batch(
                document=document,
                digest=digest,
                signature=signature,
                organization_id=self.organization_id,
                actor=self.actor(),
            )
            return Response({"batch": str(row.pk), "state": row.state, "accepted": row.accepted}, status=201)

        try:
            with transaction.atomic():
                return self.once(act)
        except InvalidInputError as error:
            batches.note_refusal(
                document=document, digest=digest, organization_id=self.organization_id, error=error, actor=self.actor()
            )
            return _refusal(error)


class WithdrawalsView(ConsentAgentView):
    """Withdrawals that wait for the site's receipt."""

    @extend_schema(responses=results_of(documents.WaitingWithdrawalSerializer))
    def get(self, request: Request) -> Response:
        return Response({"results": selectors.withdrawals_for_agent(self.organization_id)})


class ReceiptView(ConsentAgentView):
    """Take the site's signed receipt of a withdrawal, also of one that was made at the site."""

    @extend_schema(request=documents.SignedReceiptSerializer, responses={200: documents.TAKEN_RECEIPT})
    def post(self, request: Request, withdrawal: UUID) -> Response:
        document, _digest, signature = self.signed_document()

        def act() -> Response:
            row = receipts.take_receipt(
                withdrawal_id=withdrawal,
                document=document,
                signature=signature,
                organization_id=self.organization_id,
                actor=self.actor(),
            )
            return Response({"withdrawal": str(row.pk), "state": row.state})

        return self.once(act)


class EpochsView(ConsentAgentView):
    """Relay a signed epoch."""

    class SignedEpochSerializer(serializers.Serializer[Any]):
        consortium = serializers.UUIDField()
        epoch = serializers.IntegerField(min_value=1, max_value=UINT64)
        # DRF calls the parent of a nested serializer `root`; as a field of the form it is the epoch's.
        root = serializers.RegexField(HASH)  # type: ignore[assignment]  # shadows DRF's property on purpose
        band = serializers.IntegerField(min_value=0, max_value=2**32 - 1)
        seq = serializers.IntegerField(min_value=1, max_value=UINT64)
        as_of = serializers.IntegerField(min_value=1, max_value=2**33)
        signature = serializers.RegexField(SIGNATURE)
        withdrawals = serializers.ListField(child=serializers.UUIDField(), max_length=anchoring.MAX_WITHDRAWALS)

    @extend_schema(request=SignedEpochSerializer, responses={202: documents.RELAYED_EPOCH})
    def post(self, request: Request) -> Response:
        form = self.SignedEpochSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data

        def act() -> Response:
            signed = anchoring.SignedEpoch(
                consortium_id=given["consortium"],
                epoch=given["epoch"],
                root=from_hex(given["root"]),
                band=given["band"],
                seq=given["seq"],
                as_of=given["as_of"],
                signature=from_hex(given["signature"]),
                withdrawals=given["withdrawals"],
            )
            row = anchoring.relay_epoch(signed=signed, organization_id=self.organization_id, actor=self.actor())
            return Response({"epoch": str(row.pk), "state": row.chain_state}, status=202)

        return self.once(act)


class RevocationsView(ConsentAgentView):
    """Relay a signed urgent revocation."""

    class SignedRevocationSerializer(serializers.Serializer[Any]):
        consortium = serializers.UUIDField()
        epoch = serializers.IntegerField(min_value=1, max_value=UINT64)
        seq = serializers.IntegerField(min_value=1, max_value=UINT64)
        subjects = serializers.ListField(
            child=serializers.RegexField(HASH), min_length=1, max_length=anchoring.MAX_SUBJECTS
        )
        signature = serializers.RegexField(SIGNATURE)
        withdrawals = serializers.ListField(child=serializers.UUIDField(), max_length=anchoring.MAX_WITHDRAWALS)

    @extend_schema(request=SignedRevocationSerializer, responses={202: documents.RELAYED_REVOCATION})
    def post(self, request: Request) -> Response:
        form = self.SignedRevocationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data

        def act() -> Response:
            signed = anchoring.SignedRevocation(
                consortium_id=given["consortium"],
                epoch=given["epoch"],
                seq=given["seq"],
                subjects=[from_hex(subject) for subject in given["subjects"]],
                signature=from_hex(given["signature"]),
                withdrawals=given["withdrawals"],
            )
            row = anchoring.relay_revocation(signed=signed, organization_id=self.organization_id, actor=self.actor())
            return Response({"revocation": str(row.pk), "state": row.chain_state}, status=202)

        return self.once(act)


class DataSetsView(ConsentAgentView):
    """Register a data set."""

    @extend_schema(request=documents.SignedDataSetSerializer, responses={201: documents.REGISTERED_DATA_SET})
    def post(self, request: Request) -> Response:
        document, _digest, signature = self.signed_document()

        def act() -> Response:
            row = data_sets.register_data_set(
                document=document, signature=signature, organization_id=self.organization_id, actor=self.actor()
            )
            return Response({"data_set": str(row.pk), "schema_digest": row.schema_digest}, status=201)

        return self.once(act)


class ErasuresView(ConsentAgentView):
    """Erase a subject whose salts the site has deleted."""

    @extend_schema(request=documents.SignedErasureSerializer, responses={200: documents.TAKEN_ERASURE})
    def post(self, request: Request) -> Response:
        document, _digest, signature = self.signed_document()

        def act() -> Response:
            erased = erasure.take_erasure(
                document=document, signature=signature, organization_id=self.organization_id, actor=self.actor()
            )
            return Response({"grants": erased})

        return self.once(act)


def _refusal(error: InvalidInputError) -> Response:
    """Answer as an exception would, but let the note of the refusal be committed."""
    body = problem(
        status=error.http_status,
        code=error.code,
        detail=error.message,
        errors=getattr(error, "problems", None),
    )
    return Response(body, status=error.http_status, content_type=PROBLEM_TYPE)
