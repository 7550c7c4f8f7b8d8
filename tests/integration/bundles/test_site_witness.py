"""The member's own witness against the real platform: it signs what only grew, and refuses a fork for good."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

import agent.keystore
from agent import problems
from agent.chain import Consortium
from agent.configuration import Configuration, Rules
from agent.errors import PlatformAwayError, PolicyRefusedError
from agent.founding import found_site
from agent.site import Site, open_site
from agent.witness import LogForkError, Witness
from audit.log.keys import create_key, key_path, read_key, signer_of
from audit.models import AuditLog, Checkpoint, Cosignature
from consortium.common.tenancy import act_for
from consortium.kernel.checkpoints import Checkpoint as Kernel
from consortium.kernel.checkpoints import sign_checkpoint
from consortium.kernel.notes import NoteSigner
from tests.integration.audit.conftest import superuser
from tests.integration.audit.test_walls import logged_out
from tests.integration.channel.agents import PREFIX, FakeSite
from tests.integration.channel.here import Here
from tests.unit.agent.worlds import site_secret


class ClientChannel:
    """The agent's channel over Django's test client."""

    def __init__(self, site: FakeSite) -> None:
        self.site = site
        self.lose_posts = False
        self.here = Here()

    async def get(self, path: str) -> httpx.Response:
        return problems.require_success(await self._ask(lambda: self.site.get(path.removeprefix(f"{PREFIX}/"))), 200)

    async def post(self, path: str, body: Mapping[str, Any], *, idempotency_key: str) -> None:
        if self.lose_posts:
            raise PlatformAwayError("The platform does not answer.")
        short, headers = path.removeprefix(f"{PREFIX}/"), {"Idempotency-Key": idempotency_key}
        problems.require_success(await self._ask(lambda: self.site.post(short, dict(body), **headers)), 200, 201)

    async def _ask(self, request: Callable[[], Any]) -> httpx.Response:
        answer = await self.here.ask(request)
        return httpx.Response(answer.status_code, content=answer.content)

    def drive(self, witness: Witness) -> int:
        """Run one round of the witness and answer what it asks."""
        return self.here.drive(witness.go_round())


class NeverAsked:
    """Pinned consortia are not checked anew."""

    async def consortium(self, identity: Any) -> Consortium:
        raise AssertionError("The consortium is pinned.")


@pytest.fixture
def site(tmp_path: Path, world, contract, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)
    configuration = Configuration(
        organization=world.hospital.pk,
        name="Hospital",
        platform_url="http://127.0.0.1:9",
        chain_id=settings.CHAIN_ID,
        chain_urls=("http://127.0.0.1:9",),
        port=0,
        rules=Rules(signatures_per_minute=1000),
    )
    found_site(tmp_path / "site", configuration)
    made = open_site(tmp_path / "site")
    made.pins.pin(world.consortium.pk, {"AuditAnchor": contract.contract})
    yield made
    made.journal.close()


@pytest.fixture
def channel(site: Site, world, as_system) -> ClientChannel:
    fake = FakeSite(world.hospital, key=site_secret(site))
    with as_system():
        fake.register(world.consortium)
    fake.open_session()
    return ClientChannel(fake)


@pytest.fixture
def witness(site: Site, channel: ClientChannel) -> Witness:
    return Witness(site, channel, NeverAsked())


def go_round(witness: Witness) -> int:
    channel = witness._channel
    assert isinstance(channel, ClientChannel)
    return channel.drive(witness)


@pytest.fixture
def next_checkpoint(act, keep, monkeypatch: pytest.MonkeyPatch):
    """Record an act and sign the log, witnesses or not."""
    monkeypatch.setattr("audit.log.pacing.PATIENCE", timedelta())

    def run() -> Checkpoint:
        act()
        return keep()

    return run


def signed_sizes(as_system) -> list[int]:
    with as_system():
        return sorted(Cosignature.objects.values_list("checkpoint__size", flat=True))


def test_it_signs_what_only_grew_and_nothing_twice(witness, site, next_checkpoint, as_system):
    next_checkpoint()
    assert go_round(witness) == 1
    assert go_round(witness) == 0
    next_checkpoint()
    next_checkpoint()

    assert go_round(witness) == 1

    assert signed_sizes(as_system) == [1, 3]
    outcomes = [(entry.kind, entry.outcome) for entry in site.journal.entries(kinds=("witness",))]
    assert outcomes == [("witness", "pinned")]


def test_after_a_restart_it_goes_on_from_its_journal(witness, site, channel, next_checkpoint, as_system):
    next_checkpoint()
    go_round(witness)
    next_checkpoint()

    reopened = open_site(site.folder.root)
    assert go_round(Witness(reopened, channel, NeverAsked())) == 1
    reopened.journal.close()

    assert signed_sizes(as_system) == [1, 2]


def test_a_signature_that_was_lost_on_its_way_is_given_again(witness, channel, next_checkpoint, as_system):
    next_checkpoint()
    channel.lose_posts = True
    with pytest.raises(PlatformAwayError):
        go_round(witness)
    assert signed_sizes(as_system) == []
    channel.lose_posts = False

    assert go_round(witness) == 1

    assert signed_sizes(as_system) == [1]


def test_a_lost_signature_is_no_fork_when_the_log_has_grown_since(witness, channel, next_checkpoint, as_system):
    next_checkpoint()
    channel.lose_posts = True
    with pytest.raises(PlatformAwayError):
        go_round(witness)
    channel.lose_posts = False
    next_checkpoint()
    next_checkpoint()

    assert go_round(witness) == 1

    assert signed_sizes(as_system) == [3]


def test_a_journal_restored_from_an_older_copy_finds_its_way(witness, site, channel, next_checkpoint, as_system):
    next_checkpoint()
    go_round(witness)
    (name, older) = site.journal.read("SELECT name, state FROM scans")[0]
    next_checkpoint()
    go_round(witness)
    with site.journal.transaction() as journal:
        journal.execute("UPDATE scans SET state = ? WHERE name = ?", (older, name))
    next_checkpoint()

    assert go_round(witness) == 1

    assert signed_sizes(as_system) == [1, 2, 3]


def forge(become, as_system, statement: str, *parameters: Any) -> None:
    with superuser(become), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        assert cursor.rowcount


def another_root(as_system, size: int) -> str:
    """A note over another root, signed by the log's true key: what a platform with two histories hands out."""
    with as_system():
        log = AuditLog.objects.get()
        return sign_checkpoint(Kernel(log.origin, size, bytes([7]) * 32), [signer_of(log)])


def refused(witness: Witness, site: Site, words: str) -> None:
    """It refuses, keeps the note once however often it is shown, and signs nothing."""
    signatures = len(site.journal.entries(kinds=("signature",)))
    for _ in range(3):
        with pytest.raises(LogForkError, match=words):
            go_round(witness)
    assert len(site.journal.entries(kinds=("signature",))) == signatures
    (entry,) = (entry for entry in site.journal.entries(kinds=("witness",)) if entry.outcome == "refused")
    assert entry.detail["note"].startswith(entry.detail["origin"])


def test_a_fork_is_refused_and_the_contradicting_note_kept(witness, site, next_checkpoint, become, as_system):
    next_checkpoint()
    go_round(witness)
    next_checkpoint()
    note = another_root(as_system, 2)
    forge(become, as_system, "UPDATE audit_checkpoint SET note = %s WHERE size = 2", note)

    refused(witness, site, "does not extend")

    assert signed_sizes(as_system) == [1]


def test_a_rewritten_past_is_refused(witness, site, next_checkpoint, become, as_system):
    next_checkpoint()
    go_round(witness)
    next_checkpoint()
    forge(become, as_system, "UPDATE audit_checkpoint SET note = %s WHERE size = 1", another_root(as_system, 1))

    refused(witness, site, "two histories of its first 1 leaves")


def test_a_log_that_shrank_is_refused(witness, site, next_checkpoint, become, as_system):
    next_checkpoint()
    next_checkpoint()
    go_round(witness)
    forge(become, as_system, "DELETE FROM audit_cosignature")
    forge(become, as_system, "DELETE FROM audit_checkpoint WHERE size = 2")

    refused(witness, site, "no longer knows the checkpoint of 2 leaves")


def test_a_log_with_another_key_is_refused(witness, site, next_checkpoint, become, as_system, settings, tmp_path):
    next_checkpoint()
    go_round(witness)
    settings.LOG_KEY_FILE = str(tmp_path / "other.key")
    create_key(tmp_path / "other.key")
    next_checkpoint()

    refused(witness, site, "another key")

    assert signed_sizes(as_system) == [1]


def test_a_refused_log_holds_up_no_other_one(witness, world, site, next_checkpoint, become, as_system):
    next_checkpoint()
    go_round(witness)
    next_checkpoint()
    forge(become, as_system, "UPDATE audit_checkpoint SET note = %s WHERE size = 2", another_root(as_system, 2))
    with act_for(organization_id=world.bank.pk):
        private = logged_out(world.bank).log
    next_checkpoint()

    with pytest.raises(LogForkError):
        go_round(witness)

    with as_system():
        assert Cosignature.objects.filter(checkpoint__log=private).count() == 1


def test_for_a_contract_that_it_has_not_checked_nothing_is_signed(witness, site, next_checkpoint, as_system, world):
    next_checkpoint()
    site.pins.forget(world.consortium.pk)

    class Liar:
        async def consortium(self, identity: Any) -> Consortium:
            return Consortium(identity, "Shared", settings.CHAIN_ID, {"AuditAnchor": "0x" + "99" * 20})

    witness._checker = Liar()

    with pytest.raises(PolicyRefusedError) as refusal:
        go_round(witness)

    assert refusal.value.reason == "unknown_contract"
    assert signed_sizes(as_system) == []


def test_a_note_by_a_key_of_another_name_is_no_checkpoint_of_the_log(witness, site, next_checkpoint, become, as_system):
    next_checkpoint()
    signer = NoteSigner("another.example/logs/1", read_key(key_path()))
    note = sign_checkpoint(Kernel(signer.name, 1, bytes(32)), [signer])
    with as_system():
        origin = AuditLog.objects.get().origin
    forge(become, as_system, "UPDATE audit_checkpoint SET note = %s", note.replace(signer.name, origin))

    with pytest.raises(LogForkError, match="pinned key"):
        go_round(witness)
    assert signed_sizes(as_system) == []
