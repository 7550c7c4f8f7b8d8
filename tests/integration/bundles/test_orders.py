"""What may be asked for: days that are over, a model of the consortium where the report is about one."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.bundles.orders import ModelChoiceError, Order, period_of, settle
from audit.compliance.periods import Period, PeriodInvalidError, years_before
from audit.models import Bundle
from consortium.common.tenancy import act_for
from consortium.kernel.errors import NotFoundError
from tests.factories.training import make_model, make_plan, make_round, make_run
from tests.integration.bundles.conftest import ask_for_bundle
from training.models import Model


def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def model(world, as_system) -> Model:
    with as_system():
        run = make_run(world, make_plan(world), rounds=1)
        make_round(world, run, 1, 1)
        return make_model(run)


def bundles(world) -> int:
    with act_for(organization_id=world.hospital.pk):
        return Bundle.objects.count()


@pytest.mark.parametrize("report", ["hipaa_164_312_b", "hipaa_164_528", "audit_controls"])
def test_hipaa_looks_six_years_back_by_itself(world, report):
    bundle = ask_for_bundle(world, report=report)
    assert (bundle.period_from, bundle.period_until) == (years_before(today(), 6), today())


@pytest.mark.parametrize("report", ["gdpr_art_7", "gdpr_art_30"])
def test_other_reports_speak_of_everything_since_the_founding(world, report):
    bundle = ask_for_bundle(world, report=report)
    founded = world.consortium.created_at.astimezone(UTC).date()
    assert (bundle.period_from, bundle.period_until) == (founded, today())


def test_chosen_days_are_kept(world):
    days = {"since": date(2026, 1, 1), "until": date(2026, 6, 30)}
    bundle = ask_for_bundle(world, report="gdpr_art_7", **days)
    assert (bundle.period_from, bundle.period_until) == (days["since"], days["until"])


@pytest.mark.parametrize(
    "days",
    [
        lambda: {"since": today(), "until": today() - timedelta(days=1)},
        lambda: {"until": today() + timedelta(days=1)},
        lambda: {"since": today() + timedelta(days=1)},
    ],
    ids=["backwards", "ends in the future", "begins in the future"],
)
def test_days_that_no_report_can_speak_of_are_refused_and_nothing_is_asked_for(world, days):
    with pytest.raises(PeriodInvalidError):
        ask_for_bundle(world, **days())
    assert bundles(world) == 0


def test_a_dossier_is_about_a_model_and_no_other_report_is(world, model):
    with pytest.raises(ModelChoiceError, match="Name one of the consortium's models"):
        ask_for_bundle(world, report="ai_act_annex_iv")
    with pytest.raises(ModelChoiceError, match="Leave the model out"):
        ask_for_bundle(world, report="gdpr_art_7", model_id=model.pk)
    assert bundles(world) == 0
    assert ask_for_bundle(world, report="ai_act_annex_iv", model_id=model.pk).model_id == model.pk


def test_a_model_of_another_consortium_is_as_unknown_as_none(world, model, as_system):
    with pytest.raises(NotFoundError):
        ask_for_bundle(world, report="ai_act_annex_iv", model_id=uuid.uuid4())
    with act_for(organization_id=world.outsider.pk), pytest.raises(NotFoundError):
        settle(Order("ai_act_annex_iv", model_id=model.pk), world.other_consortium)
    # Whoever sees both consortia must not mix them either.
    with as_system(), pytest.raises(NotFoundError, match="no such model in this consortium"):
        settle(Order("ai_act_annex_iv", model_id=model.pk), world.other_consortium)
    assert bundles(world) == 0


@pytest.mark.parametrize(
    "days",
    [
        {"period_from": date(2026, 2, 1), "period_until": date(2026, 1, 1)},
        {"period_from": None},
        {"period_until": None},
    ],
    ids=["backwards", "no beginning", "no end"],
)
def test_the_database_refuses_half_a_period_and_a_backward_one(world, days):
    bundle = ask_for_bundle(world)
    with pytest.raises(IntegrityError), transaction.atomic(), act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(**days)


def test_a_bundle_from_before_there_were_periods_speaks_of_everything_until_then(world):
    bundle = ask_for_bundle(world)
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(period_from=None, period_until=None)
        bundle.refresh_from_db()
    assert period_of(bundle, world.consortium) == Period(world.consortium.created_at.date(), today())
