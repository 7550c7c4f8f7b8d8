"""The whole story of the demo, as `make demo ARGS=--exit` tells it, on an instance of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from consortium.embedded.layout import Layout

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.story
@pytest.mark.xdist_group("story")
@pytest.mark.timeout(1200)
def test_the_story_is_told_and_every_claim_holds(story_layout: Layout):
    instance = story_layout.root
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "CHAIN_RPC_URL", "DJANGO_SETTINGS_MODULE"}
    }
    told = subprocess.run(
        [sys.executable, "-m", "consortium.demo", "--exit", "--fresh", "--port", "0", "--instance", str(instance)],
        cwd=ROOT,
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    result = json.loads((instance / "demo" / "result.json").read_text())
    assert result["members"] == 5
    assert result["rounds"] == 10
    assert result["cohort_after_withdrawal"] == result["cohort_before_withdrawal"] - 1
    assert abs(result["auc_federated"] - result["auc_central"]) <= 0.01
    assert result["tampered_plan_refused"] is True
    assert result["prediction_before_release_status"] == 409
    assert result["bundle_verified"] is True
    assert result["tampered_bundle_refused"] is True
    assert (ROOT / result["bundle"]).is_file()
    assert (ROOT / result["trust"]).is_file()
