"""Rounds over real masking, signatures and contracts: what comes out is what plain arithmetic gives."""

import pytest

from consortium.kernel.digests import digest_to_bytes32
from contracts.models import ChainEventRecord
from tests.integration.training.consortium_chain import MAX_ABANDONED
from training.coordination.waiting import Waiter
from training.federated.errors import AlreadyChosenError
from training.models import Attempt, LineageRow, Round, SitePart
from training.services.sweep import end_signed

pytestmark = pytest.mark.services


@pytest.mark.parametrize("changes", [{"rounds": 10}])
def test_ten_rounds_equal_the_plain_fixed_point_computation_bit_for_bit(platform):
    run = platform.start()

    assert platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run)
    assert run.state == "completed"
    on_chain = platform.chain.run_on_chain(run.pk)
    assert (on_chain["status"], on_chain["round"]) == (3, 10)
    assert "sha256:" + on_chain["weights"].hex() == run.weights
    # one transaction a round: the first only opens, the last only closes
    names = list(ChainEventRecord.objects.order_by("block_number", "log_index").values_list("name", flat=True))
    assert (names.count("RoundOpened"), names.count("RoundClosed")) == (10, 10)
    closed, opened = blocks_of("RoundClosed"), blocks_of("RoundOpened")
    assert [closed[number] for number in range(1, 10)] == [opened[number] for number in range(2, 11)]
    assert Round.objects.get(run=run, number=10).metrics["auc"] > 0.7
    assert LineageRow.objects.filter(run=run, kind="train", status="done").count() == 50
    assert LineageRow.objects.filter(run=run, kind="sum").count() == 10


def blocks_of(event: str) -> dict[int, int]:
    found = ChainEventRecord.objects.filter(name=event)
    return {int(record.arguments["round"]["int"]): record.block_number for record in found}


def outcomes(run, number: int, attempt: int = 1) -> dict[int, tuple[str, str, str]]:
    """Outcome, step and code by the site's place."""
    parts = SitePart.objects.filter(attempt__run=run, attempt__round__number=number, attempt__number=attempt)
    ordered = parts.order_by("organization_id").values_list("outcome", "step", "code")
    return dict(enumerate(ordered))


@pytest.mark.parametrize("changes", [{"rounds": 3}])
def test_a_site_lost_in_mid_training_is_named_and_back_in_the_next_round(platform):
    run = platform.start()
    lost = platform.sites[3]
    lost.silent = {("train", 2)}

    def restart(moment: str) -> None:
        if moment == "verified" and lost.is_dead:
            lost.restart()

    platform.coordinate(run, at=restart)

    assert platform.weights(run) == platform.plain_weights(run, lost={2: {3}})
    assert outcomes(run, 2)[3] == ("lost", "train", "lost")
    part = SitePart.objects.get(attempt__run=run, attempt__round__number=2, organization_id=lost.organization)
    assert part.text.startswith("no sign of life for ")
    assert outcomes(run, 3)[3][0] == "accepted"
    assert LineageRow.objects.filter(run=run, status="failed").count() == 1


@pytest.mark.parametrize("changes", [{"rounds": 2}])
def test_two_of_five_lost_abandon_the_attempt_and_the_next_one_closes_the_round(platform):
    run = platform.start()
    gone = platform.sites[1], platform.sites[2]
    for site in gone:
        site.silent = {("train", 1)}

    def restart(moment: str) -> None:
        if moment == "abandoned":
            for site in gone:
                site.restart()

    platform.coordinate(run, at=restart)

    assert platform.weights(run) == platform.plain_weights(run)
    first, second = Attempt.objects.filter(run=run, round__number=1)
    assert (first.state, first.abandoned_reason) == ("abandoned", "too_few_survivors")
    assert not first.parts.filter(release__isnull=False).exists()
    assert second.state == "closed"
    assert [outcomes(run, 1)[place][0] for place in range(5)] == ["accepted", "lost", "lost", "accepted", "accepted"]


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_an_update_that_is_not_finite_is_refused_by_the_site_and_named(platform):
    run = platform.start()
    platform.sites[0].spoil["update"] = lambda plain: plain * float("nan")

    platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run, lost={1: {0}})
    assert outcomes(run, 1)[0] == ("refused", "train", "update_not_finite")


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_a_stale_commitment_keeps_out_its_own_sender_only(platform):
    run = platform.start()
    platform.sites[4].spoil["seq"] = 0

    platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run, lost={1: {4}})
    assert outcomes(run, 1)[4] == ("refused", "open", "stale_consents")


def forged(answer):
    return {**answer, "signature": "0x" + "11" * 64 + "1b"}


@pytest.mark.parametrize("changes", [{"rounds": 1}])
@pytest.mark.parametrize("kind", ["commit", "sign", "verify"])
def test_a_forged_signature_is_refused_and_its_sender_named(platform, kind):
    run = platform.start()
    platform.sites[2].spoil[kind] = forged

    platform.coordinate(run)

    assert run_state(run) == "completed"
    assert outcomes(run, 1)[2] == ("refused", kind, "signature_refused")


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_a_platform_that_shows_two_survivor_sets_gets_no_second_signature(platform):
    run = platform.start()

    def show_another(moment: str) -> None:
        if moment != "signed":
            return
        attempt = Attempt.objects.get(run=run)
        assert attempt.survivors is not None
        fewer = {"survivors": "0x" + (0b01111).to_bytes(32, "big").hex()}
        other = {**attempt.survivors, **fewer, "masked_digests": attempt.survivors["masked_digests"][:4]}
        payload = {"run": str(run.pk), "round": 1, "attempt": 1, "survivors": other}
        for site in platform.sites[:4]:
            with pytest.raises(AlreadyChosenError):
                site.sign(payload)
        seen.append(moment)

    seen: list[str] = []
    platform.coordinate(run, at=show_another)

    assert seen == ["signed"]
    assert run_state(run) == "completed"


@pytest.mark.parametrize("changes", [{"rounds": 2}])
def test_sites_that_refuse_for_good_fail_the_run_and_its_author_ends_it_on_the_chain(platform):
    run = platform.start()
    for site in platform.sites[:2]:
        site.refuses["commit"] = "digest_differs"

    platform.coordinate(run)

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "sites_refuse")
    assert outcomes(run, 1)[0] == ("refused", "commit", "digest_differs")
    assert settle_ending(platform, run) == 4
    run.refresh_from_db()
    assert run.state == "failed"


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_attempts_are_limited_and_the_ledger_says_so(platform):
    run = platform.start()
    for site in platform.sites[:2]:
        site.refuses["train"] = "local_rule"

    platform.coordinate(run)

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "attempts_used_up")
    assert [a.state for a in Attempt.objects.filter(run=run, opened_at__isnull=False)] == ["abandoned"] * MAX_ABANDONED
    with Waiter(platform.check) as waiter:
        assert waiter.until(lambda: 5 if platform.chain.run_on_chain(run.pk)["status"] == 5 else None, seconds=10)


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_a_sum_that_was_opened_but_not_closed_is_never_followed_by_a_second_one(platform):
    run = platform.start()
    for site in platform.sites:
        site.refuses["verify"] = "verification_failed"

    platform.coordinate(run)

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "revealed_not_closed")
    attempt = Attempt.objects.get(run=run)
    assert attempt.abandoned_reason == "result_disputed"
    with Waiter(platform.check) as waiter:
        assert waiter.until(lambda: 5 if platform.chain.run_on_chain(run.pk)["status"] == 5 else None, seconds=10)
    plan, weights = digest_to_bytes32(run.plan_digest), digest_to_bytes32(attempt.weights)
    assert platform.chain.call("TrainingLedger", "isRevealed", plan, weights)
    assert run.ending_work is None


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_an_attempt_that_failed_before_a_share_left_a_site_is_not_marked_as_revealed(platform):
    run = platform.start()
    for site in platform.sites[:2]:
        site.refuses["train"] = "local_rule"

    platform.coordinate(run)

    attempt = Attempt.objects.filter(run=run)[0]
    plan, weights = digest_to_bytes32(run.plan_digest), digest_to_bytes32(attempt.weights)
    assert not platform.chain.call("TrainingLedger", "isRevealed", plan, weights)


def run_state(run) -> str:
    run.refresh_from_db()
    return run.state


def settle_ending(platform, run) -> int | None:
    """Wait until the author's signature has ended the run on the chain; its status there."""
    with Waiter(platform.check) as waiter:

        def ended() -> int | None:
            end_signed()
            status = platform.chain.run_on_chain(run.pk)["status"]
            return status if status in (4, 5) else None

        return waiter.until(ended, seconds=10)
