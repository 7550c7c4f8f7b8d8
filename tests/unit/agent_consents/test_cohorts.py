"""Cohorts, withdrawals and proofs: who is in a round, who is not any more, and what an auditor can check."""

import uuid
from dataclasses import replace

import pytest

from agent.consents.epochs import Step
from agent.consents.errors import AnchorOnItsWayError, CohortTooSmallError, NoEpochError, UnknownSubjectError
from agent.consents.question import PlanQuestion
from agent.consents.withdrawals import WithdrawalRequest
from consent.domain.documents import read_receipt, require_signature
from consent.fhir.generator import Outcome
from consortium.kernel.consent_leaf import LeafContext
from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.identifiers import to_hex
from consortium.kernel.manifest_checks import CommittedCohort, verify_manifest
from consortium.kernel.manifests import AttemptReference, CohortManifest, build_manifest
from tests.unit.agent.worlds import CHAIN_ID, CONSORTIUM, HOSPITAL
from tests.unit.agent_consents.worlds import (
    RESEARCH,
    SHARED,
    anchor,
    carry,
    chain_of,
    import_generated,
    select,
)

RUN = uuid.UUID(int=77)


def manifest_of(cohort, *, round_number: int = 1) -> CohortManifest:
    attempt = AttemptReference("0x" + "00" * 20, RUN, round_number, 1, "sha256:" + "22" * 32)
    return build_manifest(
        context=LeafContext(CHAIN_ID, CONSORTIUM, HOSPITAL), attempt=attempt, state=cohort.state, cohort=cohort.leaves
    )


def verify(office, manifest: CohortManifest, *, revoked=None, permits=None):
    committed = CommittedCohort(manifest.attempt, manifest.state, manifest.cohort_root(), manifest.band)
    return verify_manifest(
        manifest,
        committed,
        proofs=office.proofs.inclusion(manifest),
        revoked=office.proofs.revocations(manifest).subjects if revoked is None else revoked,
        openings=office.proofs.openings(manifest),
        permits=permits or RESEARCH.permits(),
    )


def withdraw(office, record: str, **options):
    return office.withdrawals.withdraw(WithdrawalRequest(office.withdrawals.pseudonym_of(record), **options))


def one_who_permits(made) -> str:
    return min(made.permitting())


def test_a_cohort_is_exactly_who_permits_by_the_generators_truth(office):
    made = import_generated(office, 60)
    anchor(office)

    cohort = select(office)

    assert set(cohort.records.values()) == made.permitting()
    assert cohort.records.keys() == cohort.leaves.keys()
    assert (cohort.state.epoch, cohort.state.seq) == (1, 1)
    assert "patient" not in repr(cohort)


def test_a_purpose_that_nobody_permits_and_a_minimum_that_is_missed_are_refused(office):
    import_generated(office, 60)
    anchor(office)
    marketing = PlanQuestion(purpose="HL7:HMARKT", categories=RESEARCH.categories, recipients=RESEARCH.recipients)

    with pytest.raises(CohortTooSmallError) as refusal:
        select(office, question=marketing)
    with pytest.raises(CohortTooSmallError):
        select(office, minimum=61)

    assert refusal.value.reason == "cohort_too_small"
    assert not any(character.isdigit() for character in refusal.value.message)


def test_without_an_epoch_on_the_chain_there_is_no_cohort(office):
    import_generated(office, 12)

    with pytest.raises(NoEpochError):
        select(office)


def test_a_node_that_is_behind_gives_no_cohort(office):
    import_generated(office, 12)
    anchor(office)
    before = dict(chain_of(office).state)
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    anchor(office)
    chain_of(office).state = before

    with pytest.raises(AnchorOnItsWayError):
        select(office)


def test_an_auditor_verifies_every_leaf_and_its_purpose_without_a_name(office):
    made = import_generated(office, 40)
    anchor(office)
    manifest = manifest_of(select(office))

    findings = verify(office, manifest)

    assert (findings.count, findings.opened) == (len(made.permitting()), len(made.permitting()))
    office.proofs.revocations(manifest).verify(chain_of(office).state["revocations"])
    openings = office.proofs.openings(manifest)
    assert all(office.withdrawals.pseudonym_of(record) not in str(openings) for record in made.truth)


def test_a_subject_who_does_not_permit_the_plan_fails_the_manifest_check(office):
    import_generated(office, 40)
    anchor(office)
    manifest = manifest_of(select(office))
    marketing = PlanQuestion(purpose="HL7:HMARKT", categories=RESEARCH.categories, recipients=RESEARCH.recipients)

    with pytest.raises(InvalidProofError, match="does not permit"):
        verify(office, manifest, permits=marketing.permits())


def test_a_withdrawn_subject_is_in_no_cohort_at_once_and_fails_the_check_after_the_revocation(office):
    made = import_generated(office, 40)
    anchor(office)
    old = select(office)
    record = one_who_permits(made)
    subject = next(key for key, value in old.records.items() if value == record)

    withdraw(office, record)
    assert select(office).records.keys() == old.records.keys() - {subject}

    assert office.anchoring.advance(SHARED) is Step.REVOKED
    assert carry(office)[-2:] == ["receipt", "revocations"]
    new = select(office)
    assert (new.state.epoch, new.state.seq) == (1, 2)
    assert subject not in new.leaves
    lying = manifest_of(replace(new, leaves=old.leaves))
    with pytest.raises(InvalidProofError, match=to_hex(subject)):
        verify(office, lying)
    verify(office, manifest_of(new))
    with pytest.raises(InvalidProofError):
        replace(office.proofs.revocations(lying), subjects=()).verify(chain_of(office).state["revocations"])


def test_the_next_epoch_lacks_a_withdrawn_subject(office):
    made = import_generated(office, 40)
    anchor(office)
    old = select(office)
    record = one_who_permits(made)
    subject = next(key for key, value in old.records.items() if value == record)

    withdraw(office, record, is_urgent=False)
    anchor(office)

    new = select(office)
    assert (new.state.epoch, new.state.seq) == (2, 2)
    trie = office.proofs.epoch_trie(LeafContext(CHAIN_ID, CONSORTIUM, HOSPITAL), 2, new.state.root)
    assert subject not in trie
    assert trie.count == len(made.permitting()) - 1
    with pytest.raises(InvalidProofError, match="does not lie in the epoch"):
        verify(office, manifest_of(replace(new, leaves=old.leaves)))


def test_a_receipt_is_signed_and_names_what_was_withdrawn_once(office):
    made = import_generated(office, 12)
    carry(office)
    request = WithdrawalRequest(office.withdrawals.pseudonym_of(one_who_permits(made)), id=uuid.UUID(int=5))

    done = office.withdrawals.withdraw(request)
    repeated = office.withdrawals.withdraw(request)

    (message,) = office.mail.waiting()
    body = dict(message.body)
    signature, _ = body.pop("signature"), body.pop("digest")
    receipt = read_receipt(body)
    assert message.path.endswith(f"/consents/withdrawals/{uuid.UUID(int=5)}/receipt")
    assert (receipt.pseudonym, receipt.consents) == (request.pseudonym, done.consents)
    assert (len(done.consents), done.is_new, repeated.is_new) == (1, True, False)
    require_signature(body, signature, chain_id=CHAIN_ID, site_keys=[chain_of(office).site_key])


def test_nobody_withdraws_a_refusal(office):
    made = import_generated(office, 40)
    record = min(name for name, outcome in made.truth.items() if outcome is Outcome.DENIES)
    name = office.withdrawals.pseudonym_of(record)
    (stored,) = office.store.grants_of(name)
    request = WithdrawalRequest(name, consents=(stored.grant.id,), id=uuid.UUID(int=6))

    assert office.withdrawals.withdraw(request).consents == ()

    assert office.store.grants_of(name) == [stored]
    with pytest.raises(UnknownSubjectError):
        withdraw(office, record)


def test_an_unknown_subject_and_a_reason_that_is_none_are_refused(office):
    import_generated(office, 5)
    generation = office.store.generation

    with pytest.raises(UnknownSubjectError):
        withdraw(office, "nobody")
    with pytest.raises(InvalidInputError):
        withdraw(office, "patient-1", reason="because")

    assert office.store.generation == generation
    assert office.database.rows("SELECT count(*) FROM withdrawals") == [(0,)]


def test_withdrawing_while_an_epoch_is_on_its_way_revokes_after_it_landed(office):
    made = import_generated(office, 40)
    assert office.anchoring.advance(SHARED) is Step.ANCHORED
    record = one_who_permits(made)

    withdraw(office, record)
    assert office.anchoring.advance(SHARED) is Step.WAITING
    carry(office)

    assert office.anchoring.advance(SHARED) is Step.REVOKED
    carry(office)
    assert record not in select(office).records.values()


def test_more_withdrawals_than_one_revocation_takes_are_all_carried(office, monkeypatch):
    monkeypatch.setattr("agent.consents.epochs.MAX_SUBJECTS", 3)
    made = import_generated(office, 12)
    anchor(office)
    gone = sorted(made.permitting())[:5]
    for record in gone:
        withdraw(office, record)

    for _ in range(2):
        assert office.anchoring.advance(SHARED) is Step.REVOKED
        carry(office)

    assert office.anchoring.advance(SHARED) is Step.IDLE
    assert chain_of(office).state["revoked"] == 5
    assert set(select(office).records.values()) == made.permitting() - set(gone)
