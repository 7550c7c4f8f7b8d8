import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from consortium.kernel.errors import InvalidInputError, InvalidSignatureError
from consortium.kernel.notes import NoteKey, NoteSigner, cosign_note, open_note, sign_note

# The example in the documentation of golang.org/x/mod/sumdb/note (BSD-3-Clause), which the C2SP format comes from.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

LOG = NoteSigner("log.example/cardiology", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WITNESS = NoteSigner("witness.example", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
STRANGER = NoteSigner("log.example/cardiology", Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))
CHECKPOINT = Checkpoint("log.example/cardiology", 12, bytes(range(32)))


def test_published_example_of_a_note_is_opened() -> None:
    key = NoteKey.parse(NEUMANN)

    assert open_note(NEUMANN_TEXT + "\n" + NEUMANN_LINE, [key]) == (NEUMANN_TEXT, (key,))
    assert str(key) == NEUMANN


def test_changed_text_is_refused() -> None:
    changed = NEUMANN_TEXT.replace("answer", "remedy")

    with pytest.raises(InvalidSignatureError):
        open_note(changed + "\n" + NEUMANN_LINE, [NoteKey.parse(NEUMANN)])


def test_note_may_hold_an_empty_line_in_its_text() -> None:
    note = sign_note("first\n\nlast\n", [LOG])

    assert open_note(note, [LOG.key]) == ("first\n\nlast\n", (LOG.key,))


def test_lines_of_unknown_keys_are_skipped_but_do_not_count() -> None:
    note = sign_note("text\n", [STRANGER, LOG])

    assert open_note(note, [LOG.key])[1] == (LOG.key,)
    with pytest.raises(InvalidSignatureError, match="no signature of a known key"):
        open_note(note, [WITNESS.key])


def test_false_line_under_a_known_key_is_refused_beside_a_true_one() -> None:
    wrong = base64.b64encode(WITNESS.key.key_id + bytes(64)).decode()
    note = sign_note("text\n", [LOG]) + f"— {WITNESS.name} {wrong}\n"

    with pytest.raises(InvalidSignatureError, match=r"witness\.example"):
        open_note(note, [LOG.key, WITNESS.key])


def test_doubled_signature_is_refused() -> None:
    with pytest.raises(InvalidSignatureError, match="doubled"):
        open_note(sign_note("text\n", [LOG, LOG]), [LOG.key])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n- name aGVsbG8hIQ==\n",
        "text\n\n— name aGVsbG8hIQ==",
        "text\n\n— name aGVsbG8hIR==\n",
        "text\n\n— name YWJj\n",
        "te\txt\n\n— name aGVsbG8hIQ==\n",
        "x" * 70_000 + "\n\n— name aGVsbG8hIQ==\n",
        "text\n\n" + "— name aGVsbG8hIQ==\n" * 65,
    ],
)
def test_what_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_note(note, [LOG.key])
    assert caught.type is InvalidInputError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AQ==",
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("c74f20a3", "C74F20A3"),
        NEUMANN.replace("+ARpc", "+ABpc"),
        NEUMANN.replace("PeterNeumann", "Peter Neumann"),
    ],
)
def test_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        NoteKey.parse(text)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_verifier_key_reads_back_though_base64_has_plus_signs(seed: bytes) -> None:
    key = NoteSigner("a.example/log", Ed25519PrivateKey.from_private_bytes(seed)).key

    assert NoteKey.parse(str(key)) == key


def test_checkpoint_is_three_lines_and_opens_with_its_witnesses() -> None:
    note = cosign_note(sign_checkpoint(CHECKPOINT, [LOG]), WITNESS)

    assert note.startswith(
        "log.example/cardiology\n12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— log.example/cardiology "
    )
    assert open_checkpoint(note, LOG.key, [WITNESS.key]) == (CHECKPOINT, 1)
    assert open_checkpoint(note, LOG.key) == (CHECKPOINT, 0)


def test_checkpoint_of_another_origin_or_by_a_witness_alone_is_refused() -> None:
    other = Checkpoint("other.example", 12, bytes(32))

    with pytest.raises(InvalidSignatureError):
        open_checkpoint(sign_note(other.text(), [LOG]), LOG.key)
    with pytest.raises(InvalidSignatureError):
        open_checkpoint(sign_note(CHECKPOINT.text(), [WITNESS]), LOG.key, [WITNESS.key])
    with pytest.raises(InvalidSignatureError):
        open_checkpoint(sign_checkpoint(CHECKPOINT, [STRANGER]), LOG.key)
    with pytest.raises(InvalidInputError):
        sign_checkpoint(CHECKPOINT, [WITNESS, LOG])


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"o\n1\n{ROOT}",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n1\n{ROOT}\nextension\n",
        f"o\n{2**64}\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        "o\n1\nAAAA\n",
        "o\n1\n!\n",
        f"o\n1\n{ROOT[:-2]}B=\n",
        f"o\n\u0661\n{ROOT}\n",
    ],
)
def test_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        Checkpoint.parse(text)
