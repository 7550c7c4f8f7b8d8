"""POST twice, act once: the answer is remembered in the transaction that made it true.

A second request with the same key waits for the first one's transaction (the unique
index makes it), then gets the same answer. A refused request leaves no trace of its key.
"""

import json
import re
from collections.abc import Callable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from consortium.common.models import RememberedAnswer
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import ConsiliumError, InvalidInputError

HEADER = "Idempotency-Key"
# Visible ASCII: what every client, proxy and log carries unchanged.
KEY_PATTERN = r"^[\x21-\x7e]{1,200}$"
REPLAYED_HEADER = "Idempotent-Replayed"


class KeyReusedError(ConsiliumError):
    """The same key came with another request."""

    code = "idempotency_key_reused"
    http_status = 422


def answer_once(
    request: Request, *, organization_id: UUID | None, principal: str, act: Callable[[], Response]
) -> Response:
    """Run `act` unless this key was answered before; then give that answer again.

    Without an organization the principal is the id of a person who acts for none.

    Raises
    ------
    InvalidInputError
        Without a key.
    KeyReusedError
        If the key was used for another body; nothing is changed then.
    """
    key = _key(request)
    identity = {
        "organization_id": organization_id,
        "principal": principal,
        "route": f"{request.method} {request.path}"[:200],
        "key": key,
    }
    fingerprint = digest_of(request.data)
    try:
        with transaction.atomic():
            row = RememberedAnswer.objects.create(fingerprint=fingerprint, **identity)
    except IntegrityError:
        return _replay(RememberedAnswer.objects.get(**identity), fingerprint)
    response = act()
    body = json.loads(JSONRenderer().render(response.data)) if response.data else {}
    RememberedAnswer.objects.filter(pk=row.pk).update(status=response.status_code, body=body)
    return response


def _key(request: Request) -> str:
    key = request.headers.get(HEADER, "")
    if not re.fullmatch(KEY_PATTERN, key):
        raise InvalidInputError(
            _(
                "Send a header Idempotency-Key of 1 to 200 visible ASCII characters, new for each act and the same for"
                " its repetition."
            )
        )
    return key


def _replay(row: RememberedAnswer, fingerprint: str) -> Response:
    if row.fingerprint != fingerprint:
        raise KeyReusedError(_("This Idempotency-Key was used for another request. Use a new one."))
    return Response(row.body, status=row.status, headers={REPLAYED_HEADER: "true"})
