"""What a site refuses before it commits; each time nothing is signed, and no manifest is left."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.errors import JobRefusedError
from agent.people import Person, Role
from agent.training.errors import NotYetError
from agent.training.plans import ALLOWED, REFUSED
from consortium.kernel.digests import digest_to_bytes32, sha256_digest
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from tests.unit.agent_training.worlds import ORGANIZATIONS, Run, World, make_plan

FIRST = ORGANIZATIONS[0]
Payload = dict[str, Any]


def refusal(world: World, run: Run, payload: Payload | None = None, *, seconds: float = 20.0) -> str:
    """Return the code of the site's refusal, after which it must have signed and written nothing."""
    signed = world.signed(FIRST)
    manifests = run.world.site().training.runs.manifests(run.id)
    with pytest.raises(ConsiliumError) as refused:
        world.ask(FIRST, "commit", payload or run.commit_payload(), seconds=seconds)
    assert world.signed(FIRST) == signed
    assert run.world.site().training.runs.manifests(run.id) == manifests
    error = refused.value
    return error.reason if isinstance(error, JobRefusedError) else error.code


def _tampered(run: Run) -> Payload:
    """The same plan with one byte of its title changed, under a digest of its own."""
    changed = run.plan.to_bytes().replace(b"Long stays", b"Wong stays")
    return run.commit_payload(plan=run.world.blobs.put(changed))


def _no_plan(run: Run) -> Payload:
    return run.commit_payload(plan=run.world.blobs.put(run.plan.to_bytes().replace(b'"rounds":3', b'"rounds":x')))


def _other_terms(run: Run) -> Payload:
    return run.commit_payload(terms={**run.plan.terms.to_wire(), "threshold": 3})


def _other_decision(run: Run) -> Payload:
    return run.commit_payload(decision=to_hex(bytes([3]) * 32))


def _other_weights(run: Run) -> Payload:
    return run.commit_payload(weights=run.world.blobs.put(b"other"))


def _past_round(run: Run) -> Payload:
    run.world.chain.runs[uuid_to_bytes32(run.id)].fields |= {"status": 2, "round": 2, "attempt": 1, "attemptStatus": 2}
    return run.commit_payload()


def _unknown_field(run: Run) -> Payload:
    return run.commit_payload(hurry=True)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (_tampered, "plan_not_approved"),
        (_no_plan, "plan_not_approved"),
        (_other_terms, "plan_not_approved"),
        (_other_decision, "plan_not_approved"),
        (_other_weights, "weights_differ"),
        (_past_round, "attempt_unknown"),
        (_unknown_field, "malformed_payload"),
    ],
)
def test_a_request_that_the_chain_does_not_bear_out_is_refused(
    world: World, ask: Callable[[Run], Payload], code: str
) -> None:
    run = world.new_run()

    assert refusal(world, run, ask(run)) == code


def test_other_bytes_under_the_approved_digest_are_refused(world: World) -> None:
    run = world.new_run(title="Never fetched before")
    world.blobs.held[run.plan.digest()] = run.plan.to_bytes().replace(b"Never", b"Newer")

    assert refusal(world, run) == "digest_differs"


def test_an_approved_plan_that_is_not_the_runs_plan_is_refused(world: World) -> None:
    run, other = world.new_run(), make_plan(title="Another plan")
    world.approve(other)

    assert refusal(world, run, run.commit_payload(plan=other.digest())) == "digest_differs"


@pytest.mark.parametrize("name", ["code_digest", "runner_digest"])
def test_a_plan_of_other_code_or_another_runner_is_refused(world: World, name: str) -> None:
    run = world.new_run(**{name: "sha256:" + "0e" * 32})

    assert refusal(world, run) == "digest_differs"


def test_a_runner_that_the_members_have_retired_does_not_train_also_by_a_plan_that_was_approved_before(
    world: World,
) -> None:
    run = world.new_run(title="Approved, and its runner retired")
    accepted = set(world.chain.runners)
    world.chain.runners.clear()

    code = refusal(world, run)

    world.chain.runners |= accepted
    assert code == "runner_not_accepted"


def test_a_member_that_has_not_said_yes_does_not_train(world: World) -> None:
    run = world.new_run(title="Without our yes")
    world.chain.refusing.add(FIRST)

    code = refusal(world, run)

    world.chain.refusing.clear()
    assert code == "not_consented"


def test_a_member_that_is_suspended_does_not_train(world: World) -> None:
    run = world.new_run()
    world.chain.inactive.add(FIRST)

    code = refusal(world, run)

    world.chain.inactive.clear()
    assert code == "not_active"


def test_a_node_that_stands_is_not_believed(world: World) -> None:
    run = world.new_run()
    now = world.clock.moment
    world.clock.moment = datetime.fromtimestamp(world.chain.time + 61, UTC)

    code = refusal(world, run)

    world.clock.moment = now
    assert code == "head_too_old"


def test_a_run_that_the_node_does_not_know_is_waited_for_until_the_deadline(world: World) -> None:
    run = world.new_run()
    del world.chain.runs[uuid_to_bytes32(run.id)]

    assert refusal(world, run, seconds=0.3) == NotYetError.code


def test_a_run_that_has_ended_is_refused(world: World) -> None:
    run = world.new_run()
    world.chain.runs[uuid_to_bytes32(run.id)].fields["status"] = 4

    assert refusal(world, run) == "run_ended"


def test_initial_weights_that_somebody_chose_are_refused(world: World) -> None:
    run = world.new_run()
    chosen = digest_to_bytes32(world.blobs.put(b"chosen by somebody"))
    world.chain.runs[uuid_to_bytes32(run.id)].fields["weights"] = chosen

    assert refusal(world, run, run.commit_payload(weights=sha256_digest(b"chosen by somebody"))) == "weights_differ"


def test_a_closing_below_the_quorum_of_verifiers_is_refused(world: World) -> None:
    run = world.new_run()
    run.play_round()
    run.next_round()
    closing = dict(run.closing or {})

    few = {**closing, "signatures": closing["signatures"][:2]}

    assert refusal(world, run, run.commit_payload(closing=few)) == "weights_differ"


def test_a_closing_with_a_foreign_signature_is_refused(world: World) -> None:
    run = world.new_run()
    run.play_round()
    run.next_round()
    closing = dict(run.closing or {})
    signatures = [dict(entry) for entry in closing["signatures"]]
    signatures[1]["signature"] = signatures[2]["signature"]

    assert refusal(world, run, run.commit_payload(closing={**closing, "signatures": signatures})) == "weights_differ"


def test_a_closing_on_other_weights_than_this_site_computed_is_refused(world: World) -> None:
    run = world.new_run()
    run.play_round()
    run.next_round()
    false = {**(run.closing or {}), "next_weights": "0x" + "cd" * 32}

    assert refusal(world, run, run.commit_payload(closing=false, weights="sha256:" + "cd" * 32)) == "weights_differ"
    assert world.ask(FIRST, "commit", run.commit_payload())["commitment"]["round"] == 2


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"minimum_cohort": 59}, "cohort_too_small"),
        ({"purposes": ("DUO:0000043",)}, "local_rule"),
        ({"max_rounds": 2}, "local_rule"),
        ({"plans_by_hand": True}, "local_rule"),
    ],
)
def test_a_members_own_rule_stands_above_the_vote(world: World, rules: dict[str, Any], code: str) -> None:
    run = world.new_run()
    world.restart(FIRST, **rules)

    found = refusal(world, run)

    world.restart(FIRST)
    assert found == code


def test_a_plan_by_hand_trains_once_it_is_allowed_and_never_after_it_was_refused(world: World) -> None:
    allowed, never = world.new_run(title="Allowed by hand"), world.new_run(title="Refused by hand")
    plans = world.restart(FIRST, plans_by_hand=True).training.plans

    plans.decide(allowed.plan.digest(), ALLOWED, person="stan")
    plans.decide(never.plan.digest(), REFUSED, person="stan")

    allowed.commit([FIRST])
    assert refusal(world, never) == "local_rule"
    world.restart(FIRST)
    assert refusal(world, never) == "local_rule"


def test_a_plans_minimum_cohort_is_kept(world: World) -> None:
    run = world.new_run(minimum_band=100)

    assert refusal(world, run) == "cohort_too_small"


def test_a_plan_whose_columns_or_purpose_no_registered_data_set_has_is_refused(world: World) -> None:
    run = world.new_run(purpose="DUO:0000043", title="For care, not research")

    assert refusal(world, run) == "local_rule"


def test_a_cohort_with_more_rows_than_the_plan_takes_is_refused(world: World) -> None:
    training = {**make_plan().training, "max_rows": 10}
    run = world.new_run(training=training, title="Ten rows at most")

    assert refusal(world, run) == "local_rule"


def test_a_stopped_site_signs_no_commitment(world: World) -> None:
    run = world.new_run()
    site, stan = world.site(), Person("stan", "Stan", frozenset({Role.STEWARD}))
    site.switch.stop(stan)
    signed = world.signed(FIRST)

    with pytest.raises(ConsiliumError) as refused:
        world.ask(FIRST, "commit", run.commit_payload())

    site.switch.resume(stan)
    assert refused.value.fields["reason"] == "work_stopped"
    assert world.signed(FIRST) == signed
