"""Where the page's style sheets, fonts and scripts lie: in the checkout, or beside this package when installed."""

from pathlib import Path

from agent.errors import FolderError

_AGENT = Path(__file__).resolve().parent.parent
# A wheel carries the same files inside the package; the build copies them.
_PLACES = (_AGENT.parent / "static", _AGENT / "static")


def static_folder() -> Path:
    """Return the folder with tokens.css; `FolderError` if the installation lacks it."""
    for place in _PLACES:
        if (place / "tokens.css").is_file():
            return place
    raise FolderError("The member page's style sheets are missing. Install the agent anew.")
