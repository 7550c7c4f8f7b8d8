"""The doors of training: who may draft, start and order; what others see; every refusal recorded, nothing half done."""

import json
import uuid
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client

from audit.models import AuditRecord
from consortium.common.tenancy import act_for
from consortium.governance.models import Proposal
from consortium.membership.models import RoleAssignment, User
from tests.factories.membership import make_world
from tests.unit.training.plans import plan_document
from training.models import Attempt, LineageRow, Plan, Round, Run, RunOrder, SitePart
from training.models import Model as TrainedModel

pytestmark = pytest.mark.urls("tests.integration.training.urls")


STRANGE = [{"name": "x", "kind": "binary"}]


@pytest.fixture
def world(as_system):
    with as_system():
        made = make_world()
        RoleAssignment.objects.create(
            user=User.objects.get(email="admin@bank.example"), organization=made.bank, role="scientist"
        )
        return made


@pytest.fixture
def client_of(as_system):
    def log_in(organization) -> Client:
        client = Client()
        with as_system():
            client.force_login(User.objects.get(email=f"admin@{organization.slug}.example"))
        return client

    return log_in


def post(client: Client, path: str, body: dict[str, Any], key: str | None = None):
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)


def document(world, **changes):
    sites = sorted(str(member.pk) for member in (world.hospital, world.bank))
    aggregation = {"threshold": 2, "colluders": 0, "ring_bits": 64}
    return plan_document(
        **{
            "consortium": str(world.consortium.pk),
            "sites": sites,
            "recipients": sites,
            "secure_aggregation": aggregation,
            "minimum_sites": 2,
            "verifier_quorum": 2,
        }
        | changes
    )


@pytest.fixture
def drafted(world, client_of):
    answer = post(client_of(world.hospital), f"consortia/{world.consortium.pk}/plans", {"document": document(world)})
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def approved(world, drafted, as_system):
    with as_system():
        proposal = Proposal.objects.create(
            consortium=world.consortium,
            organization=world.hospital,
            contract="DecisionBoard",
            kind="approve_plan",
            chain_key="0x" + "ab" * 32,
            subject=drafted["subject"],
        )
        Plan.objects.filter(pk=drafted["id"]).update(state="approved", proposal=proposal)
    return drafted


def test_a_drafted_plan_carries_what_its_agent_signs(world, drafted):
    signing = drafted["for_signature"]

    assert (drafted["state"], signing["kind"], signing["subject"]) == ("draft", "approve_plan", drafted["subject"])
    assert signing["owners"] == document(world)["sites"]
    assert drafted["document"]["title"] == document(world)["title"]


def test_the_same_key_answers_again_and_drafts_once(world, client_of, as_system):
    client, path = client_of(world.hospital), f"consortia/{world.consortium.pk}/plans"
    first = post(client, path, {"document": document(world)}, key="one")

    again = post(client, path, {"document": document(world)}, key="one")
    other = post(client, path, {"document": document(world)}, key="two")

    assert (first.json(), again.status_code) == (again.json(), 201)
    assert (other.status_code, other.json()["code"]) == (409, "plan_exists")
    with as_system():
        assert Plan.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": "DUO:1111111"}, "unknown_purpose"),
        (
            {"training": plan_document()["training"] | {"features": [{"name": "x", "kind": "binary"}]}},
            "unknown_feature",
        ),
        ({"secure_aggregation": {"threshold": 1, "colluders": 0, "ring_bits": 64}}, "bound_broken"),
        ({"sites": [str(uuid.UUID(int=7)), str(uuid.UUID(int=8))]}, "not_a_member_site"),
        ({"consortium": str(uuid.UUID(int=7))}, "plan_invalid"),
    ],
)
def test_an_unsound_plan_is_refused_recorded_and_not_kept(world, client_of, as_system, changes, code):
    answer = post(
        client_of(world.hospital),
        f"consortia/{world.consortium.pk}/plans",
        {"document": document(world, **changes)},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    with as_system():
        assert not Plan.objects.exists()


def test_a_foreign_consortium_is_not_there(world, client_of, drafted):
    client = client_of(world.outsider)

    assert post(client, f"consortia/{world.consortium.pk}/plans", {"document": document(world)}).status_code == 404
    for path in (f"plans/{drafted['id']}", f"runs/{uuid.uuid4()}", f"models/{uuid.uuid4()}"):
        assert client.get(f"/api/v1/{path}").status_code == 404
    for kind in ("plans", "runs", "models"):
        assert client.get(f"/api/v1/consortia/{world.consortium.pk}/{kind}").status_code == 404


def test_a_run_needs_an_approved_plan_of_ones_own(world, client_of, drafted, as_system):
    body, path = {"plan": drafted["id"]}, f"consortia/{world.consortium.pk}/runs"

    early = post(client_of(world.hospital), path, body)
    foreign = post(client_of(world.bank), path, body)

    assert (early.status_code, early.json()["code"]) == (409, "plan_not_approved")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
    with as_system():
        assert not Run.objects.exists()


def test_runs_start_until_the_approval_is_used_up(world, client_of, approved, as_system):
    client, path = client_of(world.hospital), f"consortia/{world.consortium.pk}/runs"

    answers = [post(client, path, {"plan": approved["id"]}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [202, 202, 202, 409]
    assert answers[3].json()["code"] == "runs_used_up"
    unknown = post(client, path, {"plan": approved["id"], "backend": "abacus"})
    assert unknown.status_code in (400, 409)
    with as_system():
        assert Run.objects.filter(state="planned").count() == 3


def test_a_run_shows_its_rounds_attempts_and_each_sites_reason(world, client_of, approved, as_system):
    client = client_of(world.hospital)
    run_id = post(client, f"consortia/{world.consortium.pk}/runs", {"plan": approved["id"]}).json()["id"]
    with as_system():
        shared = {"consortium": world.consortium}
        round_ = Round.objects.create(run_id=run_id, number=1, weights="sha256:" + "0" * 64, **shared)
        attempt = Attempt.objects.create(run_id=run_id, round=round_, number=1, weights=round_.weights, **shared)
        part = {"outcome": "lost", "step": "train", "code": "lost", "text": "no sign of life for 3.0 s in train"}
        SitePart.objects.create(attempt=attempt, organization=world.bank, release={"secret": 1}, **part, **shared)

    answer = client_of(world.bank).get(f"/api/v1/runs/{run_id}")

    shown = answer.json()["round_set"][0]["attempts"][0]["parts"]
    assert shown == [{"organization": str(world.bank.pk), "band": None, "epoch": None, **part}]
    assert b"secret" not in answer.content


def test_a_run_shows_its_tasks_to_members_and_to_nobody_else(world, client_of, approved, as_system):
    run_id = post(client_of(world.hospital), f"consortia/{world.consortium.pk}/runs", {"plan": approved["id"]}).json()[
        "id"
    ]
    with as_system():
        row = {"consortium": world.consortium, "run_id": run_id, "round": 1, "attempt": 1, "backend": "substra"}
        LineageRow.objects.create(kind="train", key="a", organization_id=world.bank.pk, status="done", **row)
        LineageRow.objects.create(kind="sum", key="b", parents=["a"], status="done", **row)

    shown = client_of(world.bank).get(f"/api/v1/runs/{run_id}/tasks").json()["results"]

    assert [(task["kind"], task["key"], task["parents"]) for task in shown] == [("sum", "b", ["a"]), ("train", "a", [])]
    assert [task["organization_id"] for task in shown] == [None, str(world.bank.pk)]
    assert Client().get(f"/api/v1/runs/{run_id}/tasks").status_code in (401, 403)
    assert client_of(world.bank).get(f"/api/v1/runs/{uuid.uuid4()}/tasks").status_code == 404


def test_orders_are_refused_where_they_do_not_fit_and_by_others(world, client_of, approved, as_system):
    client = client_of(world.hospital)
    run_id = post(client, f"consortia/{world.consortium.pk}/runs", {"plan": approved["id"]}).json()["id"]

    refused = [post(client, f"runs/{run_id}/{kind}", {}).status_code for kind in ("pause", "resume")]
    foreign = post(client_of(world.bank), f"runs/{run_id}/cancel", {})
    taken = post(client, f"runs/{run_id}/cancel", {"reason": "no longer needed"})

    assert (refused, foreign.status_code, taken.status_code) == ([409, 409], 403, 202)
    with as_system():
        assert list(RunOrder.objects.values_list("kind", "reason")) == [("cancel", "no longer needed")]
        Run.objects.filter(pk=run_id).update(state="completed")
    assert post(client, f"runs/{run_id}/cancel", {}).json()["code"] == "run_not_live"


def test_a_member_can_neither_approve_its_plan_nor_write_a_run_past_the_door(world, approved, as_system):
    with act_for(organization_id=world.bank.pk):
        for write in (
            lambda: Plan.objects.filter(pk=approved["id"]).update(state="approved"),
            lambda: Run.objects.create(
                consortium=world.consortium,
                organization=world.bank,
                plan_id=approved["id"],
                plan_digest=approved["digest"],
                decision="0x",
                rounds=1,
            ),
            lambda: Round.objects.create(consortium=world.consortium, run_id=uuid.uuid4(), number=1, weights=""),
            lambda: TrainedModel.objects.all().delete(),
            lambda: SitePart.objects.update(outcome="accepted"),
        ):
            with pytest.raises(ProgrammingError), transaction.atomic():
                write()
    with as_system():
        assert not Run.objects.exists()


def test_an_act_is_recorded_in_the_consortiums_log(world, drafted, as_system):
    with as_system():
        record = AuditRecord.objects.get(action="training.plan.draft")
    assert record.subject_id == drafted["id"]
