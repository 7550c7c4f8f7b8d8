"""Changing local rules: what people wrote in site.toml stays, what is wrong changes nothing."""

import tomllib
from collections.abc import Callable

import pytest

import agent.rules_file
from agent.errors import ConfigurationError, PersonRefusedError
from agent.keystore import KeyPurpose
from agent.people import Person
from agent.site import Site
from consortium.kernel.errors import InvalidInputError


@pytest.fixture
def steward(site: Site) -> Person:
    person = site.people.find("stan")
    assert person is not None
    return person


def text(site: Site) -> str:
    return site.folder.configuration.read_text()


def test_change_keeps_comments_and_everything_else(site: Site, steward: Person) -> None:
    written = text(site).replace("minimum_cohort = 10", "# The board asked for this.\nminimum_cohort = 10  # ten")
    written = written.replace("max_rounds = 1000", 'purposes = [\n  "DUO:0000006",  # health\n]\nmax_rounds = 1000')
    site.folder.configuration.write_text(written)

    site.change_rules({"minimum_cohort": 50, "purposes": ("DUO:0000042",)}, person=steward)

    expected = written.replace("minimum_cohort = 10  # ten", "minimum_cohort = 50  # ten")
    assert text(site) == expected.replace('[\n  "DUO:0000006",  # health\n]', '["DUO:0000042"]')
    assert site.configuration.rules.minimum_cohort == 50
    assert site.folder.configuration.stat().st_mode & 0o777 == 0o600


def test_each_change_is_journaled_with_its_old_and_new_value(site: Site, steward: Person) -> None:
    site.change_rules({"max_rounds": 30, "plans_by_hand": True, "signatures_per_minute": 120}, person=steward)

    assert [(entry.person, dict(entry.detail)) for entry in site.rules_file.history()] == [
        ("stan", {"rule": "plans_by_hand", "old": False, "new": True}),
        ("stan", {"rule": "max_rounds", "old": 1000, "new": 30}),
    ]


def test_list_is_added_and_taken_away_again(site: Site, steward: Person) -> None:
    before = text(site)

    site.change_rules({"work_kinds": ("ping",)}, person=steward)
    assert tomllib.loads(text(site))["rules"]["work_kinds"] == ["ping"]
    site.change_rules({"work_kinds": None}, person=steward)

    assert text(site).strip() == before.strip()
    assert site.configuration.rules.work_kinds is None


def test_file_without_rules_gets_a_table(site: Site, steward: Person) -> None:
    head, _rules, _tail = text(site).partition("[rules]")
    site.folder.configuration.write_text(head)

    site.change_rules({"max_rounds": 3}, person=steward)

    assert tomllib.loads(text(site))["rules"] == {"max_rounds": 3}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"minimum_cohort": 0}, "minimum_cohort must lie within 1 and"),
        ({"max_rounds": 100_001}, "max_rounds must lie within 1 and 100000"),
        ({"signatures_per_minute": 0}, "signatures_per_minute must lie within 1 and 100000"),
        ({"purposes": ("DUO:0000007",)}, "needs its disease"),
        ({"purposes": ("health",)}, "Unknown purpose"),
        ({"port": 1}, "no rule port"),
    ],
)
def test_wrong_value_is_refused_by_name_and_changes_nothing(
    site: Site, steward: Person, values: dict[str, object], says: str
) -> None:
    before, entries = text(site), len(site.journal.entries())

    with pytest.raises(InvalidInputError, match=says):
        site.change_rules({"plans_by_hand": True, **values}, person=steward)

    assert text(site) == before
    assert not site.configuration.rules.plans_by_hand
    assert len(site.journal.entries()) == entries


def test_only_a_steward_changes_rules(site: Site) -> None:
    voter = site.people.find("vera")
    assert voter is not None
    before = text(site)

    with pytest.raises(PersonRefusedError):
        site.change_rules({"max_rounds": 3}, person=voter)

    assert text(site) == before


def test_file_that_cannot_be_changed_by_line_is_left_alone(site: Site, steward: Person) -> None:
    rules = "rules = { max_rounds = 10 }\n"
    written = rules + text(site).partition("[rules]")[0]
    site.folder.configuration.write_text(written)

    with pytest.raises(ConfigurationError):
        site.change_rules({"max_rounds": 3}, person=steward)

    assert text(site) == written


def test_write_that_fails_leaves_no_entry(site: Site, steward: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(agent.rules_file, "write_private", fail)

    with pytest.raises(OSError, match="disk full"):
        site.change_rules({"max_rounds": 3}, person=steward)

    assert site.rules_file.history() == []
    assert site.configuration.rules.max_rounds == 1000


def test_change_holds_for_signatures_without_a_restart(new_site: Callable[..., Site]) -> None:
    site = new_site()
    policy = site.signer._policy
    steward = site.people.find("stan")
    assert steward is not None

    site.change_rules({"signatures_per_minute": 1}, person=steward)

    assert policy._rules_of(KeyPurpose.SITE).most_a_minute == 1
