"""Refused attempts of people stay in the log although the refusal undoes everything else."""

import uuid

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from audit.acts import Actor, Subject
from audit.models import AuditRecord
from audit.recorder import record
from audit.refusals import RefusalMiddleware, attempt
from consortium.common.tenancy import act_for
from consortium.kernel.errors import ConflictError
from consortium.membership.models import Organization

PERSON = uuid.UUID(int=3)


class BallotClosedError(ConflictError):
    code = "ballot_closed"


def cast_late(world) -> None:
    with attempt(
        action="governance.ballot.relay",
        organization_id=None,
        consortium_id=world.consortium.pk,
        actor=Actor.person(PERSON, world.hospital.pk),
        subject=Subject("proposal", str(uuid.UUID(int=9))),
        data={"choice": "yes"},
    ):
        Organization.objects.filter(pk=world.hospital.pk).update(country="DE")
        raise BallotClosedError("The ballot has closed. Propose again.")


def outcomes() -> list[tuple[str, str, str]]:
    return list(AuditRecord.objects.values_list("action", "outcome", "error_code"))


REFUSED = [("governance.ballot.relay", "refused", "ballot_closed")]


def test_a_refused_attempt_is_undone_and_recorded(world):
    with act_for(organization_id=world.hospital.pk):
        with pytest.raises(BallotClosedError):
            cast_late(world)
        assert outcomes() == REFUSED
        assert Organization.objects.get(pk=world.hospital.pk).country == ""


def test_a_refusal_outlives_the_transaction_of_its_view(world):
    def view(request):
        try:
            with transaction.atomic():
                cast_late(world)
        except BallotClosedError:
            assert outcomes() == []
        return HttpResponse(status=409)

    with act_for(organization_id=world.hospital.pk):
        assert RefusalMiddleware(view).answer(RequestFactory().post("/")).status_code == 409
        assert outcomes() == REFUSED


def test_an_attempt_that_succeeds_leaves_only_what_it_recorded(world):
    with (
        act_for(organization_id=world.hospital.pk),
        attempt(
            action="identity.logout",
            organization_id=world.hospital.pk,
            consortium_id=None,
            actor=Actor.person(PERSON, world.hospital.pk),
            subject=Subject("person", str(PERSON)),
        ),
    ):
        record(
            action="identity.logout",
            organization_id=world.hospital.pk,
            consortium_id=None,
            actor=Actor.person(PERSON, world.hospital.pk),
            subject=Subject("person", str(PERSON)),
        )
    with act_for(organization_id=world.hospital.pk):
        assert outcomes() == [("identity.logout", "succeeded", "")]


def test_a_fault_of_the_program_is_no_refusal(world):
    with act_for(organization_id=world.hospital.pk):
        with (
            pytest.raises(ZeroDivisionError),
            attempt(
                action="identity.logout",
                organization_id=world.hospital.pk,
                consortium_id=None,
                actor=Actor.person(PERSON, world.hospital.pk),
                subject=Subject("person", str(PERSON)),
            ),
        ):
            1 / 0  # noqa: B018  the fault
        assert outcomes() == []
