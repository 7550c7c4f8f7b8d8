"""The key behind Web3Signer: as its documentation has it, and everything that a signer may do wrong."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consortium.kernel.eip712 import AGENT_DOMAIN, DOMAIN_OF, TYPES, Domain
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.secp256k1 import address_of, recover, sign_digest
from contracts.signing.channel import MAX_ANSWER_BYTES, Certificates
from contracts.signing.errors import SignerAwayError, SignerFileError, SignerNotTrustedError, SignerRefusedError
from contracts.signing.keys import TypedData, checked_signature
from contracts.signing.web3signer import Interface, Web3SignerKey, key_identifier, public_keys, reload_keys
from tests.unit.agent.worlds import ADDRESSES, CHAIN_ID, HOSPITAL, word
from tests.unit.contracts.signing.certificates import Authority
from tests.unit.contracts.signing.signer_servers import ORDER, Handler, SignerServer, public_key, serving

BALLOT = TypedData(
    Domain("DecisionBoard", CHAIN_ID, ADDRESSES["DecisionBoard"]),
    "CastBallot",
    {"decision": bytes([1]) * 32, "subject": bytes([2]) * 32, "organization": word(HOSPITAL), "choice": 1},
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
def server(authority: Authority) -> Iterator[SignerServer]:
    made = SignerServer(authority)
    with serving(made):
        yield made


def _sign(key: Web3SignerKey, data: TypedData = BALLOT) -> bytes:
    return checked_signature(key.sign(data), data.digest, key.address)


def test_signature_by_the_documented_rest_request_is_this_keys(server: SignerServer) -> None:
    key = server.key()

    signature = _sign(key)

    assert recover(BALLOT.digest, signature) == key.address == address_of(server.secrets[0])
    path = f"/api/v1/eth1/sign/{public_key(server.secrets[0])}"
    assert server.asked == [("POST", path, {"data": "0x" + BALLOT.encoding.hex()})]


@pytest.mark.parametrize("primary", ["CastBallot", "OpenDecision", "AgentRequest", "ProposeAct"])
def test_signature_by_typed_data_is_over_the_same_digest(server: SignerServer, primary: str) -> None:
    data = _sample(primary)

    signature = _sign(server.key(interface=Interface.JSON_RPC), data)

    assert recover(data.digest, signature) == address_of(server.secrets[0])
    ((method, path, question),) = server.asked
    assert (method, path, question["method"]) == ("POST", "/", "eth_signTypedData")
    assert question["params"][0] == address_of(server.secrets[0])


def test_list_of_keys_upcheck_and_reload_are_asked_as_documented(server: SignerServer) -> None:
    key = server.key()

    assert key.is_loaded()
    reload_keys(key.channel)
    assert not replace(key, identifier="0x" + "11" * 64).is_loaded()

    assert public_keys(key.channel) == [key.identifier]
    paths = {(method, path) for method, path, _body in server.asked}
    assert paths == {("GET", "/upcheck"), ("GET", "/api/v1/eth1/publicKeys"), ("POST", "/reload")}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, SignerRefusedError),
        (403, SignerRefusedError),
        (404, SignerRefusedError),
        (412, SignerRefusedError),
        (204, SignerRefusedError),
        (429, SignerAwayError),
        (500, SignerAwayError),
        (503, SignerAwayError),
    ],
)
def test_each_status_has_its_meaning(server: SignerServer, status: int, error: type[ConsiliumError]) -> None:
    server.status = status

    with pytest.raises(error, match=str(status)):
        _sign(server.key())


def test_key_that_the_signer_has_not_loaded_is_said(server: SignerServer) -> None:
    with pytest.raises(SignerRefusedError, match="no key of that name"):
        _sign(replace(server.key(), identifier="0x" + "11" * 64))


def test_recovery_id_of_some_devices_becomes_the_contracts_v(server: SignerServer) -> None:
    server.change = lambda signature: signature[:-1] + bytes([signature[-1] - 27])

    assert _sign(server.key())[-1] in (27, 28)


def _other_key(_signature: bytes) -> bytes:
    return sign_digest(BALLOT.digest, bytes([9]) * 32)


def _other_digest(_signature: bytes) -> bytes:
    return sign_digest(bytes([3]) * 32, bytes([7]) * 32)


def _high_s(signature: bytes) -> bytes:
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "change",
    [
        _other_key,
        _other_digest,
        _high_s,
        lambda signature: signature[:-1] + bytes([55 - signature[-1]]),
        lambda signature: signature[:-1] + b"\x1d",
        lambda signature: signature[:64],
        lambda signature: signature + b"\x00",
        lambda _signature: bytes(65),
        lambda _signature: b"",
    ],
    ids=["other key", "other digest", "high s", "other v", "v 29", "short", "long", "zeros", "empty"],
)
@pytest.mark.parametrize("interface", list(Interface))
def test_signature_that_is_not_this_keys_over_these_bytes_is_not_used(
    server: SignerServer, change: Any, interface: Interface
) -> None:
    server.change = change

    with pytest.raises(SignerNotTrustedError):
        _sign(server.key(interface=interface))


def _huge(handler: Handler) -> None:
    handler.answer(200, b"0x" + b"a" * MAX_ANSWER_BYTES)


def _half(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "132")
    handler.end_headers()
    handler.wfile.write(b"0x12")


def _elsewhere(handler: Handler) -> None:
    handler.answer(307, b"", Location="https://127.0.0.1:1/api/v1/eth1/sign/x")


def _silent(handler: Handler) -> None:
    handler.owner.released.wait(10)


def _dripping(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "132")
    handler.end_headers()
    while not handler.owner.released.wait(0.05):
        handler.wfile.write(b"0")


def _packed(handler: Handler) -> None:
    handler.answer(200, b"\x1f\x8b" + b"\x00" * 20, **{"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("misbehave", "error", "words"),
    [
        (_huge, SignerNotTrustedError, "larger than any"),
        (_half, SignerAwayError, "does not answer"),
        (_elsewhere, SignerNotTrustedError, "elsewhere"),
        (_silent, SignerAwayError, "within 1 s"),
        (_dripping, SignerAwayError, "within 1 s"),
        (_packed, SignerNotTrustedError, "no signature"),
        (lambda handler: None, SignerAwayError, "does not answer"),
        (lambda handler: handler.answer(200, b"<html>signed</html>"), SignerNotTrustedError, "no signature"),
        (lambda handler: handler.answer(200, b"\xff\xfe"), SignerNotTrustedError, "no signature"),
    ],
    ids=["huge", "half", "redirect", "silent", "dripping", "packed", "hangs up", "page", "bytes"],
)
def test_answer_that_is_none_is_not_used(
    server: SignerServer, misbehave: Any, error: type[ConsiliumError], words: str
) -> None:
    server.misbehave = misbehave
    key = server.key()
    impatient = replace(key, channel=replace(key.channel, timeout_seconds=1.0))

    with pytest.raises(error, match=words):
        _sign(impatient)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"id": 2, "result": "0x12"}',
        b'{"id": 1, "error": {"code": -32000, "message": "<b>"}}',
        b"{",
        b"[" * 100_000,
    ],
)
def test_json_rpc_answer_that_is_none_is_not_used(server: SignerServer, content: bytes) -> None:
    server.misbehave = lambda handler: handler.answer(200, content)

    with pytest.raises((SignerNotTrustedError, SignerRefusedError)) as refusal:
        _sign(server.key(interface=Interface.JSON_RPC))
    assert "<b>" not in refusal.value.message


def test_signer_of_another_authority_is_not_asked(server: SignerServer, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other", "stranger")

    with pytest.raises(SignerNotTrustedError, match="does not hold"):
        _sign(server.key(authority=stranger.path))
    assert server.asked == []


@pytest.mark.parametrize(
    ("options", "words"),
    [({"ends": timedelta(hours=-1)}, "expired"), ({"address": "127.0.0.9"}, "not valid for"), ({}, "does not hold")],
    ids=["expired", "of another host", "a client's"],
)
def test_certificate_that_does_not_fit_is_not_asked(authority: Authority, options: Any, words: str) -> None:
    made = SignerServer(authority)
    usage = "server" if options else "client"
    shown = authority.issue("signer", usage, **options)
    with serving(made, certificate=shown), pytest.raises(SignerNotTrustedError, match=words):
        _sign(made.key())
    assert made.asked == []


def test_plain_http_is_not_spoken(authority: Authority) -> None:
    made = SignerServer(authority)
    with serving(made, plain=True), pytest.raises((SignerNotTrustedError, SignerAwayError)):
        _sign(made.key())
    assert made.asked == []


def test_client_that_the_signer_does_not_know_gets_nothing(server: SignerServer, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other", "stranger")

    with pytest.raises((SignerAwayError, SignerNotTrustedError)):
        _sign(server.key(client=stranger.issue("agent", "client")))
    assert server.asked == []


def test_proxies_and_key_logs_of_the_environment_are_ignored(
    server: SignerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keylog"))

    _sign(server.key())

    assert not (tmp_path / "keylog").exists()


def test_renewed_certificate_holds_without_a_restart(server: SignerServer, authority: Authority) -> None:
    expired = authority.issue("agent", "client", ends=timedelta(hours=-1))
    key = server.key(client=expired)
    with pytest.raises((SignerAwayError, SignerNotTrustedError)):
        _sign(key)

    authority.issue("agent", "client")

    assert recover(BALLOT.digest, _sign(key)) == key.address


@pytest.mark.parametrize(
    ("name", "mode", "words"), [("agent.key", 0o640, "chmod 600"), ("authority.pem", 0o666, "go-w")]
)
def test_file_within_others_reach_is_refused(
    server: SignerServer, authority: Authority, name: str, mode: int, words: str
) -> None:
    key = server.key()
    (authority.folder / name).chmod(mode)

    with pytest.raises(SignerFileError, match=words):
        _sign(key)
    assert server.asked == []


@pytest.mark.parametrize("wrong", ["certificate", "key", "authority"])
def test_certificates_that_are_none_are_named(authority: Authority, wrong: str, tmp_path: Path) -> None:
    certificate, secret = authority.issue("agent", "client")
    paths = {"certificate": certificate, "key": secret, "authority": authority.path}
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("no PEM")
    rubbish.chmod(0o600)

    with pytest.raises(SignerNotTrustedError, match="cannot be used"):
        Certificates(**paths | {wrong: rubbish}).context()
    with pytest.raises(SignerFileError, match="cannot be read"):
        Certificates(**paths | {wrong: tmp_path / "missing"}).context()


def test_nobody_listening_is_said_to_be_away(server: SignerServer) -> None:
    with pytest.raises(SignerAwayError, match="does not answer"):
        _sign(server.key(url="https://127.0.0.1:1"))


def test_public_key_is_taken_in_the_spellings_there_are() -> None:
    digits = "ab" * 64

    assert {key_identifier(text) for text in (digits, f"0x{digits}", f"0x04{digits}", f" {digits.upper()}\n")} == {
        f"0x{digits}"
    }
    for wrong in ("", "0x" + "ab" * 20, digits[:-1], digits + "gg", "0x02" + "ab" * 32):
        with pytest.raises(InvalidInputError):
            key_identifier(wrong)


def _sample(primary: str) -> TypedData:
    values: dict[str, Any] = {"bytes": b"\x01\x02", "string": 'a "quoted" text', "address": "0x" + "22" * 20}
    message: dict[str, Any] = {}
    for kind, name in TYPES[primary].members:
        one = values.get(kind.removesuffix("[]"), bytes([5]) * 32 if kind.startswith("bytes32") else 200)
        message[name] = [one, one] if kind.endswith("[]") else one
    name = DOMAIN_OF[primary]
    return TypedData(Domain(name, CHAIN_ID, None if name == AGENT_DOMAIN else "0x" + "33" * 20), primary, message)
