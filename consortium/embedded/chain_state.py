"""The development chain's state file, and a whole copy of it.

anvil writes the file in place, once a second, and does not start on half a file: what a kill in the middle of a
write leaves is replaced by the copy. What was mined since the copy is sent again by the dispatcher.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from consortium.embedded.accounts import Account
from consortium.embedded.credentials import write_secret
from consortium.embedded.errors import ChainStateLostError

# The last field of the file: a prefix of it cannot end so.
_END = '"historical_states":null}'
# Reading and writing some megabytes takes a few milliseconds; a long chain's file grows.
_COPY_EVERY_SECONDS = 2.0


@dataclass
class ChainState:
    """The state in `folder`, whose files belong to `account`."""

    folder: Path
    account: Account
    _copied_at: float = field(default=-_COPY_EVERY_SECONDS)

    @property
    def file(self) -> Path:
        return self.folder / "state.json"

    @property
    def copy(self) -> Path:
        return self.folder / "state.copy.json"

    def keep_copy(self) -> None:
        """Copy the file if it is whole at this moment; called again and again."""
        now = time.monotonic()
        if now - self._copied_at >= _COPY_EVERY_SECONDS and (text := _whole(self.file)) is not None:
            write_secret(self.copy, text, self.account)
            self._copied_at = now

    def mend(self) -> None:
        """Put the copy where half a file is; a chain that has no file yet begins anew.

        Raises
        ------
        ChainStateLostError
            If neither is whole.
        """
        if not self.file.exists() or _whole(self.file) is not None:
            return
        if (text := _whole(self.copy)) is None:
            raise ChainStateLostError(
                f"The development chain's state {self.file} was cut off in the middle of a write, and there is no "
                "whole copy of it. Start from nothing with `make demo ARGS=--fresh`."
            )
        write_secret(self.file, text, self.account)


def _whole(path: Path) -> str | None:
    """The text of a file that was written to its end."""
    try:
        text = path.read_text()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return text if text.endswith(_END) else None
