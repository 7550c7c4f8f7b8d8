"""What the member's own program refuses, and why."""

from consortium.kernel.errors import ConflictError, ConsiliumError, ForbiddenError, InvalidInputError, UnavailableError


class FolderError(ConsiliumError):
    """The site's folder is missing, incomplete, or open to other users of the machine."""

    code = "site_folder"
    http_status = 500


class ConfigurationError(InvalidInputError):
    """site.toml lacks a value, or holds one that cannot be meant."""

    code = "site_configuration"


class KeystoreError(ConsiliumError):
    """A key cannot be opened: the file is damaged, or the pass phrase is another one."""

    code = "keystore"
    http_status = 500


class JournalError(ConsiliumError):
    """The journal is not as this program left it; nothing may be signed on it."""

    code = "journal"
    http_status = 500


class PersonRefusedError(ForbiddenError):
    """The name and pass phrase are not those of a person of this member, or not of one who may do this."""

    code = "person_refused"


class TooManyAttemptsError(ConsiliumError):
    """Too many wrong pass phrases; wait."""

    code = "too_many_attempts"
    http_status = 429
    retryable = True


class PolicyRefusedError(ForbiddenError):
    """The member's own signing policy forbids this signature; nothing was signed. `reason` names the rule."""

    code = "signing_policy"

    @property
    def reason(self) -> str:
        """The rule that refused, in snake_case."""
        return str(self.fields["reason"])


class AlreadyDecidedError(ConflictError):
    """The member decided this before, otherwise; a decision is given once."""

    code = "already_decided"


class ContradictionError(ConsiliumError):
    """What the platform says and what the member's own node shows differ; nothing was signed."""

    code = "platform_contradicts_chain"
    http_status = 409


class ChainNotTrustedError(ConsiliumError):
    """The member's own node shows a chain on which nothing may be signed."""

    code = "chain_not_trusted"
    http_status = 503


class ReconcilerBusyError(ConflictError):
    """Another process of this site is comparing the node's allow-lists; nothing was done."""

    code = "reconciler_busy"
    retryable = True


class NotOpenError(ConflictError):
    """The proposal is unknown to the chain, or takes no ballot now."""

    code = "ballot_not_open"


class PlatformAwayError(UnavailableError):
    """The platform does not answer, or answers with a fault of its own; try again later."""

    code = "platform_away"


class PlatformRefusedError(ConsiliumError):
    """The platform understood and refused; `status` is its HTTP status, `reason` its problem code."""

    code = "platform_refused"
    http_status = 502

    @property
    def status(self) -> int:
        """The HTTP status of the platform's answer."""
        return int(self.fields["status"])


class JobRefusedError(ConsiliumError):
    """A piece of work that this site does not do; `reason` is what the platform is told."""

    code = "job_refused"
    http_status = 409

    @property
    def reason(self) -> str:
        """The refusal's code, in snake_case."""
        return str(self.fields["reason"])
