"""Keys replaced on a real node: from the rotation's block on the old key is refused and the new one taken."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import agent.keystore
from agent.ballots import Choice
from agent.chain import Consortium
from agent.cli import main
from agent.client import _ballot
from agent.configuration import Configuration
from agent.errors import KeystoreError
from agent.folder import write_private
from agent.founding import found_site
from agent.keystore import KeyPurpose, address_in
from agent.letters import Letter
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.signer import Signed
from agent.signing.settings import Remote, SignerSettings
from agent.signing_check import look_at_keys
from agent.site import Site, open_site
from agent.trust_file import trust_file
from agent.witness_book import Seen
from consortium.kernel.identifiers import from_hex
from consortium.kernel.notes import NoteSigner
from contracts.errors import TransactionRevertedError
from contracts.gateway import Gateway
from contracts.signing.keys import TypedData
from tests.chain.anvil import Anvil
from tests.integration.agent.networks import POLICY, Network
from tests.unit.agent import platforms
from tests.unit.agent.platforms import PlatformInMemory
from tests.unit.agent.worlds import AUTHOR, CHAIN_ID, CONSORTIUM, HOSPITAL, PHRASE, SUBJECT
from tests.unit.contracts.signing.certificates import Authority
from tests.unit.contracts.signing.signer_servers import SignerServer, public_key, serving

pytestmark = pytest.mark.services
VERA = Person("vera", "Vera", frozenset({Role.VOTER}))
VOTE, SITE = KeyPurpose.VOTE, KeyPurpose.SITE
LOG = bytes([3]) * 32


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Anvil(tmp_path / "anvil").start() as node:
        made = Network(Gateway([node.url], chain_id=CHAIN_ID))
        made.node = node  # type: ignore[attr-defined]  # the fixture's own
        yield made


@pytest.fixture
def sites(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Site]]:
    """Two members, founders of the consortium on the node, whose contracts each has checked."""
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)
    made, members = [], []
    url = network.node.url  # type: ignore[attr-defined]
    for identity in (HOSPITAL, AUTHOR):
        configuration = Configuration(identity, str(identity), "http://127.0.0.1:9", CHAIN_ID, (url,), port=0)
        addresses = found_site(tmp_path / str(identity), configuration)
        members.append((identity, addresses[VOTE], addresses[SITE]))
        made.append(open_site(tmp_path / str(identity)))
    network.found(members)
    network.renounce()
    second, deadline = network.gateway.head().time, time.monotonic() + 10
    while network.gateway.head().time < second + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        network.send(b"", network.relay.address)
    for site in made:
        site.trust.admit(_consortium(network))
    yield made
    for site in made:
        site.journal.close()


def _consortium(network: Network) -> Consortium:
    return Consortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, network.addresses)


def _relay(network: Network, site: Site, letter: Letter | None) -> int:
    """Submit a rotation as the platform does; return its block."""
    assert letter is not None
    body = letter.body
    arguments = [site.organization, body["purpose"], body["new_key"], body["deadline"], from_hex(body["signature"])]
    return network.transact("ConsortiumRegistry", "rotateKey", *arguments).block_number


def _rotate(network: Network, site: Site, purpose: KeyPurpose) -> int:
    site.rotation.prepare(purpose, person=VERA)
    return _relay(network, site, site.rotation.sign(_consortium(network), purpose, person=VERA))


def _refusal(network: Network, contract: str, function: str, *arguments: Any, block: int) -> str:
    """Return why the contract refuses a call on the state of a block; empty if it takes it."""
    data = network.gateway.encode(network.reference(contract), function, *arguments)
    address = network.addresses[contract]
    found = network.gateway.explain(contract, sender=network.relay.address, to=address, data=data, block=block)
    return "" if found is None else str(found)


def _sign(network: Network, site: Site, primary: str, contract: str, message: dict[str, Any]) -> Signed:
    domain = _consortium(network).domain(contract)
    return site.signer.sign(SigningRequest(primary, domain, message, CONSORTIUM, VERA))


def _epoch(network: Network, site: Site) -> tuple[str, list[Any]]:
    message = {"organization": site.organization, "epoch": 1, "root": bytes([9]) * 32, "band": 100, "seq": 1}
    message |= {"asOf": network.gateway.head().time}
    signed = _sign(network, site, "AnchorEpoch", "ConsentAnchor", message)
    return "anchorEpoch", [*message.values(), signed.signature]


def _checkpoint(network: Network, site: Site) -> tuple[str, list[Any]]:
    message = {"log": LOG, "size": 4, "root": bytes([4]) * 32}
    signed = _sign(network, site, "Checkpoint", "AuditAnchor", message)
    return "anchor", [*message.values(), [{"organization": site.organization, "signature": signed.signature}]]


@pytest.mark.parametrize(("make", "contract"), [(_epoch, "ConsentAnchor"), (_checkpoint, "AuditAnchor")])
def test_site_key_is_refused_from_the_rotations_block_and_the_new_one_taken(
    network: Network, sites: list[Site], make: Any, contract: str
) -> None:
    hospital = sites[0]
    old_address = hospital.signer.address(SITE, CONSORTIUM)
    function, old = make(network, hospital)

    block = _rotate(network, hospital, SITE)

    assert _refusal(network, contract, function, *old, block=block - 1) == ""
    assert "BadSignature" in _refusal(network, contract, function, *old, block=block)
    function, new = make(network, hospital)
    assert "BadSignature" in _refusal(network, contract, function, *new, block=block - 1)
    network.transact(contract, function, *new)
    assert hospital.signer.address(SITE, CONSORTIUM) not in ("", old_address)


def test_ballot_of_the_old_vote_key_is_refused_and_the_new_key_gives_the_same_answer(
    network: Network, sites: list[Site]
) -> None:
    hospital, author = sites
    letter = author.proposing.open_decision(
        consortium=_consortium(network), kind="ApprovePlan", subject=SUBJECT, owners=[], description="", person=VERA
    )
    opening = [1, SUBJECT, POLICY, author.organization, [], letter.body["deadline"], from_hex(letter.body["signature"])]
    network.transact("DecisionBoard", "openDecision", *opening)
    ballot = {
        "decision": from_hex(letter.digest),
        "subject": SUBJECT,
        "organization": hospital.organization,
        "choice": 1,
    }
    old = [*ballot.values(), _sign(network, hospital, "CastBallot", "DecisionBoard", ballot).signature]

    block = _rotate(network, hospital, VOTE)

    assert _refusal(network, "DecisionBoard", "castBallot", *old, block=block - 1) == ""
    assert "BadSignature" in _refusal(network, "DecisionBoard", "castBallot", *old, block=block)
    new = [*ballot.values(), _sign(network, hospital, "CastBallot", "DecisionBoard", ballot).signature]
    network.transact("DecisionBoard", "castBallot", *new)
    board = network.reference("DecisionBoard")
    assert network.gateway.call(board, "ballotOf", from_hex(letter.digest), hospital.organization) == 1


def test_act_is_voted_on_by_the_new_key_after_a_ballot_of_the_old_one_was_on_its_way(
    network: Network, sites: list[Site]
) -> None:
    hospital, author = sites
    consortium = _consortium(network)
    body = author.proposing.propose_act(
        consortium=consortium, kind="SetVotingPeriod", arguments={"newVotingPeriod": 7200}, description="", person=VERA
    ).body
    signed = [author.organization, body["kind"], from_hex(body["arguments"]), "", body["deadline"]]
    receipt = network.transact("ConsortiumGovernor", "proposeActBySig", *signed, from_hex(body["signature"]))
    events = network.gateway.logs([network.reference("ConsortiumGovernor")], receipt.block_number, receipt.block_number)
    proposal = next(event.arguments["proposalId"] for event in events if event.name == "ActProposed")
    second, deadline = network.gateway.head().time, time.monotonic() + 10
    while network.gateway.head().time < second + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        network.send(b"", network.relay.address)

    old = _cast(hospital, consortium, proposal)
    block = _rotate(network, hospital, VOTE)
    new = _cast(hospital, consortium, proposal)

    assert new.body["voter"] == hospital.signer.address(VOTE, CONSORTIUM) != old.body["voter"]
    for letter, refused in ((old, True), (new, False)):
        ballot = [proposal, 1, letter.body["voter"], from_hex(letter.body["signature"])]
        assert bool(_refusal(network, "ConsortiumGovernor", "castVoteBySig", *ballot, block=block)) is refused
    network.transact("ConsortiumGovernor", "castVoteBySig", *ballot)
    assert hospital.ballots.reader.read(consortium, "ConsortiumGovernor", str(proposal)).tally.yes == 1


def _cast(site: Site, consortium: Consortium, proposal: int) -> Letter:
    question = site.ballots.reader.read(consortium, "ConsortiumGovernor", str(proposal))
    offered = _ballot(platforms.admission(proposal_id=str(proposal), kind=question.kind))
    digest = site.ballots.prepare(question, Choice.YES).digest
    return site.ballots.cast(offered=offered, question=question, choice=Choice.YES, person=VERA, digest=digest)


def test_new_key_takes_the_old_ones_place_once_the_registry_lists_it(network: Network, sites: list[Site]) -> None:
    hospital = sites[0]
    folder, old = hospital.folder, hospital.signer.address(SITE)
    new = hospital.rotation.prepare(SITE, person=VERA)
    assert hospital.rotation.prepare(SITE, person=VERA) == new
    letter = hospital.rotation.sign(_consortium(network), SITE, person=VERA)
    assert hospital.rotation.sign(_consortium(network), SITE, person=VERA) == letter
    assert not hospital.rotation.settle(SITE)
    assert hospital.signer.address(SITE, CONSORTIUM) == hospital.signer.address(SITE) == old

    _relay(network, hospital, letter)

    assert hospital.rotation.sign(_consortium(network), SITE, person=VERA) is None
    assert hospital.signer.address(SITE) == new
    assert hospital.rotation.settle(SITE)
    assert address_in(folder, SITE) == new
    assert [path.name for path in folder.keys.glob("site.*")] == ["site.json"] or folder.retired_key(
        "site", old
    ).exists()
    again = open_site(folder.root)
    assert again.signer.address(SITE, CONSORTIUM) == new
    assert all(finding.is_well for finding in look_at_keys(again))
    assert all(finding.is_well for finding in again.check.consortium(_consortium(network)))
    again.journal.close()


def test_running_agent_goes_on_with_a_key_that_a_command_brought(network: Network, sites: list[Site]) -> None:
    running, command = sites[0], open_site(sites[0].folder.root)
    running.signer.address(SITE, CONSORTIUM)

    _rotate(network, command, SITE)
    assert len(running.keyring.held(SITE)) == 2
    assert command.rotation.settle(SITE)

    function, arguments = _checkpoint(network, running)
    network.transact("AuditAnchor", function, *arguments)
    assert len(running.keyring.held(SITE)) == 1
    command.journal.close()


def test_key_that_its_owner_lost_is_replaced_by_vote_and_taken_up(network: Network, sites: list[Site]) -> None:
    hospital = sites[0]
    hospital.folder.keystore("vote").rename(hospital.folder.root / "lost")
    bereft = open_site(hospital.folder.root)
    new = bereft.rotation.prepare(VOTE, person=VERA)
    with pytest.raises(KeystoreError, match="replace it by vote"):
        bereft.rotation.sign(_consortium(network), VOTE, person=VERA)
    assert not bereft.rotation.settle(VOTE)

    _replace_by_governance(network, hospital, 1, new)

    assert bereft.rotation.settle(VOTE)
    assert bereft.signer.address(VOTE, CONSORTIUM) == new == address_in(bereft.folder, VOTE)
    bereft.journal.close()


def _replace_by_governance(network: Network, site: Site, purpose: int, new: str) -> None:
    """Let the timelock carry the act out; how the members vote on it is told elsewhere."""
    node, timelock = network.node, network.addresses["TimelockController"]  # type: ignore[attr-defined]
    registry = network.reference("ConsortiumRegistry")
    data = network.gateway.encode(registry, "replaceKey", site.organization, purpose, new)
    node.ask("anvil_impersonateAccount", timelock)
    sent = {"from": timelock, "to": registry.address, "data": "0x" + data.hex(), "gas": "0xf4240", "gasPrice": "0x0"}
    transaction = bytes.fromhex(node.ask("eth_sendTransaction", sent)[2:])
    deadline = time.monotonic() + 10
    while (receipt := network.gateway.receipt(transaction)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert receipt.succeeded


def test_stolen_site_key_is_worth_nothing_after_the_rotation(network: Network, sites: list[Site]) -> None:
    hospital = sites[0]
    thief = hospital.keyring.held(SITE)[0]
    _rotate(network, hospital, SITE)

    # The thief has the key, but no vote key: it cannot even rotate back.
    message = {"organization": hospital.organization, "purpose": 2, "newKey": thief.address, "nonce": 1}
    message |= {"deadline": 2**40}
    stolen = thief.sign(TypedData(_consortium(network).domain("ConsortiumRegistry"), "RotateKey", message))
    registry = network.reference("ConsortiumRegistry")
    arguments = [hospital.organization, 2, thief.address, 2**40, stolen]
    with pytest.raises(TransactionRevertedError, match="BadSignature"):
        network.gateway.simulate(registry, "rotateKey", *arguments, sender=network.relay.address)


def test_key_moves_from_its_file_to_web3signer_and_on_to_another_there(
    network: Network, sites: list[Site], tmp_path: Path
) -> None:
    server = SignerServer(Authority(tmp_path / "pki"), secrets=[bytes([7]) * 32, bytes([8]) * 32])
    with serving(server):
        key = server.key()
        files = key.channel.certificates
        paths = (str(files.certificate), str(files.key), str(files.authority))
        settings = SignerSettings(Remote(server.url, key.identifier, *paths))
        folder = sites[0].folder
        configuration = replace(sites[0].configuration, site_signer=settings)
        folder.configuration.write_text(configuration.to_toml())

        moving = open_site(folder.root)
        assert moving.signer.address(SITE, CONSORTIUM) == address_in(folder, SITE)
        assert _rotate(network, moving, SITE)
        assert moving.rotation.settle(SITE)
        assert not folder.keystore("site").exists()
        _anchored_by(network, moving, key.address)

        second = public_key(server.secrets[1])
        with pytest.raises(KeystoreError, match="--identifier"):
            moving.rotation.prepare(SITE, person=VERA)
        new = moving.rotation.prepare(SITE, person=VERA, identifier=second)
        _relay(network, moving, moving.rotation.sign(_consortium(network), SITE, person=VERA))
        assert moving.rotation.settle(SITE)
        moving.journal.close()
        after = open_site(folder.root)

        assert after.configuration.site_signer.remote == replace(settings.remote, identifier=second)  # type: ignore[type-var]
        assert after.signer.address(SITE) == after.signer.address(SITE, CONSORTIUM) == new
        assert all(finding.is_well for finding in look_at_keys(after))
        after.journal.close()


def _anchored_by(network: Network, site: Site, address: str) -> None:
    function, arguments = _epoch(network, site)
    network.transact("ConsentAnchor", function, *arguments)
    assert site.journal.entries(limit=1, kinds=("signature",))[0].detail["key"] == address


def test_trust_file_has_both_keys_with_their_blocks(network: Network, sites: list[Site]) -> None:
    hospital, author = sites
    old = hospital.signer.address(SITE, CONSORTIUM)
    block = _rotate(network, hospital, SITE)
    key = NoteSigner("log.example/1", Ed25519PrivateKey.generate()).key

    made = trust_file(author.chain, _consortium(network), Seen(key, 4, bytes([4]) * 32), author.names, pin_log=False)

    member = made["organizations"]["0x" + hospital.organization.hex()]
    (earlier,) = member["earlier"]
    assert member["site"] == hospital.signer.address(SITE, CONSORTIUM).lower() != old.lower()
    assert (earlier["purpose"], earlier["key"], earlier["until"]) == ("site", old.lower(), block)
    assert 0 < earlier["from"] < block
    assert "earlier" not in made["organizations"]["0x" + author.organization.hex()]


@pytest.fixture
def platform(network: Network, sites: list[Site], monkeypatch: pytest.MonkeyPatch) -> PlatformInMemory:
    """A platform that relays rotations to the node, and lets commands in through memory."""
    made = PlatformInMemory()
    made.consortia = [platforms.consortium() | {"contracts": network.addresses}]

    def relay(path: str, body: dict[str, Any]) -> None:
        assert path.endswith("/keys/rotations")
        assert body["consortium"] == str(CONSORTIUM)
        signed = [sites[0].organization, body["purpose"], body["new_key"], body["deadline"]]
        network.transact("ConsortiumRegistry", "rotateKey", *signed, from_hex(body["signature"]))

    made.on_post = relay
    original = Site.client
    transport = httpx.ASGITransport(made.application())
    monkeypatch.setattr(Site, "client", lambda site: original(site, transport=transport))
    return made


def _say(site: Site, *words: str) -> int:
    return main(["--folder", str(site.folder.root), *words])


def _voter(site: Site) -> tuple[str, ...]:
    site.people.add(name="vera", display_name="Vera", roles=frozenset({Role.VOTER}), pass_phrase=PHRASE)
    write_private(site.folder.root / "phrase", PHRASE.encode())
    return ("--as", "vera", "--pass-phrase-file", str(site.folder.root / "phrase"))


@pytest.mark.parametrize("purpose", list(KeyPurpose))
def test_command_rotates_a_key_from_end_to_end(
    sites: list[Site], platform: PlatformInMemory, capsys: pytest.CaptureFixture[str], purpose: KeyPurpose
) -> None:
    hospital, voter = sites[0], _voter(sites[0])
    old = address_in(hospital.folder, purpose)

    assert _say(hospital, "keys", "rotate", purpose, *voter, "--wait", "10") == 0
    said = capsys.readouterr().out
    assert _say(hospital, "signer", "check") == 0
    assert _say(hospital, "keys", "show") == 0

    new = address_in(hospital.folder, purpose)
    assert new != old
    assert f"The new {purpose} key is {new}." in said
    assert "The old key is refused from that block on" in said
    checked = capsys.readouterr().out
    assert f"[ok] {CONSORTIUM} lists the {purpose} key {new}" in checked
    assert f"{purpose} key {new}" in checked
    entry = hospital.journal.entries(limit=1, kinds=("rotation",))[0]
    assert entry.person == "vera"
    assert f"replaces its key for the purpose {purpose} by {new}" in entry.detail["sentence"]
    assert len(platform.posts) == 1


def test_rotation_that_the_registry_has_not_got_yet_is_finished_by_saying_it_again(
    sites: list[Site], platform: PlatformInMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    hospital, voter = sites[0], _voter(sites[0])
    old, relay = address_in(hospital.folder, SITE), platform.on_post
    platform.on_post = lambda _path, _body: None

    assert _say(hospital, "keys", "rotate", "site", *voter, "--wait", "0") == 1
    assert "the old key signs there until one does" in capsys.readouterr().out
    assert (address_in(hospital.folder, SITE), hospital.signer.address(SITE, CONSORTIUM)) == (old, old)
    relay(*platform.posts[0][:2])

    assert _say(hospital, "keys", "rotate", "site", *voter, "--wait", "0") == 0
    assert address_in(hospital.folder, SITE) == hospital.signer.address(SITE, CONSORTIUM) != old
    assert len(platform.posts) == 1


def test_lost_key_is_said_as_the_act_that_another_member_proposes(
    network: Network, sites: list[Site], platform: PlatformInMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    hospital, voter = sites[0], _voter(sites[0])

    assert _say(hospital, "keys", "rotate", "vote", "--by-vote", *voter) == 0

    said = capsys.readouterr().out
    act = json.loads(said[said.index("{") : said.rindex("}") + 1])
    draft = sites[1].proposing.draft_act(
        consortium=_consortium(network), **{name: act[name] for name in ("kind", "arguments", "description")}
    )
    assert (act["kind"], act["consortium"]) == ("ReplaceKey", str(CONSORTIUM))
    assert "purpose of the key: vote" in draft.sentence
    assert platform.posts == []


def test_person_without_the_right_makes_no_key(sites: list[Site], platform: PlatformInMemory) -> None:
    hospital, _ = sites[0], _voter(sites[0])
    hospital.people.add(name="stan", display_name="Stan", roles=frozenset({Role.STEWARD}), pass_phrase=PHRASE)
    phrase = str(hospital.folder.root / "phrase")

    assert _say(hospital, "keys", "rotate", "site", "--as", "stan", "--pass-phrase-file", phrase) == 1
    assert not hospital.folder.next_key("site").exists()
    assert platform.posts == []


def test_key_that_the_registry_does_not_list_is_said(
    network: Network, sites: list[Site], capsys: pytest.CaptureFixture[str]
) -> None:
    _replace_by_governance(network, sites[0], 2, "0x" + "12" * 20)

    assert _say(sites[0], "signer", "check") == 1
    assert "which is not here" in capsys.readouterr().out


def test_epoch_on_its_way_under_the_old_key_is_signed_anew_at_once(network: Network, sites: list[Site]) -> None:
    hospital, consortium = sites[0], _consortium(network)
    office = hospital.consents
    office.store.join(CONSORTIUM)
    office.anchoring.effects.wish_epoch([CONSORTIUM])
    assert office.anchoring.advance(consortium) == "anchored"
    assert office.anchoring.advance(consortium) == "waiting"

    block = _rotate(network, hospital, SITE)
    second, deadline = network.gateway.head().time, time.monotonic() + 10
    while office.anchoring.advance(consortium) != "anchored":
        assert time.monotonic() < deadline
        time.sleep(0.05)
        network.send(b"", network.relay.address)

    assert network.gateway.head().time <= second + 2
    old, new = [[*_anchoring(hospital, message.body)] for message in office.mail.waiting()]
    assert "BadSignature" in _refusal(network, "ConsentAnchor", "anchorEpoch", *old, block=block)
    network.transact("ConsentAnchor", "anchorEpoch", *new)
    assert office.anchoring.settle(consortium).epoch == 1
    assert office.anchoring.advance(consortium) == "idle"
    office.database.close()
    office.vault.database.close()


def _anchoring(site: Site, body: Mapping[str, Any]) -> list[Any]:
    numbers = [body["epoch"], from_hex(body["root"]), body["band"], body["seq"], body["as_of"]]
    return [site.organization, *numbers, from_hex(body["signature"])]
