"""The attempt that the benchmark of secure aggregation times is a whole and a right one."""

from functools import partial

import pytest

from benchmarks._attempt import TimedAttempt, parameters_of, random_vector
from training.federated.secagg.coordinator import AttemptCoordinator, OpenedSum

SITE = {"keys", "open", "deal", "receive", "mask", "sign", "release", "verify"}
COORDINATOR = {"deals", "add", "survivors", "release", "open"}


def test_every_step_of_site_and_coordinator_is_timed() -> None:
    attempt = TimedAttempt(parameters_of(4), random_vector(10, 64))

    attempt.run()

    assert set(attempt.site) == SITE
    assert set(attempt.coordinator) == COORDINATOR
    assert min(*attempt.site.values(), *attempt.coordinator.values()) > 0
    assert attempt.bytes_beside_vector > 1000


def test_an_attempt_that_opens_a_wrong_sum_gives_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    right = AttemptCoordinator.open_sum

    def wrong(coordinator: AttemptCoordinator) -> OpenedSum:
        found = right(coordinator)
        return OpenedSum(found.total + found.total.dtype.type(1), found.survivors, found.secrets)

    monkeypatch.setattr(AttemptCoordinator, "open_sum", wrong)
    attempt = TimedAttempt(parameters_of(4), random_vector(10, 64))
    # the verifiers would notice first
    monkeypatch.setattr("benchmarks._attempt.verify_round", partial(dict))

    with pytest.raises(AssertionError, match="not the sum of the vectors"):
        attempt.run()


@pytest.mark.parametrize("n", [3, 5, 16, 64])
def test_the_threshold_is_the_lowest_that_the_bound_allows(n: int) -> None:
    made = parameters_of(n)

    assert 2 * made.t > n + made.c
    assert 2 * (made.t - 1) <= n + made.c or made.t - made.c == 2
