"""A withdrawal from the API to a real chain: recorded, received, confirmed; and what the auditor sees of it."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import transaction
from eth_account import Account

from agent.chain import Consortium
from agent.consents.epochs import Step
from agent.consents.question import PlanQuestion
from agent.consents.withdrawals import WithdrawalRequest
from audit.log.checkpoints import sign_checkpoint
from audit.log.fsck import fsck
from audit.log.integration import integrate_all
from audit.log.keys import create_key, verifier_of
from audit.models import AuditLog, AuditRecord, PersonalField
from consent import models
from consent.domain.provisions import category
from consortium.common.tenancy import act_for
from consortium.kernel.consent_leaf import LeafContext
from consortium.kernel.errors import InvalidProofError
from consortium.kernel.identifiers import to_hex
from consortium.kernel.manifest_checks import CommittedCohort, verify_manifest
from consortium.kernel.manifests import AttemptReference, build_manifest
from contracts.dispatcher import Dispatcher
from contracts.gateway import Gateway
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.projector import project_once, start_projection
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.integration.agent.networks import Network
from tests.integration.consent.sites import carry, import_consents, post, signed_again, take_withdrawals
from tests.integration.contracts.conftest import settle

pytestmark = pytest.mark.services
WITHDRAWALS = "/api/v1/consents/withdrawals"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    node = Anvil(tmp_path_factory.mktemp("anvil")).start()
    yield node
    node.stop()


@pytest.fixture
def node_url(node: Anvil) -> str:
    return node.url


class Story:
    """The hospital's site, its platform and their chain, step by step."""

    def __init__(self, office, site, world, network, as_system) -> None:
        self.office, self.site, self.world = office, site, world
        self.shared = Consortium(world.consortium.pk, "Shared", settings.CHAIN_ID, network.addresses)
        self.dispatcher = Dispatcher(network.gateway, Relay(Account.create()))
        self.as_system = as_system

    def relay(self) -> None:
        """Carry the site's letters, send what they ask for, and read the chain."""
        carry(self.office, self.site)
        with self.as_system():
            settle(self.dispatcher)
            assert not OutboxTransaction.objects.filter(state="failed").exists()
            assert project_once(self.dispatcher.chain).failed == 0

    def advance(self) -> Step:
        step = self.office.anchoring.advance(self.shared)
        self.relay()
        self.office.anchoring.settle(self.shared)
        return step

    def select(self):
        question = PlanQuestion(
            purpose="DUO:0000006",
            categories=frozenset({category("Procedure")}),
            recipients=frozenset({str(self.world.bank.pk)}),
        )
        at = self.office.site.chain.head().time
        return question, self.office.cohorts.select_cohort(
            self.shared, question, as_of=at, valid_until=at + 60, minimum=1
        )

    def withdrawal(self) -> models.Withdrawal:
        with act_for(organization_id=self.world.hospital.pk):
            return models.Withdrawal.objects.get()


@pytest.fixture
def story(office, site, world, node, as_system) -> Story:
    network = Network(Gateway([node.url], chain_id=settings.CHAIN_ID))
    signer = office.site.signer
    network.found([(world.hospital.pk, signer.address("vote"), signer.address("site"))])
    office.site.pins.pin(world.consortium.pk, network.addresses)
    with as_system():
        block = network.gateway.head().number
        for name, address in network.addresses.items():
            ContractDeployment.objects.create(
                consortium_id=world.consortium.pk, name=name, address=address, block=block
            )
        with transaction.atomic():
            start_projection(world.consortium.pk)
    return Story(office, site, world, network, as_system)


def withdraw(client, body, key: str = "one"):
    return client.post(WITHDRAWALS, body, "application/json", headers={"Idempotency-Key": key})


def test_a_withdrawal_goes_from_recorded_over_received_to_confirmed(story, office, site, world, steward):
    made = import_consents(office, world.consortium, 30)
    assert story.advance() is Step.ANCHORED
    question, before = story.select()
    record = min(made.permitting())
    name = office.withdrawals.pseudonym_of(record)

    answer = withdraw(steward, {"pseudonym": name, "reason": "subject_request"})
    assert (answer.status_code, answer.json()["state"]) == (201, "recorded")
    path = f"{WITHDRAWALS}/{answer.json()['id']}"
    assert withdraw(steward, {"pseudonym": name, "reason": "subject_request"}).json() == answer.json()
    assert withdraw(steward, {"pseudonym": name, "reason": "objection"}, key="two").status_code == 409

    assert take_withdrawals(office, site) == 1
    carry(office, site)
    received = steward.get(path).json()
    assert (received["state"], received["effects"][0]["block"]) == ("received", None)
    assert received["receipt_signature"].startswith("0x")
    assert take_withdrawals(office, site) == 0

    assert story.advance() is Step.REVOKED
    confirmed = steward.get(path).json()
    assert confirmed["state"] == "confirmed"
    assert (confirmed["effects"][0]["epoch"], confirmed["effects"][0]["seq"]) == (1, 2)

    _question, after = story.select()
    assert set(after.records.values()) == made.permitting() - {record}
    require_lie_shows(story, question, before, after)
    with act_for(organization_id=world.hospital.pk):
        acts = AuditRecord.objects.filter(action__startswith="consent.withdrawal").order_by("recorded_at")
        assert [act.action.rsplit(".", 1)[1] for act in acts] == ["record", "receive", "confirm"]
        assert name not in str([bytes(act.canonical) for act in acts])


def require_lie_shows(story, question, before, after) -> None:
    """A manifest with the withdrawn subject still in it fails against what the chain recorded."""
    attempt = AttemptReference("0x" + "00" * 20, uuid.UUID(int=1), 1, 1, "sha256:" + "22" * 32)
    context = LeafContext(settings.CHAIN_ID, story.world.consortium.pk, story.world.hospital.pk)
    for cohort, is_honest in ((after.leaves, True), (before.leaves, False)):
        manifest = build_manifest(context=context, attempt=attempt, state=after.state, cohort=cohort)
        with act_for(organization_id=story.world.bank.pk):
            event = models.RevocationEvent.objects.get()
        revoked = [bytes.fromhex(subject[2:]) for subject in event.subjects]
        arguments = {
            "proofs": story.office.proofs.inclusion(manifest),
            "revoked": revoked,
            "openings": story.office.proofs.openings(manifest),
            "permits": question.permits(),
        }
        committed = CommittedCohort(attempt, after.state, manifest.cohort_root(), manifest.band)
        if is_honest:
            verify_manifest(manifest, committed, **arguments)
        else:
            with pytest.raises(InvalidProofError, match=to_hex(revoked[0])):
                verify_manifest(manifest, committed, **arguments)


def test_the_next_epoch_confirms_what_waited_for_it_and_lacks_the_subject(story, office, world, steward):
    made = import_consents(office, world.consortium, 30)
    story.advance()
    record = min(made.permitting())

    office.withdrawals.withdraw(WithdrawalRequest(office.withdrawals.pseudonym_of(record), is_urgent=False))
    assert story.advance() is Step.ANCHORED

    withdrawal = story.withdrawal()
    assert (withdrawal.origin, withdrawal.state) == ("site", "confirmed")
    with act_for(organization_id=world.bank.pk):
        epochs = list(models.ConsentEpoch.objects.order_by("epoch"))
    assert [(row.epoch, row.seq, row.chain_state) for row in epochs] == [(1, 1, "confirmed"), (2, 2, "confirmed")]
    trie = office.proofs.epoch_trie(
        LeafContext(settings.CHAIN_ID, world.consortium.pk, world.hospital.pk), 2, bytes.fromhex(epochs[1].root[2:])
    )
    assert trie.count == len(made.permitting()) - 1
    assert steward.get(f"/api/v1/consents/summary/{world.consortium.pk}").json()["members"][0]["epoch"] == 2


def test_an_epoch_that_another_key_signed_or_that_shows_a_count_is_not_relayed(story, office, bank_site, site, world):
    import_consents(office, world.consortium, 12)
    carry(office, site)
    office.anchoring.advance(story.shared)
    (epoch,) = office.mail.waiting()

    assert post(bank_site, epoch).status_code == 400
    assert post(site, epoch, band=11).status_code == 400
    assert post(site, epoch, root="0x" + "11" * 32).json()["code"] == "invalid_signature"
    assert post(site, epoch, consortium=str(world.other_consortium.pk)).status_code == 404

    with act_for(organization_id=world.hospital.pk):
        assert models.ConsentEpoch.objects.count() == 0
        assert OutboxTransaction.objects.count() == 0


def test_an_epoch_sent_twice_is_relayed_once(story, office, site, world):
    import_consents(office, world.consortium, 12)
    carry(office, site)
    office.anchoring.advance(story.shared)
    (epoch,) = office.mail.waiting()

    first = post(site, epoch).json()
    again = site.post("consents/epochs", dict(epoch.body), **{"Idempotency-Key": "another"}).json()

    assert again == first
    story.relay()
    with act_for(organization_id=world.hospital.pk):
        assert OutboxTransaction.objects.filter(function="anchorEpoch").count() == 1


def test_a_receipt_of_another_subject_or_a_second_one_is_refused(story, office, site, world, steward):
    made = import_consents(office, world.consortium, 12)
    story.advance()
    first, second = sorted(made.permitting())[:2]
    names = [office.withdrawals.pseudonym_of(record) for record in (first, second)]
    withdraw(steward, {"pseudonym": names[0], "reason": "objection"})
    take_withdrawals(office, site)
    (receipt,) = office.mail.waiting()

    assert post(site, signed_again(office, receipt, pseudonym=names[1])).json()["code"] == "receipt_differs"
    assert post(site, receipt, signature="0x" + "11" * 64 + "1b").status_code == 400
    assert story.withdrawal().state == "recorded"

    assert post(site, receipt).status_code == 200
    later = signed_again(office, receipt, signed_at=receipt.body["signed_at"] + 1)
    assert post(site, later).json()["code"] == "receipt_differs"
    assert story.withdrawal().receipt_digest == receipt.digest


def test_erasure_unlinks_the_subject_and_the_log_still_verifies(story, office, world, as_system, tmp_path, settings):
    settings.LOG_KEY_FILE = str(tmp_path / "log.key")
    create_key(tmp_path / "log.key")
    made = import_consents(office, world.consortium, 20)
    story.advance()
    name = office.withdrawals.pseudonym_of(min(made.permitting()))

    office.eraser.erase(name)
    assert story.advance() is Step.REVOKED

    with act_for(organization_id=world.hospital.pk):
        for model, field in (
            (models.Grant, "pseudonym"),
            (models.EffectiveRule, "subject"),
            (models.Withdrawal, "pseudonym"),
        ):
            assert not model.objects.filter(**{field: name}).exists(), model
        erased = models.Grant.objects.get(state="erased")
        assert (erased.resource, len(erased.pseudonym)) == (None, 64)
        assert not PersonalField.objects.filter(value=name).exists()
        assert AuditRecord.objects.filter(action="consent.subject.erase").count() == 1
        log = AuditLog.objects.get(organization_id=world.hospital.pk)
    with as_system():
        integrate_all()
        sign_checkpoint(log)
        report = fsck(log, key=verifier_of(log))
        assert (report.findings, report.leaves > 3) == ([], True)


def test_a_grant_can_be_withdrawn_by_its_id_and_only_once(office, site, world, steward):
    import_consents(office, world.consortium, 12)
    carry(office, site)
    with act_for(organization_id=world.hospital.pk):
        permitting = models.EffectiveRule.objects.filter(effect="permit").values_list("subject", flat=True)
        grant = models.Grant.objects.filter(state="active", pseudonym__in=list(permitting)).earliest("created_at")

    assert withdraw(steward, {"grant": str(grant.pk), "reason": "representative"}).status_code == 201
    assert withdraw(steward, {"grant": str(grant.pk), "reason": "representative"}, key="2").status_code == 409
    assert withdraw(steward, {"reason": "other"}, key="3").status_code == 400
    assert withdraw(steward, {"grant": str(uuid.uuid4()), "reason": "other"}, key="4").status_code == 404

    with act_for(organization_id=world.hospital.pk):
        grant.refresh_from_db()
        assert (grant.state, models.Withdrawal.objects.count()) == ("withdrawn", 1)
        assert not models.EffectiveRule.objects.filter(subject=grant.pseudonym).exists()
    assert datetime.now(UTC) > grant.created_at
