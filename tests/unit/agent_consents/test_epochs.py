"""Anchoring: one counter for epochs and revocations, held back by attempts, the same bytes after a kill."""

import threading
from pathlib import Path
from typing import Any

import pytest

from agent.consents.epochs import LANDING_SECONDS, Step
from agent.consents.errors import AnchorOnItsWayError, ConsentStateError
from agent.consents.withdrawals import WithdrawalRequest
from consent.fhir.generator import Outcome
from consortium.kernel.bands import band
from consortium.kernel.consent_leaf import LeafContext
from tests.unit.agent.worlds import CHAIN_ID, CONSORTIUM, HOSPITAL
from tests.unit.agent_consents.worlds import SHARED, anchor, carry, chain_of, import_generated, reopen


def withdraw(office, record: str = "patient-0", **options: Any):
    name = office.withdrawals.pseudonym_of(record)
    return office.withdrawals.withdraw(WithdrawalRequest(name, **options))


def permitting(made) -> list[str]:
    return sorted(made.permitting())


def test_an_epoch_holds_exactly_who_permits_something_and_shows_a_band(office):
    made = import_generated(office, 40)

    anchor(office)

    state = chain_of(office).state
    expected = sum(outcome is Outcome.PERMITS for outcome in made.truth.values())
    trie = office.proofs.epoch_trie(LeafContext(CHAIN_ID, CONSORTIUM, HOSPITAL), 1, state["root"])
    assert (state["epoch"], state["seq"], state["band"]) == (1, 1, band(expected))
    assert trie.count == expected
    assert office.anchoring.advance(SHARED) is Step.IDLE


def test_an_empty_store_anchors_an_empty_epoch_when_asked(office):
    office.anchoring.effects.wish_epoch([CONSORTIUM])

    anchor(office)

    assert chain_of(office).state["band"] == 0
    assert chain_of(office).state["epoch"] == 1


def test_salts_are_fresh_for_each_subject_and_stay_over_epochs(office):
    import_generated(office, 12)
    anchor(office)
    first = office.anchoring.anchors.leaves(office.anchoring.anchors.last_landed(CONSORTIUM).digest)
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    anchor(office)
    second = office.anchoring.anchors.leaves(office.anchoring.anchors.last_landed(CONSORTIUM).digest)

    assert first == second
    assert len(set(first) | set(first.values())) == 2 * len(first)


def test_a_kill_between_signing_and_sending_resends_identical_bytes(office, tmp_path: Path):
    import_generated(office, 12)
    assert office.anchoring.advance(SHARED) is Step.ANCHORED
    before = [(message.digest, message.path, message.body) for message in office.mail.waiting()]

    again = reopen(tmp_path / "site", chain_of(office))

    assert again.anchoring.advance(SHARED) is Step.WAITING
    assert [(message.digest, message.path, message.body) for message in again.mail.waiting()] == before
    carry(again)
    assert again.anchoring.advance(SHARED) is Step.IDLE
    assert chain_of(office).state["seq"] == 1
    again.database.close()
    again.site.journal.close()


def test_epoch_and_revocation_signed_at_once_keep_one_counter(office, tmp_path: Path):
    made = import_generated(office, 30)
    anchor(office)
    withdraw(office, permitting(made)[0])
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    other = reopen(tmp_path / "site", chain_of(office))
    steps: list[Step] = []
    start = threading.Barrier(2)

    def go(one) -> None:
        start.wait()
        steps.append(one.anchoring.advance(SHARED))

    threads = [threading.Thread(target=go, args=(one,)) for one in (office, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(steps) in ([Step.REVOKED, Step.WAITING], [Step.ANCHORED, Step.WAITING])
    carry(office)
    while office.anchoring.advance(SHARED) is not Step.IDLE:
        carry(office)
    rows = office.database.rows("SELECT seq, state FROM anchors ORDER BY seq")
    assert [seq for seq, _ in rows] == list(range(1, chain_of(office).state["seq"] + 1))
    assert {state for _, state in rows} == {"landed"}
    other.database.close()
    other.site.journal.close()


def test_anchoring_is_held_back_while_a_commitment_is_on_its_way_and_goes_on_right_after(office):
    made = import_generated(office, 30)
    anchor(office)
    chain = chain_of(office)
    office.anchoring.holds.hold(CONSORTIUM, "run/1/1", head=chain.height, until_block=chain.height + 5)
    withdraw(office, permitting(made)[0])

    assert office.anchoring.advance(SHARED) is Step.HELD
    assert "revocations" not in carry(office)

    office.anchoring.holds.release(CONSORTIUM, "run/1/1")
    assert office.anchoring.advance(SHARED) is Step.REVOKED


def test_a_hold_ends_with_its_last_block(office):
    import_generated(office, 12)
    chain = chain_of(office)
    office.anchoring.holds.hold(CONSORTIUM, "run/1/1", head=chain.height, until_block=chain.height + 500)
    chain.height += 10
    assert office.anchoring.advance(SHARED) is Step.HELD

    chain.height += 1

    assert office.anchoring.advance(SHARED) is Step.ANCHORED


def test_no_attempt_is_committed_to_while_an_entry_is_on_its_way(office):
    import_generated(office, 12)
    office.anchoring.advance(SHARED)

    with pytest.raises(AnchorOnItsWayError):
        office.anchoring.holds.hold(CONSORTIUM, "run/1/1", head=100, until_block=105)

    assert office.database.rows("SELECT count(*) FROM holds") == [(0,)]


def test_an_entry_that_the_platform_lost_is_signed_anew_under_the_same_number(office):
    import_generated(office, 12)
    office.anchoring.advance(SHARED)
    lost = office.mail.waiting()[-1]
    office.mail.settle(lost, "sent")
    chain_of(office).time += LANDING_SECONDS + 1

    assert office.anchoring.advance(SHARED) is Step.ANCHORED
    carry(office)

    assert office.anchoring.advance(SHARED) is Step.IDLE
    assert chain_of(office).state["seq"] == 1
    assert office.database.rows("SELECT seq, state FROM anchors ORDER BY signed_at") == [(1, "lost"), (1, "landed")]


def test_a_lost_revocation_is_made_good_by_an_epoch_since_it_would_be_the_same_request_again(office):
    made = import_generated(office, 30)
    anchor(office)
    withdraw(office, permitting(made)[0])
    assert office.anchoring.advance(SHARED) is Step.REVOKED
    office.mail.settle(office.mail.waiting()[-1], "sent")
    chain_of(office).time += LANDING_SECONDS + 1

    assert office.anchoring.advance(SHARED) is Step.ANCHORED
    carry(office)

    assert office.anchoring.advance(SHARED) is Step.IDLE
    states = office.database.rows("SELECT kind, seq, state FROM anchors ORDER BY signed_at, seq")
    assert states == [("epoch", 1, "landed"), ("revocation", 2, "lost"), ("epoch", 2, "landed")]
    assert office.anchoring.effects.waiting(CONSORTIUM) == []


def test_an_entry_whose_key_was_replaced_is_signed_anew_and_not_waited_for(office, monkeypatch):
    import_generated(office, 12)
    office.anchoring.advance(SHARED)
    first = office.mail.waiting()[-1]
    monkeypatch.setattr(office.site.signer, "is_by_present_key", lambda digest, _consortium: digest != first.digest)
    assert office.anchoring.advance(SHARED) is Step.WAITING
    chain_of(office).time += 1

    assert office.anchoring.advance(SHARED) is Step.ANCHORED
    assert office.mail.waiting()[-1].digest != first.digest


def test_an_entry_that_counted_as_lost_and_landed_after_all_is_recognized(office):
    import_generated(office, 12)
    office.anchoring.advance(SHARED)
    late = office.mail.waiting()[-1]
    office.mail.settle(late, "sent")
    chain = chain_of(office)
    chain.time += LANDING_SECONDS + 1
    office.anchoring.advance(SHARED)
    chain.time -= LANDING_SECONDS + 1
    chain.submit(late.path, dict(late.body))

    office.anchoring.settle(SHARED)

    assert office.anchoring.anchors.last_landed(CONSORTIUM).digest == late.digest
    assert office.anchoring.anchors.on_its_way(CONSORTIUM) is None


def test_an_entry_that_this_site_did_not_sign_stops_everything(office):
    import_generated(office, 12)
    anchor(office)
    chain_of(office).state |= {"seq": 2, "revoked": 1, "revocations": bytes([7]) * 32}
    office.anchoring.effects.wish_epoch([CONSORTIUM])

    with pytest.raises(ConsentStateError, match="did not sign"):
        office.anchoring.advance(SHARED)

    assert office.anchoring.anchors.on_its_way(CONSORTIUM) is None


def test_a_development_chain_that_came_back_shorter_is_waited_for(office):
    import_generated(office, 12)
    anchor(office)
    before = dict(chain_of(office).state)
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    anchor(office)
    after = dict(chain_of(office).state)

    chain_of(office).state = before
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    assert office.anchoring.advance(SHARED) is Step.WAITING

    chain_of(office).state = after
    assert office.anchoring.advance(SHARED) is Step.ANCHORED
