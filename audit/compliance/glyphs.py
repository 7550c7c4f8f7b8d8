"""Which characters the faces of a printed report have.

PDF/UA-1 refuses a document with a character that no face shows. Names are members' own words, so one in another script
must not keep a report from being made: such characters are written as their code points, and the data has them whole.
"""

import re
from typing import Any
from unicodedata import normalize

# Found by printing each of them in every face of the template: Latin, Greek, Cyrillic, punctuation, currencies, arrows.
_SHOWN = (
    "\u0020-\u007e\u00a0-\u00ac\u00ae-\u024f\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u0482"
    "\u048a-\u04ff\u1e00-\u1eff\u2010-\u2027\u2030-\u2040\u2044-\u2052\u20a0-\u20bf\u2100-\u211e\u2122\u2126"
    "\u2190-\u21ff"
)
_OTHERS = re.compile(f"[^{_SHOWN}]")


def printable(value: Any) -> Any:
    """Return JSON values with every text as the faces can show it."""
    if isinstance(value, str):
        return _OTHERS.sub(lambda found: f"[U+{ord(found[0]):04X}]", normalize("NFC", value))
    if isinstance(value, dict):
        return {name: printable(item) for name, item in value.items()}
    return [printable(item) for item in value] if isinstance(value, list) else value
