"""Importing at the site: good lines kept, bad ones named, nothing of a person in what is signed."""

import stat
import uuid

import pytest

from agent.consents.importing import BATCH_ENTRIES
from agent.consents.store import ConsentStore
from agent.consents.withdrawals import WithdrawalRequest
from consent.domain.documents import read_batch, require_signature
from consent.fhir.stripping import find_personal_data
from consortium.kernel.errors import InvalidInputError, InvalidSignatureError
from tests.unit.agent.worlds import CHAIN_ID, CONSORTIUM
from tests.unit.agent_consents.worlds import chain_of, generated, import_generated, write_lines

OTHER_KEY = "0x" + "11" * 20


def test_good_lines_are_kept_and_bad_ones_named_by_line_and_element(office, tmp_path):
    first, second, third, fourth = generated(4).resources
    wrong = {**second, "provision": {**second["provision"], "type": "maybe"}}
    lines = [first, wrong, b"{not json", third, b"", {**third, "status": "active"}, fourth]
    progress: list[int] = []

    report = office.importer.import_file(
        write_lines(tmp_path / "mixed.ndjson", lines), consortia=[CONSORTIUM], progress=progress.append
    )

    assert (report.lines, report.accepted, report.batches) == (6, 3, 1)
    assert [str(error) for error in report.refused] == [
        "line 2: Consent.provision.type: 'maybe' is not permit or deny",
        "line 3: Consent: is not one JSON value in UTF-8",
        "line 6: Consent.id: is the id of line 4 too",
    ]
    assert progress == [7]
    assert office.store.numbers()["subjects"] == 3


def test_a_consent_that_is_recorded_is_refused_when_it_comes_again(office, tmp_path):
    import_generated(office, 5)
    waiting = len(office.mail.waiting())

    again = write_lines(tmp_path / "again.ndjson", generated(6).resources)
    report = office.importer.import_file(again, consortia=[CONSORTIUM])

    assert report.accepted == 1
    assert {error.problems[0].reason for error in report.refused} == {"is the id of a consent that is already recorded"}
    assert len(office.mail.waiting()) == waiting + 1


def test_a_file_without_a_good_line_changes_nothing(office, tmp_path):
    before = office.store.generation

    report = office.importer.import_file(write_lines(tmp_path / "bad.ndjson", [b"[]"]), consortia=[CONSORTIUM])

    assert (report.accepted, report.batches, len(report.refused)) == (0, 0, 1)
    assert office.mail.waiting() == []
    assert office.store.generation == before


def test_an_unreadable_file_and_a_site_without_a_consortium_are_refused(office, tmp_path):
    with pytest.raises(InvalidInputError, match="cannot be read"):
        office.importer.import_file(tmp_path / "missing", consortia=[CONSORTIUM])
    with pytest.raises(InvalidInputError, match="no consortium"):
        office.importer.import_file(tmp_path / "missing", consortia=[])


def test_batches_are_numbered_signed_and_hold_nothing_of_a_person(office):
    import_generated(office, BATCH_ENTRIES + 1)

    bodies = [dict(message.body) for message in office.mail.waiting()]

    assert [body["sequence"] for body in bodies] == [1, 2]
    assert [len(body["entries"]) for body in bodies] == [BATCH_ENTRIES, 1]
    assert bodies[1]["entries"][0]["line"] == BATCH_ENTRIES + 1
    for body in bodies:
        signature = body.pop("signature")
        digest = body.pop("digest")
        assert digest.startswith("sha256:")
        batch = read_batch(body)
        assert [find_personal_data(entry.resource) for entry in batch.entries] == [[]] * len(batch.entries)
        assert b"patient-" not in str(body).encode()
        require_signature(body, signature, chain_id=CHAIN_ID, site_keys=[chain_of(office).site_key])
        with pytest.raises(InvalidSignatureError):
            require_signature(body, signature, chain_id=CHAIN_ID, site_keys=[OTHER_KEY])
        with pytest.raises(InvalidSignatureError):
            require_signature(
                body | {"refused": 9}, signature, chain_id=CHAIN_ID, site_keys=[chain_of(office).site_key]
            )


def test_the_link_to_the_record_stays_in_the_private_store(office):
    import_generated(office, 3)

    pseudonym = office.withdrawals.pseudonym_of("patient-1")

    assert office.store.record_of(pseudonym) == "patient-1"
    for name in ("consents.sqlite", "salts.sqlite"):
        assert office.vault.database.path.name == "salts.sqlite"
        assert stat.S_IMODE((office.root / name).stat().st_mode) == 0o600


def test_a_kill_in_an_import_keeps_nothing_of_it(office, tmp_path, monkeypatch):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(office.mail, "keep", die)

    with pytest.raises(KeyboardInterrupt):
        import_generated(office, 3)

    assert office.store.numbers() == {"subjects": 0}
    assert office.store.consortia() == []


OTHER = uuid.UUID("0d0d0d0d-0000-4000-8000-00000000ffff")


def subjects_in(office, consortium):
    return {name for name, _grants in office.store.grants_by_subject(consortium)}


def test_an_import_for_one_consortium_counts_in_no_other(office, tmp_path):
    for_one, for_other = (generated(4, seed=seed).resources for seed in (1, 2))

    office.importer.import_file(write_lines(tmp_path / "one.ndjson", for_one), consortia=[CONSORTIUM])
    office.importer.import_file(write_lines(tmp_path / "other.ndjson", for_other[2:]), consortia=[OTHER])

    assert len(subjects_in(office, CONSORTIUM)) == 4
    assert len(subjects_in(office, OTHER)) == 2
    grants = dict(office.store.grants_by_subject(OTHER))
    assert all(len(found) == 1 for found in grants.values())
    assert [body["consortium"] for body in (message.body for message in office.mail.waiting())] == [
        str(CONSORTIUM),
        str(OTHER),
    ]


def test_recorded_consents_can_be_brought_into_a_further_consortium(office, tmp_path):
    path = write_lines(tmp_path / "consents.ndjson", generated(4).resources)
    office.importer.import_file(path, consortia=[CONSORTIUM])

    report = office.importer.import_file(path, consortia=[CONSORTIUM, OTHER])

    assert (report.accepted, report.refused, report.batches) == (4, (), 1)
    assert subjects_in(office, OTHER) == subjects_in(office, CONSORTIUM)
    assert office.mail.waiting()[-1].body["consortium"] == str(OTHER)
    assert office.store.numbers()["subjects"] == 4
    assert office.importer.import_file(path, consortia=[OTHER]).accepted == 0


def test_a_consent_that_changed_or_was_withdrawn_is_brought_into_no_further_consortium(office, tmp_path):
    made = generated(4)
    permitting = sorted(made.permitting())
    office.importer.import_file(write_lines(tmp_path / "one.ndjson", made.resources), consortia=[CONSORTIUM])
    office.withdrawals.withdraw(WithdrawalRequest(office.withdrawals.pseudonym_of(permitting[0])))
    changed = [{**one, "dateTime": "2020-01-01"} for one in made.resources]

    again = office.importer.import_file(tmp_path / "one.ndjson", consortia=[OTHER])
    otherwise = office.importer.import_file(write_lines(tmp_path / "two.ndjson", changed), consortia=[OTHER])

    assert (again.accepted, len(again.refused)) == (3, 1)
    assert "was withdrawn" in str(again.refused[0])
    assert otherwise.accepted == 0


def test_consents_of_an_earlier_release_count_in_the_consortia_of_that_time(office):
    import_generated(office, 3)
    with office.database.transaction() as connection:
        connection.execute("DELETE FROM grant_consortia")

    again = ConsentStore(office.database)

    assert len(list(again.grants_by_subject(CONSORTIUM))) == 3
    assert list(again.grants_by_subject(OTHER)) == []


def test_a_consent_csv_is_taken_like_fhir(office, tmp_path):
    path = write_lines(
        tmp_path / "consents.csv",
        [
            b"record,decision,purpose,from,until",
            b"7,permit,DUO:0000006,2024-05-01,",
            b"8,maybe,DUO:0000006,2024-05-01,",
        ],
    )

    report = office.importer.import_file(path, consortia=[CONSORTIUM])

    assert (report.lines, report.accepted) == (2, 1)
    assert [str(error) for error in report.refused] == ["line 3: decision: is neither permit nor deny"]
    ((name, (grant,)),) = office.store.grants_by_subject(CONSORTIUM)
    assert office.store.record_of(name) == "7"
    assert grant.provision is not None
    assert office.importer.import_file(path, consortia=[CONSORTIUM]).accepted == 0
    (message,) = office.mail.waiting()
    body = {name: value for name, value in message.body.items() if name not in ("digest", "signature")}
    assert find_personal_data(read_batch(body).entries[0].resource) == []
