"""What reports learn of consents and people: bands, one's own rows alone, and nothing where nothing is."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override

from audit.compliance.html import render_html
from audit.compliance.periods import Period
from audit.compliance.registry import make_report
from audit.compliance.sources.consents import consent_facts
from audit.compliance.sources.people import member_facts, reviewers
from consent.models import ConsentBatch, ConsentEpoch, Grant, Withdrawal, WithdrawalEffect
from consortium.common.tenancy import act_for
from tests.unit.compliance.cases import ANCHOR, CONSENTS, act, evidence

ROOT = "0x" + "ab" * 32
ALWAYS = Period(date(2020, 1, 1), date(2100, 1, 1))


@pytest.fixture
def consents(world, as_system) -> None:
    """Thirty consents of the hospital, two withdrawn, one of them in effect after 90 s; an epoch of the bank."""
    names = {"consortium": world.consortium, "organization": world.hospital}
    now = timezone.now()
    with act_for(organization_id=world.hospital.pk):
        batch = ConsentBatch.objects.create(**names, sequence=1, digest="sha256:" + "1" * 64, state="accepted")
        Grant.objects.bulk_create(
            Grant(
                **names,
                batch=batch,
                consent_id=f"{number:064x}",
                pseudonym=f"{number:064x}",
                state="withdrawn" if number < 2 else "active",
                recorded_at=now,
                resource={},
            )
            for number in range(30)
        )
        for state, seconds in (("recorded", None), ("confirmed", 90)):
            withdrawal = Withdrawal.objects.create(
                organization=world.hospital,
                pseudonym="0" * 64,
                reason="subject_request",
                origin="platform",
                state=state,
                receipt_signature="" if seconds is None else "0x11",
            )
            if seconds:
                confirmed = withdrawal.created_at + timedelta(seconds=seconds)
                Withdrawal.objects.filter(pk=withdrawal.pk).update(confirmed_at=confirmed)
            WithdrawalEffect.objects.create(withdrawal=withdrawal, **names)
    with as_system():
        ConsentEpoch.objects.create(
            consortium=world.consortium,
            organization=world.bank,
            chain_state="confirmed",
            **{"epoch": 1, "seq": 1, "root": ROOT, "band": 100, "as_of": now, "confirmed_block": 7},
        )


def facts_of(world, organization, period=ALWAYS):
    with act_for(organization_id=organization.pk):
        return consent_facts(consortium_id=world.consortium.pk, organization_id=organization.pk, period=period)


def test_the_exporter_sees_its_own_consents_in_bands(world, consents):
    facts = facts_of(world, world.hospital)

    assert facts is not None
    assert (facts.grants["active"], facts.grants["withdrawn"]) == ("25 to 49", "fewer than 10")
    assert facts.batches == 1
    assert (facts.withdrawals.recorded, facts.withdrawals.confirmed) == ("fewer than 10", "fewer than 10")
    assert (facts.withdrawals.median_seconds, facts.withdrawals.longest_seconds) == (90, 90)
    assert [(epoch.organization, epoch.band, epoch.block) for epoch in facts.epochs] == [
        (str(world.bank.pk), "100 to 249", 7)
    ]


def test_withdrawals_outside_the_period_are_left_out(world, consents):
    facts = facts_of(world, world.hospital, Period(date(2020, 1, 1), date(2020, 12, 31)))

    assert facts is not None
    assert (facts.withdrawals.recorded, facts.withdrawals.longest_seconds) == ("fewer than 10", None)
    assert facts.grants["active"] == "25 to 49"


def test_another_member_sees_the_anchored_epochs_alone(world, consents):
    facts = facts_of(world, world.bank)

    assert facts is not None
    assert facts.grants["active"] == "fewer than 10"
    assert facts.batches == 0
    assert facts.withdrawals.longest_seconds is None
    assert len(facts.epochs) == 1


def test_without_any_consent_there_are_no_facts(world):
    assert facts_of(world, world.hospital) is None


def test_an_outsider_learns_nothing(world, consents):
    assert facts_of(world, world.outsider) is None
    with act_for(organization_id=world.outsider.pk):
        assert member_facts(world.consortium.pk) == []
        assert reviewers(world.hospital.pk) == {}


def test_reviewers_are_ones_own_administrators_and_officers(world):
    with act_for(organization_id=world.hospital.pk):
        assert reviewers(world.hospital.pk) == {"admin": 1, "compliance": 1}
        assert [member.name for member in member_facts(world.consortium.pk)] == ["Bank", "Hospital"]


def test_the_page_of_a_report_is_the_same_in_every_language_and_escapes_its_data():
    report = make_report("audit_controls", evidence(act(1), anchors=[ANCHOR], consents=CONSENTS))
    report["consortium"]["name"] = "<script>alert(1)</script>"

    english = render_html(report)
    with override("de"):
        german = render_html(report)

    assert english == german
    assert b"<script" not in english
    assert b"&lt;script&gt;" in english
    assert b"--accent" in english
    assert b"@font-face" not in english
    assert b"url(" not in english
