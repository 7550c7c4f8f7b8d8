import pytest

from training.federated.errors import ParameterBoundError
from training.federated.secagg.parameters import SecureAggregationParameters


def test_exactly_the_parameters_within_the_bound_are_accepted() -> None:
    for n in range(1, 9):
        for t in range(10):
            for c in range(-1, 9):
                within = 2 * t > n + c and t - c >= 2 and t <= n and c >= 0
                try:
                    SecureAggregationParameters(n, t, c, 64)
                    accepted = True
                except ParameterBoundError:
                    accepted = False
                assert accepted == within, (n, t, c)


def test_five_sites_with_one_colluder_tolerate_one_loss_and_say_so() -> None:
    parameters = SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64)

    assert parameters.tolerated_losses == 1
    assert parameters.sentence() == (
        "n=5 sites, t=4, c=1: no single update is opened to the platform together with "
        "at most 1 of the sites; 1 of them may be lost."
    )


def test_three_sites_with_one_colluder_tolerate_no_loss() -> None:
    assert SecureAggregationParameters(n=3, t=3, c=1, ring_bits=32).tolerated_losses == 0
    with pytest.raises(ParameterBoundError, match=r"2t > n \+ c"):
        SecureAggregationParameters(n=3, t=2, c=1, ring_bits=32)


@pytest.mark.parametrize(("n", "ring_bits"), [(65, 64), (5, 16), (5, 0)])
def test_larger_rosters_and_other_rings_are_refused(n: int, ring_bits: int) -> None:
    with pytest.raises(ParameterBoundError):
        SecureAggregationParameters(n=n, t=n, c=1, ring_bits=ring_bits)
