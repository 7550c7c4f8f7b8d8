"""What the member's people see and decide: runs with exact counts, plans by hand, plans behind a vote."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import agent.keystore
import agent.people
from agent.chain import Consortium
from agent.cli import main
from agent.configuration import Rules, parse_configuration
from agent.documents import require_named
from agent.errors import ContradictionError, PersonRefusedError
from agent.folder import write_private
from agent.people import Person, Role
from agent.questions import Question
from agent.site import Site
from agent.training.proposals import sign_proposal
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from tests.unit.agent.worlds import PHRASE, make_site
from tests.unit.agent.worlds import consortium as pinned
from tests.unit.agent_training.worlds import ORGANIZATIONS, World, make_plan
from training.federated.source_digests import runner_digest

FIRST = ORGANIZATIONS[0]
VERA = Person("vera", "Vera", frozenset({Role.VOTER}))


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(agent.people, "SCRYPT_N", 2**4)
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)
    site = make_site(tmp_path / "site")
    yield site
    site.journal.close()


def test_the_runners_digest_is_printed_for_whoever_founds(member: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(member.folder.root), "plans", "runner"]) == 0

    assert capsys.readouterr().out.strip() == runner_digest()


def _question(site: Site, consortium: Consortium, subject: bytes) -> Question:
    question = site.ballots.reader.read(consortium, "DecisionBoard", "0x" + "09" * 32)
    assert question.kind == "ApprovePlan"
    return replace(question, subject=subject)


def test_a_plan_is_shown_only_if_digest_and_terms_make_the_subject_of_the_vote(member: Site) -> None:
    plan, consortium = make_plan(), pinned()
    document = plan.to_bytes()

    require_named(member.chain, _question(member, consortium, plan.subject()), document)

    for wrong in (
        document.replace(b"Long stays", b"Wong stays"),
        document.replace(b'"rounds":3', b'"rounds":4'),
        b"{}",
        make_plan(max_runs=4).to_bytes(),
    ):
        with pytest.raises(ContradictionError):
            require_named(member.chain, _question(member, consortium, plan.subject()), wrong)


def test_a_plan_of_another_consortium_is_not_shown(member: Site) -> None:
    plan = make_plan(consortium="00000000-0000-0000-0000-000000000063")

    with pytest.raises(ContradictionError):
        require_named(member.chain, _question(member, pinned(), plan.subject()), plan.to_bytes())


def test_a_proposed_plan_names_its_document_and_asks_every_site_for_its_own_yes(member: Site) -> None:
    plan = make_plan()

    letter = sign_proposal(member, pinned(), plan, VERA)

    assert letter.body["subject"] == to_hex(plan.subject())
    assert letter.body["document_digest"] == plan.digest()
    assert letter.body["owners"] == [to_hex(uuid_to_bytes32(site)) for site in plan.sites]
    assert letter.body["kind"] == 1
    assert letter.body["description"] == plan.title


def test_a_plan_of_another_consortium_is_not_proposed(member: Site) -> None:
    plan = make_plan(consortium="00000000-0000-0000-0000-000000000063")

    with pytest.raises(InvalidInputError):
        sign_proposal(member, pinned(), plan, VERA)

    assert member.letters.waiting() == []


def test_a_plan_is_proposed_by_a_voter_alone(member: Site) -> None:
    with pytest.raises(PersonRefusedError):
        sign_proposal(member, pinned(), make_plan(), Person("stan", "Stan", frozenset({Role.STEWARD})))

    assert member.letters.waiting() == []


def test_runs_are_listed_and_shown_with_exact_counts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run = world.new_run()
    run.commit([FIRST])
    folder = str(world.site().folder.root)

    assert main(["--folder", folder, "runs", "show", str(run.id), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert main(["--folder", folder, "runs", "list"]) == 0
    listed = capsys.readouterr().out

    manifest = run.manifest(FIRST)
    assert [(one["round"], one["subjects"], one["manifest"]) for one in shown] == [
        (1, manifest.count, manifest.digest())
    ]
    assert (shown[0]["rows"], shown[0]["rows_without_target"]) == (None, None)
    assert f"{run.id}  1 attempts, the last in round 1" in listed
    assert main(["--folder", folder, "runs", "show", "00000000-0000-0000-0000-000000000000"]) == 1
    assert "committed nothing" in capsys.readouterr().err


def test_rows_that_were_left_out_of_a_run_are_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run = world.new_run()
    run.commit([FIRST])
    site = world.site()
    site.journal.record("records", "read", run=str(run.id), round=1, attempt=1, rows=41, without_target=3)
    folder = str(site.folder.root)

    assert main(["--folder", folder, "runs", "show", str(run.id)]) == 0
    assert "3 rows of the data set lack what the plan learns, and were left out" in capsys.readouterr().out
    assert main(["--folder", folder, "runs", "show", str(run.id), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)

    assert (shown[0]["rows"], shown[0]["rows_without_target"]) == (41, 3)


def test_a_steward_allows_a_plan_by_hand_once(member: Site, capsys: pytest.CaptureFixture[str]) -> None:
    folder, phrase = member.folder.root, member.folder.root / "phrase"
    write_private(phrase, PHRASE.encode())
    digest = make_plan().digest()
    steward = ["--as", "stan", "--pass-phrase-file", str(phrase)]

    assert main(["--folder", str(folder), "plans", "allow", digest, *steward]) == 0
    assert main(["--folder", str(folder), "plans", "refuse", digest, *steward]) == 1
    assert main(["--folder", str(folder), "plans", "allow", digest, "--as", "vera", *steward[2:]]) == 1

    assert capsys.readouterr().out == f"{digest} is allowed at this site.\n"
    assert member.journal.decision(f"plan:{digest}") == "allowed"


def test_rules_are_read_as_they_are_written(member: Site) -> None:
    rules = Rules(
        minimum_cohort=25, max_rounds=7, purposes=("DUO:0000006",), plans_by_hand=True, work_kinds=("ping", "commit")
    )
    configuration = replace(member.configuration, rules=rules)

    assert parse_configuration(configuration.to_toml().encode()) == configuration
