"""Step 8: a candidate with its card, the referee's comparison, the release by vote, a prediction."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from consortium.demo.consents import consents_of
from consortium.demo.hospitals import HOSPITALS, Hospital, test_rows, training_rows
from consortium.demo.plan import FEATURES, LONG_STAY_DAYS
from consortium.demo.portal import Visitor
from consortium.demo.sites import VOTER, wait_for
from consortium.demo.steps.planning import decide, open_decision
from consortium.demo.story import Story
from consortium.demo.world import World
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex

AGREEMENT = 0.01


def tell(story: Story, world: World) -> None:
    author = world.sites[0]
    with story.step("8  Model"), world.admin(author) as scientist:
        model = wait_for(60, lambda: _candidate(scientist, world), "the candidate in the model registry")
        story.claim("the run's last weights are the candidate", model["digest"] == world.run["weights"], model)
        rows = [{name: int(row[name]) for name in FEATURES} for row in test_rows()]
        path = f"models/{model['id']}/predictions"
        refused = scientist.post(path, {"rows": rows[:1]})
        story.claim("a prediction is refused before the release", refused.status_code == 409, refused.text)
        _release(story, world, scientist, model)
        scores = scientist.post(path, {"rows": rows}).json()["scores"]
        story.record(prediction_before_release_status=refused.status_code, model_digest=model["digest"])
        _compare(story, scores)
    world.finish("model")


def _candidate(visitor: Visitor, world: World) -> dict[str, Any] | None:
    found = visitor.get(f"consortia/{world.consortium['id']}/models")["results"]
    return next((m for m in found if m["run"] == world.run["id"] and m["chain_state"] == "confirmed"), None)


def _release(story: Story, world: World, visitor: Visitor, model: dict[str, Any]) -> None:
    subject = to_hex(digest_to_bytes32(model["digest"]))
    author = world.sites[0]
    proposal = {
        "consortium": world.consortium["id"],
        "kind": "ReleaseModel",
        "description": "Release the model of the long-stay plan",
        "subject": subject,
        "owners": [],
    }
    name = author.put_file("release.json", proposal)
    author.run("propose", "--as", VOTER, "--pass-phrase-file", "voter.phrase", name)
    found = wait_for(30, lambda: open_decision(visitor, world, subject), "the release on the chain")
    decide(world, found["id"], world.sites[1:4])
    wait_for(60, lambda: visitor.get(f"models/{model['id']}")["state"] == "released", "the release")
    tally = visitor.get(f"proposals/{found['id']}")["tally"]
    story.claim("the members release it by vote", tally["yes"] > tally["no"], tally)


def _compare(story: Story, scores: list[float]) -> None:
    """The referee holds all five files: federated, central on the same consented rows, and each hospital alone."""
    labels = _labels(test_rows())
    federated = float(roc_auc_score(labels, scores))
    central = _auc([row for hospital in HOSPITALS for row in _consented(hospital)])
    alone = {hospital.name: round(_auc(_consented(hospital)), 4) for hospital in HOSPITALS}
    story.note(f"AUC on {len(labels)} patients kept back: federated {federated:.4f}, central {central:.4f}")
    for name, value in alone.items():
        story.note(f"  {name} alone {value:.4f}")
    story.claim(f"federated within {AGREEMENT} of central", abs(federated - central) <= AGREEMENT, federated - central)
    story.record(auc_federated=round(federated, 4), auc_central=round(central, 4), auc_sites=alone)


def _consented(hospital: Hospital) -> list[dict[str, str]]:
    permitting = consents_of(hospital).permitting()
    return [row for row in training_rows(hospital) if row["record"] in permitting]


def _auc(rows: list[dict[str, str]]) -> float:
    model = LogisticRegression(C=1e6).fit(_matrix(rows), _labels(rows))
    held_out = test_rows()
    return float(roc_auc_score(_labels(held_out), model.predict_proba(_matrix(held_out))[:, 1]))


def _matrix(rows: list[dict[str, str]]) -> Any:
    return np.array([[float(row[name]) for name in FEATURES] for row in rows])


def _labels(rows: list[dict[str, str]]) -> Any:
    return np.array([int(row["los"]) > LONG_STAY_DAYS for row in rows])
