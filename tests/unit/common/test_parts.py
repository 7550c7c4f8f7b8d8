"""Small parts of pages: spans of time, shares of a bar, the label of a proof."""

from datetime import timedelta

import pytest

from consortium.common.parts import ProofMark, slices
from consortium.common.templatetags.portal import shortened
from consortium.common.times import span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (2 * 3_600 + 240, "2 h 4 min"),
        (8 * 3_600 + 240, "8 h"),
        (27 * 3_600, "1 day 3 h"),
        (86_400 * 5 + 3_600, "5 days"),
    ],
)
def test_a_span_is_said_in_two_units_at_most(seconds, words):
    assert span(timedelta(seconds=seconds)) == words


def test_slices_are_shares_of_their_sum_side_by_side():
    laid = slices((3, "settled", "yes"), (1, "refused", "no"), (0, "waiting", "open"))

    assert [(part.start, part.width) for part in laid] == [(0.0, 75.0), (75.0, 25.0), (100.0, 0.0)]


def test_slices_of_nothing_have_no_width():
    assert [part.width for part in slices((0, "settled", "yes"))] == [0.0]


@pytest.mark.parametrize(
    ("mark", "label", "css"),
    [
        (ProofMark("confirmed", block=8_214_216), "Block 8,214,216", ""),
        (ProofMark("anchored", leaf=17), "Leaf 17", ""),
        (ProofMark("submitted"), "Waits for a block", "to-wait"),
        (ProofMark("integrated"), "In the log, not anchored yet", "to-wait"),
        (ProofMark("failed"), "Refused by the chain", "to-fail"),
    ],
)
def test_a_proof_says_how_firmly_its_statement_stands(mark, label, css):
    assert (mark.label, mark.css) == (label, css)


@pytest.mark.parametrize(
    ("value", "short"),
    [
        ("sha256:" + "ab12" * 16, "sha256:ab12…ab12"),
        ("0x" + "cd34" * 10, "0xcd34…cd34"),
        ("12345", "12345"),
    ],
)
def test_a_digest_is_shortened_to_its_algorithm_and_four_characters_at_each_end(value, short):
    assert shortened(value) == short
