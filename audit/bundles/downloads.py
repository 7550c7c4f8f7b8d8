"""Files that are handed out."""

from django.http import HttpResponse


def download(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    """Return bytes as a file to keep; no cache between holds evidence."""
    response = HttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
