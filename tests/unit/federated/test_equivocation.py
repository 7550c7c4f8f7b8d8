"""The equivocating platform of protocol section 5, with c colluders: it opens no single update.

Each attack is also run with the bound broken, where it succeeds: the tests can fail.
"""

import itertools
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.federated.attacks import Coalition, unchecked_parameters
from tests.unit.federated.federation import Federation, plain_sum, random_vectors
from training.federated.errors import ParameterBoundError
from training.federated.secagg.deals import ShareKind
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RingVector

SIZE = 4
Vectors = dict[uuid.UUID, RingVector]


def masked_federation(parameters: SecureAggregationParameters) -> tuple[Federation, Vectors]:
    federation = Federation(parameters)
    vectors = random_vectors(federation, size=SIZE, seed=11)
    federation.deal()
    for organization in federation.organizations:
        federation.deliver(organization)
    federation.mask(vectors)
    return federation, vectors


def two_sets(
    parameters: SecureAggregationParameters, with_target: set[int], without: set[int], shown_first: set[int]
) -> tuple[Coalition, Vectors, uuid.UUID]:
    """Site 0 is the target, the last c sites collude; `shown_first` see the set that holds the target."""
    federation, vectors = masked_federation(parameters)
    ids = federation.organizations
    coalition = Coalition(federation, ids[parameters.n - parameters.c :])
    first = coalition.propose(ids[i] for i in with_target | {0})
    second = coalition.propose(ids[i] for i in without - {0})
    honest = set(range(parameters.n - parameters.c))
    coalition.collect(first, [ids[i] for i in sorted((shown_first | {0}) & honest)])
    coalition.collect(second, [ids[i] for i in sorted(honest - shown_first - {0})])
    return coalition, vectors, ids[0]


@pytest.mark.parametrize("shown_first", [set(s) for k in range(4) for s in itertools.combinations((1, 2, 3), k)])
def test_no_split_of_five_sites_between_two_sets_opens_one_update(shown_first: set[int]) -> None:
    everybody, without = {0, 1, 2, 3, 4}, {1, 2, 3, 4}
    parameters = SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64)

    coalition, vectors, target = two_sets(parameters, everybody, without, shown_first)

    both = [coalition.secret(target, kind) is not None for kind in ShareKind]
    assert both != [True, True]
    assert not any(coalition.opens(honest, vectors) for honest in coalition.honest)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([(4, 3, 0), (5, 4, 1), (6, 4, 1), (7, 5, 2)]), st.data())
def test_no_two_sets_shown_to_whomever_open_one_update(numbers: tuple[int, int, int], data: st.DataObject) -> None:
    n = numbers[0]
    places = st.sets(st.integers(0, n - 1))

    coalition, vectors, target = two_sets(
        SecureAggregationParameters(*numbers, 64),
        data.draw(places.map(lambda s: set(range(n)) - s if len(s) <= n - numbers[1] else s | {0})),
        data.draw(places.map(lambda s: set(range(n)) - s if len(s) <= n - numbers[1] else s | {1})),
        data.draw(places),
    )

    assert not any(coalition.opens(honest, vectors) for honest in coalition.honest)
    assert None in [coalition.secret(target, kind) for kind in ShareKind]


def test_the_same_attack_opens_an_update_where_the_bound_is_broken() -> None:
    with pytest.raises(ParameterBoundError, match=r"2t > n \+ c"):
        SecureAggregationParameters(n=5, t=3, c=1, ring_bits=64)
    broken = unchecked_parameters(n=5, t=3, c=1, ring_bits=64)

    coalition, vectors, target = two_sets(broken, {0, 1, 2, 3, 4}, {1, 2, 3, 4}, shown_first={1})

    assert coalition.opens(target, vectors)


def different_dealers(
    parameters: SecureAggregationParameters, shown: set[int], survivors: set[int]
) -> tuple[Coalition, Vectors, uuid.UUID]:
    """The target is shown fewer dealers than the others before it masks; then one survivor set for all."""
    federation = Federation(parameters)
    ids = federation.organizations
    vectors = random_vectors(federation, size=SIZE, seed=12)
    federation.deal()
    federation.deliver(ids[0], [ids[i] for i in sorted(shown | {0})])
    for organization in ids[1:]:
        federation.deliver(organization)
    federation.mask(vectors)
    coalition = Coalition(federation, ids[parameters.n - parameters.c :])
    proposal = coalition.propose(ids[i] for i in survivors | {0})
    members = proposal.members(federation.opened)
    coalition.collect(proposal, [o for o in coalition.honest if o in members])
    return coalition, vectors, ids[0]


@pytest.mark.parametrize("numbers", [(5, 4, 1), (6, 4, 1), (4, 3, 0)])
def test_different_dealers_for_different_sites_open_no_update(numbers: tuple[int, int, int]) -> None:
    n, t, _ = numbers
    others = range(1, n)
    # the fewest dealers leave the fewest masks, the smallest survivor sets open the most keys of others
    smallest = [set(s) for s in itertools.combinations(others, t - 1)]

    for shown, survivors in itertools.product(smallest, smallest):
        coalition, vectors, target = different_dealers(SecureAggregationParameters(*numbers, 64), shown, survivors)
        assert not coalition.opens(target, vectors), (shown, survivors)


def test_different_dealers_open_an_update_where_the_bound_is_broken() -> None:
    broken = unchecked_parameters(n=6, t=3, c=1, ring_bits=64)

    # the target masks against sites 1 and 5 alone; 5 colludes, 1 is then declared lost
    coalition, vectors, target = different_dealers(broken, {1, 5}, {2, 3, 5})

    assert coalition.opens(target, vectors)


def test_colluders_learn_at_best_the_sum_of_all_honest_survivors() -> None:
    federation, vectors = masked_federation(SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64))
    coordinator = federation.coordinator()
    federation.agree(coordinator)
    for site in federation.sites.values():
        coordinator.add_release(site.release_shares(coordinator.signatures))
    colluder = federation.organizations[4]

    rest = coordinator.open_sum().total - vectors[colluder]

    assert rest.tolist() == plain_sum({o: v for o, v in vectors.items() if o != colluder}).tolist()
    assert not any(rest.tolist() == vector.tolist() for vector in vectors.values())


def test_one_honest_survivor_among_colluders_is_open_where_t_minus_c_is_broken() -> None:
    with pytest.raises(ParameterBoundError, match="t - c >= 2"):
        SecureAggregationParameters(n=3, t=3, c=2, ring_bits=64)
    federation = Federation(unchecked_parameters(n=3, t=3, c=2, ring_bits=64))
    vectors = random_vectors(federation, size=SIZE, seed=13)
    honest, *colluders = federation.organizations

    rest = federation.run(vectors).total - plain_sum({o: vectors[o] for o in colluders})

    assert rest.tolist() == vectors[honest].tolist()
