"""What a voter is told of the node that a vote would activate: by the member's own node."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from agent.commands import ballots
from agent.configuration import Configuration, parse_configuration
from agent.desk import LaidOut
from agent.errors import ConfigurationError
from agent.node_sight import NodeSight, open_operations
from agent.questions import Question
from agent.site import Site
from contracts.network import sync
from contracts.network.points import State
from tests.unit.agent.test_ballots import _offered, _question
from tests.unit.agent.worlds import ChainInMemory, admission_chain
from tests.unit.contracts.network.nodes import HEADERS, RecordedNode

SPARE = "0x5544914129cddC8cf07A0D848A0AC599dc3f6DF0"
PORT = RecordedNode(head=20, answers={"eth_getBlockByHash": HEADERS[19]})


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> ChainInMemory:
    monkeypatch.setattr(sync, "MAX_OWN_AGE_SECONDS", 10**10)
    chain = admission_chain()
    chain.set("ConsortiumRegistry", organization={"validator": SPARE, "profile": bytes(32)})
    return chain


def activation(site: Site) -> Question:
    return replace(_question(site, _offered()), kind="ActivateValidator")


def test_a_voter_is_told_what_the_members_own_node_sees(site: Site, chain: ChainInMemory) -> None:
    found = NodeSight(chain, PORT).of(activation(site))
    assert found is not None
    assert (found.state, found.text) == (State.WELL, "It is connected and in sync: it announced a block 1 behind.")


def test_without_an_operations_port_it_is_said_where_to_name_one(site: Site, chain: ChainInMemory) -> None:
    found = NodeSight(chain, None).of(activation(site))
    assert found is not None
    assert (found.state, "site.toml" in found.remedy) == (State.UNKNOWN, True)


def test_a_chain_that_does_not_answer_is_unknown(site: Site, chain: ChainInMemory) -> None:
    del chain.views["ConsortiumRegistry", "organization"]
    found = NodeSight(chain, PORT).of(activation(site))
    assert found is not None
    assert found.state is State.UNKNOWN


def test_other_questions_are_about_no_node(site: Site, chain: ChainInMemory) -> None:
    assert NodeSight(chain, PORT).of(_question(site, _offered())) is None


def configuration(**changes: str) -> Configuration:
    given = {"operations_url": "ws://127.0.0.1:8546", "operations_token_file": "/run/secrets/token"} | changes
    base = parse_configuration(
        b'[organization]\nid = "0a0a0a0a-0000-4000-8000-000000000001"\nname = "Hospital"\n'
        b'[platform]\nurl = "https://platform.example"\n[chain]\nid = 1\nrpc_urls = ["http://127.0.0.1:8545"]\n'
    )
    return replace(base, **given)  # type: ignore[arg-type]


def test_the_port_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = configuration()
    assert parse_configuration(written.to_toml().encode()) == written
    assert open_operations(written) is not None
    assert open_operations(configuration(operations_url="")) is None


@pytest.mark.parametrize("url", ["ws://10.0.0.1:8546", "http://127.0.0.1:8545"])
def test_a_port_to_which_a_token_would_go_in_the_clear_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"chain\.operations_url"):
        configuration(operations_url=url)


def test_the_command_tells_it_beside_the_ballot(
    site: Site, chain: ChainInMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    laid_out = LaidOut(_offered(), activation(site))
    monkeypatch.setattr(ballots, "open_site", lambda _folder: site)
    monkeypatch.setattr(ballots, "_at_desk", lambda _site, _work: laid_out)
    site.node_sight = NodeSight(chain, PORT)

    assert ballots._show(argparse.Namespace(folder=Path(), proposal=str(laid_out.offered.proposal))) == 0

    assert "its node, as yours sees it: It is connected and in sync" in capsys.readouterr().out
