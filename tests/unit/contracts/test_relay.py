"""The relay's key: made once, private, opened or refused with a remedy; what it signs costs nothing."""

import json

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from consortium.kernel.digests import keccak256
from contracts.relay import (
    Relay,
    RelayKeyError,
    create_relay,
    load_relay,
    relay_from_settings,
    relays_from_settings,
)


def test_a_plain_key_is_made_private_and_opened_again(tmp_path):
    path = tmp_path / "relay.key"
    made = create_relay(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_relay(path).address == made.address


def test_a_keystore_opens_with_its_pass_phrase_alone(tmp_path):
    path = tmp_path / "relay.json"
    made = create_relay(path, passphrase="a long pass phrase")
    assert json.loads(path.read_text())["version"] == 3
    assert load_relay(path, passphrase="a long pass phrase").address == made.address
    with pytest.raises(RelayKeyError, match="pass phrase"):
        load_relay(path, passphrase="another")
    with pytest.raises(RelayKeyError, match="RELAY_PASSPHRASE_FILE"):
        load_relay(path)


def test_a_key_that_is_there_is_never_overwritten(tmp_path):
    path = tmp_path / "relay.key"
    made = create_relay(path)
    with pytest.raises(RelayKeyError, match="is kept"):
        create_relay(path)
    assert load_relay(path).address == made.address


def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "relay.key"
    create_relay(path)
    path.chmod(0o640)
    with pytest.raises(RelayKeyError, match="chmod 600"):
        load_relay(path)


@pytest.mark.parametrize("content", ["", "no key", "0x1234", "{", "x" * 20_000])
def test_a_file_without_a_key_is_refused(tmp_path, content):
    path = tmp_path / "relay.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(RelayKeyError):
        load_relay(path, passphrase="phrase")


def test_a_missing_key_names_the_remedy(tmp_path):
    with pytest.raises(RelayKeyError, match=r"manage\.py relay create"):
        load_relay(tmp_path / "none")


def test_the_key_does_not_show_in_the_relays_text(tmp_path):
    account = Account.create()
    assert bytes(account.key).hex() not in repr(Relay(account))


def test_a_signed_transaction_is_free_and_names_its_chain(tmp_path):
    relay = create_relay(tmp_path / "relay.key")
    signed = relay.sign(to="0x" + "11" * 20, data=b"\x01", nonce=7, gas=50_000, chain_id=417_001)

    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"], fields["value"]) == (0, 0, 0)
    assert (fields["chainId"], fields["nonce"], fields["gas"]) == (417_001, 7, 50_000)
    assert Account.recover_transaction(signed.raw) == relay.address
    assert signed.hash == keccak256(signed.raw)


@pytest.mark.parametrize("to", ["0x" + "11" * 20, None])
@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 65_536])
@pytest.mark.parametrize("data", [b"", b"\x00", b"\x7f", b"\x80" * 60, bytes(70_000)])
def test_the_signed_bytes_are_those_of_the_reference(to, nonce, data):
    account = Account.create()
    fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "value": 0}
    about = {"type": 2, "chainId": 417_001, "nonce": nonce, "gas": 90_000, "data": data} | ({"to": to} if to else {})

    signed = Relay(account).sign(to=to, data=data, nonce=nonce, gas=90_000, chain_id=417_001)
    assert signed.raw == bytes(account.sign_transaction(about | fees).raw_transaction)


def test_several_files_are_several_relays_and_none_twice(settings, tmp_path):
    settings.RELAY_KEY_FILE = f"{tmp_path}/one.key , {tmp_path}/two.key,"
    made = [create_relay(tmp_path / name) for name in ("one.key", "two.key")]
    relays_from_settings.cache_clear()
    assert [relay.address for relay in relays_from_settings()] == [relay.address for relay in made]
    assert relay_from_settings().address == made[0].address

    (tmp_path / "two.key").write_bytes((tmp_path / "one.key").read_bytes())
    relays_from_settings.cache_clear()
    with pytest.raises(RelayKeyError, match="same key"):
        relays_from_settings()
