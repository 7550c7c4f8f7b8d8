"""The operator's commands: integrate, checkpoint, fsck, log_key."""

import json
import os
import signal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.log.keys import verifier_of
from audit.log.upkeep import Upkeep
from audit.models import AuditLog, Checkpoint


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def recorded(shared_log, take_lease, as_system) -> AuditLog:
    with as_system():
        for fence in range(3):
            take_lease(fence)
    return shared_log


def test_one_turn_integrates_and_signs(recorded, as_system):
    with as_system():
        assert run("auditlog", "integrate") == "3 records integrated, 0 checkpoints signed.\n"
        assert run("auditlog", "checkpoint") == "0 records integrated, 1 checkpoints signed.\n"
        assert run("auditlog", "checkpoint") == "0 records integrated, 0 checkpoints signed.\n"
        assert [row.size for row in Checkpoint.objects.all()] == [3]


def test_the_loop_goes_on_until_it_is_told_to_stop(recorded, as_system, monkeypatch):
    turns = []
    original = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def keep_up(*, sign):
        turns.append(sign)
        if len(turns) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return Upkeep(1)

    monkeypatch.setattr("audit.management.commands.auditlog.keep_up", keep_up)
    try:
        run("auditlog", "checkpoint", "--every", "0.01")
    finally:
        for number, handler in original.items():
            signal.signal(number, handler)
    assert turns == [True, True, True]


def test_fsck_says_what_it_checked(recorded, as_system):
    with as_system():
        run("auditlog", "checkpoint")
        assert f"well   {recorded.origin}: 3 leaves, 1 checkpoints, 0 anchors" in run("auditlog", "fsck")


def test_fsck_names_the_first_record_and_fails(recorded, as_system, tamper):
    with as_system():
        run("auditlog", "checkpoint")
        key = str(verifier_of(recorded))
    tamper("UPDATE audit_auditrecord SET subject_id = 'x' WHERE body = '{\"fence\": 1}'")
    with as_system(), pytest.raises(SystemExit) as ended:
        call_command("auditlog", "fsck", log=recorded.origin, key=key, stdout=(out := StringIO()))
    assert ended.value.code == 1
    assert "WRONG" in out.getvalue()
    assert "first: Column subject_id of record" in out.getvalue()


def test_fsck_prints_json(recorded, as_system):
    with as_system():
        run("auditlog", "checkpoint")
        (report,) = json.loads(run("auditlog", "fsck", "--json"))
    assert report == {"origin": recorded.origin, "leaves": 3, "checkpoints": 1, "anchors": 0, "findings": []}


def test_an_unknown_log_is_refused(recorded, as_system):
    with as_system(), pytest.raises(CommandError, match="no log elsewhere"):
        run("auditlog", "fsck", "--log", "elsewhere")


def test_the_key_is_made_once(settings, tmp_path):
    settings.LOG_KEY_FILE = str(tmp_path / "another.key")
    assert "another.key is made" in run("log_key", "create")
    before = (tmp_path / "another.key").read_bytes()
    with pytest.raises(CommandError, match="there already"):
        run("log_key", "create")
    assert "another.key is there" in run("log_key", "create", "--if-missing")
    assert (tmp_path / "another.key").read_bytes() == before


def test_the_verifier_keys_are_shown(recorded, as_system):
    with as_system():
        assert run("log_key", "show") == f"{verifier_of(recorded)}\n"
