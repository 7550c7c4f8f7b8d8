"""One family of errors: what happened, what to do, and the three facts that doors need."""

from collections.abc import Mapping
from typing import Any, ClassVar


class ConsiliumError(Exception):
    """Base of every error that a person or another program may see.

    A subclass fixes `code` (stable, snake_case), `http_status` and `retryable`;
    the message says what happened and what to do. `fields` carries the values
    that a client may show, never payloads, secrets or subjects' identifiers.
    """

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields: Mapping[str, Any] = fields


class InvalidInputError(ConsiliumError):
    """The input breaks a stated rule; the same input will be refused again."""

    code = "invalid_input"
    http_status = 400


class NotFoundError(ConsiliumError):
    """Nothing of that name is visible to the asker, whether or not it exists."""

    code = "not_found"
    http_status = 404


class ForbiddenError(ConsiliumError):
    """The asker's own organization has it, but this person's role may not do this."""

    code = "forbidden"
    http_status = 403


class ConflictError(ConsiliumError):
    """The act does not fit the present state."""

    code = "conflict"
    http_status = 409


class UnavailableError(ConsiliumError):
    """A service that is needed does not answer; nothing was changed, try again."""

    code = "unavailable"
    http_status = 503
    retryable = True


class InvalidProofError(InvalidInputError):
    """A proof does not lead to the root it was given for; ask its author for another."""

    code = "invalid_proof"


class InvalidSignatureError(InvalidInputError):
    """A signature is malformed, or not by the key that was expected."""

    code = "invalid_signature"
