"""What an export refuses, and what it says when it cannot go on."""

from consortium.kernel.errors import ConflictError, ConsiliumError, UnavailableError


class NothingToExportError(UnavailableError):
    """The log has no checkpoint yet; it will have one shortly."""

    code = "nothing_to_export"


class LogTooLargeError(ConflictError):
    """The log holds more records than one bundle may."""

    code = "log_too_large"


class EvidenceContradictionError(ConsiliumError):
    """Log, database and chain do not tell the same: an alarm, and never exported."""

    code = "evidence_contradicts"


class EvidenceMissingError(UnavailableError):
    """The node does not give what it gave before; nothing was exported."""

    code = "evidence_missing"


class BundleNotReadyError(ConflictError):
    """The bundle is still being made, or could not be."""

    code = "bundle_not_ready"


class BundleStorageError(ConsiliumError):
    """The platform's folder does not take, or no longer holds, the bundle's file."""

    code = "bundle_storage"
    http_status = 507
