"""Takes a file that a browser sends: streamed into a private file, refused before its first byte where it must be.

A form sends its fields before its file, so that whoever may not send one is known when the file begins.
"""

from collections.abc import Callable

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from agent.consents.imports import Upload
from consortium.kernel.errors import ConsiliumError, InvalidInputError

_MULTIPART = b"multipart/form-data"
# What a form of ours has besides the file.
_MOST_FIELDS = 16
_MAX_FIELD_BYTES = 4096
_MAX_HEADER_BYTES = 4096
_FORM_ROOM = 64 * 1024


class FileTooLargeError(ConsiliumError):
    """The file is longer than the page takes."""

    code = "file_too_large"
    http_status = 413


class UploadReader:
    """Reads one form with one file.

    Parameters
    ----------
    admit : called with the fields when the file begins, returns where its bytes go, or refuses by raising
    largest : the most bytes of the file
    """

    def __init__(self, admit: Callable[[dict[str, str], str], Upload], *, largest: int) -> None:
        self.fields: dict[str, str] = {}
        self.upload: Upload | None = None
        self._admit = admit
        self._largest = largest
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = bytearray(), bytearray()
        self._name = ""
        self._is_file = False
        self._content = bytearray()

    async def read(self, request: Request) -> Upload:
        """Return the file; whatever goes wrong, nothing of it stays.

        Raises
        ------
        InvalidInputError, FileTooLargeError
            If it is no form of ours, or the file is too long.
        """
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != _MULTIPART or not boundary:
            raise InvalidInputError("The page takes its own forms only.")
        self._require_length(request)
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._grow(self._field, data[start:end]),
                "on_header_value": lambda data, start, end: self._grow(self._value, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open_part,
                "on_part_data": lambda data, start, end: self._take(data[start:end]),
                "on_part_end": self._end_part,
            },
        )
        try:
            async for piece in request.stream():
                parser.write(piece)
            parser.finalize()
        except MultipartParseError as error:
            self._discard()
            raise InvalidInputError("The form is malformed. Send the file again.") from error
        except BaseException:
            self._discard()
            raise
        if self.upload is None:
            raise InvalidInputError("Choose a file first.", field="file")
        return self.upload

    def _require_length(self, request: Request) -> None:
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._largest + _FORM_ROOM:
            raise self._too_large()

    def _begin_part(self) -> None:
        self._headers, self._content, self._is_file, self._name = {}, bytearray(), False, ""

    def _grow(self, part: bytearray, data: bytes) -> None:
        part += data
        if len(part) > _MAX_HEADER_BYTES:
            raise InvalidInputError("The form is malformed. Send the file again.")

    def _end_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def _open_part(self) -> None:
        _kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("ascii", "replace")
        if b"filename" not in options:
            if self._name in self.fields or len(self.fields) >= _MOST_FIELDS:
                raise InvalidInputError("The form gives a field twice, or too many.")
            return
        self._is_file = True
        if self.upload is not None:
            raise InvalidInputError("The form sends more than one file.")
        name = options[b"filename"].decode("utf-8", "replace")
        if name:
            self.upload = self._admit(dict(self.fields), name)

    def _take(self, data: bytes) -> None:
        if not self._is_file:
            self._content += data
            if len(self._content) > _MAX_FIELD_BYTES:
                raise InvalidInputError("The form is too large.")
        elif self.upload is not None:
            if self.upload.size + len(data) > self._largest:
                raise self._too_large()
            self.upload.write(data)

    def _end_part(self) -> None:
        if not self._is_file:
            self.fields[self._name] = self._content.decode("utf-8", "replace")

    def _discard(self) -> None:
        if self.upload is not None:
            self.upload.discard()

    def _too_large(self) -> ConsiliumError:
        return FileTooLargeError(
            f"The file has more than {self._largest // 2**20} MiB, and nothing of it was kept. Send it in parts, or "
            "use the command line: consilium-site consents import FILE",
            field="file",
        )
