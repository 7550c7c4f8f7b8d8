"""What stands before every key: nothing outside the list is ever passed to one, and each refusal is in the journal."""

import copy
import json
import pickle
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.configuration import Rules, parse_configuration
from agent.errors import ConfigurationError, KeystoreError, PolicyRefusedError
from agent.keystore import KeyPurpose, LoadedKey, load_keystore
from agent.people import Person, Role
from agent.policy import KEY_OF, SigningRequest
from agent.signing.settings import Limits, Remote, SignerSettings
from agent.site import Site
from consortium.kernel.eip712 import AGENT_DOMAIN, DOMAIN_OF, TYPES, Domain
from consortium.kernel.errors import ConsiliumError
from contracts.signing.errors import SignerAwayError, SignerNotTrustedError
from contracts.signing.keys import TypedData
from contracts.signing.web3signer import Interface
from tests.unit.agent.worlds import (
    ADDRESSES,
    CHAIN_ID,
    CONSORTIUM,
    HOSPITAL,
    ChainInMemory,
    SettableClock,
    reopen,
    word,
)
from tests.unit.contracts.signing.certificates import Authority
from tests.unit.contracts.signing.signer_servers import SignerServer, public_key, serving

VERA = Person("vera", "Vera", frozenset({Role.VOTER}))
BOARD = Domain("DecisionBoard", CHAIN_ID, ADDRESSES["DecisionBoard"])
BALLOT = {"decision": bytes([9]) * 32, "subject": bytes([8]) * 32, "organization": word(HOSPITAL), "choice": 1}


def _ballot(**changes: Any) -> SigningRequest:
    return replace(SigningRequest("CastBallot", BOARD, BALLOT, CONSORTIUM, VERA), **changes)


@dataclass
class Spy:
    """A key that notes what it is asked to sign."""

    inner: LoadedKey
    asked: list[TypedData] = field(default_factory=list)
    error: ConsiliumError | None = None
    place: str = "spy"

    @property
    def address(self) -> str:
        return self.inner.address

    def sign(self, data: TypedData) -> bytes:
        self.asked.append(data)
        if self.error is not None:
            raise self.error
        return self.inner.sign(data)


def _spied(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[KeyPurpose, Spy]:
    spies = {purpose: Spy(site.keyring.held(purpose)[0]) for purpose in KeyPurpose}  # type: ignore[arg-type]
    monkeypatch.setattr(site.keyring, "held", lambda purpose: (spies[purpose],))
    return spies


def _limited(site: Site, **limits: Any) -> Site:
    settings = SignerSettings(limits=Limits(**limits))
    site.configuration = replace(site.configuration, vote_signer=settings, site_signer=settings)
    return site


_NAMES = st.sampled_from(["ConsortiumRegistry", "DecisionBoard", "ConsentAnchor", AGENT_DOMAIN, "Permit", ""])
_PEOPLE = st.sampled_from([None, VERA, VERA, Person("stan", "Stan", frozenset({Role.STEWARD}))])
_CONTRACTS = st.sampled_from([None, *ADDRESSES.values(), "0x" + "99" * 20, "rubbish", ""])
_VALUES = st.one_of(
    st.binary(max_size=33),
    st.just(word(HOSPITAL)),
    st.integers(-1, 2**65),
    st.text(max_size=3),
    st.none(),
    st.booleans(),
)


def _mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 15).flatmap(lambda number: bad if number == 15 else good)


@st.composite
def _requests(draw: st.DrawFn) -> SigningRequest:
    """Requests that are mostly wrong in one place, and sometimes right."""
    primary = draw(st.sampled_from([*sorted(TYPES), "Permit", ""]))
    members = TYPES[primary].members if primary in TYPES else ()
    good = {"bytes32": word(HOSPITAL), "address": "0x" + "22" * 20, "string": "words", "bytes": b"\x01"}
    message: dict[str, Any] = {}
    for kind, name in members:
        one = good.get(kind.removesuffix("[]"), 1)
        value = [one] if kind.endswith("[]") else one
        message[name] = draw(_mostly(st.just(value), _VALUES))
    name = draw(_mostly(st.just(DOMAIN_OF.get(primary, "")), _NAMES))
    contract = draw(_mostly(st.just(ADDRESSES.get(name)), _CONTRACTS))
    domain = Domain(name, draw(_mostly(st.just(CHAIN_ID), st.just(1))), contract)
    consortium = draw(_mostly(st.just(CONSORTIUM), st.sampled_from([None, uuid.UUID(int=7)])))
    return SigningRequest(primary, domain, message, consortium, draw(_PEOPLE))


def _is_listed(site: Site, request: SigningRequest) -> bool:
    """Say by the list's own words, written anew here, whether the request may reach a key."""
    domain, message = request.domain, request.message
    pinned = site.pins.of(request.consortium) if request.consortium else {}
    off_chain = request.primary == "AgentRequest" and domain.name == AGENT_DOMAIN and domain.contract is None
    on_chain = domain.name == DOMAIN_OF.get(request.primary) and pinned.get(domain.name) == domain.contract is not None
    ours = all(message.get(name, word(HOSPITAL)) == word(HOSPITAL) for name in ("organization", "author"))
    approved = KEY_OF.get(request.primary) is KeyPurpose.SITE or request.person == VERA
    return domain.chain_id == CHAIN_ID and (off_chain or on_chain) and ours and approved


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=_requests())
def test_nothing_outside_the_list_ever_reaches_a_key(site: Site, request: SigningRequest) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        spies = _spied(site, monkeypatch)
        monkeypatch.setattr(site.keyring, "by_address", lambda purpose, address: None)
        site.configuration = replace(site.configuration, rules=Rules(signatures_per_minute=100_000))
        before = site.journal.entries(limit=1)
        try:
            site.signer.sign(request)
            outcome = "signed"
        except ConsiliumError:
            outcome = "refused"
        asked = [(purpose, data) for purpose, spy in spies.items() for data in spy.asked]

    assert site.journal.entries(limit=1)[0].outcome == outcome
    assert site.journal.entries(limit=1) != before
    if outcome == "refused":
        assert asked == []
    else:
        assert asked == [(KEY_OF[request.primary], TypedData(request.domain, request.primary, request.message))]
        assert _is_listed(site, request)
        assert request.primary != "RotateKey"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"types": ("Ballot",)}, "type_not_allowed"),
        ({"types": ()}, "type_not_allowed"),
        ({"contracts": (ADDRESSES["ConsortiumGovernor"],)}, "contract_not_allowed"),
        ({"contracts": ()}, "contract_not_allowed"),
    ],
)
def test_table_of_a_key_narrows_what_it_signs(
    site: Site, monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], reason: str
) -> None:
    spies = _spied(_limited(site, **limits), monkeypatch)

    with pytest.raises(PolicyRefusedError) as refusal:
        site.signer.sign(_ballot())

    entry = site.journal.entries(limit=1)[0]
    assert (refusal.value.reason, entry.outcome, entry.detail["reason"]) == (reason, "refused", reason)
    assert spies[KeyPurpose.VOTE].asked == []
    assert "decision" not in json.dumps(dict(entry.detail))


def test_list_that_names_type_and_contract_lets_them_through(site: Site) -> None:
    _limited(site, types=("CastBallot",), contracts=(BOARD.contract,))

    assert site.signer.sign(_ballot()).address == site.signer.address(KeyPurpose.VOTE)


def test_lower_count_of_a_key_holds(site: Site) -> None:
    _limited(site, signatures_per_minute=1)
    site.signer.sign(_ballot())

    with pytest.raises(PolicyRefusedError, match="More than 1 signatures"):
        site.signer.sign(_ballot())


def test_count_is_not_emptied_by_a_restart(new_site: Callable[..., Site]) -> None:
    clock = SettableClock()
    site = new_site(rules=Rules(signatures_per_minute=2), clock=clock)
    site.signer.sign(_ballot())
    again = reopen(site.folder, clock=clock)
    again.signer.sign(_ballot())

    for one in (again, site):
        with pytest.raises(PolicyRefusedError) as refusal:
            one.signer.sign(_ballot())
        assert refusal.value.reason == "too_many"

    clock.pass_seconds(61)
    again.signer.sign(_ballot())
    again.journal.close()


def test_signatures_under_way_are_counted_too(new_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    site = new_site(rules=Rules(signatures_per_minute=1))
    spies, waiting, go = _spied(site, monkeypatch), threading.Event(), threading.Event()
    signed = spies[KeyPurpose.VOTE].inner.sign

    def slowly(data: TypedData) -> bytes:
        waiting.set()
        assert go.wait(10)
        return signed(data)

    monkeypatch.setattr(spies[KeyPurpose.VOTE], "sign", slowly)
    first = threading.Thread(target=site.signer.sign, args=(_ballot(),))
    first.start()
    assert waiting.wait(10)
    try:
        with pytest.raises(PolicyRefusedError, match="More than 1"):
            site.signer.sign(_ballot())
    finally:
        go.set()
        first.join()
    assert [entry.outcome for entry in site.journal.entries(kinds=("signature",))] == ["signed", "refused"]


def test_ballot_of_another_voter_than_the_key_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    spies = _spied(site, monkeypatch)
    domain = Domain("ConsortiumGovernor", CHAIN_ID, ADDRESSES["ConsortiumGovernor"])
    message = {"proposalId": 7, "support": 1, "voter": "0x" + "22" * 20, "nonce": 0}

    with pytest.raises(PolicyRefusedError) as refusal:
        site.signer.sign(SigningRequest("Ballot", domain, message, CONSORTIUM, VERA))

    assert refusal.value.reason == "other_voter"
    assert spies[KeyPurpose.VOTE].asked == []


def test_rotation_to_a_key_that_is_not_ours_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    domain = Domain("ConsortiumRegistry", CHAIN_ID, ADDRESSES["ConsortiumRegistry"])
    message = {"organization": word(HOSPITAL), "purpose": 1, "newKey": "0x" + "22" * 20, "nonce": 0, "deadline": 9}

    with pytest.raises(PolicyRefusedError) as refusal:
        site.signer.sign(SigningRequest("RotateKey", domain, message, CONSORTIUM, VERA))

    assert refusal.value.reason == "foreign_key"


@pytest.mark.parametrize("error", [SignerAwayError("away"), SignerNotTrustedError("not it")])
def test_signer_that_fails_is_in_the_journal_and_nothing_is_signed(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: ConsiliumError
) -> None:
    _spied(site, monkeypatch)[KeyPurpose.VOTE].error = error

    with pytest.raises(type(error)):
        site.signer.sign(_ballot())

    entry = site.journal.entries(limit=1)[0]
    assert (entry.outcome, entry.detail["reason"], entry.digest) == ("failed", error.code, "")


def test_what_a_person_signs_stands_in_words_beside_the_signature(site: Site) -> None:
    site.signer.sign(_ballot())

    sentence = site.journal.entries(limit=1)[0].detail["sentence"]
    assert sentence.startswith("Hospital 6.5 answers yes in the decision 0x0909")


def test_each_keystore_is_opened_once_a_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    original = load_keystore

    def counted(path: Path, purpose: KeyPurpose, passphrase: str) -> LoadedKey:
        opened.append(path)
        return original(path, purpose, passphrase)

    monkeypatch.setattr("agent.signing.keyring.load_keystore", counted)
    for _ in range(5):
        site.signer.sign(_ballot())

    assert opened == [site.folder.keystore("vote")]


def test_key_shows_its_secret_nowhere_and_is_not_copied(site: Site) -> None:
    key = site.keyring.held(KeyPurpose.VOTE)[0]
    assert isinstance(key, LoadedKey)
    secret = key._secret.hex()

    shown = repr(key) + str(key) + repr(site.keyring) + repr(site.signer) + repr(site.keyring.held(KeyPurpose.VOTE))
    assert secret not in shown
    assert not hasattr(key, "__dict__")
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied"):
            copied(key)


def test_key_file_that_others_can_read_is_not_opened(site: Site) -> None:
    site.folder.keystore("vote").chmod(0o640)

    with pytest.raises(ConsiliumError, match="chmod 600"):
        site.signer.sign(_ballot())
    assert site.journal.entries(kinds=("signature",)) == []


def test_missing_key_is_said_with_its_remedy(site: Site) -> None:
    site.folder.keystore("vote").unlink()

    with pytest.raises(KeystoreError, match="Restore it from a copy, or name a signer"):
        site.signer.sign(_ballot())


def _remote(server: SignerServer, **changes: Any) -> Remote:
    key = server.key()
    files = key.channel.certificates
    paths = (str(files.certificate), str(files.key), str(files.authority))
    return replace(Remote(server.url, key.identifier, *paths, timeout_seconds=2), **changes)


def test_vote_key_behind_web3signer_signs_after_the_same_policy(site: Site, tmp_path: Path) -> None:
    server = SignerServer(Authority(tmp_path / "pki"))
    site.folder.keystore("vote").unlink()
    with serving(server):
        site.configuration = replace(site.configuration, vote_signer=SignerSettings(_remote(server)))
        signed = site.signer.sign(_ballot())
        with pytest.raises(PolicyRefusedError):
            site.signer.sign(_ballot(person=None))

    assert signed.address == site.keyring.held(KeyPurpose.VOTE)[0].address
    assert len(server.asked) == 1
    assert site.journal.entries(kinds=("signature",))[1].detail["key"] == signed.address


_TABLE = {
    "kind": '"web3signer"',
    "url": '"https://signer.example:9000"',
    "identifier": f'"{public_key(bytes([7]) * 32)}"',
    "certificate": '"signer/client.pem"',
    "key": '"signer/client.key"',
    "authority": '"signer/authority.pem"',
}


def _toml(site: Site, **changes: str | None) -> bytes:
    lines = [f"{key} = {value}" for key, value in (_TABLE | changes).items() if value is not None]
    return "\n".join([site.configuration.to_toml(), "[signer.vote]", *lines, ""]).encode()


def test_table_of_a_signer_is_read_and_written_again(site: Site) -> None:
    given = _toml(site, types='["CastBallot"]', signatures_per_minute="5", interface='"json-rpc"', timeout_seconds="9")

    read = parse_configuration(given)

    assert read.vote_signer.remote is not None
    assert (read.vote_signer.remote.interface, read.vote_signer.remote.timeout_seconds) == (Interface.JSON_RPC, 9)
    assert read.vote_signer.limits == Limits(types=("CastBallot",), signatures_per_minute=5)
    assert read.site_signer == SignerSettings()
    assert parse_configuration(read.to_toml().encode()) == read


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": '"hsm"'}, "vote.kind must be keystore or web3signer"),
        ({"kind": '"keystore"'}, "means nothing for a key of the kind keystore"),
        ({"url": '"http://signer.example:9000"'}, "must be https"),
        ({"url": '"https://user@signer.example"'}, "must be https"),
        ({"url": None, "authority": None}, "vote.url, signer.vote.authority is missing"),
        ({"identifier": '"0x1234"'}, "128 hexadecimal digits"),
        ({"interface": '"grpc"'}, "rest or json-rpc"),
        ({"timeout_seconds": "10"}, "within 1 and 9"),
        ({"timeout_seconds": '"5"'}, "of type int"),
        ({"types": '["Permit"]'}, "no message Permit"),
        ({"types": "[1]"}, "list of texts"),
        ({"contracts": '["0x12"]'}, "40 hexadecimal digits"),
        ({"signatures_per_minute": "0"}, "within 1 and"),
        ({"password": '"x"'}, "vote.password means nothing"),
    ],
)
def test_wrong_table_of_a_signer_is_refused_by_name(site: Site, changes: dict[str, str | None], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse_configuration(_toml(site, **changes))


def test_of_two_keys_the_listed_one_signs_and_a_node_that_is_away_stops_only_what_is_for_the_chain(site: Site) -> None:
    chain = site.chain
    assert isinstance(chain, ChainInMemory)
    old = site.signer.address(KeyPurpose.SITE)
    new = site.rotation.prepare(KeyPurpose.SITE, person=VERA)
    session = {**dict.fromkeys(("method_path", "body", "nonce"), bytes(32)), "organization": word(HOSPITAL), "time": 1}
    request = SigningRequest("AgentRequest", Domain(AGENT_DOMAIN, CHAIN_ID), session)

    for listed, expected in ((old, old), (new, new), ("0x" + "12" * 20, old)):
        chain.set("ConsortiumRegistry", keyOf=listed)
        assert site.signer.address(KeyPurpose.SITE, CONSORTIUM) == site.signer.sign(request).address == expected
    del chain.views["ConsortiumRegistry", "keyOf"]

    assert site.signer.sign(request).address == old
    with pytest.raises(ConsiliumError):
        site.signer.address(KeyPurpose.SITE, CONSORTIUM)
