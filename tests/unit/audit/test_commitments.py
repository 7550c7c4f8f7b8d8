import hashlib

from audit.commitments import SALT_BYTES, commitment, new_salt

SALT = bytes(range(32))


def test_a_commitment_is_the_hash_of_its_length_prefixed_parts():
    parts = [b"consilium/audit/personal/v1", SALT, b"actor", b"42"]
    preimage = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    expected = "sha256:" + hashlib.sha256(preimage).hexdigest()
    assert commitment(salt=SALT, name="actor", value="42") == expected


def test_another_salt_name_or_value_gives_another_commitment():
    commitments = {
        commitment(salt=salt, name=name, value=value)
        for salt in (SALT, bytes(32))
        for name in ("actor", "subject")
        for value in ("42", "43")
    }
    assert len(commitments) == 8


def test_a_byte_moved_from_name_to_value_gives_another_commitment():
    assert commitment(salt=SALT, name="actor", value="x42") != commitment(salt=SALT, name="actorx", value="42")


def test_salts_are_fresh_and_have_32_bytes():
    salts = {new_salt() for _ in range(100)}
    assert len(salts) == 100
    assert {len(salt) for salt in salts} == {SALT_BYTES} == {32}
