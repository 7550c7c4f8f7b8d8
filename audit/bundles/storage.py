"""Where finished bundles lie: files of the platform's folder, whole or not at all, read back by their digest."""

import os
import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings

from audit.bundles.errors import BundleStorageError
from consortium.kernel.digests import sha256_digest


def bundle_path(bundle_id: UUID) -> Path:
    """Return where a bundle's file lies."""
    return Path(settings.PLATFORM_FOLDER) / "bundles" / f"{bundle_id}.zip"


def keep(bundle_id: UUID, data: bytes) -> None:
    """Write a bundle so that a kill leaves the old file or the new one; `BundleStorageError` if the disk refuses."""
    path = bundle_path(bundle_id)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".bundle-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BundleStorageError(
            f"The bundle could not be written ({error.strerror}). Free space in the platform's folder and ask again."
        ) from error


def read(bundle_id: UUID, *, digest: str) -> bytes:
    """Return a bundle's bytes; `BundleStorageError` if they are gone or are not those that were made."""
    try:
        data = bundle_path(bundle_id).read_bytes()
    except OSError as error:
        raise BundleStorageError("The bundle's file is gone. Export it again.") from error
    if sha256_digest(data) != digest:
        raise BundleStorageError("The bundle's file was changed since it was made. Export it again, and look why.")
    return data
