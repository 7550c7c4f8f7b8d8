"""Files that appear together or not at all: written beside the place, then renamed onto it."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from contracts.network.errors import FolderNotEmptyError
from contracts.network.node_folders import NodeFile


def write_together(files: Sequence[NodeFile], target: Path) -> None:
    """Write all files below `target`, which is missing or empty; killed or refused, nothing is left under its name.

    Raises
    ------
    FolderNotEmptyError
        If something is there already: keys are never written over.
    OSError
        If the disk refuses.
    """
    _require_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for file in files:
            _write(draft / file.path, file)
        _require_free(target)
        # Onto an empty folder the system renames in one step, and refuses one that is not empty.
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _require_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise FolderNotEmptyError(f"{target} is not an empty folder. Nothing was written; name a new one.")


def _write(path: Path, file: NodeFile) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(descriptor, "wb") as opened:
        os.fchmod(descriptor, file.mode)
        opened.write(file.content)
        opened.flush()
        os.fsync(descriptor)
