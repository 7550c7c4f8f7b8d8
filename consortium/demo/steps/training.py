"""Steps 6 and 7: ten rounds under secure aggregation, and a withdrawal in the middle that the next round obeys."""

import json
import time
from datetime import datetime
from itertools import pairwise
from typing import Any

from consent.fhir.pseudonyms import pseudonym
from consortium.demo.consents import consents_of
from consortium.demo.hospitals import training_rows
from consortium.demo.plan import COLLUDERS, ROUNDS, THRESHOLD
from consortium.demo.portal import Visitor
from consortium.demo.sites import Site, wait_for
from consortium.demo.story import Story
from consortium.demo.world import World

WITHDRAW_AFTER_ROUND = 3
# Looking on must not slow the run down.
LOOK_SECONDS = 0.6


def tell(story: Story, world: World) -> None:
    scientists, patients = world.sites[0], world.sites[4]
    with (
        story.step("6  Run, and 7  Withdrawal"),
        world.admin(scientists) as scientist,
        world.admin(patients) as steward,
    ):
        consortium = world.consortium["id"]
        # Chosen before the run: what the story does on its side takes processor time from the rounds.
        patient = _patient(patients, world.runs)
        answer = scientist.post(f"consortia/{consortium}/runs", {"plan": world.plan["id"], "backend": "substra"})
        story.claim("a run starts on the approved plan", answer.status_code == 202, answer.text)
        run = answer.json()["id"]
        story.note(f"secure aggregation: n=5, t={THRESHOLD}, c={COLLUDERS}; no differential privacy in this run")
        story.note("Substra in local mode: a site's tasks run in its own agent; Substra itself keeps nobody apart here")
        wait_for(120, lambda: _closed(scientist, run) >= WITHDRAW_AFTER_ROUND, "three closed rounds")
        effect = _withdraw(story, steward, patient)
        final = wait_for(240, lambda: _ended(scientist, run), "the end of the run")
        story.claim(f"the run completed {ROUNDS} rounds", final["state"] == "completed", final["failure_text"])
        _tell_speed(story, final)
        _check_tasks(story, scientist, run)
        _check_cohorts(story, patients, run, effect)
        world.run = final
    world.finish("training")


def _withdraw(story: Story, steward: Visitor, patient: str) -> dict[str, Any]:
    """A patient withdraws through the API of the platform; the hospital's agent answers with its signed receipt."""
    answer = steward.post("consents/withdrawals", {"pseudonym": patient, "reason": "subject_request"})
    story.claim("a patient withdraws through the API", answer.status_code == 201, answer.text)
    path = f"consents/withdrawals/{answer.json()['id']}"
    confirmed: dict[str, Any] = wait_for(60, lambda: _confirmed(steward, path), "the withdrawal on the chain")
    story.claim(
        "the hospital's agent answered with its signed receipt, and the withdrawal is on the chain",
        confirmed["receipt_signature"].startswith("0x") and bool(confirmed["effects"]),
        confirmed,
    )
    effect: dict[str, Any] = confirmed["effects"][0]
    return effect


def _patient(site: Site, number: int) -> str:
    """A patient in the cohort, by the pseudonym that the hospital itself keys; another one in each run."""
    permitting = consents_of(site.hospital).permitting()
    records = [row["record"] for row in training_rows(site.hospital) if row["record"] in permitting]
    key = bytes.fromhex((site.folder / "pseudonym.key").read_text())
    return pseudonym(key, records[number])


def _check_cohorts(story: Story, site: Site, run: str, effect: dict[str, Any]) -> None:
    """The referee reads exact counts from that site's own manifests; the platform sees band and root."""
    shown = json.loads(site.run("runs", "show", run, "--json"))
    counts = {(item["round"], item["attempt"]): item["subjects"] for item in shown}
    before = [item for item in shown if item["seq"] < effect["seq"]]
    after = [item for item in shown if item["seq"] >= effect["seq"]]
    story.claim("rounds opened both before and after the confirmation", bool(before and after), counts)
    whole = before[0]["subjects"]
    one_fewer = {later["subjects"] for later in after} == {whole - 1}
    # The agent leaves the patient out as soon as it knows, and the chain a block later: a round may lie between.
    held = [item["subjects"] for item in before]
    steady = set(held) <= {whole, whole - 1} and held == sorted(held, reverse=True)
    story.claim("every round after it holds exactly one subject fewer at that hospital", one_fewer and steady, counts)
    story.record(cohort_before_withdrawal=whole, cohort_after_withdrawal=after[0]["subjects"])


def _check_tasks(story: Story, visitor: Visitor, run: str) -> None:
    """Every site that answered a round has a task of one compute plan, and so has every sum."""
    rows = [row for row in visitor.pages(f"runs/{run}/tasks") if row["status"] == "done"]
    plans = {row["compute_plan"] for row in rows}
    sums = [row for row in rows if row["kind"] == "sum"]
    trained = {parent for row in sums for parent in row["parents"]}
    story.claim(
        f"{len(trained)} trainings and {len(sums)} sums are tasks of one Substra compute plan",
        len(plans) == 1 and len(sums) == ROUNDS and len(rows) == len(trained) + ROUNDS,
        rows,
    )


def _tell_speed(story: Story, run: dict[str, Any]) -> None:
    closed = [_seconds(round_["closed_at"]) for round_ in run["round_set"]]
    gaps = [later - earlier for earlier, later in pairwise(closed)]
    per_round = sum(gaps) / len(gaps)
    story.note(f"{per_round:.1f} s a round, slowest {max(gaps):.1f} s")
    story.record(rounds=len(run["round_set"]), seconds_per_round=round(per_round, 2))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _closed(visitor: Visitor, run: str) -> int:
    time.sleep(LOOK_SECONDS)
    return sum(round_["closed_at"] is not None for round_ in visitor.get(f"runs/{run}")["round_set"])


def _ended(visitor: Visitor, run: str) -> dict[str, Any] | None:
    time.sleep(LOOK_SECONDS)
    found: dict[str, Any] = visitor.get(f"runs/{run}")
    return found if found["state"] in {"completed", "failed", "canceled"} else None


def _confirmed(visitor: Visitor, path: str) -> dict[str, Any] | None:
    time.sleep(LOOK_SECONDS)
    found: dict[str, Any] = visitor.get(path)
    return found if found["state"] == "confirmed" else None
