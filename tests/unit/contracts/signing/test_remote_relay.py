"""A relay behind Web3Signer: the bytes it gives are those that were asked for, or there are none."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from eth_account import Account

from consortium.kernel.digests import keccak256
from consortium.kernel.secp256k1 import address_of, sign_digest
from contracts.relay import Relay, RelayKeyError, RemoteRelay, create_relay, relays_from_settings, remote_relays
from contracts.signing.errors import (
    SignerAwayError,
    SignerError,
    SignerFileError,
    SignerNotTrustedError,
    SignerRefusedError,
)
from contracts.transactions import FreeTransaction
from tests.unit.contracts.signing.certificates import Authority
from tests.unit.contracts.signing.signer_servers import ORDER, Handler, SignerServer, public_key, serving

CHAIN_ID = 417_001
TO = "0x" + "11" * 20
ASKED = FreeTransaction(TO, b"\x01\x02", 7, 50_000, CHAIN_ID)
SECRET = bytes([7]) * 32


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
def server(authority: Authority) -> Iterator[SignerServer]:
    made = SignerServer(authority)
    with serving(made):
        yield made


def impatient(server: SignerServer, **options: Any) -> RemoteRelay:
    key = server.key(**options)
    return RemoteRelay(replace(key, channel=replace(key.channel, timeout_seconds=1.0)))


@pytest.mark.parametrize("to", [TO, None])
@pytest.mark.parametrize("nonce", [0, 127, 128, 65_536])
@pytest.mark.parametrize("data", [b"", b"\x00", b"\x80" * 60, bytes(40_000)])
def test_the_bytes_are_those_that_a_key_of_our_own_gives(server, to, nonce, data):
    relay = RemoteRelay(server.key())
    call: dict[str, Any] = {"to": to, "data": data, "nonce": nonce, "gas": 90_000, "chain_id": CHAIN_ID}

    signed = relay.sign(**call)

    assert signed == Relay(Account.from_key(SECRET)).sign(**call)
    assert Account.recover_transaction(signed.raw) == relay.address == address_of(SECRET)
    payload = "0x" + FreeTransaction(**call).payload.hex()
    assert server.asked == [("POST", f"/api/v1/eth1/sign/{public_key(SECRET)}", {"data": payload})]


def test_a_batch_is_signed_in_its_order_over_few_connections(server):
    wanted = [replace(ASKED, nonce=nonce) for nonce in range(100)]

    signing = RemoteRelay(server.key()).sign_many(wanted)

    assert signing.fault is None
    assert signing == Relay(Account.from_key(SECRET)).sign_many(wanted)
    assert len(server.asked) == 100
    assert server.connections <= 8


def test_nothing_is_asked_before_something_is_to_be_signed(server):
    relay = RemoteRelay(server.key())

    assert relay.address == address_of(SECRET)
    assert relay.place == "web3signer"
    assert repr(relay) == f"RemoteRelay({relay.address})"
    assert server.asked == []


def _high_s(signature: bytes) -> bytes:
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "change",
    [
        lambda _: sign_digest(keccak256(ASKED.payload), bytes([9]) * 32),
        _high_s,
        lambda signature: signature[:-1] + bytes([55 - signature[-1]]),
        lambda signature: signature[:64],
        lambda signature: signature + b"\x00",
        lambda _: bytes(65),
        lambda _: b"",
    ],
    ids=["other key", "high s", "other v", "short", "long", "zeros", "empty"],
)
def test_a_signature_that_is_not_the_accounts_is_no_transaction(server, change):
    server.change = change

    with pytest.raises(SignerNotTrustedError):
        RemoteRelay(server.key()).sign(to=TO, data=ASKED.data, nonce=7, gas=50_000, chain_id=CHAIN_ID)


@pytest.mark.parametrize(
    "tampered",
    [
        {"to": "0x" + "22" * 20},
        {"to": None},
        {"data": b"\x01\x03"},
        {"data": b""},
        {"nonce": 8},
        {"gas": 50_001},
        {"chain_id": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_signature_over_another_transaction_is_no_transaction(server, tampered):
    server.exchange = lambda _: replace(ASKED, **tampered).payload

    signing = RemoteRelay(server.key()).sign_many([ASKED])

    assert signing.signed == []
    assert isinstance(signing.fault, SignerNotTrustedError)


def test_signatures_of_one_batch_cannot_be_exchanged_for_each_other(server):
    wanted = [replace(ASKED, nonce=nonce) for nonce in range(4)]
    payloads = [one.payload for one in wanted]
    server.exchange = lambda payload: payloads[payloads.index(payload) ^ 1]

    signing = RemoteRelay(server.key()).sign_many(wanted)

    assert signing.signed == []
    assert isinstance(signing.fault, SignerNotTrustedError)


def _hang_up(handler: Handler) -> None:
    handler.close_connection = True


def _silent(handler: Handler) -> None:
    handler.owner.released.wait(10)


@pytest.mark.parametrize(
    ("misbehave", "error", "retryable"),
    [
        (_silent, SignerAwayError, True),
        (_hang_up, SignerAwayError, True),
        (lambda handler: handler.answer(500, b""), SignerAwayError, True),
        (lambda handler: handler.answer(503, b""), SignerAwayError, True),
        (lambda handler: handler.answer(429, b""), SignerAwayError, True),
        (lambda handler: handler.answer(404, b""), SignerRefusedError, False),
        (lambda handler: handler.answer(403, b""), SignerRefusedError, False),
        (lambda handler: handler.answer(200, b"<html>"), SignerNotTrustedError, False),
        (lambda handler: handler.answer(307, b"", Location="https://127.0.0.1:1/"), SignerNotTrustedError, False),
    ],
    ids=["hangs", "hangs up", "500", "503", "429", "404", "403", "page", "redirect"],
)
def test_what_was_signed_before_a_fault_is_kept_in_order_and_the_fault_is_named(server, misbehave, error, retryable):
    server.misbehave, server.patience = misbehave, 20
    wanted = [replace(ASKED, nonce=nonce) for nonce in range(40)]

    signing = impatient(server).sign_many(wanted)

    assert signing.fault is not None
    assert type(signing.fault) is error
    assert signing.fault.retryable is retryable
    expected = Relay(Account.from_key(SECRET)).sign_many(wanted).signed
    assert signing.signed == expected[: len(signing.signed)]
    assert len(signing.signed) <= 20
    # No more than what was under way is asked after the fault.
    assert len(server.asked) <= 29


def test_everything_before_the_first_wrong_signature_is_kept(server):
    wanted = [replace(ASKED, nonce=nonce) for nonce in range(30)]
    wrong = wanted[20].payload
    server.exchange = lambda payload: b"" if payload == wrong else payload

    signing = RemoteRelay(server.key()).sign_many(wanted)

    assert isinstance(signing.fault, SignerNotTrustedError)
    assert signing.signed == Relay(Account.from_key(SECRET)).sign_many(wanted[:20]).signed


def test_a_signer_that_is_not_there_is_away(server):
    signing = RemoteRelay(server.key(url="https://127.0.0.1:1")).sign_many([ASKED, ASKED])

    assert (signing.signed, type(signing.fault)) == ([], SignerAwayError)


def test_a_signer_of_another_authority_is_not_asked(server, tmp_path):
    stranger = Authority(tmp_path / "other", "stranger")

    signing = RemoteRelay(server.key(authority=stranger.path)).sign_many([ASKED])

    assert (signing.signed, type(signing.fault)) == ([], SignerNotTrustedError)
    assert server.asked == []


def test_a_signer_that_does_not_know_us_signs_nothing(server, tmp_path):
    stranger = Authority(tmp_path / "other", "stranger")

    signing = RemoteRelay(server.key(client=stranger.issue("relay", "client"))).sign_many([ASKED])

    assert signing.signed == []
    assert isinstance(signing.fault, SignerError)
    assert server.asked == []


def test_certificates_that_others_can_reach_are_not_used(server, authority):
    relay = RemoteRelay(server.key())
    (authority.folder / "agent.key").chmod(0o644)

    signing = relay.sign_many([ASKED])

    assert (signing.signed, type(signing.fault)) == ([], SignerFileError)
    assert server.asked == []


@pytest.fixture
def configured(settings, server, authority, tmp_path):
    certificate, key = authority.issue("relay", "client")
    settings.RELAY_KEY_FILE = ""
    settings.RELAY_SIGNER_URL = server.url
    settings.RELAY_SIGNER_KEYS = [public_key(SECRET)]
    settings.RELAY_SIGNER_CERTIFICATE_FILE = str(certificate)
    settings.RELAY_SIGNER_KEY_FILE = str(key)
    settings.RELAY_SIGNER_AUTHORITY_FILE = str(authority.path)
    settings.RELAY_SIGNER_TIMEOUT_SECONDS = 5
    relays_from_settings.cache_clear()
    yield settings
    relays_from_settings.cache_clear()


def test_the_settings_name_a_signer_and_its_keys(configured, server):
    server.secrets.append(bytes([8]) * 32)
    configured.RELAY_SIGNER_KEYS = [public_key(secret) for secret in server.secrets]

    relays = relays_from_settings()

    assert [relay.address for relay in relays] == [address_of(secret) for secret in server.secrets]
    assert [len(relay.sign_many([ASKED]).signed) for relay in relays] == [1, 1]


def test_keys_behind_a_signer_come_before_those_of_files(configured, tmp_path):
    made = create_relay(tmp_path / "relay.key")
    configured.RELAY_KEY_FILE = str(tmp_path / "relay.key")

    assert [relay.address for relay in relays_from_settings()] == [address_of(SECRET), made.address]


def test_one_key_in_a_file_and_behind_a_signer_is_refused(configured, tmp_path):
    path = tmp_path / "relay.key"
    path.write_text("0x" + SECRET.hex())
    path.chmod(0o600)
    configured.RELAY_KEY_FILE = str(path)

    with pytest.raises(RelayKeyError, match="same key"):
        relays_from_settings()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RELAY_SIGNER_URL", "http://signer.example:9000", "RELAY_SIGNER_URL: It must be https"),
        ("RELAY_SIGNER_URL", "https://somebody@signer.example", "RELAY_SIGNER_URL: It must be https"),
        ("RELAY_SIGNER_URL", "", "RELAY_SIGNER_KEYS names keys"),
        ("RELAY_SIGNER_KEYS", [], "RELAY_SIGNER_KEYS is not set"),
        ("RELAY_SIGNER_KEYS", [TO], "RELAY_SIGNER_KEYS: .*128"),
        ("RELAY_SIGNER_CERTIFICATE_FILE", "", "RELAY_SIGNER_CERTIFICATE_FILE is not set"),
        ("RELAY_SIGNER_KEY_FILE", "", "RELAY_SIGNER_KEY_FILE is not set"),
        ("RELAY_SIGNER_AUTHORITY_FILE", "", "RELAY_SIGNER_AUTHORITY_FILE is not set"),
        ("RELAY_SIGNER_TIMEOUT_SECONDS", 0, "within 1 and 30"),
        ("RELAY_SIGNER_TIMEOUT_SECONDS", 31, "within 1 and 30"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(configured, server, name, value, words):
    setattr(configured, name, value)

    with pytest.raises(RelayKeyError, match=words):
        remote_relays()
    assert server.asked == []


def test_without_any_key_the_settings_are_named(configured):
    configured.RELAY_SIGNER_URL, configured.RELAY_SIGNER_KEYS = "", []

    with pytest.raises(RelayKeyError, match=r"RELAY_KEY_FILE is not set.*RELAY_SIGNER_URL"):
        relays_from_settings()


def test_the_command_names_the_keys_and_says_whether_each_signs(configured, server, tmp_path):
    made = create_relay(tmp_path / "relay.key")
    configured.RELAY_KEY_FILE = str(tmp_path / "relay.key")
    printed = io.StringIO()

    call_command("relay", "show", stdout=printed)
    call_command("relay", "check", stdout=printed)

    address = address_of(SECRET)
    assert printed.getvalue().splitlines() == [
        address,
        made.address,
        f"{address} (web3signer) signs",
        f"{made.address} (keystore) signs",
    ]
    ((_, _, body),) = server.asked
    assert bytes.fromhex(body["data"][2:])[:1] not in (b"\x01", b"\x02", b"\x03", b"\x04")


def test_the_command_says_why_a_key_does_not_sign(configured, server):
    server.misbehave = lambda handler: handler.answer(404, b"")
    printed = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("relay", "check", stdout=printed)

    assert ended.value.code == 1
    assert "does not sign: The signer answered 404" in printed.getvalue()
