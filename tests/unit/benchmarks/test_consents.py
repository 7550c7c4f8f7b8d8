"""The consents that the benchmarks store count in the consortium whose epoch is built from them."""

import uuid
from pathlib import Path

from agent.consents.content import build_content
from agent.consents.database import Database
from agent.consents.schema import STORE
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from benchmarks.consents import fill
from consent.domain.conflicts import DEFAULT_POLICY
from consortium.kernel.consent_leaf import LeafContext


def test_an_epoch_of_stored_consents_has_leaves(tmp_path: Path) -> None:
    store, vault = ConsentStore(Database(tmp_path / "store.sqlite", STORE)), SaltVault(tmp_path / "salts.sqlite")
    context = LeafContext(31_337, uuid.uuid4(), uuid.uuid4())

    at = fill(store, 40, context.consortium)

    built = build_content(store=store, vault=vault, context=context, as_of=int(at.timestamp()), policy=DEFAULT_POLICY)
    store.database.close()
    vault.database.close()
    assert 20 < len(built.leaves) <= 40
