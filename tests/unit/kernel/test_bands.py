import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.kernel.bands import EDGES, band, band_label
from consortium.kernel.errors import InvalidInputError


@pytest.mark.parametrize(
    ("count", "edge"),
    [(0, 0), (9, 0), (10, 10), (24, 10), (25, 25), (376, 250), (999, 500), (1000, 1000), (10**12, 2_500_000_000)],
)
def test_band_is_the_largest_edge_not_above_the_count(count: int, edge: int) -> None:
    assert band(count) == edge


@given(st.integers(0, 10**10))
def test_band_never_grows_above_its_count_and_is_itself_in_its_band(count: int) -> None:
    edge = band(count)

    assert edge <= count
    assert band(edge) == edge
    assert edge < 2**32


def test_labels_speak_in_whole_people() -> None:
    assert [band_label(edge) for edge in (0, 10, 500, 1000)] == [
        "fewer than 10",
        "10 to 24",
        "500 to 999",
        "1,000 to 2,499",
    ]
    assert band_label(EDGES[-1]) == "2,500,000,000 or more"


@pytest.mark.parametrize("act", [lambda: band(-1), lambda: band_label(11)])
def test_impossible_counts_and_edges_are_refused(act: object) -> None:
    assert callable(act)
    with pytest.raises(InvalidInputError):
        act()
