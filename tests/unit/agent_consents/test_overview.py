"""The steward's view: what statements come to, epochs with their block, withdrawals with their seconds."""

from datetime import UTC, datetime

from agent.consents.overview import ConsentOverview
from agent.consents.withdrawals import WithdrawalRequest
from tests.unit.agent_consents.worlds import SHARED, anchor, carry, chain_of, import_generated


def test_numbers_add_up_and_follow_a_withdrawal(office):
    made = import_generated(office, 30)
    overview = ConsentOverview(office.store, clock=lambda: datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC))
    assert overview.glance() is None
    before = overview.numbers()

    office.withdrawals.withdraw(WithdrawalRequest(office.withdrawals.pseudonym_of(min(made.permitting()))))
    after = overview.numbers()

    assert before.subjects == 30
    assert before.in_force + before.denied + before.withdrawn + before.expired == 30
    assert (after.in_force, after.withdrawn) == (before.in_force - 1, before.withdrawn + 1)
    assert after.band in {0, 10, 25}


def test_consents_run_out_with_time(office):
    import_generated(office, 30)
    later = ConsentOverview(office.store, clock=lambda: datetime(2126, 1, 1, tzinfo=UTC))

    numbers = later.numbers()

    assert (numbers.in_force, numbers.subjects) == (0, 30)
    assert numbers.expired > 0


def test_an_epoch_says_by_which_block_it_is_on_the_chain(office):
    import_generated(office, 12)
    assert office.anchoring.advance(SHARED) == "anchored"
    (on_its_way,) = office.overview.epochs()
    assert (on_its_way.state, on_its_way.block) == ("signed", 0)

    carry(office)
    office.anchoring.settle(SHARED)

    (landed,) = office.overview.epochs()
    assert (landed.state, landed.block, landed.number) == ("landed", chain_of(office).height, 1)
    assert landed.leaves == office.overview.numbers().in_force


def test_a_withdrawal_goes_from_received_to_confirmed_and_says_how_long_it_took(office):
    made = import_generated(office, 12)
    anchor(office)
    office.withdrawals.withdraw(WithdrawalRequest(office.withdrawals.pseudonym_of(min(made.permitting()))))
    assert [one.progress.value for one in office.overview.withdrawals()] == ["received"]
    assert office.overview.waiting() == 1

    assert office.anchoring.advance(SHARED) == "revoked"
    assert [one.progress.value for one in office.overview.withdrawals()] == ["on_its_way"]
    chain_of(office).time += 17
    carry(office)
    office.anchoring.settle(SHARED)

    (one,) = office.overview.withdrawals()
    assert (one.progress.value, one.consents, one.block) == ("confirmed", 1, chain_of(office).height)
    assert one.seconds is not None
    assert office.overview.waiting() == 0
