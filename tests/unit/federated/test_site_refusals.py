"""What a site refuses: foreign rosters, tampered shares, signatures and survivor sets, reused attempts."""

import uuid
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.federated.federation import WEIGHTS, Federation, make_context, random_vectors
from training.federated.errors import (
    AlreadyChosenError,
    DealRefusedError,
    KeyAgreementError,
    ParameterBoundError,
    SignatureRefusedError,
    SurvivorSetRefusedError,
    WireFormatError,
)
from training.federated.secagg.choices import ChoiceKind
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.deals import deal_fields
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.opened import open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.survivors import SurvivorSet, survivor_set

FIVE = SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64)


def kinds(federation: Federation, index: int = 0) -> list[ChoiceKind]:
    return [choice.kind for choice in federation.logs[federation.organizations[index]].choices]


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.fixture
def federation() -> Federation:
    return Federation(FIVE)


@pytest.fixture
def masked() -> Federation:
    """Five sites that have masked."""
    federation = Federation(FIVE)
    federation.deal()
    for organization in federation.organizations:
        federation.deliver(organization)
    federation.mask(random_vectors(federation, size=4, seed=0))
    return federation


def subset(federation: Federation, *indexes: int) -> SurvivorSet:
    chosen = [federation.organizations[i] for i in indexes]
    return survivor_set(federation.opened, [(o, federation.masked[o].digest()) for o in chosen])


def test_keys_that_differ_from_the_commitment_on_the_chain_are_refused(federation: Federation) -> None:
    keys = [*federation.opened.members]
    committed = [(entry.organization, entry.digest(federation.context)) for entry in keys]
    stranger = Federation(FIVE).opened.members[0]

    for forged in (
        [replace(keys[0], mask_key=stranger.mask_key), *keys[1:]],
        [replace(keys[0], seed_commitment=stranger.seed_commitment), *keys[1:]],
        [stranger, *keys[1:]],
        keys[1:],
        [*keys, stranger],
        [keys[1], *keys[1:]],
    ):
        with pytest.raises(KeyAgreementError):
            open_attempt(context=federation.context, parameters=FIVE, weights=WEIGHTS, committed=committed, keys=forged)


def test_a_copied_mask_key_is_refused(federation: Federation) -> None:
    keys = [*federation.opened.members]
    keys[1] = replace(keys[1], mask_key=keys[0].mask_key)

    with pytest.raises(KeyAgreementError, match="copied"):
        federation.open_with(keys)


def test_a_roster_smaller_than_the_bound_is_refused_by_every_site(federation: Federation) -> None:
    with pytest.raises(ParameterBoundError):
        replace(FIVE, n=7)
    with pytest.raises(KeyAgreementError, match="n=5"):
        federation.open_with(federation.opened.members[:4])


@pytest.mark.parametrize(
    "context",
    [make_context(attempt=2), make_context(round_number=2), make_context(chain_id=1)],
    ids=["attempt", "round", "chain"],
)
def test_a_site_deals_only_in_the_attempt_it_made_keys_for(federation: Federation, context: AttemptContext) -> None:
    other = replace(federation.opened, context=context)

    with pytest.raises(KeyAgreementError, match="another attempt"):
        federation.sites[federation.organizations[0]].deal(other)

    assert kinds(federation) == []


def test_a_site_deals_only_under_the_weights_it_committed_to(federation: Federation) -> None:
    with pytest.raises(KeyAgreementError, match="weights"):
        federation.sites[federation.organizations[0]].deal(replace(federation.opened, weights=bytes(32)))

    assert kinds(federation) == []


def test_a_site_deals_to_one_roster_only(federation: Federation) -> None:
    site = federation.sites[federation.organizations[0]]
    site.deal(federation.opened)
    others = Federation(FIVE, organizations=federation.organizations).opened.members[1:]

    with pytest.raises(AlreadyChosenError):
        site.deal(federation.open_with([federation.opened.members[0], *others]))
    with pytest.raises(AlreadyChosenError):
        site.deal(replace(federation.opened, parameters=replace(FIVE, t=5)))

    assert kinds(federation) == [ChoiceKind.DEALT]


def test_a_roster_with_other_keys_for_the_site_is_refused(federation: Federation) -> None:
    forged = Federation(FIVE, organizations=federation.organizations).opened

    with pytest.raises(KeyAgreementError, match="other mask keys for this site"):
        federation.sites[federation.organizations[0]].deal(forged)


@pytest.mark.parametrize("position", [0, 11, 12, 80, 159])
def test_a_tampered_share_is_refused_naming_its_dealer(federation: Federation, position: int) -> None:
    federation.deal()
    holder, dealer = federation.organizations[0], federation.organizations[3]
    deal = federation.deals[dealer]
    shares = [replace(share, ciphertext=flipped(share.ciphertext, position)) for share in deal.shares]
    federation.deals[dealer] = replace(deal, shares=tuple(shares))

    with pytest.raises(DealRefusedError, match=str(dealer)):
        federation.deliver(holder)

    with pytest.raises(Exception, match="before a vector is masked"):
        federation.sites[holder].mask(np.zeros(1, np.uint64))
    federation.deliver(holder, [d for d in federation.organizations if d != dealer])
    federation.sites[holder].mask(np.zeros(1, np.uint64))


def test_shares_other_than_the_signed_commitments_are_refused(federation: Federation) -> None:
    federation.deal()
    one, two = federation.organizations[1], federation.organizations[2]
    deal = federation.deals[one]
    swapped = dict(deal.public.commitments)
    swapped[federation.organizations[0]], swapped[two] = swapped[two], swapped[federation.organizations[0]]
    unsigned = replace(deal.public, commitments=swapped)
    federation.deals[one] = replace(deal, public=unsigned)
    with pytest.raises(SignatureRefusedError):
        federation.deliver(federation.organizations[0])

    from_dealer = federation.signers.sign(one, "ShareDeal", deal_fields(federation.opened, unsigned))
    federation.deals[one] = replace(deal, public=replace(unsigned, signature=from_dealer))
    with pytest.raises(DealRefusedError, match="not those it committed to"):
        federation.deliver(federation.organizations[0])


def test_a_share_for_another_holder_or_a_missing_or_doubled_dealer_is_refused(federation: Federation) -> None:
    federation.deal()
    holder, other = federation.organizations[:2]
    deals = [deal.public for deal in federation.deals.values()]
    mine = [s for deal in federation.deals.values() for s in deal.shares if s.holder == holder]
    theirs = [s for deal in federation.deals.values() for s in deal.shares if s.holder == other and s.dealer != holder]
    site = federation.sites[holder]

    for given_deals, given_shares in (
        (deals, mine[:-1]),
        (deals, [*mine[:-1], mine[0]]),
        ([*deals, deals[1]], [*mine, mine[0]]),
        (deals[1:], mine),
        (deals[:3], mine[:2]),
        (deals, [*mine[1:], *theirs[:1]]),
        (deals, [replace(mine[0], dealer=mine[1].dealer), *mine[1:]]),
    ):
        with pytest.raises(DealRefusedError):
            site.receive(given_deals, given_shares)


def test_deals_of_an_earlier_attempt_are_refused(federation: Federation) -> None:
    again = Federation(
        FIVE, context=make_context(attempt=2), organizations=federation.organizations, signers=federation.signers
    )
    federation.deal()
    again.deal()
    replayed = federation.organizations[1]
    again.deals[replayed] = federation.deals[replayed]

    with pytest.raises(SignatureRefusedError):
        again.deliver(again.organizations[0])


def test_a_survivor_set_below_the_threshold_is_not_signed(masked: Federation) -> None:
    with pytest.raises(SurvivorSetRefusedError, match="fewer than t=4"):
        masked.sites[masked.organizations[0]].sign_survivors(subset(masked, 0, 1, 2))

    assert ChoiceKind.SIGNED not in kinds(masked)


def test_a_survivor_set_without_the_site_itself_is_not_signed(masked: Federation) -> None:
    with pytest.raises(SurvivorSetRefusedError, match="leaves this site out"):
        masked.sites[masked.organizations[0]].sign_survivors(subset(masked, 1, 2, 3, 4))

    assert ChoiceKind.SIGNED not in kinds(masked)


@pytest.mark.parametrize("bitmap", [0, 1 << 5 | 0b1111, -1, 2**255])
def test_a_survivor_set_outside_the_roster_is_not_signed(masked: Federation, bitmap: int) -> None:
    with pytest.raises(SurvivorSetRefusedError):
        masked.sites[masked.organizations[0]].sign_survivors(replace(subset(masked, 0, 1, 2, 3, 4), survivors=bitmap))

    assert ChoiceKind.SIGNED not in kinds(masked)


def test_a_survivor_set_with_other_bytes_for_the_site_is_not_signed(masked: Federation) -> None:
    good = subset(masked, 0, 1, 2, 3, 4)
    site = masked.sites[masked.organizations[0]]

    with pytest.raises(SurvivorSetRefusedError, match="other bytes"):
        site.sign_survivors(replace(good, masked_digests=(bytes(32), *good.masked_digests[1:])))
    with pytest.raises(SurvivorSetRefusedError, match="one SHA-256 digest"):
        site.sign_survivors(replace(good, masked_digests=good.masked_digests[:-1]))

    assert ChoiceKind.SIGNED not in kinds(masked)


def test_a_survivor_that_never_dealt_to_the_site_is_not_signed_for() -> None:
    federation = Federation(FIVE)
    federation.deal()
    first, last = federation.organizations[0], federation.organizations[4]
    federation.deliver(first, federation.organizations[:4])
    for organization in federation.organizations[1:]:
        federation.deliver(organization)
    federation.mask(random_vectors(federation, size=4, seed=0))

    with pytest.raises(SurvivorSetRefusedError, match="never dealt"):
        federation.sites[first].sign_survivors(subset(federation, 0, 1, 2, 4))

    assert last in federation.masked
    assert ChoiceKind.SIGNED not in kinds(federation)


def test_a_second_survivor_set_is_not_signed(masked: Federation) -> None:
    site = masked.sites[masked.organizations[0]]
    signature = site.sign_survivors(subset(masked, 0, 1, 2, 3, 4))

    with pytest.raises(AlreadyChosenError):
        site.sign_survivors(subset(masked, 0, 1, 2, 3))

    assert site.sign_survivors(subset(masked, 0, 1, 2, 3, 4)) == signature


def test_shares_stay_closed_below_t_signatures_or_with_a_wrong_one(masked: Federation) -> None:
    everybody, four = subset(masked, 0, 1, 2, 3, 4), subset(masked, 0, 1, 2, 3)
    site, ids = masked.sites[masked.organizations[0]], masked.organizations
    good = {o: masked.sites[o].sign_survivors(everybody) for o in ids}
    on_four = masked.signers.sign(ids[1], "SurvivorSet", four.fields(masked.opened))
    stranger = uuid.uuid4()

    for signatures in (
        {},
        {o: good[o] for o in ids[:3]},
        {**{o: good[o] for o in ids[:3]}, ids[3]: good[ids[0]]},
        {**good, ids[1]: on_four},
        {**good, ids[4]: good[ids[4]][:-1] + bytes([good[ids[4]][-1] ^ 1])},
        {**{o: good[o] for o in ids[:3]}, stranger: good[ids[0]]},
    ):
        with pytest.raises(SignatureRefusedError):
            site.release_shares(signatures)

    assert ChoiceKind.RELEASED not in kinds(masked)


def test_signatures_of_sites_outside_the_set_do_not_count(masked: Federation) -> None:
    four = subset(masked, 0, 1, 2, 3)
    signatures = {o: masked.sites[o].sign_survivors(four) for o in masked.organizations[:3]}
    outsider = masked.organizations[4]
    signatures[outsider] = masked.signers.sign(outsider, "SurvivorSet", four.fields(masked.opened))

    with pytest.raises(SignatureRefusedError, match="survivors' signatures"):
        masked.sites[masked.organizations[0]].release_shares(signatures)


def test_one_kind_of_share_is_released_a_dealer(masked: Federation) -> None:
    four = subset(masked, 0, 1, 2, 3)
    signatures = {o: masked.sites[o].sign_survivors(four) for o in masked.organizations[:4]}

    released = masked.sites[masked.organizations[0]].release_shares(signatures)

    assert [entry.kind.value for entry in released.shares.values()] == ["seed", "seed", "seed", "seed", "mask_key"]
    assert list(released.shares) == masked.organizations


def test_secrets_do_not_show_in_representations(masked: Federation) -> None:
    four = subset(masked, 0, 1, 2, 3)
    signatures = {o: masked.sites[o].sign_survivors(four) for o in masked.organizations[:4]}
    site = masked.sites[masked.organizations[0]]
    released = site.release_shares(signatures)

    assert "share=" not in repr(released)
    assert "seed" not in repr(site._secrets)
    assert "seed=" not in repr(site._held)


@pytest.mark.parametrize("change", [{"round": 0}, {"attempt": 2**32}, {"chain_id": 0}, {"ledger": b"short"}])
def test_a_context_outside_the_chain_types_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(WireFormatError):
        replace(make_context(), **change)  # type: ignore[arg-type]  # wrong on purpose


def test_every_part_of_the_context_is_bound() -> None:
    base = make_context()
    a, b = uuid.UUID(int=1), uuid.UUID(int=2)
    changed = [
        replace(base, chain_id=1),
        replace(base, ledger=bytes(20)),
        replace(base, run=uuid.UUID(int=3)),
        replace(base, round=2),
        replace(base, attempt=2),
    ]

    infos = [base.info(b"mask", a, b), base.info(b"mask", b, a), base.info(b"mask2", a, b)]
    infos += [context.info(b"mask", a, b) for context in changed]

    assert len(set(infos)) == len(infos) == 8


def test_mask_keys_of_two_contexts_have_two_digests() -> None:
    keys = MaskKeys(uuid.UUID(int=1), b"a" * 32, b"b" * 32, b"c" * 32)

    assert keys.digest(make_context()) != keys.digest(make_context(attempt=2))
