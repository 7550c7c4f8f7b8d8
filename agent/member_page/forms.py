"""Reads the page's forms: small, urlencoded, each field once."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from consortium.kernel.errors import InvalidInputError

MAX_FORM_BYTES = 16 * 1024
_MOST_FIELDS = 64
_URLENCODED = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields; `InvalidInputError` for anything a form of ours does not send."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _URLENCODED:
        raise InvalidInputError("The page takes its own forms only.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise InvalidInputError("The form is too large.")
    try:
        text = body.decode("ascii")
        fields = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise InvalidInputError("The form is malformed.") from error
    if len({name for name, _value in fields}) != len(fields):
        raise InvalidInputError("The form gives a field twice.")
    return dict(fields)
