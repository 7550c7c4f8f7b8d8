"""What the site's part in training refuses, and why."""

from agent.errors import JobRefusedError
from consortium.kernel.errors import ConsiliumError, UnavailableError


class RunnerError(ConsiliumError):
    """The process that runs plans' code did not start, did not answer, or answered too much."""

    code = "runner_failed"


class RunnerStoppedError(RunnerError):
    """The plan's code was ended: its time was over, or the work was called off."""

    code = "runner_stopped"


class CodeRefusedError(RunnerError):
    """The plan's code refused rows or weights; `reason` is one of a few known words, never a text of its own."""

    code = "code_refused"

    @property
    def reason(self) -> str:
        """The library's code of the refusal."""
        return str(self.fields["reason"])


class NotYetError(UnavailableError):
    """The site's own node does not show it yet; it is looked at again."""

    code = "not_on_chain_yet"


def refused(reason: str, message: str) -> JobRefusedError:
    """Return the refusal of a piece of work under a code of docs/wire.md."""
    return JobRefusedError(message, reason=reason)
