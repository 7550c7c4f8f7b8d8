"""`chain replay` over a history of every kind of event: equal, and what it says where rows are not the chain's."""

import json
import uuid
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.models import AuditRecord, WitnessRule
from benchmarks._history import History, HistoryChain
from benchmarks.projector import found
from consent.models import ConsentEpoch
from consortium.governance.models import Ballot, Proposal
from consortium.membership.models import Membership, OrganizationKey
from contracts import projections
from contracts.interface import Chain
from contracts.models import ChainEventRecord, OutboxTransaction
from contracts.projections import projects
from contracts.projector import project_once
from contracts.reading.read_models import UndeclaredColumnError, read_model, read_models
from contracts.reading.replay import ReplayReport, replay
from tests.integration.audit.conftest import superuser
from training.models import Attempt, Model, Round, SitePart

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def node(system) -> Chain:
    history = History(1)
    node = cast("Chain", HistoryChain(history))
    found(history)
    report = project_once(node)
    assert (report.failed, report.applied) == (0, len(history.logs))
    return node


def told(report: ReplayReport) -> list[str]:
    return [str(one).partition(" ")[0] + ": " + str(one).rpartition(": ")[2] for one in report.differences]


def test_the_live_rows_are_what_the_chain_says_and_nothing_is_left_behind(node):
    before = everything()
    report = replay()

    assert report.equal, report.in_words()
    assert report.events == ChainEventRecord.objects.count()
    assert "handled again, give the live rows of" in report.in_words()
    assert everything() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'consilium_shadow'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT has_schema_privilege('consilium_app', 'consilium_shadow', 'USAGE')")
        assert cursor.fetchone() == (False,)
        cursor.execute("SHOW search_path")
        assert "consilium_shadow" not in cursor.fetchone()[0]


def everything() -> dict[str, int]:
    models: list[Any] = [AuditRecord, OutboxTransaction, *(one.model for one in read_models())]
    return {model._meta.db_table: model.objects.count() for model in models}


def test_the_history_has_events_for_every_handler(node):
    """So that what is equal above says something of each of them."""
    heard = set(ChainEventRecord.objects.values_list("name", flat=True))
    unheard = {name for name, all_ in projections._HANDLERS.items() if all_} - heard
    # A validator's change is recorded and changes no row; a recall and a strike change one column each.
    assert unheard <= {
        *("ValidatorActivated", "ValidatorDeactivated", "OrganizationRemoved", "BallotStruck"),
        *("ModelRecalled", "RunCanceled", "RunFailed", "Counted", "Stepped"),
        # Another consortium's, replayed on two chains in test_peers.py.
        *("PeerSet", "PeerOpened", "HeaderProven"),
        *("ForeignModelRegistered", "ForeignModelReleased", "ForeignModelRecalled"),
    }


def test_the_nodes_own_events_say_the_same(node):
    assert replay(node).equal
    ChainEventRecord.objects.filter(pk=ChainEventRecord.objects.filter(name="RoundOpened")[0].pk).delete()
    other = ChainEventRecord.objects.filter(name="BallotCast")[0]
    ChainEventRecord.objects.filter(pk=other.pk).update(arguments=other.arguments | {"choice": {"int": "2"}})

    report = replay(node)

    assert sorted(one.kind for one in report.differences) == ["changed", "missing"]
    assert {one.table for one in report.differences} == {"contracts_chaineventrecord"}
    changed = next(one for one in report.differences if one.kind == "changed")
    assert changed.columns["arguments"][0]["choice"] == 2
    assert changed.columns["arguments"][1]["choice"] == 1


TAMPERED: dict[str, tuple[Any, dict[str, Any], str | None]] = {
    "a ballot turned": (Ballot, {"choice": "no"}, "governance_ballot: choice is 'no' here, 'yes' by the chain"),
    "a ballot unsaid": (
        Ballot,
        {"chain_state": "submitted"},
        "governance_ballot: chain_state is 'submitted' here, 'confirmed' by the chain",
    ),
    "a proposal decided": (
        Proposal,
        {"state": "defeated"},
        "governance_proposal: state is 'active or defeated' here, 'executed' by the chain",
    ),
    "a proposal of another text": (
        Proposal,
        {"description": "Something else"},
        "governance_proposal: description is 'Something else' here, 'Act 1' by the chain",
    ),
    "a member suspended": (
        Membership,
        {"status": "suspended"},
        "membership_membership: status is 'suspended' here, 'active' by the chain",
    ),
    "a model recalled": (Model, {"recalled_block": 7}, "training_model: recalled_block is 7 here, None by the chain"),
    "a cohort enlarged": (SitePart, {"band": 250}, "training_sitepart: band is 250 here, 100 by the chain"),
    "a round reopened": (Round, {"closed_block": None}, None),
    "an attempt never closed": (
        Attempt,
        {"state": "revealed"},
        "training_attempt: state is 'revealed' here, 'closed' by the chain",
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_row_that_is_not_what_the_chain_says_is_named(node, case):
    model, change, said = TAMPERED[case]
    row = model.objects.order_by("created_at", "pk").first()
    model.objects.filter(pk=row.pk).update(**change)

    report = replay()

    assert not report.equal
    assert {(one.table, one.row["id"]) for one in report.differences} == {(model._meta.db_table, row.pk)}
    if said is not None:
        assert told(report) == [said]


def test_a_missing_row_and_one_of_nobody_are_named(node, become):
    epoch = ConsentEpoch.objects.first()
    assert epoch is not None
    with superuser(become), connection.cursor() as cursor:
        cursor.execute("DELETE FROM consent_consentepoch WHERE id = %s", [epoch.pk])
    key = OrganizationKey.objects.first()
    assert key is not None
    OrganizationKey.objects.filter(pk=key.pk).update(address="0x" + "22" * 20)
    WitnessRule.objects.create(consortium_id=uuid.uuid4(), quorum=1, set_in_block=1)

    kinds = sorted((one.table, one.kind) for one in replay().differences)
    assert kinds == [
        ("audit_witnessrule", "surplus"),
        ("consent_consentepoch", "missing"),
        ("membership_organizationkey", "missing"),
        ("membership_organizationkey", "surplus"),
    ]


def test_what_was_asked_for_and_is_not_on_the_chain_is_no_difference(node):
    proposal = Proposal.objects.first()
    assert proposal is not None
    Proposal.objects.create(
        consortium_id=proposal.consortium_id, organization_id=proposal.organization_id, contract="DecisionBoard"
    )
    assert replay().equal


def test_calls_whose_contents_were_dropped_give_the_same_rows(node):
    """What handlers look up of the act behind an event stays."""
    proposals = list(Proposal.objects.exclude(transaction_hash=""))
    OutboxTransaction.objects.bulk_create(
        OutboxTransaction(
            consortium_id=proposal.consortium_id,
            contract=proposal.contract,
            function="open",
            idempotency_key=f"proposal:{proposal.pk}",
            correlation_id=str(uuid.uuid4()),
            state="confirmed",
            sender="0x" + "ab" * 20,
            nonce=nonce,
            block=proposal.confirmed_block,
            transaction_hash=proposal.transaction_hash,
            contents_dropped_at=timezone.now(),
            arguments_digest="sha256:" + "00" * 32,
        )
        for nonce, proposal in enumerate(proposals)
    )

    report = replay()

    assert proposals
    assert report.equal, report.in_words()


def test_a_handler_that_has_changed_shows_in_its_rows(node, monkeypatch):
    monkeypatch.setattr(projections, "_HANDLERS", {name: [*all_] for name, all_ in projections._HANDLERS.items()})

    @projects("BallotCast")
    def strike(consortium_id, event):
        Ballot.objects.filter(organization_id=Ballot.objects.all()[0].organization_id).update(is_struck=True)

    report = replay()
    assert {column for one in report.differences for column in one.columns} == {"is_struck"}
    assert not Ballot.objects.filter(is_struck=True).exists()


def test_a_handler_that_fails_stops_its_replay_and_is_named(node, monkeypatch):
    monkeypatch.setattr(projections, "_HANDLERS", {name: [*all_] for name, all_ in projections._HANDLERS.items()})

    @projects("ModelReleased")
    def fail(consortium_id, event):
        raise LookupError("no longer")

    report = replay()
    assert [(one.event.partition(" ")[0], one.fault) for one in report.stopped] == [
        ("ModelRegistry.ModelReleased", "LookupError: no longer")
    ]
    assert not report.equal


def test_a_handler_that_writes_what_nobody_declared_fails_instead_of_writing(node, monkeypatch):
    monkeypatch.setattr(projections, "_HANDLERS", {name: [*all_] for name, all_ in projections._HANDLERS.items()})

    @projects("ModelReleased")
    def write_elsewhere(consortium_id, event):
        ChainEventRecord.objects.update(attempts=7)

    (stopped,) = replay().stopped
    assert "cannot update view" in stopped.fault
    assert not ChainEventRecord.objects.filter(attempts=7).exists()


def test_the_command_prints_words_or_json_and_says_by_its_status(node, capsys):
    call_command("chain", "replay")
    assert capsys.readouterr().out.startswith("Equal: ")
    row = Ballot.objects.order_by("pk").first()
    assert row is not None
    Ballot.objects.filter(pk=row.pk).update(choice="no")

    with pytest.raises(SystemExit) as ended:
        call_command("chain", "replay")
    assert ended.value.code == 1
    words = capsys.readouterr().out
    assert words.startswith("DIFFERENT: ")
    assert f"governance_ballot id={row.pk}: choice is 'no' here, 'yes' by the chain" in words
    with pytest.raises(SystemExit):
        call_command("chain", "replay", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["equal"] is False
    assert document["differences"][0]["columns"] == {"choice": ["no", "yes"]}


def test_a_column_that_nobody_has_declared_is_an_error():
    with pytest.raises(UndeclaredColumnError, match=r"audit_witnessrule .*: set_in_block"):
        read_model(WitnessRule, identity=("consortium_id",), written=("quorum",), ours={})
