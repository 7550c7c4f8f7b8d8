"""The agent on a real node with the real contracts: checks, ballots and proposals that the chain accepts."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent.ballots import Choice
from agent.chain import Consortium
from agent.chain_check import REQUIRED
from agent.client import _ballot
from agent.configuration import Configuration
from agent.courier import Courier
from agent.errors import ChainNotTrustedError, NotOpenError, PolicyRefusedError
from agent.founding import found_site
from agent.keystore import KeyPurpose
from agent.letters import Letter
from agent.people import Person, Role
from agent.questions import Phase, Question
from agent.registry_book import RegistryBook
from agent.site import Site, open_site
from consortium.governance.domain.operations import timelock_operation, timelock_salt, veto_digest, vetoed_subject
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.secp256k1 import recover
from contracts.gateway import Gateway
from contracts.network.registered import NO_VALIDATOR
from tests.chain.anvil import Anvil
from tests.integration.agent.networks import POLICY, VALIDATOR, Network
from tests.unit.agent import platforms
from tests.unit.agent.platforms import PlatformInMemory
from tests.unit.agent.worlds import APPLICANT, AUTHOR, CHAIN_ID, CONSORTIUM, HOSPITAL, SUBJECT, word

pytestmark = pytest.mark.services
VERA = Person("vera", "Vera", frozenset({Role.VOTER}))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    anvil = Anvil(tmp_path_factory.mktemp("anvil")).start()
    yield anvil
    anvil.stop()


@pytest.fixture(scope="module")
def network(node: Anvil) -> Network:
    return Network(Gateway([node.url], chain_id=CHAIN_ID))


@pytest.fixture(scope="module")
def sites(node: Anvil, network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    """Two members, founders of the consortium on the node."""
    folder, made, members = tmp_path_factory.mktemp("sites"), [], []
    for identity in (HOSPITAL, AUTHOR):
        configuration = Configuration(identity, str(identity), "http://127.0.0.1:9", CHAIN_ID, (node.url,), port=0)
        addresses = found_site(folder / str(identity), configuration)
        members.append((identity, addresses[KeyPurpose.VOTE], addresses[KeyPurpose.SITE]))
        made.append(open_site(folder / str(identity)))
    network.found(members)
    yield made
    for site in made:
        site.journal.close()


def _consortium(network: Network, **changes: str) -> Consortium:
    return Consortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, network.addresses | changes)


@pytest.fixture(scope="module")
def founded(sites: list[Site], network: Network, node: Anvil) -> list[Site]:
    """Both members after the deployer gave up its last right, as seen on the way there."""
    with pytest.raises(ChainNotTrustedError, match=f"Others hold rights on the timelock: {network.relay.address}"):
        sites[0].trust.admit(_consortium(network))
    assert sites[0].pins.of(CONSORTIUM) == {}

    network.renounce()
    # Who may vote is asked of the second before: the founders must have been members for one.
    second, deadline = network.gateway.head().time, time.monotonic() + 10
    while network.gateway.head().time < second + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        node.ask("evm_mine")

    for site in sites:
        site.trust.admit(_consortium(network))
    return sites


def _wait_until_open(site: Site, node: Anvil, consortium: Consortium, contract: str, identifier: str) -> Question:
    deadline = time.monotonic() + 10
    while (question := site.ballots.reader.read(consortium, contract, identifier)).phase is Phase.NOT_YET:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        node.ask("evm_mine")
    return question


def _cast(site: Site, question: Question, choice: Choice, **offered: str) -> Letter:
    form = platforms.admission(contract=question.contract, proposal_id=question.id_text, kind=question.kind, **offered)
    digest = site.ballots.prepare(question, choice).digest
    return site.ballots.cast(offered=_ballot(form), question=question, choice=choice, person=VERA, digest=digest)


def test_every_finding_on_an_honest_consortium_is_well(founded: list[Site], network: Network) -> None:
    check = founded[0].check

    findings = check.node() + check.consortium(_consortium(network))

    assert [finding for finding in findings if not finding.is_well] == []
    assert len([finding for finding in findings if finding.code == "code"]) == 10
    assert {"head_age", "ties", "rights", "active", "vote_key", "site_key"} <= {finding.code for finding in findings}


def test_a_registry_of_a_real_node_says_whose_nodes_belong(founded: list[Site], network: Network) -> None:
    book, head = RegistryBook(founded[0].chain, founded[0].journal), network.gateway.head()

    found = book.organizations(_consortium(network), head)

    assert {(one.organization, one.validator, one.belongs) for one in found} == {
        (word(HOSPITAL), VALIDATOR, True),
        (word(AUTHOR), NO_VALIDATOR, False),
    }
    assert book.organizations(_consortium(network), network.gateway.head()) == found
    assert not book.has_news(_consortium(network))


def test_contract_that_obeys_another_registry_is_not_taken_for_ours(founded: list[Site], network: Network) -> None:
    before = dict(network.addresses)
    fake = network.deploy("DecisionBoard", "0x" + "00" * 19 + "99")
    network.addresses.update(before)
    other_code = network.addresses["AuditAnchor"]

    with pytest.raises(ChainNotTrustedError, match="DecisionBoard runs other code"):
        founded[0].trust.admit(_consortium(network, DecisionBoard=fake))
    with pytest.raises(ChainNotTrustedError, match="DecisionBoard runs other code"):
        founded[0].trust.admit(_consortium(network, DecisionBoard=other_code))
    with pytest.raises(ChainNotTrustedError, match="DecisionBoard runs other code"):
        founded[0].trust.admit(_consortium(network, DecisionBoard="0x" + "12" * 20))

    assert founded[0].pins.of(CONSORTIUM) == network.addresses


def test_honest_looking_second_board_is_refused_by_the_pin(founded: list[Site], network: Network) -> None:
    before = dict(network.addresses)
    second = network.deploy("DecisionBoard", before["ConsortiumRegistry"])
    network.addresses.update(before)

    changed = _consortium(network, DecisionBoard=second)
    # Those that have the first board built in would give it away; without them it looks like any other.
    contracts = {name: changed.contracts[name] for name in REQUIRED}

    with pytest.raises(ChainNotTrustedError, match="TrainingLedger runs other code"):
        founded[0].trust.admit(changed)
    with pytest.raises(PolicyRefusedError, match="other contracts"):
        founded[0].trust.admit(replace(changed, contracts=contracts))
    assert founded[0].pins.of(CONSORTIUM) == network.addresses


def test_old_head_and_missing_contract_forbid_signing(founded: list[Site], network: Network) -> None:
    check = founded[0].check
    try:
        check._max_age = lambda: -1
        with pytest.raises(ChainNotTrustedError, match="s old"):
            founded[0].trust.admit(_consortium(network))
    finally:
        check._max_age = lambda: 60
    incomplete = {name: address for name, address in network.addresses.items() if name != "DecisionBoard"}
    with pytest.raises(ChainNotTrustedError, match="not named: DecisionBoard"):
        founded[0].trust.admit(replace(_consortium(network), contracts=incomplete))


def test_stranger_is_told_that_the_registry_does_not_list_it(
    founded: list[Site], network: Network, tmp_path: Path
) -> None:
    found_site(tmp_path / "s", replace(founded[0].configuration, organization=APPLICANT))
    stranger = open_site(tmp_path / "s")

    wrong = {finding.code for finding in stranger.check.consortium(_consortium(network)) if not finding.is_well}

    assert wrong == {"active", "vote_key", "site_key"}
    stranger.journal.close()


def test_admission_is_proposed_balloted_and_counted(founded: list[Site], network: Network, node: Anvil) -> None:
    hospital, author = founded
    consortium = _consortium(network)
    arguments = {
        **{"id": "0x" + word(APPLICANT).hex(), "voteKey": "0x" + "a1" * 20, "siteKey": "0x" + "b1" * 20},
        **{"validator": "0x" + "c1" * 20, "profile": "0x" + "d1" * 32},
    }
    letter = author.proposing.propose_act(
        consortium=consortium, kind="Admit", arguments=arguments, description="Let us grow", person=VERA
    )
    body = letter.body
    receipt = network.transact(
        "ConsortiumGovernor",
        "proposeActBySig",
        *(author.organization, body["kind"], from_hex(body["arguments"]), body["description"], body["deadline"]),
        from_hex(body["signature"]),
    )
    governor = network.reference("ConsortiumGovernor")
    events = network.gateway.logs([governor], receipt.block_number, receipt.block_number)
    proposal = next(event.arguments["proposalId"] for event in events if event.name == "ActProposed")

    question = _wait_until_open(hospital, node, consortium, "ConsortiumGovernor", str(proposal))
    platform = PlatformInMemory()
    platform.consortia = [platforms.consortium() | {"contracts": network.addresses}]
    platform.ballots = [platforms.admission(proposal_id=str(proposal), title="Let us grow")]

    async def cast() -> None:
        async with hospital.client(transport=httpx.ASGITransport(platform.application())) as client:
            desk = hospital.desk(client, Courier(client, hospital.letters))
            (laid_out,) = await desk.waiting()
            assert (laid_out.trouble, laid_out.description) == ("", "Let us grow")
            digest = next(one.digest for one in laid_out.prepared if one.choice is Choice.YES)
            await desk.cast(proposal=laid_out.offered.proposal, choice=Choice.YES, person=VERA, digest=digest)

    asyncio.run(cast())
    bodies = [platform.posts[0][1], _cast(author, question, Choice.NO).body]
    for support, ballot in zip((1, 0), bodies, strict=True):
        signature = from_hex(ballot["signature"])
        network.transact("ConsortiumGovernor", "castVoteBySig", proposal, support, ballot["voter"], signature)

    after = hospital.ballots.reader.read(consortium, "ConsortiumGovernor", str(proposal))
    assert question.phrase == f"admitting {APPLICANT} as a member"
    assert (after.tally.yes, after.tally.no, after.tally.needed, after.has_answered) == (1, 1, "2 yes", True)
    assert hospital.ballots.given(after) is Choice.YES


def test_decision_is_opened_and_balloted(founded: list[Site], network: Network) -> None:
    hospital, author = founded
    consortium = _consortium(network)
    letter = author.proposing.open_decision(
        consortium=consortium,
        kind="ApprovePlan",
        subject=SUBJECT,
        owners=[hospital.organization],
        description="",
        person=VERA,
    )
    body = letter.body
    network.transact(
        "DecisionBoard",
        "openDecision",
        *(1, SUBJECT, POLICY, author.organization, [hospital.organization]),
        *(body["deadline"], from_hex(body["signature"])),
    )
    # The board's id of a decision is the digest that its author signed.
    question = hospital.ballots.reader.read(consortium, "DecisionBoard", letter.digest)
    assert (question.kind, question.phase, question.is_eligible) == ("ApprovePlan", Phase.OPEN, True)

    ballot = _cast(hospital, question, Choice.YES).body
    network.transact(
        "DecisionBoard",
        "castBallot",
        *(from_hex(letter.digest), SUBJECT, hospital.organization, 1, from_hex(ballot["signature"])),
    )

    board = network.reference("DecisionBoard")
    assert network.gateway.call(board, "ballotOf", from_hex(letter.digest), hospital.organization) == 1
    seen = author.ballots.reader.read(consortium, "DecisionBoard", letter.digest)
    with pytest.raises(NotOpenError):
        _cast(author, seen, Choice.NO)


def test_an_act_that_was_voted_is_vetoed_by_two_guardians_and_never_carried_out(
    founded: list[Site], network: Network, node: Anvil
) -> None:
    hospital, author = founded
    consortium, governor = _consortium(network), network.reference("ConsortiumGovernor")
    letter = author.proposing.propose_act(
        consortium=consortium,
        kind="SetVotingPeriod",
        arguments={"newVotingPeriod": 60},
        description="In haste",
        person=VERA,
    )
    body = letter.body
    receipt = network.transact(
        "ConsortiumGovernor",
        "proposeActBySig",
        *(author.organization, body["kind"], from_hex(body["arguments"]), body["description"], body["deadline"]),
        from_hex(body["signature"]),
    )
    events = network.gateway.logs([governor], receipt.block_number, receipt.block_number)
    created = next(event.arguments for event in events if event.name == "ProposalCreated")
    proposal = created["proposalId"]
    question = _wait_until_open(hospital, node, consortium, "ConsortiumGovernor", str(proposal))
    with pytest.raises(NotOpenError, match="from the end of its vote"):
        _veto(hospital, consortium, proposal)
    for site in founded:
        ballot = _cast(site, question, Choice.YES).body
        signature = from_hex(ballot["signature"])
        network.transact("ConsortiumGovernor", "castVoteBySig", proposal, 1, ballot["voter"], signature)
    network.transact("ConsortiumGovernor", "queue", proposal)

    # What the platform computes from the event is what both agents read from the chain and sign.
    call = {
        **{"targets": list(created["targets"]), "values": list(created["values"])},
        **{"calldatas": [to_hex(data) for data in created["calldatas"]], "description": created["description"]},
    }
    guardian = network.reference("Guardian")
    digest = veto_digest(governor=governor.address, guardian=guardian.address, chain_id=CHAIN_ID, call=call)
    signatures = []
    for site in founded:
        signature = from_hex(_veto(site, consortium, proposal).body["signature"])
        assert recover(digest, signature) == site.signer.address(KeyPurpose.VOTE, consortium.id)
        signatures.append({"organization": site.organization, "signature": signature})
    salt = timelock_salt(governor.address, created["description"])
    receipt = network.transact("Guardian", "veto", created["targets"][0], created["calldatas"][0], salt, signatures)

    (event,) = network.gateway.logs([guardian], receipt.block_number, receipt.block_number)
    assert (event.name, event.arguments["operation"]) == ("ActVetoed", timelock_operation(governor.address, call))
    assert event.arguments["subject"] == vetoed_subject(call)
    assert event.arguments["guardians"] == [site.organization for site in founded]
    assert hospital.vetoes.read(consortium, str(proposal)).why_not == "This act was vetoed."
    assert network.gateway.call(governor, "votingPeriod") == 3600


def _veto(site: Site, consortium: Consortium, proposal: int) -> Letter:
    act = site.vetoes.read(consortium, str(proposal))
    digest = site.vetoes.prepare(act).digest
    offered = _ballot(platforms.admission(proposal_id=str(proposal)))
    return site.vetoes.sign(offered=offered, act=act, reason="In haste", person=VERA, digest=digest)
