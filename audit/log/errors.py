"""What the log refuses, and what it raises when it is not what it was."""

from consortium.kernel.errors import ConflictError, ConsiliumError, InvalidInputError


class NotIntegratedError(ConflictError):
    """The record has no leaf under a checkpoint yet; it will have one shortly."""

    code = "not_integrated"
    retryable = True


class EmptyLogError(ConflictError):
    """A log without a leaf has nothing to sign."""

    code = "empty_log"


class LogDamagedError(ConsiliumError):
    """The stored log contradicts itself or an earlier checkpoint: an alarm, never a fault to retry."""

    code = "log_damaged"


class LogKeyError(ConsiliumError):
    """The key that signs checkpoints is missing, unreadable, or open to others."""

    code = "log_key"


class CosignatureError(InvalidInputError):
    """The co-signature is not by the key it was given for, or repeats one that is there."""

    code = "cosignature_refused"
