"""Plans, runs and the privacy ledger on the member page: each check said, stewards decide, numbers exact."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent.chain import Consortium
from agent.client import OfferedConsortium
from agent.letters import Letter
from agent.people import Role
from agent.site import Site
from consortium.kernel.identifiers import to_hex
from tests.unit.agent.browsers import Browser
from tests.unit.agent.worlds import CONSORTIUM, PHRASE
from tests.unit.agent_training.worlds import DECISION, SHARED, Blobs, World, make_plan
from training.federated.plan_document import PlanDocument

FORGED = "sha256:" + "0" * 64


@dataclass
class Desk:
    """What the page asks of a desk, from the world's memory."""

    blobs: Blobs
    sent: list[Letter] = field(default_factory=list)

    @property
    def client(self) -> "Desk":
        """The platform too, as far as a page asks it by itself."""
        return self

    async def vetoes(self) -> list[Any]:
        return []

    async def waiting(self) -> list[Any]:
        return []

    async def offered_ballots(self) -> list[Any]:
        return []

    async def offered_consortia(self) -> list[OfferedConsortium]:
        return self.blobs.offered

    async def consortium(self, _identity: uuid.UUID) -> Consortium:
        return SHARED

    async def document(self, digest: str, *, largest: int) -> bytes:
        return await self.blobs.blob(digest, largest=largest)

    async def deliver(self, letter: Letter) -> bool:
        self.sent.append(letter)
        return True


@pytest.fixture
def site(world: World) -> Site:
    site = world.site()
    for name, role in (("vera", Role.VOTER), ("stan", Role.STEWARD)):
        if site.people.find(name) is None:
            site.people.add(name=name, display_name=name, roles=frozenset({role}), pass_phrase=PHRASE)
    return site


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world.blobs)


@pytest.fixture
def browser(site: Site, desk: Desk) -> Iterator[Browser]:
    made = Browser.at(site, desk, desk)
    yield made
    made.close()


def rules(site: Site, **values: Any) -> None:
    site.configuration = replace(site.configuration, rules=replace(site.configuration.rules, **values))


@pytest.fixture
def by_hand(site: Site) -> Iterator[None]:
    before = site.configuration
    rules(site, plans_by_hand=True)
    yield
    site.configuration = before


def seen(world: World, site: Site, title: str, **changes: Any) -> PlanDocument:
    """Return an approved plan that the site has been asked to work on."""
    plan = make_plan(title=title, **changes)
    world.approve(plan)
    site.training.plan_shelf.keep(plan, decision=to_hex(DECISION))
    return plan


def test_plan_waits_for_a_steward_and_runs_after_the_yes(
    world: World, site: Site, browser: Browser, by_hand: None
) -> None:
    plan = seen(world, site, "Waits")
    browser.log_in("stan")
    assert "Waits for a steward" in browser.get("/plans").text
    assert 'Plans and runs <span class="count">' in browser.get("/log").text

    answer = browser.send(f"/plans/{plan.digest()}", answer="allow")

    assert answer.headers["location"] == f"/plans/{plan.digest()}?done=allowed"
    assert site.training.plans.decision(plan.digest()) == "allowed"
    text = browser.get(f"/plans/{plan.digest()}").text
    assert "May run here" in text
    assert "Only subjects whose consent permits this purpose in that round, 25 at least" in text
    assert text.count("Does not hold") == 0


@pytest.mark.parametrize(
    "change",
    [{"pass_phrase": "wrong"}, {"csrf_token": "other"}, {"answer": "maybe"}, {"answer": "refuse", "word": "no"}],
)
def test_wrong_answer_decides_nothing(
    world: World, site: Site, browser: Browser, by_hand: None, change: dict[str, str]
) -> None:
    plan = seen(world, site, "Undecided")
    browser.log_in("stan")

    answer = browser.send(f"/plans/{plan.digest()}", **{"answer": "allow", **change})

    assert answer.status_code in {400, 403}
    assert site.training.plans.decision(plan.digest()) is None


def test_voter_decides_nothing_and_unknown_plans_are_unknown(
    world: World, site: Site, browser: Browser, by_hand: None
) -> None:
    plan = seen(world, site, "Undecided")
    browser.log_in("vera")

    assert browser.send(f"/plans/{plan.digest()}", answer="allow").status_code == 403
    assert site.training.plans.decision(plan.digest()) is None
    for path in (f"/plans/{FORGED}", "/plans/..%2Fsite.toml", "/runs/x", f"/runs/{uuid.uuid4()}"):
        assert browser.get(path).status_code in {400, 404}, path


def test_refusal_is_final(world: World, site: Site, browser: Browser, by_hand: None) -> None:
    plan = seen(world, site, "Refused")
    browser.log_in("stan")

    browser.send(f"/plans/{plan.digest()}", answer="refuse", word="Refuse")
    again = browser.send(f"/plans/{plan.digest()}", answer="allow")

    assert again.status_code == 409
    assert site.training.plans.decision(plan.digest()) == "refused"
    assert "Refused for good" in browser.get(f"/plans/{plan.digest()}").text


@pytest.mark.parametrize(
    ("changes", "own_rules", "says"),
    [
        ({"code_digest": FORGED}, {}, "The plan&#39;s code is the code of this program"),
        ({"runner_digest": FORGED}, {}, "The plan&#39;s runner is the runner of this program"),
        ({"rounds": 30}, {"max_rounds": 29}, "30 rounds, of at most 29 that your rules allow"),
        ({}, {"purposes": ("HL7:TREAT",)}, "Your rules allow the purpose"),
        ({"purpose": "HL7:TREAT", "serving_purpose": "HL7:TREAT"}, {}, "No registered data set has its columns"),
    ],
)
def test_plan_that_cannot_run_says_which_check_fails(
    world: World, site: Site, browser: Browser, changes: dict[str, Any], own_rules: dict[str, Any], says: str
) -> None:
    before = site.configuration
    plan = seen(world, site, f"Blocked by {sorted([*changes, *own_rules])}", **changes)
    rules(site, **own_rules)
    browser.log_in("stan")

    text = browser.get(f"/plans/{plan.digest()}").text
    site.configuration = before

    assert "Cannot run here" in text
    assert text.count("Does not hold") == 1
    assert says in text


def test_plan_whose_runner_the_members_have_not_accepted_says_so(world: World, site: Site, browser: Browser) -> None:
    plan = seen(world, site, "Its runner is retired")
    accepted = set(world.chain.runners)
    world.chain.runners.clear()
    browser.log_in("stan")

    text = browser.get(f"/plans/{plan.digest()}").text

    world.chain.runners |= accepted
    assert "Cannot run here" in text
    assert text.count("Does not hold") == 1
    assert "The members accept the plan&#39;s runner" in text


def test_plan_that_the_members_have_not_approved_is_open(world: World, site: Site, browser: Browser) -> None:
    plan = make_plan(title="Voted on <script>alert(1)</script>")
    site.training.plan_shelf.keep(plan, decision=to_hex(DECISION))
    browser.log_in("stan")

    text = browser.get(f"/plans/{plan.digest()}").text

    assert "The members have not approved it yet" in text
    assert "<script>alert" not in text + browser.get("/plans").text


def test_file_in_the_folder_that_is_another_plan_is_not_shown(world: World, site: Site, browser: Browser) -> None:
    plan = seen(world, site, "Mine")
    path = site.folder.root / "plans" / f"{plan.digest().removeprefix('sha256:')}.json"
    good = path.read_bytes()
    path.write_bytes(make_plan(title="Theirs").to_bytes())
    browser.log_in("stan")

    status = browser.get(f"/plans/{plan.digest()}").status_code
    path.write_bytes(good)

    assert status == 404


def test_run_shows_exact_cohorts_and_the_ledger_counts_what_was_opened(
    world: World, site: Site, browser: Browser
) -> None:
    run = world.new_run(title="Counted")
    run.play_round()
    run.next_round()
    run.commit()
    first, second = site.training.runs.manifests(run.id)
    browser.log_in("vera")

    text = browser.get(f"/runs/{run.id}").text

    assert f">{first.count}<" in text
    assert "Part of an opened sum" in text
    assert "Nothing left the house" in text
    record = site.training.run_book.find(run.id)
    assert record is not None
    assert [(one.cohort, one.state) for one in record.attempts] == [
        (first.count, "released"),
        (second.count, "committed"),
    ]
    assert (record.rounds_released, record.abandoned, record.attempts[0].rows) == (1, 1, first.count)
    ledger = browser.get("/privacy").text
    assert "There is no differential privacy yet" in ledger
    assert "Counted" in ledger
    assert "stays" in ledger
    terms = run.plan.terms
    assert f"at least {terms.threshold} of up to {len(run.plan.sites)} sites" in ledger


def test_plan_of_a_run_is_kept_at_its_first_commitment(world: World, site: Site) -> None:
    run = world.new_run(title="Kept")
    run.commit()

    assert site.training.plan_shelf.find(run.plan.digest()) == run.plan
    asked = site.training.plan_shelf.asked(run.plan.digest())
    assert asked is not None
    assert (asked.consortium, asked.decision) == (str(CONSORTIUM), run.decision)


def test_plan_that_was_not_kept_is_fetched_by_its_digest_for_the_page(
    world: World, site: Site, browser: Browser
) -> None:
    run = world.new_run(title="Fetched")
    run.commit()
    (site.folder.root / "plans" / f"{run.plan.digest().removeprefix('sha256:')}.json").unlink()
    browser.log_in("vera")

    assert "Fetched" in browser.get("/privacy").text


def test_voter_reads_a_drafted_plan_before_it_is_put_to_the_vote(
    world: World, site: Site, browser: Browser, desk: Desk
) -> None:
    plan = make_plan(title="Drafted")
    world.blobs.put(plan.to_bytes())
    browser.log_in("vera")

    shown = browser.send("/plans", digest=plan.digest())
    assert "proposes the plan “Drafted”" in shown.text
    assert "Hospital 0 asks the members to approve a plan" in shown.text
    assert desk.sent == []
    refused = browser.send("/plans", digest=plan.digest(), step="confirmed", pass_phrase="wrong")
    assert (refused.status_code, desk.sent) == (403, [])


def test_what_is_proposed_is_the_draft_that_was_read_and_no_other(
    world: World, site: Site, browser: Browser, desk: Desk
) -> None:
    plan = make_plan(title="Drafted")
    world.blobs.put(plan.to_bytes())
    browser.log_in("vera")
    shown = browser.send("/plans", digest=plan.digest()).text
    draft = {name: re.search(rf'name="{name}" value="(\w+)"', shown) for name in ("deadline", "digest_signed")}
    fields = {name: found[1] for name, found in draft.items() if found}
    sent = {"digest": plan.digest(), "step": "confirmed", "pass_phrase": PHRASE}

    for wrong in ({"digest_signed": ""}, {"digest_signed": "0x" + "11" * 32}, {"deadline": "7"}, {"deadline": "soon"}):
        assert browser.send("/plans", **sent, **fields | wrong).status_code in (400, 409)
    assert desk.sent == []
    assert browser.send("/plans", **sent, **fields).status_code == 303

    (letter,) = desk.sent
    assert letter.digest == fields["digest_signed"]
    entry = site.journal.entries(limit=1, kinds=("proposal",))[0]
    assert entry.detail["sentence"].startswith("Hospital 0 asks the members to approve a plan")


def test_the_address_of_a_drafted_plan_shows_it_as_it_would_be_put_to_the_vote(
    world: World, browser: Browser, desk: Desk
) -> None:
    plan = make_plan(title="Drafted elsewhere")
    world.blobs.put(plan.to_bytes())
    browser.log_in("vera")

    shown = browser.get(f"/plans/{plan.digest()}")

    assert "proposes the plan “Drafted elsewhere”" in shown.text
    assert f'name="digest" value="{plan.digest()}"' in shown.text
    assert not desk.sent
    unknown = browser.get(f"/plans/{FORGED}")
    assert unknown.status_code == 404
    assert "has seen no plan of that digest" in unknown.text


def test_steward_and_bytes_that_are_no_plan_propose_nothing(
    world: World, site: Site, browser: Browser, desk: Desk
) -> None:
    digest = world.blobs.put(b"{}")
    browser.log_in("stan")
    assert browser.send("/plans", digest=digest, step="confirmed").status_code == 403

    browser.http.cookies.clear()
    browser.log_in("vera")
    assert browser.send("/plans", digest=digest, step="confirmed").status_code == 400
    assert desk.sent == []
