"""An attempt from opening to result, with a platform that cheats, a site that restarts, a member who stops."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest

from agent.errors import JobRefusedError, PolicyRefusedError
from agent.people import Person, Role
from agent.training import handlers
from agent.training.runner_process import RunnerProcess
from agent.training.shelf import Shelf
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import from_hex, to_hex, uuid_to_bytes32
from contracts.errors import ChainUnavailableError
from tests.unit.agent_training.chains import SharedChain
from tests.unit.agent_training.worlds import ORGANIZATIONS, Run, World, closing_of
from training.federated.errors import SignatureRefusedError, SurvivorSetRefusedError, VerificationError
from training.federated.secagg.survivors import SurvivorSet, survivor_set
from training.federated.secagg.verification import make_result

FIRST = ORGANIZATIONS[0]
STAN = Person("stan", "Stan", frozenset({Role.STEWARD}))


def refusal(world: World, kind: str, payload: dict[str, Any], **options: float) -> str:
    """Return the code of the site's refusal, after which it must have signed nothing."""
    signed = world.signed(FIRST)
    with pytest.raises(JobRefusedError) as refused:
        world.ask(FIRST, kind, payload, **options)
    assert world.signed(FIRST) == signed
    return refused.value.reason


def trained(world: World) -> tuple[Run, SurvivorSet]:
    run = world.new_run()
    run.open_round()
    return run, run.collect(run.train())


def test_a_site_that_restarted_has_lost_the_attempt_and_verifies_all_the_same(world: World) -> None:
    run, survivors = trained(world)
    world.restart(FIRST)

    for kind, payload in (
        ("shares", run.shares_payload()),
        ("train", run.train_payload(FIRST)),
        ("sign", {**run.place, "survivors": survivors.to_wire()}),
        ("reveal", {**run.place, "survivors": survivors.to_wire(), "signatures": []}),
    ):
        assert refusal(world, kind, payload) == "attempt_unknown"

    run.sign(survivors, ORGANIZATIONS[1:])
    total = run.reveal(survivors, ORGANIZATIONS[1:])
    vectors = {one: world.blobs.held[f"sha256:{digest.hex()}"] for one, digest in _digests(survivors).items()}
    result = make_result(survivors, total.total, run.step(total))
    payload = run.verify_payload(total, result, vectors)
    signatures = {one: world.ask(one, "verify", payload)["signature"] for one in ORGANIZATIONS}
    run.closing, run.weights = closing_of(run, result, signatures), run.step(total)
    world.blobs.put(run.weights)
    run.next_round()
    run.play_round()
    assert FIRST in run.committed


def _digests(survivors: SurvivorSet) -> dict[Any, bytes]:
    return dict(zip(ORGANIZATIONS, survivors.masked_digests, strict=True))


def test_a_site_that_restarted_between_commitment_and_opening_is_out_of_the_attempt(world: World) -> None:
    run = world.new_run()
    run.commit()
    run.open()
    world.restart(FIRST)

    assert refusal(world, "commit", run.commit_payload()) == "attempt_unknown"
    assert refusal(world, "shares", run.shares_payload()) == "attempt_unknown"
    world.chain.abandon_attempt(run.id)
    run.attempt, run.committed = 2, {}
    run.commit()
    assert run.committed[FIRST]["commitment"]["attempt"] == 2


def test_a_second_survivor_set_is_not_signed(world: World) -> None:
    run, survivors = trained(world)
    opened = run.opened()
    run.sign(survivors, [FIRST])
    other = survivor_set(opened, list(_digests(survivors).items())[:4])

    assert refusal(world, "sign", {**run.place, "survivors": other.to_wire()}) == "second_survivor_set"


def test_a_second_survivor_set_is_not_revealed_against(world: World) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS)
    other = survivor_set(run.opened(), list(_digests(survivors).items())[:4])

    payload = {**run.reveal_payload(survivors), "survivors": other.to_wire()}

    assert refusal(world, "reveal", payload) == "second_survivor_set"


def test_a_survivor_set_with_other_bytes_than_this_site_sent_is_not_signed(world: World) -> None:
    run, survivors = trained(world)
    digests = _digests(survivors) | {FIRST: bytes([1]) * 32}

    with pytest.raises(SurvivorSetRefusedError):
        run.sign(survivor_set(run.opened(), list(digests.items())), [FIRST])


def test_fewer_signatures_than_the_threshold_open_nothing(world: World) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS[:3])

    with pytest.raises(SignatureRefusedError):
        world.ask(FIRST, "reveal", run.reveal_payload(survivors))


def test_an_attempt_that_was_abandoned_is_not_revealed(world: World) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS)
    world.chain.abandon_attempt(run.id)

    assert refusal(world, "reveal", run.reveal_payload(survivors)) == "attempt_unknown"


@dataclass
class Outage:
    """A node that does not answer the next questions."""

    chain: SharedChain
    questions: int

    def call(self, *arguments: Any, **options: Any) -> Any:
        if self.questions:
            self.questions -= 1
            raise ChainUnavailableError("The node cannot be reached.")
        return SharedChain.call(self.chain, *arguments, **options)


@pytest.mark.parametrize("questions", [1, 5])
def test_a_node_that_is_away_for_a_moment_costs_an_open_attempt_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, questions: int
) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS)
    outage = Outage(world.chain, questions)
    monkeypatch.setattr(world.chain, "call", outage.call)

    released = world.ask(FIRST, "reveal", run.reveal_payload(survivors))

    assert outage.questions == 0
    monkeypatch.undo()
    assert released == world.ask(FIRST, "reveal", run.reveal_payload(survivors))


def test_a_node_that_stays_away_is_named_and_nothing_is_revealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS)
    monkeypatch.setattr(handlers, "OUTAGE_SECONDS", 0.3)
    monkeypatch.setattr(world.chain, "call", Outage(world.chain, 1_000).call)

    with pytest.raises(ChainUnavailableError, match="cannot be reached"):
        world.ask(FIRST, "reveal", run.reveal_payload(survivors))


def test_a_roster_that_breaks_the_bound_gets_no_share(world: World) -> None:
    run = world.new_run()
    run.commit(ORGANIZATIONS[:3])
    run.open()

    assert refusal(world, "shares", run.shares_payload()) == "bound_broken"


def test_mask_keys_that_their_owner_did_not_commit_to_get_no_share(world: World) -> None:
    run = world.new_run()
    run.commit()
    run.open()
    keys = run.shares_payload()["mask_keys"]
    keys[1] = {**keys[1], "mask_key": keys[2]["mask_key"]}

    assert refusal(world, "shares", {**run.place, "mask_keys": keys}) == "digest_differs"


def test_a_chain_that_opened_on_other_weights_than_were_committed_to_is_refused(world: World) -> None:
    run = world.new_run()
    run.commit()
    world.chain.runs[uuid_to_bytes32(run.id)].fields["weights"] = bytes([7]) * 32
    run.open()

    assert refusal(world, "shares", run.shares_payload()) == "weights_differ"


def test_training_on_other_weights_than_were_committed_to_is_refused(world: World) -> None:
    run = world.new_run()
    run.open_round()
    payload = {**run.train_payload(FIRST), "weights": world.blobs.put(b"others")}

    assert refusal(world, "train", payload) == "weights_differ"


def test_other_bytes_under_the_committed_digest_are_not_trained_on(world: World) -> None:
    run = world.new_run()
    run.open_round()
    world.site().training.shelf = Shelf()
    name = run.train_payload(FIRST)["weights"]
    held, world.blobs.held[name] = world.blobs.held[name], b"others"

    code = refusal(world, "train", run.train_payload(FIRST))

    world.blobs.held[name] = held
    assert code == "weights_differ"


def test_a_deal_that_its_dealer_did_not_sign_stops_this_site_before_it_trains(world: World) -> None:
    run = world.new_run()
    run.open_round()
    payload = run.train_payload(FIRST)
    payload["deals"][1] = {**payload["deals"][1], "signature": payload["deals"][2]["signature"]}
    reads = len(world.site().journal.entries(limit=1000, kinds=("records",)))

    with pytest.raises(SignatureRefusedError):
        world.ask(FIRST, "train", payload)

    assert len(world.site().journal.entries(limit=1000, kinds=("records",))) == reads


@pytest.mark.parametrize(
    ("code", "seconds", "reason"),
    [("gives_not_a_number", 20.0, "update_not_finite"), ("hangs", 1.0, "deadline")],
)
def test_an_update_that_is_none_leaves_no_vector_and_the_attempt_goes_on(
    world: World, runner: RunnerProcess, code: str, seconds: float, reason: str
) -> None:
    run = world.new_run()
    run.open_round()
    office, bad = world.site().training, RunnerProcess(code=f"tests.unit.agent_training.hostile:{code}")
    bad.confinement()
    office.runner = bad

    found = refusal(world, "train", run.train_payload(FIRST), seconds=seconds)

    bad.close()
    office.runner = runner
    assert found == reason
    assert not office.runs.masked_path(next(iter(office.attempts.of_run(run.id)))).exists()
    assert len(world.ask(FIRST, "train", run.train_payload(FIRST))) > 8000


def test_work_that_is_called_off_ends_the_plans_code_at_once(world: World, runner: RunnerProcess) -> None:
    hanging = RunnerProcess(code="tests.unit.agent_training.hostile:hangs")
    hanging.confinement()
    run = world.new_run()
    run.open_round()
    world.site().training.runner = hanging

    found = refusal(world, "train", run.train_payload(FIRST), seconds=0.5)

    hanging.close()
    world.site().training.runner = runner
    assert found == "deadline"


def test_a_member_that_stops_work_signs_nothing_more_of_the_attempt(world: World) -> None:
    run, survivors = trained(world)
    world.site().switch.stop(STAN)
    signed = world.signed(FIRST)

    with pytest.raises(PolicyRefusedError):
        run.sign(survivors, [FIRST])

    world.site().switch.resume(STAN)
    assert world.signed(FIRST) == signed


def test_a_result_that_differs_by_a_bit_is_not_signed_and_the_true_one_is(world: World) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS)
    total = run.reveal(survivors, ORGANIZATIONS)
    vectors = {one: world.blobs.held[f"sha256:{digest.hex()}"] for one, digest in _digests(survivors).items()}
    true = make_result(survivors, total.total, run.step(total))
    false = run.verify_payload(total, true, vectors)
    false["result"] = {**false["result"], "next_weights": to_hex(bytes([1]) * 32)}
    signed = world.signed(FIRST)

    with pytest.raises(VerificationError):
        world.ask(FIRST, "verify", false)

    assert world.signed(FIRST) == signed
    answer = world.ask(FIRST, "verify", run.verify_payload(total, true, vectors))
    run._verify(FIRST, "RoundResult", true.fields(run.opened()), from_hex(answer["signature"]))


def test_a_survivor_set_without_enough_signatures_is_not_verified(world: World) -> None:
    run, survivors = trained(world)
    run.sign(survivors, ORGANIZATIONS)
    total = run.reveal(survivors, ORGANIZATIONS)
    vectors = {one: world.blobs.held[f"sha256:{digest.hex()}"] for one, digest in _digests(survivors).items()}
    payload = run.verify_payload(total, make_result(survivors, total.total, run.step(total)), vectors)

    with pytest.raises(SignatureRefusedError):
        world.ask(FIRST, "verify", {**payload, "signatures": payload["signatures"][:3]})


def test_secrets_are_gone_once_the_site_has_verified_the_round(world: World) -> None:
    run = world.new_run()
    vectors = run.play_round()

    assert vectors
    assert world.site().training.attempts.of_run(run.id) == {}
    assert refusal(world, "shares", run.shares_payload()) == "attempt_unknown"


def test_two_requests_for_one_vector_at_a_time_train_once(world: World) -> None:
    run = world.new_run()
    run.open_round()
    answers: list[bytes] = []
    reads = len(world.site().journal.entries(limit=1000, kinds=("records",)))
    payload = run.train_payload(FIRST)
    threads = [threading.Thread(target=lambda: answers.append(world.ask(FIRST, "train", payload))) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers[0] == answers[1]
    assert len(world.site().journal.entries(limit=1000, kinds=("records",))) == reads + 1


def test_a_candidate_is_registered_for_the_author_of_a_completed_run_alone(world: World) -> None:
    run = world.new_run()
    fields = world.chain.runs[uuid_to_bytes32(run.id)].fields
    weights = "sha256:" + fields["weights"].hex()
    payload = {"run": str(run.id), "model": weights, "card": "sha256:" + "0c" * 32}
    fields |= {"status": 3, "author": uuid_to_bytes32(ORGANIZATIONS[1])}

    assert refusal(world, "register", payload) == "not_author"

    fields["author"] = uuid_to_bytes32(FIRST)
    assert len(from_hex(world.ask(FIRST, "register", payload)["signature"])) == 65
    assert world.signed(FIRST)[-1] == "RegisterCandidate"


def test_a_run_is_ended_by_its_author_alone(world: World) -> None:
    run = world.new_run()
    fields = world.chain.runs[uuid_to_bytes32(run.id)].fields
    payload = {"run": str(run.id), "reason": "0x" + "0d" * 32, "code": "canceled"}

    assert refusal(world, "cancel", payload) == "not_author"

    fields["author"] = uuid_to_bytes32(FIRST)
    assert len(from_hex(world.ask(FIRST, "cancel", payload)["signature"])) == 65


def test_work_of_a_consortium_that_this_member_is_not_in_is_refused(world: World) -> None:
    run = world.new_run()
    world.restart(FIRST)
    asked, world.blobs.offered = world.blobs.offered, []

    with pytest.raises(ConsiliumError) as refused:
        world.ask(FIRST, "commit", run.commit_payload())

    world.blobs.offered = asked
    assert refused.value.code == "platform_contradicts_chain"
