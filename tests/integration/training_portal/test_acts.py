"""What people do on training's pages: start and order runs, ask a model, take the acts that members propose."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import AuditRecord
from consortium.common import blobs
from consortium.governance.models import Proposal
from consortium.membership.models import MemberPage, RoleAssignment
from tests.factories.membership import make_user
from tests.factories.training import make_model, make_plan, make_round, make_run
from training.domain.plan_document import parse_plan
from training.models import Attempt, Model, Plan, Run, RunOrder, SitePart


@pytest.fixture
def approved(trained, world, as_system) -> Plan:
    """The plan with the proposal that approved it; its runs are not used up."""
    with as_system():
        proposal = Proposal.objects.create(
            consortium=world.consortium,
            organization=world.hospital,
            contract="DecisionBoard",
            kind="approve_plan",
            chain_key="0x" + "ab" * 32,
            state="executed",
            base=2,
            rule={"quorum_bps": 5000, "threshold_bps": 5000, "minimum_votes": 1, "exclude_author": False},
            owners=[str(world.hospital.pk), str(world.bank.pk)],
        )
        Plan.objects.filter(pk=trained.plan.pk).update(proposal=proposal)
    return trained.plan


@pytest.fixture
def released(trained, as_system) -> Model:
    """The model, released, with weights of its plan."""
    with as_system():
        return release(trained.model)


def release(model: Model) -> Model:
    run = model.run
    document = parse_plan(bytes(blobs.get(consortium_id=run.consortium_id, digest=run.plan_digest).data))
    weights = document.training_plan.initial_weights(run.pk)
    model.digest = blobs.put(consortium_id=run.consortium_id, data=weights, media_type=blobs.SAFETENSORS_TYPE)
    model.state, model.released_block = "released", 1400
    model.save()
    return model


@pytest.fixture
def gappy(world, as_system) -> Model:
    """A released perceptron whose plan has a rule for missing values of each column but sex."""
    features: list[dict[str, Any]] = [
        {"name": "procedure", "kind": "categorical", "categories": ["bypass", "none"], "missing": "category"},
        {"name": "sex", "kind": "binary"},
        {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "missing": "mean"},
        {"name": "days", "kind": "numeric", "minimum": 0, "maximum": 90, "missing": {"value": 7}},
    ]
    target = {"name": "died", "kind": "binary"}
    schema = [{key: one[key] for key in ("name", "kind")} for one in [*features, target]]
    with as_system():
        plan = make_plan(
            world,
            data_schema={"columns": schema},
            training={"features": features, "target": target, "algorithm": "perceptron", "hidden_units": 4},
        )
        run = make_run(world, plan)
        for number in (1, 2, 3):
            make_round(world, run, number, 1)
        return release(make_model(run))


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def role_of(world: Any, as_system: Any, role: str) -> Client:
    with as_system():
        user = make_user(f"{role}@hospital.example")
        RoleAssignment.objects.create(user=user, organization=world.hospital, role=role)
    client = Client()
    assert client.login(email=f"{role}@hospital.example", password="a long pass phrase")
    return client


def test_a_run_is_started_after_a_page_that_says_what_it_uses_up(hospital, approved, as_system):
    before = words_of(hospital.get(f"/plans/{approved.pk}/run/"))
    assert "for each of 3 rounds" in before
    assert "The vote covers 3 runs" in before

    answer = hospital.post(f"/plans/{approved.pk}/run/", {"backend": "memory"})

    with as_system():
        run = Run.objects.get(state="planned")
        assert AuditRecord.objects.filter(action="training.run.create", subject_id=str(run.pk)).count() == 1
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert "The first round opens when enough sites have committed" in words_of(hospital.get(f"/runs/{run.pk}/"))


def test_a_run_over_an_unknown_back_end_or_beyond_the_vote_is_refused_on_the_page(hospital, approved, as_system):
    answer = hospital.post(f"/plans/{approved.pk}/run/", {"backend": "abacus"})
    assert answer.status_code == 409
    assert "There is no back end 'abacus'" in words_of(answer)
    for _ in range(3):
        hospital.post(f"/plans/{approved.pk}/run/", {"backend": "memory"})

    refused = hospital.post(f"/plans/{approved.pk}/run/", {"backend": "memory"})

    with as_system():
        assert "all are used" in words_of(refused)
        assert Run.objects.filter(state="planned").count() == 3


@pytest.mark.parametrize("who", ["bank", "steward"])
def test_nobody_else_starts_or_orders_a_run(login, world, approved, trained, as_system, who):
    client = login("bank") if who == "bank" else role_of(world, as_system, "steward")
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="running")

    assert client.get(f"/plans/{approved.pk}/run/").status_code == 403
    assert client.post(f"/plans/{approved.pk}/run/", {"backend": "memory"}).status_code == 403
    assert client.get(f"/runs/{trained.run.pk}/order/cancel/").status_code == 403
    assert client.post(f"/runs/{trained.run.pk}/order/cancel/").status_code == 403
    assert "Cancel the run" not in words_of(client.get(f"/runs/{trained.run.pk}/"))
    with as_system():
        assert not Run.objects.filter(state="planned").exists()
        assert not RunOrder.objects.exists()


def test_an_order_is_confirmed_given_once_and_shown_until_it_is_obeyed(hospital, trained, as_system):
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="running")
    path = f"/runs/{trained.run.pk}/"
    assert "Pause the run" in words_of(hospital.get(path))
    assert "The open round is brought to its end" in words_of(hospital.get(f"{path}order/pause/"))

    answer = hospital.post(f"{path}order/pause/", {"reason": "a site is moving house"})

    assert answer.headers["Location"] == path
    with as_system():
        order = RunOrder.objects.get()
    assert (order.kind, order.reason) == ("pause", "a site is moving house")
    assert "Pause is ordered" in words_of(hospital.get(path))
    assert "a site is moving house" in words_of(hospital.get(path))


def test_an_order_that_the_state_does_not_allow_is_refused_with_the_reason_kept(hospital, trained, as_system):
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="running")

    answer = hospital.post(f"/runs/{trained.run.pk}/order/resume/", {"reason": "go on"})

    assert answer.status_code == 409
    assert "cannot be told to resume" in words_of(answer)
    assert 'value="go on"' in answer.content.decode()
    with as_system():
        assert not RunOrder.objects.exists()
    assert hospital.get(f"/runs/{trained.run.pk}/order/explode/").status_code == 404


def test_an_open_attempt_says_who_is_awaited_and_why_another_does_not_take_part(hospital, trained, world, as_system):
    with as_system():
        Run.objects.filter(pk=trained.run.pk).update(state="running")
        attempt = Attempt.objects.filter(run=trained.run).order_by("round__number").last()
        assert attempt
        type(attempt.round).objects.filter(pk=attempt.round_id).update(closed_at=None, closed_attempt=None, metrics={})
        Attempt.objects.filter(pk=attempt.pk).update(
            state="announced", opened_at=None, roster=[], closed_at=None, opened_block=None
        )
        SitePart.objects.filter(attempt=attempt, organization=world.hospital).update(outcome="asked", vector="")
        SitePart.objects.filter(attempt=attempt, organization=world.bank).update(
            outcome="refused", code="head_too_old", text="24 blocks behind", vector=""
        )

    words = words_of(hospital.get(f"/runs/{trained.run.pk}/"))

    assert "Round 3 of 3, attempt 1" in words
    assert "Commitments in 0 of 1 in" in words
    assert "Hospital you Waited for Asked for its signed commitment" in words
    assert "Bank Refused Its node is behind the chain. It joins by itself once the node has caught up." in words
    assert "(24 blocks behind)" in words


def test_a_change_of_consents_between_rounds_is_marked(hospital, trained, world, as_system):
    with as_system():
        SitePart.objects.filter(organization=world.bank).update(commitment={"seq": 7})
        late = SitePart.objects.filter(organization=world.bank, attempt__round__number=3)
        late.update(epoch=42, commitment={"seq": 8})

    answer = hospital.get(f"/runs/{trained.run.pk}/")

    assert "From round 3: Bank trains under epoch 42, entry 8 of its consents" in words_of(answer)
    assert answer.content.decode().count('<line class="event"') == 4
    assert "consents changed at 1 site" in answer.content.decode()


def test_a_released_model_answers_one_row_and_records_no_value(hospital, released, as_system):
    row = {"x.procedure": "none", "x.sex": "1", "x.age": "65.5"}

    answer = hospital.post(f"/models/{released.pk}/scores/", row)

    assert answer.status_code == 200
    assert re.search(r"Predicted chance: 0\.\d{3}", words_of(answer))
    with as_system():
        kept = AuditRecord.objects.get(action="model.prediction.serve")
    assert kept.body == {"digest": released.digest, "rows": 1}
    assert "65.5" not in bytes(kept.canonical).decode()


def test_a_file_of_rows_comes_back_with_scores(hospital, released):
    table = "procedure,sex,age\nnone,1,65\nnone,0,40\n"

    answer = hospital.post(f"/models/{released.pk}/scores/", {"file": SimpleUploadedFile("r.csv", table.encode())})

    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = answer.content.decode().splitlines()
    assert lines[0] == "procedure,sex,age,score"
    assert [re.fullmatch(r"none,\d,\d+\.0,0\.\d{6}", line) is not None for line in lines[1:]] == [True, True]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (b"procedure,sex\nnone,1\n", "exactly these columns: procedure, sex, age"),
        (b"procedure,sex,age\n", "1 to 1000 rows"),
        (b"procedure,sex,age\nnone,1,\n", "Row 1: age is empty, and the plan has no rule"),
        (b"procedure,sex,age\nnone,1,old\n", "Row 1: age is no number"),
        (b"procedure,sex,age\nnone,2,65\n", "Row 1: Feature sex is neither 0 nor 1"),
        (b"procedure,sex,age\nflying,1,65\n", "Row 1: Feature procedure has a category"),
        (b"\xff\xfe", "no CSV in UTF-8"),
    ],
)
def test_a_wrong_file_names_row_and_column_and_never_the_value(hospital, released, as_system, table, text):
    answer = hospital.post(f"/models/{released.pk}/scores/", {"file": SimpleUploadedFile("r.csv", table)})

    assert answer.status_code == 400
    assert text in words_of(answer)
    assert "flying" not in words_of(answer)
    with as_system():
        assert not AuditRecord.objects.filter(action="model.prediction.serve", outcome="succeeded").exists()


def test_a_draft_is_proposed_at_ones_own_member_page_where_it_is_known_and_by_command_else(
    hospital, login, trained, world, as_system, as_superuser
):
    path, command = f"/plans/{trained.plan.pk}/", f"consilium-site plans propose {trained.plan.digest}"
    with as_system():
        Plan.objects.filter(pk=trained.plan.pk).update(state="draft")
    assert command in words_of(hospital.get(path))
    assert "Propose at your member page" not in words_of(hospital.get(path))

    with as_superuser():
        MemberPage._base_manager.create(organization=world.hospital, address="https://agent.hospital.example")

    address = f'href="https://agent.hospital.example/plans/{trained.plan.digest}"'
    assert address in hospital.get(path).content.decode()
    assert "agent.hospital.example" not in login("bank").get(path).content.decode()


def test_a_missing_value_follows_the_plans_rule_for_its_column(hospital, gappy):
    page = words_of(hospital.get(f"/models/{gappy.pk}/"))
    assert "procedure Not known is a category of its own not known bypass none" in page
    assert "sex no (0) yes (1)" in page
    assert "age Left empty, it counts as the mean over all sites" in page
    assert "days Left empty, it counts as 7" in page

    filled = {"x.procedure": "", "x.sex": "1", "x.age": "", "x.days": ""}
    assert "Predicted chance: 0." in words_of(hospital.post(f"/models/{gappy.pk}/scores/", filled))
    refused = hospital.post(f"/models/{gappy.pk}/scores/", {**filled, "x.sex": ""})
    assert refused.status_code == 400
    assert "Row 1: sex is empty, and the plan has no rule for a missing value there." in words_of(refused)

    table = b"procedure,sex,age,days\n,1,,\nnone,0,40,3\n"
    answer = hospital.post(f"/models/{gappy.pk}/scores/", {"file": SimpleUploadedFile("r.csv", table)})
    lines = answer.content.decode().splitlines()
    assert [line.rpartition(",")[0] for line in lines[1:]] == [",1,,", "none,0,40.0,3.0"]


def test_a_perceptron_is_called_one_on_every_page_about_it(hospital, gappy):
    for page in (f"/models/{gappy.pk}/", f"/plans/{gappy.run.plan_id}/", f"/runs/{gappy.run_id}/", "/models/"):
        assert "ogistic" not in words_of(hospital.get(page))
    assert "Perceptron" in words_of(hospital.get(f"/models/{gappy.pk}/"))


def test_a_candidate_answers_nothing(hospital, trained):
    answer = hospital.post(f"/models/{trained.model.pk}/scores/", {"x.procedure": "none", "x.sex": "1", "x.age": "1"})

    assert answer.status_code == 409
    assert "The model is candidate and answers nothing." in words_of(answer)
    assert "Ask it" not in words_of(answer)


def test_the_acts_name_exactly_these_weights(hospital, trained, world):
    for name, kind in (("release", "ReleaseModel"), ("recall", "RecallModel")):
        act = json.loads(hospital.get(f"/models/{trained.model.pk}/{name}.json").content)

        assert act["kind"] == kind
        assert act["consortium"] == str(world.consortium.pk)
        assert act["subject"] == "0x" + trained.model.digest.removeprefix("sha256:")
        assert act["owners"] == []
    assert hospital.get(f"/models/{trained.model.pk}/explode.json").status_code == 404


def test_the_card_is_served_as_the_bytes_that_its_digest_is_of(hospital, trained):
    from consortium.kernel.digests import sha256_digest

    answer = hospital.get(f"/models/{trained.model.pk}/card.json")

    assert sha256_digest(answer.content) == trained.model.card_digest


def test_every_box_of_the_lineage_leads_to_what_it_stands_for(hospital, trained):
    text = hospital.get(f"/models/{trained.model.pk}/").content.decode()

    picture = text[text.index('<svg class="lineage') : text.index('<ol class="timeline only-phone"')]
    assert picture.count('<a class="node"') == 2 * 2 + 3
    assert f'href="/follow/{trained.model.digest}/"' in picture
    assert f'href="/runs/{trained.run.pk}/"' in picture
    assert "4 attempts" in picture
    assert "tick-again" in picture
