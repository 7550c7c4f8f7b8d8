"""Addresses that can name a text or a code system, but nobody in particular."""

import re

# No user, query or fragment: these are where a link carries whom it was made for.
_PLAIN_URI = re.compile(
    r"(?:https?://[A-Za-z0-9.-]{1,120}(?::\d{1,5})?(?:/[A-Za-z0-9._~|-]{1,80}){0,12}/?"
    r"|urn:[a-z0-9][a-z0-9-]{1,31}:[A-Za-z0-9._:-]{1,120})\Z"
)
_PEOPLE = frozenset({"patient", "person", "relatedperson", "practitioner", "practitionerrole"})


def is_plain_uri(value: object) -> bool:
    """Say whether the value is an http or urn address without user, query, fragment or a person's resource."""
    return isinstance(value, str) and bool(_PLAIN_URI.match(value)) and not _PEOPLE & set(value.lower().split("/"))
