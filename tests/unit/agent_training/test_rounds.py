"""Whole rounds over five real sites: what they commit, train, sign, reveal and verify."""

import threading
import uuid
from collections import Counter

import numpy as np
import pytest

from agent.consents.epochs import Step
from agent.consents.errors import AnchorOnItsWayError
from agent.consents.withdrawals import WithdrawalRequest
from consortium.kernel.digests import sha256_digest
from consortium.kernel.identifiers import from_hex
from tests.unit.agent_training.worlds import ORGANIZATIONS, SHARED, Run, World
from training.federated.plan_code import TrainTask, train
from training.federated.runner import prepare_vector
from training.federated.secagg.verification import make_result
from training.federated.strategies.federated_averaging import strategy_step

FIRST = ORGANIZATIONS[0]


def plain_round(run: Run, weights: bytes, organizations: list[uuid.UUID]) -> bytes:
    """Compute a round in the open, over the rows of the committed cohorts."""
    plan = run.plan.training_plan
    total = np.zeros(plan.layout().size, np.uint64)
    for organization in organizations:
        office = run.world.sites[organization].training
        attempt = next(one for place, one in office.attempts.of_run(run.id).items() if place.round == run.round)
        assert attempt.cohort is not None
        rows = attempt.table.rows_of(attempt.cohort.records)
        total += prepare_vector(plan, train(TrainTask(plan, weights), rows))
    return strategy_step(weights, total, plan, survivors=len(organizations))


def test_rounds_end_in_the_weights_of_a_plain_computation_bit_for_bit(world: World) -> None:
    run = world.new_run()

    for _ in range(2):
        run.open_round()
        vectors = run.train()
        expected = plain_round(run, run.weights, ORGANIZATIONS)
        survivors = run.collect(vectors)
        run.sign(survivors, vectors)
        assert run.step(run.reveal(survivors, vectors)) == expected
        run.weights = expected
        world.blobs.put(expected)
        run.advance()


def test_a_verifier_fetches_each_others_vector_and_not_its_own(world: World) -> None:
    run = world.new_run()

    vectors = run.play_round()

    # Five verifiers, and each has the bytes that it sent itself.
    fetched = Counter(world.blobs.fetched)
    assert {fetched[sha256_digest(data)] for data in vectors.values()} == {len(ORGANIZATIONS) - 1}


def test_a_round_that_a_shortened_chain_opened_earlier_is_verified_all_the_same(world: World) -> None:
    run = world.new_run()
    run.open_round()
    for site in world.sites.values():
        attempt = next(iter(site.training.attempts.of_run(run.id).values()))
        attempt.first_block = world.chain.head().number + 1_000
    vectors = run.train()
    survivors = run.collect(vectors)
    run.sign(survivors, vectors)
    total = run.reveal(survivors, vectors)
    result = make_result(survivors, total.total, run.step(total))

    answer = world.ask(FIRST, "verify", run.verify_payload(total, result, vectors))

    assert set(answer) == {"signature"}


def test_a_round_costs_each_site_one_signature_of_each_kind(world: World) -> None:
    run = world.new_run()
    before = {one: len(world.signed(one)) for one in ORGANIZATIONS}

    run.play_round()

    kinds = {"Commitment": 1, "ShareDeal": 1, "SurvivorSet": 1, "RoundResult": 1}
    assert all(Counter(world.signed(one)[before[one] :]) == kinds for one in ORGANIZATIONS)


def test_a_closing_carries_the_weights_into_the_next_round(world: World) -> None:
    run = world.new_run()
    run.play_round()
    initial, run.closing = run.weights, run.closing

    run.next_round()
    run.play_round()

    assert run.weights != initial
    assert [manifest.attempt.round for manifest in world.site().training.runs.manifests(run.id)] == [1, 2]


def test_a_commitment_stands_for_the_manifest_in_the_sites_own_folder(world: World) -> None:
    run = world.new_run()

    run.commit()

    for organization, answer in run.committed.items():
        manifest, commitment = run.manifest(organization), answer["commitment"]
        assert from_hex(commitment["cohortRoot"]) == manifest.cohort_root()
        assert (commitment["band"], commitment["seq"]) == (manifest.band, manifest.state.seq)
        assert commitment["validUntilBlock"] == world.chain.height + 10
        assert commitment["blockNumber"] == world.chain.height - 1
        path = world.sites[organization].training.runs.root / str(run.id) / "1-1.json"
        assert path.lstat().st_mode & 0o777 == 0o600


def test_the_cohort_is_who_permits_and_has_rows_and_nobody_else(world: World) -> None:
    run = world.new_run()
    office = world.site().consents
    run.commit([FIRST])

    manifest = run.manifest(FIRST)
    subjects = {subject for subject, _consent in manifest.entries}

    anchor = office.anchoring.anchors.epoch_of(SHARED.id, manifest.state.epoch, manifest.state.root)
    assert anchor is not None
    assert subjects <= set(office.anchoring.anchors.leaves(anchor.digest))
    assert 25 <= len(subjects) < 60


def test_every_answer_is_repeated_unchanged_when_it_is_asked_for_again(world: World) -> None:
    run = world.new_run()
    run.commit()
    assert world.ask(FIRST, "commit", run.commit_payload()) == run.committed[FIRST]
    run.open()
    run.deal()
    assert world.ask(FIRST, "shares", run.shares_payload()) == run.deals[FIRST]
    vectors = run.train()
    reads = len(world.site().journal.entries(limit=1000, kinds=("records",)))
    assert world.ask(FIRST, "train", run.train_payload(FIRST)) == vectors[FIRST]
    survivors = run.collect(vectors)
    run.sign(survivors, vectors)
    run.reveal(survivors, vectors)

    assert world.ask(FIRST, "reveal", run.reveal_payload(survivors))["holder"] == str(FIRST)
    assert len(world.site().journal.entries(limit=1000, kinds=("records",))) == reads
    stored = world.site().training.runs.root / str(run.id) / "1-1.masked"
    assert stored.read_bytes() == vectors[FIRST]


def test_a_site_that_is_lost_after_dealing_is_back_in_the_next_round(world: World) -> None:
    run = world.new_run()

    vectors = run.play_round(lost=[FIRST])
    run.next_round()
    following = run.play_round()

    assert FIRST not in vectors
    assert set(following) == set(ORGANIZATIONS)


def test_of_two_commitments_the_chains_one_decides_which_cohort_is_trained_on(world: World) -> None:
    run = world.new_run()
    run.commit()
    first = run.manifest(FIRST)
    world.chain.mine(9)

    again = world.ask(FIRST, "commit", run.commit_payload())

    second = run.manifest(FIRST)
    assert again["mask_keys"] == run.committed[FIRST]["mask_keys"]
    assert again["commitment"]["cohortRoot"] != run.committed[FIRST]["commitment"]["cohortRoot"]
    assert second.cohort_root() == from_hex(again["commitment"]["cohortRoot"])
    run.open()
    run.deal()
    assert run.manifest(FIRST) == first
    folder = world.site().training.runs.root / str(run.id)
    assert {path.name for path in folder.iterdir()} == {
        "1-1.json",
        f"1-1.{first.digest()[7:23]}.json",
        f"1-1.{second.digest()[7:23]}.json",
    }


def test_a_withdrawal_is_anchored_before_the_next_commitment_which_holds_one_subject_fewer(world: World) -> None:
    run = world.new_run()
    run.commit([FIRST])
    before = run.manifest(FIRST)
    office = world.site().consents
    rows = office.database.rows(
        "SELECT record FROM leaves JOIN subjects ON subjects.pseudonym = leaves.pseudonym WHERE subject = ?",
        before.entries[0][0],
    )
    run = world.new_run()

    office.withdrawals.withdraw(WithdrawalRequest(office.withdrawals.pseudonym_of(rows[0][0])))
    signed = len(world.signed(FIRST))
    with pytest.raises(AnchorOnItsWayError):
        world.ask(FIRST, "commit", run.commit_payload(), seconds=0.3)

    assert len(world.signed(FIRST)) == signed
    world.chain.mine(11)
    assert office.anchoring.advance(SHARED) is Step.REVOKED
    world.carry(FIRST)
    run.commit([FIRST])
    after = run.manifest(FIRST)
    assert after.count == before.count - 1
    assert before.entries[0] not in after.entries
    assert after.state.seq == before.state.seq + 1


def test_the_sites_own_anchoring_waits_for_the_opening_of_what_it_committed_to(world: World) -> None:
    run = world.new_run()
    office = world.site().consents
    world.chain.mine(11)
    run.commit()
    office.anchoring.effects.wish_epoch([SHARED.id])

    assert office.anchoring.advance(SHARED) is Step.HELD

    run.open()
    run.deal()
    assert office.anchoring.advance(SHARED) is Step.ANCHORED
    world.carry(FIRST)
    office.anchoring.settle(SHARED)


def test_the_weights_of_a_round_are_fetched_once_and_its_plan_too(world: World) -> None:
    run = world.new_run()
    run.open_round()
    world.blobs.fetched.clear()

    run.train()

    assert Counter(world.blobs.fetched) == {sha256_digest(run.weights): len(ORGANIZATIONS)}


def test_a_site_looks_again_until_its_node_shows_the_opening(world: World) -> None:
    run = world.new_run()
    run.commit()
    timer = threading.Timer(0.4, run.open)
    timer.start()

    run.deals[FIRST] = world.ask(FIRST, "shares", run.shares_payload())

    timer.join()
    assert run.deals[FIRST]["deal"]["dealer"] == str(FIRST)
