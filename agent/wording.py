"""The one door through which visible text is translated."""

import gettext as catalogues
from pathlib import Path

_FOLDER = Path(__file__).parent / "locale"
_CATALOGUE = catalogues.translation("agent", _FOLDER, fallback=True)


def gettext(text: str) -> str:
    """Return the text in the language of this process (LANGUAGE, LC_ALL, LANG), else as it stands."""
    return _CATALOGUE.gettext(text)
