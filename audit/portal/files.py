"""Files of the evidence: the bundle, the report in its forms as it lies in the bundle, the trust file."""

import json
import zipfile
from io import BytesIO
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from audit.bundles.downloads import download
from audit.bundles.exporters import exporter_in, require_reader
from audit.bundles.requests import access_bundle, content_of
from audit.bundles.trust import export_trust
from audit.models import Bundle
from audit.portal.doors import refusals_in_words
from consortium.kernel.errors import ConsiliumError, ForbiddenError, NotFoundError

_TYPES = {"pdf": "application/pdf", "json": "application/json", "html": "text/html; charset=utf-8"}


@require_GET
@refusals_in_words
def bundle_file(request: HttpRequest, bundle: UUID) -> HttpResponse:
    """A finished bundle as a file."""
    found = _own(request, bundle)
    try:
        return download(content_of(found), name=f"consilium-{found.pk}.zip", content_type="application/zip")
    except ConsiliumError as error:
        return _back_with(request, error, found)


@require_GET
@refusals_in_words
def report_file(request: HttpRequest, bundle: UUID, form: str) -> HttpResponse:
    """The report as PDF, JSON or page: the very bytes that lie in the bundle, held to its digest."""
    found = _own(request, bundle)
    try:
        with zipfile.ZipFile(BytesIO(content_of(found))) as archive:
            content = archive.read(f"report.{form}")
    except ConsiliumError as error:
        return _back_with(request, error, found)
    return download(content, name=f"{found.report}-{found.pk}.{form}", content_type=_TYPES[form])


@require_GET
@refusals_in_words
def trust_file(request: HttpRequest, consortium: UUID) -> HttpResponse:
    """The trust file as this deployment knows it, to compare with another member's."""
    exporter_in(request, consortium)
    try:
        content = json.dumps(export_trust(consortium), indent=2, ensure_ascii=False) + "\n"
    except (ForbiddenError, NotFoundError):
        raise
    except ConsiliumError as error:
        messages.error(request, error.message)
        return redirect("reports")
    return download(content.encode(), name=f"trust-{consortium}.json", content_type="application/json")


def _own(request: HttpRequest, bundle: UUID) -> Bundle:
    """Return a bundle of one's own: 404 before 403, so that a stranger learns nothing."""
    return require_reader(request, access_bundle(bundle))


def _back_with(request: HttpRequest, error: ConsiliumError, bundle: Bundle) -> HttpResponse:
    messages.error(request, error.message)
    return redirect("report", bundle=bundle.pk)
