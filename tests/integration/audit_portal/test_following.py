"""Digests, hashes, addresses and ids lead to what they name, and to nothing that the reader may not see."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django_scopes import scopes_disabled

from audit.log.proofs import prove_inclusion
from audit.models import Anchor, AuditLeaf, AuditRecord, Bundle, Checkpoint
from consent.models import ConsentBatch, ConsentEpoch, DataSet, RevocationEvent
from consortium.governance.models import Proposal
from consortium.membership.models import OrganizationKey
from contracts.models import ChainEventRecord, ContractDeployment, OutboxTransaction
from tests.factories.everything import Everything, make_everything
from tests.integration.audit_portal.conftest import ACT
from training.models import Attempt, Model, Plan, Run, SitePart

HASHES: dict[Any, str] = {
    model: f"0x{number:064x}" for number, model in enumerate((Run, Model, OutboxTransaction, Anchor), start=90_000)
}


@pytest.fixture
def made(world, become) -> Everything:
    """A row of everything, each of what has none with a hash of its own."""
    with become("NONE"), scopes_disabled():
        made = make_everything(world, "0x" + "66" * 20)
        for model, value in HASHES.items():
            changes: dict[str, Any] = {"transaction_hash": value}
            changes |= {"state": "confirmed", "raw": b"1", "nonce": 1} if model is OutboxTransaction else {}
            changes |= {"correlation_id": ACT} if model is OutboxTransaction else {}
            model._default_manager.filter(pk=made.get(model).pk).update(**changes)
        ChainEventRecord.objects.update(block_hash="0x" + "77" * 32)
        Attempt.objects.filter(pk=made.get(Attempt).pk).update(aggregate="sha256:" + "a1" * 32)
        SitePart.objects.filter(pk=made.get(SitePart).pk).update(vector="sha256:" + "b2" * 32)
        DataSet.objects.update(schema_digest="sha256:" + "e5" * 32)
        ConsentBatch.objects.update(digest="sha256:" + "f6" * 32)
        Bundle.objects.update(digest="sha256:" + "c3" * 32)
        RevocationEvent.objects.update(message_digest="0x" + "d4" * 32)
        for row in made.rows.values():
            row.refresh_from_db()
        return made


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


# What is asked for, and where it leads; an empty address is a fact without a page.
LEADS: dict[str, tuple[Callable[[Everything], str], Callable[[Everything], str]]] = {
    "a plan's digest": (lambda m: m.get(Plan).digest, lambda m: f"/plans/{m.get(Plan).pk}/"),
    "a plan's digest without its algorithm": (lambda m: m.get(Plan).digest[7:], lambda m: f"/plans/{m.get(Plan).pk}/"),
    "a plan's subject": (lambda m: m.get(Plan).subject, lambda m: f"/plans/{m.get(Plan).pk}/"),
    "a plan's id": (lambda m: str(m.get(Plan).pk), lambda m: f"/plans/{m.get(Plan).pk}/"),
    "a run's id": (lambda m: str(m.get(Run).pk), lambda m: f"/runs/{m.get(Run).pk}/"),
    "a run's transaction": (lambda m: m.get(Run).transaction_hash, lambda m: f"/runs/{m.get(Run).pk}/"),
    "a sum": (lambda m: m.get(Attempt).aggregate, lambda m: f"/runs/{m.get(Run).pk}/"),
    "a masked update": (lambda m: m.get(SitePart).vector, lambda m: f"/runs/{m.get(Run).pk}/"),
    "a model's card": (lambda m: m.get(Model).card_digest, lambda m: f"/models/{m.get(Model).pk}/"),
    "a model's transaction": (lambda m: m.get(Model).transaction_hash, lambda m: f"/models/{m.get(Model).pk}/"),
    "a proposal's id": (lambda m: str(m.get(Proposal).pk), lambda m: f"/proposals/{m.get(Proposal).pk}/"),
    "a proposal's key": (lambda m: m.get(Proposal).chain_key, lambda m: f"/proposals/{m.get(Proposal).pk}/"),
    "a record's digest": (lambda m: m.get(AuditRecord).digest, lambda m: f"/audit/records/{m.get(AuditRecord).pk}/"),
    "a transaction": (lambda m: HASHES[OutboxTransaction], lambda m: f"/audit/acts/{ACT}/"),
    "a correlation id": (lambda m: ACT, lambda m: f"/audit/acts/{ACT}/"),
    "an anchor's transaction": (lambda m: HASHES[Anchor], lambda m: f"/audit/records/{m.get(AuditRecord).pk}/"),
    "a root of consents": (lambda m: m.get(ConsentEpoch).root, lambda m: "/audit/"),
    "a signed revocation": (lambda m: m.get(RevocationEvent).message_digest, lambda m: "/audit/"),
    "a data set": (lambda m: m.get(DataSet).digest, lambda m: "/audit/"),
    "a schema": (lambda m: m.get(DataSet).schema_digest, lambda m: "/audit/"),
    "a bundle": (lambda m: m.get(Bundle).digest, lambda m: f"/reports/{m.get(Bundle).pk}/"),
}
FACTS: dict[str, tuple[Callable[[Everything], str], str]] = {
    "a contract": (lambda m: m.get(ContractDeployment).address, "AuditAnchor, block 1"),
    "a member's key": (lambda m: m.get(OrganizationKey).address, "Site key, Hospital"),
    "a block": (lambda m: "0x" + "77" * 32, "RoundClosed in block 1"),
}


@pytest.mark.parametrize("what", sorted(LEADS))
def test_each_kind_leads_to_its_page(hospital, made, what):
    asked, page = LEADS[what]

    answer = hospital.get(f"/follow/{asked(made)}/")

    assert answer.status_code == 302, words_of(answer)
    assert answer.headers["Location"].partition("?")[0] == page(made)
    assert hospital.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("what", sorted(FACTS))
def test_what_has_no_page_is_named(hospital, made, what):
    asked, fact = FACTS[what]

    assert fact in words_of(hospital.get(f"/follow/{asked(made)}/"))


def test_weights_that_a_run_ended_with_lead_to_model_and_run(hospital, made):
    words = words_of(hospital.get(f"/follow/{made.get(Model).digest}/"))

    assert "What carries it" in words
    assert "Model" in words
    assert "Run" in words


def test_a_leaf_hash_and_a_root_lead_to_their_records(hospital, records, as_system):
    with as_system():
        proof = prove_inclusion(records[1])
        last = AuditLeaf.objects.get(log=records[1].log, index=3).record_id
        assert Checkpoint.objects.count() == 1

    leaf = hospital.get(f"/follow/{proof.leaf.hex()}/")
    root = hospital.get(f"/follow/{proof.root.hex()}/")

    assert leaf.headers["Location"] == f"/audit/records/{records[1].pk}/"
    assert root.headers["Location"] == f"/audit/records/{last}/"


@pytest.mark.parametrize("what", sorted({**LEADS, **FACTS}))
def test_a_stranger_is_told_the_same_of_each_as_of_nothing(login, made, what):
    asked = {**LEADS, **FACTS}[what][0](made)
    outsider = login("outsider")

    found, nothing = outsider.get(f"/follow/{asked}/"), outsider.get("/follow/sha256:" + "ee" * 32 + "/")

    assert (found.status_code, nothing.status_code) == (404, 404)
    assert words_of(found).replace(asked, "") == words_of(nothing).replace("sha256:" + "ee" * 32, "")


def test_an_imports_digest_is_its_own_organizations_alone(hospital, login, made):
    asked = made.get(ConsentBatch).digest

    assert hospital.get(f"/follow/{asked}/").status_code == 302
    assert login("bank").get(f"/follow/{asked}/").status_code == 404


def test_a_search_finds_words_of_titles_and_leads_on_from_a_digest(hospital, made):
    words = words_of(hospital.get("/search/?q=cardiac"))

    assert "Plan" in words
    assert "Run" in words
    assert "Model" in words
    plan = made.get(Plan)
    assert hospital.get(f"/search/?q=%20{plan.digest}%20").headers["Location"] == f"/plans/{plan.pk}/"
    assert "Nothing found" in words_of(hospital.get("/search/?q=unheard"))
    assert "Nothing found" not in words_of(hospital.get("/search/"))


def test_a_search_finds_nothing_foreign(login, made):
    assert "Nothing found" in words_of(login("outsider").get("/search/?q=cardiac"))
