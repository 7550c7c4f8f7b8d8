import uuid

import pytest

from audit import fields

DIGEST = "sha256:" + "ab" * 32

ACCEPTED = [
    (fields.DIGEST, DIGEST),
    (fields.HASH, "0x" + "ab" * 32),
    (fields.ADDRESS, "0x" + "aB" * 20),
    (fields.UUID, str(uuid.UUID(int=7))),
    (fields.CODE, "not_enough_sites"),
    (fields.SYMBOL, "AuditAnchor"),
    (fields.NUMBER, 0),
    (fields.NUMBER, 2**53 - 1),
    (fields.BAND, 0),
    (fields.BAND, 250),
    (fields.TIME, "2026-11-23T19:00:00Z"),
    (fields.TIME, "2026-11-23T19:00:00.123456+00:00"),
    (fields.FLAG, False),
    (fields.several(fields.NUMBER), []),
    (fields.several(fields.NUMBER), [1, 2]),
]
REFUSED = [
    (fields.DIGEST, DIGEST + "\n"),
    (fields.DIGEST, DIGEST.upper()),
    (fields.HASH, "0x" + "ab" * 31),
    (fields.ADDRESS, "ab" * 20),
    (fields.UUID, str(uuid.UUID(int=0xA)).upper()),
    (fields.UUID, 7),
    (fields.CODE, "Maria Muster"),
    (fields.CODE, "a" * 61),
    (fields.SYMBOL, "Maria Muster"),
    (fields.NUMBER, True),
    (fields.NUMBER, -1),
    (fields.NUMBER, 2**53),
    (fields.NUMBER, 1.0),
    (fields.BAND, 59),
    (fields.TIME, "2026-11-23T19:00:00"),
    (fields.TIME, "2026-11-23T19:00:00+01:00"),
    (fields.TIME, "yesterday"),
    (fields.FLAG, 1),
    (fields.several(fields.NUMBER), [1, "2"]),
    (fields.several(fields.NUMBER), (1, 2)),
    (fields.several(fields.NUMBER), [0] * 257),
]


def _label(value: object) -> str:
    """A name that every worker of a parallel run makes alike: a field's own repr holds an address."""
    return value.name if isinstance(value, fields.Field) else repr(value)


@pytest.mark.parametrize(("field", "value"), ACCEPTED, ids=_label)
def test_a_value_of_the_type_is_accepted(field, value):
    assert field.accepts(value)


@pytest.mark.parametrize(("field", "value"), REFUSED, ids=_label)
def test_a_value_of_another_form_is_refused(field, value):
    assert not field.accepts(value)


def test_an_optional_field_has_the_same_type():
    assert fields.optional(fields.CODE).accepts("done")
    assert not fields.optional(fields.CODE).accepts("Not done")
    assert not fields.optional(fields.CODE).required
    assert fields.CODE.required
