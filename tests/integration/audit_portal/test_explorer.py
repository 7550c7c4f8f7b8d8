"""The audit explorer: who reads what, filters and pages, a record with its proof, one act followed."""

import base64
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from audit.actions import actions
from audit.log.proofs import prove_inclusion
from audit.models import AuditRecord
from audit.portal.explorer import filters
from audit.sentences import SENTENCES, sentence
from consortium.membership.models import AuditorAppointment, RoleAssignment
from contracts.models import ChainEventRecord, OutboxTransaction
from tests.factories.membership import make_user
from tests.integration.audit_portal.conftest import ACT, RUN

INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)")
HASH = "0x" + "5e" * 32


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def shown(answer: Any) -> set[str]:
    """The ids of the records that a list shows."""
    return set(re.findall(r'href="/audit/records/([0-9a-f-]{36})/"', answer.content.decode()))


def ids(records: list[AuditRecord]) -> set[str]:
    return {str(row.pk) for row in records}


def person(as_system: Any, email: str, **roles: Any) -> Client:
    with as_system():
        user = make_user(email)
        if "organization" in roles:
            RoleAssignment.objects.create(user=user, **roles)
        if "consortium" in roles:
            AuditorAppointment.objects.create(user=user, **roles)
    client = Client()
    assert client.login(email=email, password="a long pass phrase")
    return client


def test_every_declared_action_has_a_sentence_and_no_sentence_is_left_over():
    assert set(SENTENCES) == set(actions())


def test_a_sentence_names_organizations_and_says_what_a_record_lacks(world):
    names = {world.bank.pk: "Bank"}
    data = {"organization": str(world.bank.pk), "reason": "head_too_old"}

    assert sentence("training.site.refuse", data, names) == "Bank refused: head too old"
    assert sentence("training.site.refuse", data, {}) == "a former member refused: head too old"
    assert sentence("training.round.close", {"round": 2}, {}) == ("Round 2 closed with the updates of not stated sites")
    assert sentence("training.run.change", {"state": "failed", "reason": "too_few_sites"}, {}) == (
        "The run is failed (too few sites)"
    )
    assert sentence("nothing.we.know", {}, {}) == "nothing.we.know"


def test_records_stand_in_words_with_their_place_and_standing(hospital, records):
    answer = hospital.get("/audit/")

    words = words_of(answer)
    assert shown(answer) == ids(records)
    assert "Bank refused: head too old" in words
    assert "A coordinator took the run over, fence 2" in words
    assert "A plan was drafted Refused training.plan.draft: plan invalid" in words
    assert "In the log 3" in words
    assert "Recorded -" in words


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("action=training.lease.take", [0, 1, 2]),
        ("action=training", [0, 1, 2, 3, 4]),
        ("action=training.site", [3]),
        ("outcome=refused", [4]),
        ("actor=person", []),
        ("actor=system", [0, 1, 2, 3, 4]),
        (f"subject={RUN}", [0, 1, 2, 3]),
        (f"correlation={ACT}", [0, 1, 2, 3, 4]),
        ("correlation=99999999-2222-4333-8444-555555555555", []),
        ("digest=head_too_old", [3]),
        ("since=2000-01-01", [0, 1, 2, 3, 4]),
        ("until=2000-01-01", []),
        ("action=training.lease.take&outcome=refused", []),
    ],
)
def test_filters_narrow_the_list(hospital, records, query, chosen):
    assert shown(hospital.get(f"/audit/?{query}")) == ids([records[i] for i in chosen])


def test_a_records_own_digest_finds_it(hospital, records):
    assert shown(hospital.get(f"/audit/?digest={records[1].digest}")) == ids([records[1]])


def test_an_unreadable_filter_is_named_beside_its_field_and_nothing_is_shown(hospital, records):
    answer = hospital.get("/audit/?since=yesterday&correlation=12&action=training.lease.take")

    assert answer.status_code == 400
    assert shown(answer) == set()
    words = words_of(answer)
    assert "Enter a valid date." in words
    assert "Enter a valid UUID." in words
    assert 'value="yesterday"' in answer.content.decode()


def test_pages_follow_one_another_without_gap_or_repetition(hospital, records, monkeypatch):
    monkeypatch.setattr(filters, "A_PAGE", 2)
    path, seen = "/audit/?actor=system", []
    while path:
        answer = hospital.get(path)
        seen.append(shown(answer))
        following = re.search(r'href="(/audit/\?[^"]+)">Older records', answer.content.decode())
        path = unescape(following[1]) if following else ""

    assert [len(page) for page in seen] == [2, 2, 1]
    assert set().union(*seen) == ids(records)
    assert shown(hospital.get("/audit/?after=nonsense")) == seen[0]


def test_the_own_log_is_another_list(hospital, records):
    assert shown(hospital.get("/audit/?log=organization")) & ids(records) == set()


def test_roles_that_may_not_read_are_told_so_and_see_no_record(world, records, as_system):
    scientist = person(as_system, "scientist@hospital.example", organization=world.hospital, role="scientist")

    answer = scientist.get("/audit/")
    assert answer.status_code == 403
    assert "Not for your role" in words_of(answer)
    assert scientist.get(f"/audit/records/{records[0].pk}/").status_code == 404
    assert scientist.get(f"/audit/records/{records[0].pk}/proof.json").status_code == 404


def test_an_appointed_auditor_reads_the_consortiums_records(world, records, as_system):
    auditor = person(as_system, "auditor@authority.example", consortium=world.consortium)

    assert shown(auditor.get("/audit/")) == ids(records)
    assert auditor.get(f"/audit/records/{records[0].pk}/").status_code == 200


def test_an_outsider_finds_nothing(login, records):
    outsider = login("outsider")

    assert shown(outsider.get("/audit/")) == set()
    assert outsider.get(f"/audit/records/{records[0].pk}/").status_code == 404
    assert outsider.get(f"/audit/records/{records[0].pk}/proof.json").status_code == 404
    assert outsider.get(f"/audit/acts/{ACT}/").status_code == 404


def test_a_records_page_and_its_proof_are_what_the_service_proves(hospital, records, as_system):
    with as_system():
        expected = prove_inclusion(records[1])
        canonical = bytes(records[1].canonical)
    page = hospital.get(f"/audit/records/{records[1].pk}/")
    proof = hospital.get(f"/audit/records/{records[1].pk}/proof.json").json()

    assert base64.b64decode(proof["record"]) == canonical
    assert {name: proof[name] for name in expected.as_json()} == expected.as_json()
    assert proof["key"].startswith(f"{expected.origin}+")
    words = words_of(page)
    assert expected.leaf.hex() in words
    assert expected.root.hex() in words
    assert all(step.hex() in words for step in expected.path)
    assert "1 of 4" in words
    assert "Not anchored yet" in words


def test_a_record_without_a_leaf_says_that_its_proof_is_on_its_way(hospital, records):
    answer = hospital.get(f"/audit/records/{records[4].pk}/")

    assert "Its proof is on its way" in words_of(answer)
    assert "verify.js" not in answer.content.decode()
    assert hospital.get(f"/audit/records/{records[4].pk}/proof.json").status_code == 409


def test_one_act_is_followed_from_the_platform_to_the_chain(hospital, world, records, as_system, become):
    with become("NONE"):
        OutboxTransaction.objects.create(
            consortium_id=world.consortium.pk,
            contract="TrainingLedger",
            function="openAttempt",
            idempotency_key="k",
            correlation_id=ACT,
            state="confirmed",
            raw=b"\x01",
            nonce=1,
            transaction_hash=HASH,
            block=77,
        )
        ChainEventRecord.objects.create(
            consortium_id=world.consortium.pk,
            name="RoundOpened",
            contract="TrainingLedger",
            address="0x" + "88" * 20,
            block_number=77,
            block_hash="0x" + "99" * 32,
            block_time=1_795_000_000,
            transaction_hash=HASH,
            log_index=0,
            transaction_log_index=0,
        )

    answer = hospital.get(f"/audit/acts/{ACT}/")

    words = words_of(answer)
    assert shown(answer) == ids(records)
    assert "Asked the chain: TrainingLedger.openAttempt Held by all" in words
    assert "RoundOpened, block 77" in words
    assert "What a site logged lies at the site" in words
    assert "Nothing here carries this id" in words_of(hospital.get("/audit/acts/00000000-2222-4333-8444-555555555555/"))


def test_pages_keep_to_the_strict_policy_and_ask_a_bounded_number_of_queries(
    hospital, records, django_assert_max_num_queries
):
    for path in ("/audit/", f"/audit/records/{records[0].pk}/", f"/audit/acts/{ACT}/", "/search/?q=x", "/follow/x/"):
        with django_assert_max_num_queries(45):
            answer = hospital.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not INLINE.findall(answer.content.decode())
