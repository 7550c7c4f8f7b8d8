"""Files that decide whom a signer is: read only where nobody else of the machine could have put them."""

import os
import stat
from pathlib import Path

from contracts.signing.errors import SignerFileError

MAX_CERTIFICATE_BYTES = 256 * 1024
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_SYSTEM_ADMINISTRATOR = 0


def require_secret_file(path: Path) -> Path:
    """Return the path of a file that only its owner reads; links are followed, since mounted secrets are links.

    Raises
    ------
    SignerFileError
        Naming the path and the command that mends it.
    """
    status = _status(path)
    if status.st_mode & (stat.S_IRWXO | _WRITABLE) or (status.st_mode & stat.S_IRGRP and _is_ours(status)):
        raise SignerFileError(f"Other users of this machine can reach {path}. Run: chmod 600 {path}")
    return path


def require_public_file(path: Path) -> Path:
    """Return the path of a file that others may read and only its owner writes; `SignerFileError` otherwise."""
    if _status(path).st_mode & _WRITABLE:
        raise SignerFileError(f"Other users of this machine can change {path}. Run: chmod go-w {path}")
    return path


def _status(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        raise SignerFileError(
            f"{path} cannot be read ({error.strerror}). Correct its path in the settings of the signer."
        ) from error
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_CERTIFICATE_BYTES:
        raise SignerFileError(
            f"{path} is no certificate or key: not a file, or larger than {MAX_CERTIFICATE_BYTES} bytes."
        )
    if not _is_ours(status) and status.st_uid != _SYSTEM_ADMINISTRATOR:
        raise SignerFileError(f"{path} belongs to another user. Run: chown {os.geteuid()} {path}")
    return status


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid()
