"""The content-addressed store: put bytes, get them back by digest, checked both times."""

from uuid import UUID

from django.utils.translation import gettext as _

from consortium.common.models import Blob
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest
from consortium.kernel.errors import NotFoundError

JSON_TYPE = "application/json"
SAFETENSORS_TYPE = "application/vnd.safetensors"
BYTES_TYPE = "application/octet-stream"


def put(*, consortium_id: UUID, data: bytes, media_type: str = BYTES_TYPE) -> str:
    """Keep `data` for the consortium and return its digest; the same bytes are kept once."""
    digest = sha256_digest(data)
    Blob.objects.get_or_create(
        consortium_id=consortium_id, digest=digest, defaults={"data": data, "media_type": media_type}
    )
    return digest


def put_document(*, consortium_id: UUID, document: object) -> str:
    """Keep a document as canonical JSON and return its digest."""
    return put(consortium_id=consortium_id, data=canonical_json(document), media_type=JSON_TYPE)


def get(*, consortium_id: UUID, digest: str) -> Blob:
    """Return the blob of that digest; one of another consortium is as unknown as none at all."""
    blob = Blob.objects.filter(consortium_id=consortium_id, digest=digest).first()
    if blob is None:
        raise NotFoundError(_("Nothing with this digest is visible to you."))
    return blob


def find(*, digest: str) -> Blob:
    """Return the blob of that digest in any consortium that the asker belongs to."""
    blob = Blob.objects.filter(digest=digest).first()
    if blob is None:
        raise NotFoundError(_("Nothing with this digest is visible to you."))
    return blob
