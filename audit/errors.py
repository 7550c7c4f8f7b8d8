"""What the recorder refuses."""

from consortium.kernel.errors import InvalidInputError


class UnknownActionError(InvalidInputError):
    """No action of this name is in the table of actions."""

    code = "unknown_action"


class InvalidRecordError(InvalidInputError):
    """The act does not fit its action: its log, its subject, or its data."""

    code = "invalid_record"
