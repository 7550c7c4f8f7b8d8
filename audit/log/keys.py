"""The deployment's Ed25519 key that signs every log's checkpoints, under the log's origin as its name."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit.log.errors import LogKeyError
from audit.models import AuditLog, Checkpoint
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.notes import NoteKey, NoteSigner, open_note

_MAX_BYTES = 4096


def signer_of(log: AuditLog) -> NoteSigner:
    """Return the signer of one log; `LogKeyError` if the key cannot be used."""
    return NoteSigner(log.origin, read_key(key_path()))


def verifier_of(log: AuditLog) -> NoteKey:
    """Return the public key of one log from the private file: for who has it, and judges the database by it."""
    return signer_of(log).key


def told_key(checkpoint: Checkpoint) -> NoteKey:
    """Return the public key that stands beside a checkpoint, unchecked: for witnesses, who hold it to their own.

    A checkpoint of an earlier release names none; as one key signs all logs of a deployment, the newest checkpoint that
    is visible tells it then. `LogKeyError` if no key is published yet.
    """
    told = checkpoint if checkpoint.key else Checkpoint.objects.exclude(key="").order_by("-created_at").first()
    if told is None:
        raise LogKeyError("The log's key is not published yet. It is with the next checkpoint: ask again shortly.")
    return NoteKey(checkpoint.origin, NoteKey.parse(told.key).public_key)


def published_key(checkpoint: Checkpoint) -> NoteKey:
    """Return the public key of a checkpoint's log as trust files write it, `str()` of it, held to its signature.

    Raises
    ------
    LogKeyError
        If no key is published yet, or the published one did not sign the checkpoint.
    """
    key = told_key(checkpoint)
    try:
        open_note(checkpoint.note, [key])
    except InvalidInputError as error:
        raise LogKeyError(
            "The log's checkpoint is not signed by the key beside it. Run `manage.py auditlog fsck`."
        ) from error
    return key


def key_path() -> Path:
    """Return the file that the settings name."""
    if not settings.LOG_KEY_FILE:
        raise LogKeyError("Set LOG_KEY_FILE to the file of the key that signs the logs' checkpoints.")
    return Path(settings.LOG_KEY_FILE)


def create_key(path: Path) -> Ed25519PrivateKey:
    """Write a new key, readable by this user alone; an existing file is never replaced.

    A log whose key changes is another log to its witnesses, so there is no option to overwrite.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise LogKeyError(f"{path.name} is there already, and a log keeps its key. Use it.") from error
    except OSError as error:
        raise LogKeyError(f"{path.name} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """Read the key; refused if others may read the file, or if it holds anything else."""
    try:
        if path.stat().st_mode & 0o077:
            raise LogKeyError(f"{path.name} is open to others. Run: chmod 600 {path.name}")
        with path.open("rb") as file:
            key = serialization.load_pem_private_key(file.read(_MAX_BYTES), password=None)
    except OSError as error:
        raise LogKeyError(
            f"{path.name} cannot be read: {error.strerror}. Make it with `manage.py log_key create`."
        ) from error
    except (ValueError, TypeError) as error:
        raise LogKeyError(f"{path.name} holds no private key in PEM.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise LogKeyError(f"{path.name} holds another kind of key; checkpoints are signed by Ed25519.")
    return key
