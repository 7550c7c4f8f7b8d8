"""Who is waited for: a site that works, or may yet take its work; nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from training.coordination.patience import Patience
from training.coordination.silence import Signs, lost_because

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PATIENCE = Patience(absent=5, grace=1, silence=10)


def ago(seconds: float | None) -> datetime | None:
    return None if seconds is None else NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("published", "beat", "seen", "reason"),
    [
        (0.5, None, None, None),
        (0.5, None, 600, None),
        (2, None, 4, None),
        (2, None, 6, "its agent is not there"),
        (2, None, None, "its agent is not there"),
        (60, 9, 60, None),
        (60, 11, 1, "no sign of life for 11.0 s"),
    ],
)
def test_a_site_is_waited_for_or_named(
    published: float, beat: float | None, seen: float | None, reason: str | None
) -> None:
    signs = Signs(NOW - timedelta(seconds=published), ago(beat), ago(seen))

    assert lost_because(signs, NOW, PATIENCE) == reason
