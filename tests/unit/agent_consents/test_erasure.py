"""Erasure: the list of runs first, then salts and links; old cohorts still verify, no restore undoes it."""

import shutil
from datetime import UTC, date, datetime, timedelta

import pytest

from agent.consents.vault import COPY_DAYS, SaltVault
from consortium.kernel.consent_leaf import LeafContext, subject_commitment
from tests.unit.agent.worlds import CHAIN_ID, CONSORTIUM, HOSPITAL
from tests.unit.agent_consents.test_cohorts import RUN, manifest_of, verify
from tests.unit.agent_consents.worlds import (
    SHARED,
    anchor,
    carry,
    generated,
    import_generated,
    reopen,
    select,
    write_lines,
)


@pytest.fixture
def erased(office):
    """An office that erased one of the subjects of a past cohort; with that cohort's manifest, and what linked them."""
    made = import_generated(office, 40)
    anchor(office)
    cohort = select(office)
    manifest = manifest_of(cohort)
    office.cohorts.note_manifest(manifest)
    record = min(made.permitting())
    name = office.withdrawals.pseudonym_of(record)
    salts = office.vault.known(CONSORTIUM, [name])[name]
    shutil.copytree(office.root, office.root.parent / "backup")
    found = office.eraser.erase(name, models_of=lambda runs: [f"model of {run}" for run in runs])
    return manifest, name, salts, found


def test_the_runs_are_listed_before_anything_is_deleted(office, erased):
    _manifest, _name, _salts, found = erased

    assert found.runs == (RUN,)
    assert found.models == (f"model of {RUN}",)
    assert found.salts == 1


def test_after_erasure_nothing_at_the_site_links_the_subject_to_its_leaf(office, erased):
    _manifest, name, salts, _found = erased
    subject = subject_commitment(salts.subject, name)

    office.database.truncate_log()
    assert office.vault.known(CONSORTIUM, [name]) == {}
    assert office.store.grants_of(name) == []
    assert office.store.record_of(name) is None
    assert (office.database.rows("SELECT pseudonym FROM leaves WHERE subject = ?", subject)) == [(None,)]
    for file in office.root.glob("salts*"):
        assert salts.subject not in file.read_bytes()
        assert salts.consent not in file.read_bytes()


def test_an_old_cohort_still_verifies_and_the_erased_purpose_is_not_re_checkable(office, erased):
    manifest, *_ = erased

    findings = verify(office, manifest, revoked=())

    assert findings.opened == findings.count - 1


def test_the_next_epoch_lacks_the_erased_subject(office, erased):
    manifest, name, salts, _found = erased
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    while office.anchoring.advance(SHARED) != "idle":
        carry(office)

    state = office.anchoring.chain_state(SHARED)
    trie = office.proofs.epoch_trie(LeafContext(CHAIN_ID, CONSORTIUM, HOSPITAL), state.epoch, state.root)
    assert trie.count == manifest.count - 1
    assert subject_commitment(salts.subject, name) not in trie


def test_a_restore_from_a_backup_is_erased_again_by_the_list(office, erased, tmp_path):
    _manifest, name, *_ = erased
    restored = tmp_path / "restored"
    shutil.copytree(tmp_path / "backup", restored)
    # The list is in no backup: after a restore it is the one that stood last.
    office.eraser._list.truncate_log()
    shutil.copy(office.root / "erasures.sqlite", restored / "erasures.sqlite")
    again = reopen(restored, office.site.chain)
    assert again.store.record_of(name) is not None

    assert again.eraser.replay() == 1

    assert again.store.record_of(name) is None
    assert again.vault.known(CONSORTIUM, [name]) == {}
    assert again.eraser.replay() == 1
    again.database.close()
    again.site.journal.close()


def test_who_consents_anew_after_an_erasure_stays(office, erased, tmp_path):
    _manifest, name, *_ = erased
    office.site.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    del office.__dict__["importer"]
    anew = list(generated(40, seed=2).resources)
    office.importer.import_file(write_lines(tmp_path / "anew.ndjson", anew), consortia=[CONSORTIUM])
    assert len(office.store.grants_of(name)) == 1

    office.eraser.replay()

    assert len(office.store.grants_of(name)) == 1


def test_rolling_copies_of_the_salts_are_at_most_thirty_days_old(office):
    import_generated(office, 5)
    anchor(office)
    folder = office.root / "salts-copies"
    today = date(2026, 11, 23)

    old = office.vault.roll_copy(folder, today - timedelta(days=COPY_DAYS + 1))
    kept = office.vault.roll_copy(folder, today - timedelta(days=COPY_DAYS))
    fresh = office.vault.roll_copy(folder, today)

    assert not old.exists()
    assert kept.exists()
    copy = SaltVault(fresh)
    names = [name for name, _grants in office.store.grants_by_subject(CONSORTIUM)]
    assert copy.known(CONSORTIUM, names).keys() == office.vault.known(CONSORTIUM, names).keys() != set()
    copy.database.close()
