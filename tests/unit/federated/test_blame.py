"""Who is named when shares do not fit: the holder or the dealer, never a bystander."""

import uuid
from dataclasses import replace

import pytest

from tests.unit.federated.federation import Federation, plain_sum, random_vectors
from training.federated.errors import (
    AlreadyChosenError,
    AttemptAbandonedError,
    DealerBlamedError,
    DealRefusedError,
    HolderBlamedError,
    OutOfOrderError,
    SignatureRefusedError,
)
from training.federated.secagg.coordinator import AttemptCoordinator
from training.federated.secagg.dealing import cut, make_deal
from training.federated.secagg.deals import ShareKind
from training.federated.secagg.mask_keys import AttemptSecrets
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.releases import ReleasedShare, ReleasedShares
from training.federated.secagg.shamir import PRIME
from training.federated.secagg.share_transport import SharePair

FIVE = SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64)


def agreed(lost: int = 0) -> tuple[Federation, AttemptCoordinator]:
    federation = Federation(FIVE)
    coordinator = federation.run_until_masked(random_vectors(federation, size=6, seed=1, lost=lost))
    federation.agree(coordinator)
    return federation, coordinator


def release(federation: Federation, coordinator: AttemptCoordinator, index: int) -> ReleasedShares:
    return federation.sites[federation.organizations[index]].release_shares(coordinator.signatures)


def changed(released: ReleasedShares, dealer: uuid.UUID, entry: ReleasedShare) -> ReleasedShares:
    return replace(released, shares={**released.shares, dealer: entry})


def test_a_tampered_share_blames_its_holder_and_the_others_still_open_the_sum() -> None:
    federation, coordinator = agreed()
    bad, dealer = federation.organizations[2], federation.organizations[1]
    good = release(federation, coordinator, 2)
    share = good.shares[dealer].share
    forged = changed(good, dealer, ReleasedShare(ShareKind.SEED, share[:-1] + bytes([share[-1] ^ 1])))

    with pytest.raises(HolderBlamedError) as caught:
        coordinator.add_release(forged)

    assert caught.value.fields == {"organization": bad, "dealer": dealer}
    assert not coordinator.is_revealed
    for index in (0, 1, 3, 4):
        coordinator.add_release(release(federation, coordinator, index))
    assert coordinator.open_sum().total.tolist() == plain_sum(random_vectors(federation, size=6, seed=1)).tolist()


def test_another_dealers_share_the_other_kind_and_a_missing_share_blame_the_holder() -> None:
    federation, coordinator = agreed()
    one, two = federation.organizations[0], federation.organizations[1]
    good = release(federation, coordinator, 2)
    other_kind = federation.sites[federation.organizations[2]]._held[one].mask_key

    for forged in (
        changed(good, one, good.shares[two]),
        changed(good, one, ReleasedShare(ShareKind.MASK_KEY, other_kind)),
        changed(good, one, ReleasedShare(ShareKind.MASK_KEY, good.shares[one].share)),
        replace(good, shares={d: s for d, s in good.shares.items() if d != one}),
        replace(good, holder=federation.organizations[3]),
        replace(good, holder=uuid.uuid4()),
    ):
        with pytest.raises(HolderBlamedError) as caught:
            coordinator.add_release(forged)
        assert caught.value.fields["organization"] == forged.holder

    assert not coordinator.is_revealed


def test_a_release_by_a_site_that_was_lost_is_not_used() -> None:
    federation, coordinator = agreed(lost=1)
    released = release(federation, coordinator, 1)

    with pytest.raises(HolderBlamedError):
        coordinator.add_release(replace(released, holder=federation.organizations[0]))


def dishonest_deal(federation: Federation, dealer: uuid.UUID, kind: ShareKind) -> None:
    """Make the dealer commit to shares of another secret than its mask keys name, all of them consistent."""
    site = federation.sites[dealer]
    secrets = site._secrets
    assert secrets is not None
    changes = {"seed" if kind is ShareKind.SEED else "mask_private": AttemptSecrets.generate().seed}
    dealt = replace(secrets, **changes)
    pairs = cut(federation.opened, dealt)
    site._own_pair = pairs[dealer]
    federation.deals[dealer] = make_deal(
        federation.opened, dealer, secrets, pairs, lambda k, fields: federation.signers.sign(dealer, k, fields)
    )


@pytest.mark.parametrize(("kind", "lost"), [(ShareKind.SEED, 0), (ShareKind.MASK_KEY, 1)])
def test_shares_of_another_secret_blame_their_dealer_and_the_attempt_is_abandoned(kind: ShareKind, lost: int) -> None:
    federation = Federation(FIVE)
    dealer = federation.organizations[0]
    federation.deal()
    dishonest_deal(federation, dealer, kind)
    vectors = random_vectors(federation, size=6, seed=1, lost=lost)
    for organization in vectors:
        federation.deliver(organization)
    federation.mask(vectors)
    coordinator = federation.coordinator()
    for member in federation.agree(coordinator).members(federation.opened):
        coordinator.add_release(federation.sites[member].release_shares(coordinator.signatures))

    with pytest.raises(DealerBlamedError) as caught:
        coordinator.open_sum()

    assert isinstance(caught.value, AttemptAbandonedError)
    assert caught.value.fields == {"organization": dealer}


def test_shares_off_one_polynomial_blame_their_dealer() -> None:
    federation = Federation(FIVE)
    dealer = federation.organizations[3]
    federation.deal()
    site = federation.sites[dealer]
    secrets = site._secrets
    assert secrets is not None
    pairs = cut(federation.opened, secrets)
    victim = federation.organizations[1]
    wrong = (int.from_bytes(pairs[victim].seed, "big") + 1) % PRIME
    pairs[victim] = SharePair(wrong.to_bytes(66, "big"), pairs[victim].mask_key)
    site._own_pair = pairs[dealer]
    federation.deals[dealer] = make_deal(
        federation.opened, dealer, secrets, pairs, lambda k, fields: federation.signers.sign(dealer, k, fields)
    )
    vectors = random_vectors(federation, size=6, seed=1)
    for organization in vectors:
        federation.deliver(organization)
    federation.mask(vectors)
    coordinator = federation.coordinator()
    for member in federation.agree(coordinator).members(federation.opened):
        coordinator.add_release(federation.sites[member].release_shares(coordinator.signatures))

    with pytest.raises(DealerBlamedError) as caught:
        coordinator.open_sum()

    assert caught.value.fields == {"organization": dealer}


def test_a_deal_not_signed_by_its_dealer_or_not_to_the_roster_is_not_taken() -> None:
    federation = Federation(FIVE)
    federation.deal()
    coordinator = AttemptCoordinator(federation.opened, size=6, verify=federation.signers.verify)
    one, two = (federation.deals[o].public for o in federation.organizations[:2])

    with pytest.raises(SignatureRefusedError):
        coordinator.add_deal(replace(one, signature=two.signature))
    with pytest.raises(DealRefusedError):
        coordinator.add_deal(replace(one, commitments=dict(list(one.commitments.items())[1:])))
    assert coordinator.deals == {}

    coordinator.add_deal(one)
    with pytest.raises(AlreadyChosenError, match="twice"):
        coordinator.add_deal(replace(one, signature=two.signature))
    assert coordinator.deals == {one.dealer: one}


def test_a_deal_after_the_dealers_are_fixed_is_left_out() -> None:
    federation = Federation(FIVE)
    federation.deal()
    late = federation.organizations[4]
    coordinator = AttemptCoordinator(federation.opened, size=6, verify=federation.signers.verify)
    for organization in federation.organizations[:4]:
        coordinator.add_deal(federation.deals[organization].public)
    closed = coordinator.close_dealing()

    with pytest.raises(OutOfOrderError, match=str(late)):
        coordinator.add_deal(federation.deals[late].public)

    assert [deal.dealer for deal in closed] == federation.organizations[:4]
    assert coordinator.close_dealing() == closed


def test_a_signature_of_a_site_that_is_no_survivor_is_not_counted() -> None:
    federation, coordinator = agreed(lost=1)
    outsider = federation.organizations[0]
    survivors = coordinator.name_survivors()
    signature = federation.signers.sign(outsider, "SurvivorSet", survivors.fields(federation.opened))

    with pytest.raises(SignatureRefusedError, match="not a survivor"):
        coordinator.add_signature(outsider, signature)

    assert outsider not in coordinator.signatures
