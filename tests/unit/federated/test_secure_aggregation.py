"""Whole attempts: the opened sum is the plain sum, whoever is lost within t, and nothing else opens."""

import itertools
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.federated.federation import Federation, plain_sum, random_vectors
from training.federated.errors import (
    AlreadyChosenError,
    AttemptAbandonedError,
    OutOfOrderError,
    QuantizationError,
    SecretsDestroyedError,
)
from training.federated.secagg.choices import ChoiceKind
from training.federated.secagg.coordinator import AttemptCoordinator
from training.federated.secagg.masked_vector import MaskedVector, unpack
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RING_DTYPES

FIVE = SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([(3, 3, 1), (4, 3, 0), (5, 4, 1), (7, 5, 2), (8, 6, 3)]),
    st.sampled_from([32, 64]),
    st.integers(1, 300),
    st.integers(0, 2**32),
    st.data(),
)
def test_the_opened_sum_is_the_plain_sum_of_the_survivors(
    numbers: tuple[int, int, int], ring_bits: int, size: int, seed: int, data: st.DataObject
) -> None:
    federation = Federation(SecureAggregationParameters(*numbers, ring_bits))
    lost = data.draw(st.integers(0, federation.parameters.tolerated_losses))
    vectors = random_vectors(federation, size=size, seed=seed, lost=lost)

    opened = federation.run(vectors)

    assert opened.total.tolist() == plain_sum(vectors).tolist()
    assert opened.survivors.members(federation.opened) == tuple(federation.organizations[lost:])


@pytest.mark.parametrize("lost", range(5))
def test_any_one_of_five_may_be_lost_after_dealing(lost: int) -> None:
    federation = Federation(FIVE)
    vectors = random_vectors(federation, size=9, seed=1)
    del vectors[federation.organizations[lost]]

    assert federation.run(vectors).total.tolist() == plain_sum(vectors).tolist()


@pytest.mark.parametrize("lost", range(5))
def test_any_one_of_five_may_be_lost_before_dealing(lost: int) -> None:
    federation = Federation(FIVE)
    gone = federation.organizations[lost]
    rest = [organization for organization in federation.organizations if organization != gone]
    vectors = {o: v for o, v in random_vectors(federation, size=9, seed=1).items() if o != gone}

    federation.deal(rest)
    for organization in rest:
        federation.deliver(organization)
    federation.mask(vectors)
    coordinator = federation.coordinator()
    for member in federation.agree(coordinator).members(federation.opened):
        coordinator.add_release(federation.sites[member].release_shares(coordinator.signatures))

    assert coordinator.open_sum().total.tolist() == plain_sum(vectors).tolist()


@pytest.mark.parametrize("releasing", list(itertools.combinations(range(5), 4)))
def test_any_four_releases_of_five_open_the_sum(releasing: tuple[int, ...]) -> None:
    federation = Federation(FIVE)
    vectors = random_vectors(federation, size=5, seed=2)
    coordinator = federation.run_until_masked(vectors)
    federation.agree(coordinator)

    for index in releasing:
        site = federation.sites[federation.organizations[index]]
        coordinator.add_release(site.release_shares(coordinator.signatures))

    assert coordinator.open_sum().total.tolist() == plain_sum(vectors).tolist()


def test_below_the_threshold_the_attempt_is_abandoned_and_nothing_is_revealed() -> None:
    federation = Federation(FIVE)
    coordinator = federation.run_until_masked(random_vectors(federation, size=5, seed=3, lost=2))

    with pytest.raises(AttemptAbandonedError, match="3 masked vectors are fewer than t=4"):
        coordinator.name_survivors()

    assert not coordinator.is_revealed
    assert all(ChoiceKind.SIGNED not in [c.kind for c in log.choices] for log in federation.logs.values())


def test_three_releases_of_t_four_open_nothing() -> None:
    federation = Federation(FIVE)

    with pytest.raises(AttemptAbandonedError, match="3 usable releases"):
        federation.run(random_vectors(federation, size=5, seed=3), releasing=3)


def test_three_dealers_of_t_four_are_not_masked_against() -> None:
    federation = Federation(FIVE)
    federation.deal(federation.organizations[:3])
    federation.masked = {}

    with pytest.raises(AttemptAbandonedError, match="3 dealers are fewer than t=4"):
        _close(federation)


def _close(federation: Federation) -> None:

    coordinator = AttemptCoordinator(federation.opened, size=1, verify=federation.signers.verify)
    for deal in federation.deals.values():
        coordinator.add_deal(deal.public)
    coordinator.close_dealing()


@pytest.mark.parametrize("ring_bits", [32, 64])
def test_a_masked_vector_is_uniform_even_of_zeros(ring_bits: int) -> None:
    federation = Federation(SecureAggregationParameters(3, 3, 1, ring_bits))
    size = 2**20 // (ring_bits // 8)
    zeros = np.zeros(size, RING_DTYPES[ring_bits])
    owner = federation.organizations[0]
    federation.deal()
    federation.deliver(owner)

    masked = unpack(federation.sites[owner].mask(zeros), size=size, ring_bits=ring_bits)

    counts = np.bincount(np.frombuffer(masked.tobytes(), np.uint8), minlength=256)
    expected = masked.nbytes / 256
    # chi-square with 255 degrees of freedom exceeds 420 with probability below 1e-9
    assert ((counts - expected) ** 2 / expected).sum() < 420


def test_masks_of_two_attempts_share_no_word() -> None:
    vectors = []
    for _ in range(2):
        federation = Federation(SecureAggregationParameters(3, 3, 1, 64))
        federation.deal()
        federation.deliver(federation.organizations[0])
        vectors.append(federation.sites[federation.organizations[0]].mask(np.zeros(1000, np.uint64)))

    first, second = (unpack(masked, size=1000, ring_bits=64) for masked in vectors)
    assert np.count_nonzero(first == second) == 0


def test_a_retry_returns_identical_bytes_and_another_vector_is_refused() -> None:
    federation = Federation(FIVE)
    owner, vector = federation.organizations[0], np.arange(100, dtype=np.uint64)
    federation.deal()
    federation.deliver(owner)

    first = federation.sites[owner].mask(vector)
    again = federation.sites[owner].mask(vector)
    with pytest.raises(AlreadyChosenError):
        federation.sites[owner].mask(vector + np.uint64(1))

    assert first.data == again.data == federation.sites[owner].mask(vector).data
    assert vector.tolist() == list(range(100))
    masked = [choice for choice in federation.logs[owner].choices if choice.kind is ChoiceKind.MASKED]
    assert [choice.value for choice in masked] == [first.digest().hex()]


def test_every_answer_is_repeated_unchanged() -> None:
    federation = Federation(FIVE)
    vectors = random_vectors(federation, size=5, seed=4)
    coordinator = federation.run_until_masked(vectors)
    survivors = federation.agree(coordinator)
    site = federation.sites[federation.organizations[0]]

    assert site.mask_keys() == federation.opened.members[0]
    assert site.deal(federation.opened) == federation.deals[federation.organizations[0]]
    assert site.sign_survivors(survivors) == coordinator.signatures[federation.organizations[0]]
    assert site.release_shares(coordinator.signatures) == site.release_shares(coordinator.signatures)
    kinds = [choice.kind for choice in federation.logs[federation.organizations[0]].choices]
    assert kinds == [ChoiceKind.DEALT, ChoiceKind.MASKED, ChoiceKind.SIGNED, ChoiceKind.RELEASED]


def test_a_coordinator_built_anew_from_the_stored_messages_opens_the_same_sum() -> None:
    federation = Federation(FIVE)
    vectors = random_vectors(federation, size=5, seed=5, lost=1)
    first = federation.run_until_masked(vectors)
    federation.agree(first)

    second = federation.coordinator()
    assert second.name_survivors() == first.name_survivors()
    for organization, signature in first.signatures.items():
        second.add_signature(organization, signature)
        second.add_release(federation.sites[organization].release_shares(first.signatures))

    assert second.open_sum().total.tolist() == plain_sum(vectors).tolist()


def test_a_vector_sent_twice_counts_once_and_a_changed_one_is_refused() -> None:
    federation = Federation(FIVE)
    vectors = random_vectors(federation, size=5, seed=6)
    coordinator = federation.run_until_masked(vectors)
    first, second = (federation.masked[organization] for organization in federation.organizations[:2])

    coordinator.add_masked(first)
    with pytest.raises(AlreadyChosenError):
        coordinator.add_masked(MaskedVector(first.organization, second.data))
    for member in federation.agree(coordinator).members(federation.opened):
        coordinator.add_release(federation.sites[member].release_shares(coordinator.signatures))

    assert coordinator.open_sum().total.tolist() == plain_sum(vectors).tolist()


def test_a_vector_after_the_survivors_are_named_is_left_out() -> None:
    federation = Federation(FIVE)
    late = federation.organizations[4]
    vectors = random_vectors(federation, size=5, seed=7)
    federation.deal()
    for organization in federation.organizations:
        federation.deliver(organization)
    federation.mask({o: v for o, v in vectors.items() if o != late})
    coordinator = federation.coordinator()
    coordinator.name_survivors()

    with pytest.raises(OutOfOrderError, match="too late"):
        coordinator.add_masked(federation.sites[late].mask(vectors[late]))

    assert late not in coordinator.name_survivors().members(federation.opened)


def test_secrets_are_gone_after_destruction() -> None:
    federation = Federation(FIVE)
    vectors = random_vectors(federation, size=5, seed=8)
    coordinator = federation.run_until_masked(vectors)
    survivors = federation.agree(coordinator)
    site = federation.sites[federation.organizations[0]]

    site.destroy()

    for step in (
        lambda: site.deal(federation.opened),
        lambda: site.receive([], []),
        lambda: site.mask(vectors[federation.organizations[0]]),
        lambda: site.sign_survivors(survivors),
        lambda: site.release_shares(coordinator.signatures),
    ):
        with pytest.raises(SecretsDestroyedError):
            step()


def test_steps_out_of_order_are_refused() -> None:
    federation = Federation(FIVE)
    site = federation.sites[federation.organizations[0]]

    with pytest.raises(OutOfOrderError):
        site.receive([], [])
    with pytest.raises(OutOfOrderError):
        site.mask(np.zeros(1, np.uint64))
    federation.deal()
    with pytest.raises(OutOfOrderError):
        site.mask(np.zeros(1, np.uint64))
    with pytest.raises(OutOfOrderError):
        site.release_shares({})
    federation.deliver(federation.organizations[0])
    with pytest.raises(QuantizationError, match="64 bits"):
        site.mask(np.zeros(1, np.uint32))
    site.mask(np.zeros(1, np.uint64))
    with pytest.raises(OutOfOrderError, match="dealers are fixed"):
        federation.deliver(federation.organizations[0])


def test_an_answer_does_not_leave_before_its_choice_is_durable() -> None:
    federation = Federation(FIVE)
    owner = federation.organizations[0]
    full = OSError("no space left on device")

    def fail(_: object) -> None:
        raise full

    federation.deal()
    federation.deliver(owner)
    site = federation.sites[owner]
    site._book._record = fail  # the disk fills up between two answers

    with pytest.raises(OSError, match="no space"):
        site.mask(np.zeros(3, np.uint64))
    with pytest.raises(AlreadyChosenError):
        site.mask(np.ones(3, np.uint64))

    site._book._record = federation.logs[owner]
    assert site.mask(np.zeros(3, np.uint64)).data == site.mask(np.zeros(3, np.uint64)).data


def test_a_restarted_site_cannot_take_the_same_attempt_up_again() -> None:
    federation = Federation(FIVE)
    owner = federation.organizations[0]
    federation.sites[owner].deal(federation.opened)
    before = list(federation.logs[owner].choices)

    reborn = federation.make_site(owner)
    opened = federation.open_with([reborn.mask_keys(), *federation.opened.members[1:]])

    with pytest.raises(OSError, match="another choice is on record"):
        reborn.deal(opened)
    assert federation.logs[owner].choices == before


def test_repeated_sites_are_not_counted_as_several() -> None:
    federation = Federation(FIVE)
    coordinator = federation.run_until_masked(random_vectors(federation, size=5, seed=9))
    federation.agree(coordinator)
    one = federation.organizations[0]

    for _ in range(5):
        coordinator.add_release(federation.sites[one].release_shares(coordinator.signatures))

    with pytest.raises(AttemptAbandonedError, match="1 usable releases"):
        coordinator.open_sum()


def test_organizations_keep_apart_whatever_their_ids() -> None:
    near = [uuid.UUID(int=i) for i in (1, 2, 3, 2**128 - 1, 2**127)]
    federation = Federation(FIVE, organizations=near)
    vectors = random_vectors(federation, size=3, seed=10, lost=1)

    assert federation.run(vectors).total.tolist() == plain_sum(vectors).tolist()
