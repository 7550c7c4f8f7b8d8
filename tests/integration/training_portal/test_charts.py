"""Charts: coordinates from values, exact and inside the picture."""

from hypothesis import given, settings
from hypothesis import strategies as st

from training.portal.charts import Series, line_chart

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_values_lie_where_the_grid_says():
    chart = line_chart([Series("AUC", "mean", [(1, 0.7), (2, 0.9)])], last_round=3, width=500, height=216)

    assert [mark.text for mark in chart.grid] == ["0.70", "0.75", "0.80", "0.85", "0.90"]
    assert [mark.text for mark in chart.ticks] == ["1", "2", "3"]
    assert chart.lines[0].points == "36.0,190.0 212.0,12.0"
    assert chart.lines[0].label.text == "AUC 0.900"


def test_labels_of_lines_that_end_together_do_not_overlap():
    series = [Series("AUC", "mean", [(1, 0.8)]), Series("Accuracy", "alt", [(1, 0.8)])]

    lines = line_chart(series, last_round=1, width=500, height=216).lines

    assert float(lines[1].label.y) - float(lines[0].label.y) == 16.0


def test_many_rounds_have_at_most_ten_ticks():
    chart = line_chart([Series("AUC", "mean", [(95, 0.8)])], last_round=95, width=326, height=190)

    assert [mark.text for mark in chart.ticks] == ["1", "11", "21", "31", "41", "51", "61", "71", "81", "91"]


@settings(max_examples=50, deadline=None)
@given(SHARES)
def test_every_point_lies_inside_the_picture(values):
    series = Series("AUC", "mean", list(enumerate(values, start=1)))

    chart = line_chart([series], last_round=len(values), width=500, height=216)

    for point in chart.lines[0].points.split():
        x, y = map(float, point.split(","))
        assert 36.0 <= x <= 388.0
        assert 12.0 <= y <= 190.0
