"""The member's reconciler: who belongs from pinned registries, each call in the journal, status, and the command."""

import asyncio
import fcntl
import json
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from agent.cli import main
from agent.configuration import parse_configuration
from agent.errors import ConfigurationError, PlatformAwayError, ReconcilerBusyError
from agent.node_keeper import KIND, SILENT_SECONDS, NodeKeeper
from agent.node_settings import NodeSettings
from agent.node_watch import NodeWatch
from agent.node_word import platforms_offers
from agent.site import Site
from agent.status import look_at_site
from contracts.errors import ChainUnavailableError
from contracts.events import ChainEvent, ContractReference
from contracts.network.registered import Registered, Standing
from contracts.reconciler import Outcome
from tests.besu.node import Node
from tests.besu.websocket import serve_websocket
from tests.unit.agent.platforms import PlatformInMemory
from tests.unit.agent.platforms import consortium as offered_consortium
from tests.unit.agent.worlds import ADDRESSES, APPLICANT, CONSORTIUM, ChainInMemory, SettableClock
from tests.unit.contracts.network.reconciling import RELAY, Asked, enode, make_node, member, states, text_of

EVERYBODY = [str(enode(number)) for number in range(1, 5)]


@dataclass
class Registry(ChainInMemory):
    """A chain with a registry; `members` are what it lists, each admitted in block 5."""

    members: list[Registered] = field(default_factory=lambda: [member(number) for number in range(1, 5)])
    asked_from: list[int] = field(default_factory=list)
    extra: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.set("ConsortiumRegistry", organization=self._record)
        self.set("ValidatorSource", writer=ADDRESSES["ConsortiumRegistry"])

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        self.asked_from.append(from_block)
        admitted = [(5, "OrganizationAdmitted", one.organization) for one in self.members]
        events = [*admitted, *((block, name, bytes(32)) for block, name in self.extra)]
        return [_event(*one) for one in events if from_block <= one[0] <= to_block]

    def _record(self, identifier: bytes) -> dict[str, object]:
        found = next(one for one in self.members if one.organization == identifier)
        return {"status": found.standing, "isValidating": found.is_validating, "validator": found.validator}


def _event(block: int, name: str, organization: bytes) -> ChainEvent:
    return ChainEvent(
        name=name,
        contract="ConsortiumRegistry",
        address="0x" + "11" * 20,
        arguments={"organization": organization},
        block_number=block,
        block_hash=bytes(32),
        block_time=0,
        transaction_hash=bytes(32),
        log_index=0,
        transaction_log_index=0,
        topics=(),
    )


@dataclass
class Bench:
    """A site, its node, and its registry, on one clock."""

    site: Site
    node: Node
    chain: Registry
    clock: SettableClock

    @property
    def keeper(self) -> NodeKeeper:
        return self.site.node_keeper

    @property
    def listed(self) -> set[str]:
        return set(self.node.permissions.nodes or [])

    def settings(self, **values: object) -> None:
        node = replace(self.site.configuration.node, **values)  # type: ignore[arg-type]
        self.site.configuration = replace(self.site.configuration, node=node)

    def rule(self, **values: object) -> None:
        rules = replace(self.site.configuration.rules, **values)  # type: ignore[arg-type]
        self.site.configuration = replace(self.site.configuration, rules=rules)

    def journal(self, outcome: str) -> list[dict[str, object]]:
        entries = self.site.journal.entries(kinds=(KIND,))
        return [dict(entry.detail) for entry in entries if entry.outcome == outcome]


@pytest.fixture
def bench(new_site: Callable[..., Site], clock: SettableClock) -> Bench:
    chain = Registry(height=6)
    site = new_site(clock=clock, chain=chain)
    node = make_node(4, listed=[enode(number) for number in range(1, 5)])
    # The node has the blocks at which the registry is read, on the test's clock.
    for block in node.ledger.blocks[1:]:
        block["timestamp"] = hex(chain.time)
    for _ in range(5):
        node.ledger.mine(now=chain.time)
    site.node_keeper = NodeKeeper(site, Asked(node))
    return Bench(site, node, chain, clock)


def test_a_node_as_the_registry_says_is_well_and_status_says_so(bench: Bench) -> None:
    assert bench.keeper.look(platforms_offers(EVERYBODY)).is_well
    finding = bench.keeper.finding()
    assert finding is not None
    assert (finding.is_well, finding.text) == (True, "The node's allow-list is as the registries say, 0 s ago")


def test_an_admitted_member_is_let_in_and_each_call_stands_in_the_journal_before_it(bench: Bench) -> None:
    bench.chain.members.append(member(5, is_validating=False))
    assert bench.keeper.look(platforms_offers([str(enode(5))])).is_well
    assert str(enode(5)) in bench.listed
    entry = {
        "method": "perm_addNodesToAllowlist",
        "entries": [str(enode(5))],
        "reasons": {str(enode(5)): "registered"},
    }
    assert (bench.journal("begun"), bench.journal("done")) == ([entry], [entry])
    assert bench.site.journal.verify() > 0


def test_a_lying_platform_lets_nobody_in(bench: Bench) -> None:
    lies = [str(enode(9)), str(enode(9, host="10.0.0.2")), "enode://rubbish", "http://x"]
    outcome = bench.keeper.look(platforms_offers(lies))
    assert bench.listed == set(EVERYBODY)
    assert "the platform says enode://rubbish" in text_of(outcome, "offers")


def test_another_consortium_on_the_chain_lets_nobody_in(bench: Bench) -> None:
    """Whoever may deploy can make one that looks honest, with this member and a stranger's node as founders."""
    bench.site.pins.pin(APPLICANT, ADDRESSES | {"ConsortiumRegistry": "0x" + "00" * 19 + "99"})
    asked = []

    def record(identifier: bytes) -> dict[str, object]:
        asked.append(identifier)
        return bench.chain._record(identifier)

    bench.chain.set("ConsortiumRegistry", organization=record)
    assert bench.keeper.look(platforms_offers([str(enode(9))])).is_well
    assert (len(asked), bench.listed) == (4, set(EVERYBODY))

    bench.site.pins.forget(CONSORTIUM)
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
    outcome = bench.keeper.look()
    assert "No registry that this site has pinned writes the network's validators" in text_of(outcome, "registry")
    assert str(enode(9)) in bench.listed


def test_places_come_from_site_toml_and_from_files_of_any_form(bench: Bench) -> None:
    bench.chain.members += [member(number, is_validating=False) for number in (5, 6)]
    file = bench.site.folder.root / "static-nodes.json"
    file.write_text(json.dumps([str(enode(6))], indent=2))
    bench.settings(enodes=(str(enode(5)),), enode_files=("static-nodes.json", "missing.txt"))
    outcome = bench.keeper.look()
    assert {str(enode(5)), str(enode(6))} <= bench.listed
    assert "missing.txt: It cannot be read: No such file" in text_of(outcome, "offers")


def test_a_node_that_this_member_permits_stays_though_no_registry_lists_it(bench: Bench) -> None:
    bench.settings(also_permitted=(str(enode(8)),))
    assert bench.keeper.look().is_well
    assert str(enode(8)) in bench.listed


def test_without_a_pinned_consortium_nobody_is_removed(bench: Bench) -> None:
    bench.site.pins.forget(CONSORTIUM)
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
    outcome = bench.keeper.look()
    assert str(enode(9)) in bench.listed
    assert "No consortium's contracts are pinned yet" in text_of(outcome, "registry")


def test_a_chain_that_does_not_answer_or_stands_removes_nobody(bench: Bench) -> None:
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
    bench.clock.pass_seconds(61)
    assert "61 s old" in text_of(bench.keeper.look(), "registry")

    def away(_identifier: bytes) -> object:
        raise ChainUnavailableError("No node answers.")

    bench.clock.pass_seconds(-61)
    bench.chain.set("ConsortiumRegistry", organization=away)
    assert "No node answers." in text_of(bench.keeper.look(), "registry")
    assert str(enode(9)) in bench.listed


def test_a_node_behind_the_registry_waits_without_alarm(bench: Bench) -> None:
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
    bench.chain.height = bench.node.head + 1
    outcome = bench.keeper.look()
    assert states(outcome)["removals"] == "waiting"
    assert str(enode(9)) in bench.listed


def test_drift_is_found_after_a_restart_too_and_told_once_in_the_journal(bench: Bench) -> None:
    bench.keeper.look()
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
    bench.site.node_keeper = NodeKeeper(bench.site, Asked(bench.node))
    outcome = bench.keeper.look()
    assert f"put there: {enode(9)}" in text_of(outcome, "drift")
    assert bench.listed == set(EVERYBODY)
    assert [entry["point"] for entry in bench.journal("alarm")] == ["drift"]
    finding = bench.keeper.finding()
    assert finding is not None
    assert not finding.is_well
    bench.keeper.look()
    assert [entry["point"] for entry in bench.journal("settled")] == ["drift"]


def test_the_rule_tells_and_changes_nothing(bench: Bench) -> None:
    bench.rule(repair_allow_list=False)
    bench.node.permissions.nodes = [*EVERYBODY[:3]]
    outcome = bench.keeper.look(platforms_offers(EVERYBODY))
    assert (outcome.acts, len(bench.listed)) == ([], 3)
    assert "repair_allow_list is false" in next(p.remedy for p in outcome.points if p.name == "nodes")


def test_the_nodes_file_is_read_where_it_is_named(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "permissions_config.toml"
    bench.settings(allow_list_file=str(file))
    assert "cannot be read" in text_of(bench.keeper.look(), "file")
    bench.node.permissions.path = file
    bench.node.permissions._write()
    assert states(bench.keeper.look())["file"] == "well"
    file.write_text(file.read_text().replace(EVERYBODY[3], str(enode(9))))
    assert states(bench.keeper.look())["file"] == "wrong"


def test_accounts_follow_site_toml(bench: Bench) -> None:
    bench.settings(accounts=(RELAY.lower(),))
    assert states(bench.keeper.look())["accounts"] == "well"


def test_a_refusal_in_vain_is_entered_once_an_hour(bench: Bench) -> None:
    bench.node.permissions.fixed = (str(enode(9)),)
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
    bench.rule(max_head_age_seconds=86_400)
    for _ in range(3):
        bench.keeper.look()
        bench.clock.pass_seconds(700)
    assert len(bench.journal("refused")) == 1
    assert len(bench.journal("alarm")) == 1
    bench.clock.pass_seconds(3600)
    bench.keeper.look()
    assert len(bench.journal("refused")) == 2


def test_a_persons_word_is_in_the_journal(bench: Bench) -> None:
    bench.node.permissions.nodes = [*EVERYBODY, str(enode(8)), str(enode(9))]
    assert not bench.keeper.look().is_well
    assert len(bench.listed) == 6
    assert bench.keeper.look(accepted=2).is_well
    assert bench.journal("accepted") == [{"removals": 2}]


def test_only_one_of_a_site_looks_at_a_time(bench: Bench) -> None:
    bench.keeper.look()
    path = bench.site.folder.root / "reconcile.lock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(ReconcilerBusyError):
            bench.keeper.look()
    assert bench.keeper.look().is_well


def test_a_registry_is_read_from_where_it_was_read_last(bench: Bench) -> None:
    bench.keeper.look()
    assert not bench.keeper.has_news()
    bench.chain.height, bench.chain.extra = 9, [(8, "OrganizationRemoved")]
    assert bench.keeper.has_news()
    bench.keeper.look()
    assert bench.chain.asked_from == [0, 7, 7]
    assert not bench.keeper.has_news()


def test_silence_of_the_reconciler_is_not_well(bench: Bench) -> None:
    finding = bench.keeper.finding()
    assert finding is not None
    assert (finding.is_well, "never compared" in finding.text) == (False, True)
    bench.keeper.look()
    bench.clock.pass_seconds(SILENT_SECONDS + 1)
    finding = bench.keeper.finding()
    assert finding is not None
    assert (finding.is_well, "does the reconciler run?" in finding.text) == (False, True)


def test_status_has_the_line_only_where_there_is_a_port(site: Site, bench: Bench) -> None:
    class Nobody:
        async def offered_consortia(self) -> list[object]:
            raise PlatformAwayError("The platform does not answer.")

    codes = [[f.code for f in asyncio.run(look_at_site(one, Nobody()))] for one in (site, bench.site)]  # type: ignore[arg-type]
    assert [KIND in found for found in codes] == [False, True]
    assert site.node_keeper.finding() is None


class Away:
    """A platform that does not answer, and nobody to check contracts."""

    async def consortia(self) -> list[object]:
        raise PlatformAwayError("The platform does not answer.")

    async def consortium(self, identity: object) -> object:
        raise PlatformAwayError("The platform does not answer.")


def watched(bench: Bench, until: Callable[[list[Outcome]], bool], *, look_seconds: float) -> list[Outcome]:
    """Let the loop run until its outcomes are as wanted."""

    async def run() -> list[Outcome]:
        told: list[Outcome] = []
        away = Away()
        watch = NodeWatch(
            bench.keeper,
            away,  # type: ignore[arg-type]
            away,  # type: ignore[arg-type]
            told=told.append,
            poll_seconds=0.01,
            look_seconds=look_seconds,
        )
        running = asyncio.create_task(watch.run())
        ends = time.monotonic() + 20
        while not until(told) and time.monotonic() < ends:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return told

    return asyncio.run(run())


def test_an_event_of_the_registry_is_followed_without_waiting_for_the_next_look(bench: Bench) -> None:
    def until(told: list[Outcome]) -> bool:
        if told and bench.chain.height == 6:
            bench.node.ledger.mine(now=bench.chain.time)
            bench.node.ledger.mine(now=bench.chain.time)
            bench.node.permissions.nodes = [*EVERYBODY, str(enode(5))]
            bench.chain.members.append(member(5, standing=Standing.REMOVED, is_validating=False))
            bench.chain.extra, bench.chain.height = [(7, "OrganizationRemoved")], 7
        return len(told) > 1

    watched(bench, until, look_seconds=3600)
    assert bench.listed == set(EVERYBODY)


def test_drift_without_an_event_is_found_by_the_next_look(bench: Bench) -> None:
    by_hand = iter([True])

    def until(told: list[Outcome]) -> bool:
        if told and any(True for _ in by_hand):
            bench.node.permissions.nodes = [*EVERYBODY, str(enode(9))]
        return any(not one.is_well for one in told)

    told = watched(bench, until, look_seconds=0)
    assert any("drift" in states(one) for one in told)
    assert bench.listed == set(EVERYBODY)


@pytest.fixture
def served(bench: Bench, platform: PlatformInMemory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """The command on the site's folder, with the node behind a real web socket and the platform in memory."""
    original = Site.client
    transport = httpx.ASGITransport(platform.application())
    monkeypatch.setattr(Site, "client", lambda one: original(one, transport=transport))
    monkeypatch.setattr("agent.site.open_chain", lambda _configuration: bench.chain)
    platform.consortia = [offered_consortium() | {"nodes": [*EVERYBODY, str(enode(5))]}]
    # The command has the machine's clock.
    bench.chain.time = int(time.time())
    bench.node.ledger.mine(now=bench.chain.time)
    with serve_websocket(bench.node) as socket:
        file = bench.site.folder.configuration
        configuration = replace(parse_configuration(file.read_bytes()), operations_url=socket.url)
        file.write_text(configuration.to_toml())
        yield lambda *words: main(["--folder", str(bench.site.folder.root), "reconcile", *words])


def test_the_command_looks_once_and_says_how_it_is(
    bench: Bench, served: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    bench.chain.members.append(member(5, is_validating=False))
    assert served("--once", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["is_well"]
    assert [act["method"] for act in said["acts"]] == ["perm_addNodesToAllowlist"] * 2
    assert str(enode(5)) in bench.listed

    bench.node.permissions.nodes = [*EVERYBODY, str(enode(5)), str(enode(8)), str(enode(9))]
    assert served("--once") == 1
    out = capsys.readouterr().out
    assert "WRONG  drift: Somebody else changed" in out
    assert "consilium-site reconcile --once --accept-removals 2" in out
    assert served("--once", "--accept-removals", "2") == 0


def test_the_command_wants_a_port_and_one_look_for_a_persons_word(
    site: Site, served: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(site.folder.root), "reconcile", "--once"]) == 1
    assert "operations_url" in capsys.readouterr().err
    assert served("--accept-removals", "2") == 1
    assert "--once" in capsys.readouterr().err


def test_the_table_is_read_as_it_was_written(site: Site) -> None:
    node = NodeSettings(
        allow_list_file="/var/lib/besu/permissions_config.toml",
        enodes=(str(enode(2)),),
        enode_files=("static-nodes.json",),
        also_permitted=(str(enode(8)),),
        accounts=(RELAY,),
        validator_source=ADDRESSES["ValidatorSource"],
    )
    written = replace(site.configuration, node=node, rules=replace(site.configuration.rules, repair_allow_list=False))
    assert parse_configuration(written.to_toml().encode()) == written


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('enodes = ["enode://xx"]', "node.enodes"),
        (f'also_permitted = ["{str(enode(2)).replace("10.0.0.2", "node.example")}"]', "no host names"),
        ('accounts = ["0x12"]', "node.accounts"),
        ("accounts = [1]", "a list of texts"),
        ("allow_list_file = 1", "must be a text"),
        ('validator_source = "0x12"', "node.validator_source"),
        ("peers = []", "unknown node.peers"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(site: Site, line: str, said: str) -> None:
    text = site.configuration.to_toml() + f"\n[node]\n{line}\n"
    with pytest.raises(ConfigurationError, match=said):
        parse_configuration(text.encode())
