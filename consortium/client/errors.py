"""What can go wrong between a person's command line and the platform."""

from consortium.kernel.errors import ConsiliumError, InvalidInputError


class NotLoggedInError(ConsiliumError):
    """The platform does not take the e-mail address and pass phrase."""

    code = "not_logged_in"
    http_status = 401


class PlatformAwayError(ConsiliumError):
    """The platform does not answer."""

    code = "platform_away"
    http_status = 503


class RefusedError(ConsiliumError):
    """The platform refused a request; the message is its own."""

    code = "refused"
    http_status = 409


class NotComeAboutError(ConsiliumError):
    """What was waited for did not come about in time."""

    code = "not_come_about"
    http_status = 409


class UnknownFieldError(InvalidInputError):
    """The answer has no such field."""

    code = "unknown_field"
