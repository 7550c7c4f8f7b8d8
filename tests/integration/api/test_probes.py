"""What the probes ask: a web process is taken out of service for what pages need, and for nothing else."""

from typing import Any

import pytest
from django.test import Client

from consortium.common import health

pytestmark = pytest.mark.django_db


def test_pages_stay_in_service_while_chain_and_projector_are_away(settings: Any) -> None:
    settings.CHAIN_RPC_URL = ""
    whole, pages = Client().get("/readyz"), Client().get("/readyz/web")

    assert whole.status_code == 503
    assert {"database", "broker", "chain"} <= whole.json()["checks"].keys()
    assert (pages.status_code, pages.json()["status"]) == (200, "ready")
    assert pages.json()["checks"].keys() == {"database", "broker"}


@pytest.mark.parametrize("broken", ["database", "broker"])
def test_without_database_or_broker_a_web_process_leaves_the_service(monkeypatch: Any, broken: str) -> None:
    monkeypatch.setitem(health._CHECKS, broken, lambda: health.Finding(broken, False, "It does not answer."))
    answer = Client().get("/readyz/web")

    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["checks"][broken] == {"well": False, "text": "It does not answer."}
