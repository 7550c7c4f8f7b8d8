"""Tokens from a file and of our own making, and a node that checks them."""

import logging
import os
import re
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from consortium.embedded.layout import project_root
from contracts.errors import ChainAccessRefusedError, ChainInternalError, TokenExpiredError
from contracts.gateway import Gateway
from contracts.rpc.tokens import (
    LIFETIME_SECONDS,
    READING,
    RENEW_SECONDS,
    SENDING,
    WATCHING,
    FileToken,
    NoToken,
    SignedToken,
    token_source,
    token_sources,
)
from tests.besu.access import Tokens
from tests.besu.exchange import Reply
from tests.besu.node import Node
from tests.besu.recordings import CHAIN_ID
from tests.besu.server import serve


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65_537, 2_048)


@pytest.fixture
def key_file(tmp_path: Path, key: RSAPrivateKey) -> Path:
    return _write(tmp_path / "rpc.pem", _pem(key))


def _pem(key: RSAPrivateKey) -> str:
    form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, bare).decode()


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def _token(key: RSAPrivateKey, *, seconds: float, permissions: tuple[str, ...] = ("eth:*",)) -> str:
    claims = {"permissions": list(permissions), "exp": int(time.time() + seconds)}
    return jwt.encode(claims, key, algorithm="RS256")


def _node(key: RSAPrivateKey) -> Node:
    return Node(tokens=Tokens(key.public_key()))


def test_a_token_of_our_own_opens_the_node_for_what_we_ask_and_nothing_else(key, key_file):
    source = SignedToken(key_file)
    claims = jwt.decode(str(source.token()), key.public_key(), algorithms=["RS256"])
    assert claims["permissions"] == list(READING)
    assert claims["exp"] - time.time() <= LIFETIME_SECONDS
    assert claims["iat"] < time.time()
    with serve(_node(key)) as server:
        gateway = Gateway([server.url], chain_id=CHAIN_ID, tokens=source)
        assert gateway.head().number == 0
        with pytest.raises(ChainAccessRefusedError):
            gateway.send_raw(b"\x02\x01")


def test_a_token_is_made_anew_before_it_expires_and_not_for_each_request(key, key_file):
    moment = time.time()
    source = SignedToken(key_file, now=lambda: moment)
    first = source.token()
    moment += LIFETIME_SECONDS - RENEW_SECONDS - 1
    assert source.token() == first
    moment += 2
    assert source.token() != first


def test_a_token_file_is_read_again_when_it_changes(key, tmp_path):
    path = _write(tmp_path / "token", _token(key, seconds=3_600))
    source = FileToken(path)
    with serve(_node(key)) as server:
        gateway = Gateway([server.url], chain_id=CHAIN_ID, tokens=source)
        gateway.head()
        other = generate_private_key(65_537, 2_048)
        server.node.tokens = Tokens(other.public_key())
        _write(path, _token(other, seconds=3_600))
        gateway.head()
    assert len({request.header("Authorization") for request in server.requests}) == 2


def test_an_expired_token_in_a_file_is_waited_for(key, tmp_path):
    """What writes it is late: the program goes on trying, and says which file it waits for."""
    path = _write(tmp_path / "token", _token(key, seconds=-5))
    with serve(_node(key)) as server:
        gateway = Gateway([server.url], chain_id=CHAIN_ID, tokens=FileToken(path))
        with pytest.raises(TokenExpiredError, match=str(path)) as expired:
            gateway.head()
        assert expired.value.retryable
        assert server.requests == []
        _write(path, _token(key, seconds=600))
        assert gateway.head().number == 0


def test_a_token_follows_no_redirect(key, key_file):
    with serve(_node(key)) as other, serve(_node(key)) as server:
        server.respond = lambda node, request: Reply(307, b"", None, other.url)
        with pytest.raises(ChainInternalError, match="HTTP 307"):
            Gateway([server.url], chain_id=CHAIN_ID, tokens=SignedToken(key_file)).head()
        assert other.requests == []


def test_a_refused_token_is_renewed_once_and_the_question_asked_again(key, key_file):
    with serve(_node(key)) as server:
        moment = time.time() - 10_000
        source = SignedToken(key_file, now=lambda: moment)
        source.token()
        moment = time.time()
        # Made long ago and still held to be good: the node refuses it, a new one is made, and is taken.
        source._expires = moment + 1_000
        assert Gateway([server.url], chain_id=CHAIN_ID, tokens=source).head().number == 0
        assert len(server.requests) == 3


def test_a_token_that_stays_refused_ends_after_one_more_try(key, key_file):
    other = generate_private_key(65_537, 2_048)
    with serve(_node(other)) as server:
        gateway = Gateway([server.url], chain_id=CHAIN_ID, tokens=SignedToken(key_file))
        with pytest.raises(ChainAccessRefusedError, match="CHAIN_RPC_JWT_KEY_FILE"):
            gateway.head()
        assert len(server.requests) == 2
    assert not ChainAccessRefusedError.retryable


def test_without_a_token_a_node_that_asks_for_one_is_asked_once(key):
    with serve(_node(key)) as server:
        with pytest.raises(ChainAccessRefusedError):
            Gateway([server.url], chain_id=CHAIN_ID).head()
        assert len(server.requests) == 1
    assert NoToken().token() is None


@pytest.mark.parametrize("content", ["", "no token", "a.b", "a.b.c d", "a.b.c\nd.e.f"])
def test_a_file_without_a_token_is_named_with_its_remedy(tmp_path, content):
    source = FileToken(_write(tmp_path / "token", content))
    with pytest.raises(ChainAccessRefusedError, match="JSON Web Token"):
        source.token()


@pytest.mark.parametrize("source", [FileToken, SignedToken])
def test_a_missing_or_open_file_is_refused(tmp_path, key, source):
    path = tmp_path / "secret"
    with pytest.raises(ChainAccessRefusedError, match="cannot be read"):
        source(path).token()
    _write(path, _pem(key)).chmod(0o644)
    with pytest.raises(ChainAccessRefusedError, match="chmod 600"):
        source(path).token()


def test_a_key_that_is_none_is_refused_without_a_word_of_the_file(tmp_path):
    path = _write(tmp_path / "rpc.pem", "very secret")
    with pytest.raises(ChainAccessRefusedError) as refused:
        SignedToken(path).token()
    assert "very secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_token_or_a_key_but_not_both():
    with pytest.raises(ChainAccessRefusedError, match="not both"):
        token_source("token", "key")
    assert isinstance(token_source("", ""), NoToken)


def test_each_members_node_takes_its_own_members_token(key, key_file, tmp_path):
    other = generate_private_key(65_537, 2_048)
    files = f"{key_file}, {_write(tmp_path / 'other.pem', _pem(other))}"
    with serve(_node(key)) as first, serve(_node(other)) as second:
        gateway = Gateway(
            [first.url, second.url], chain_id=CHAIN_ID, tokens=token_sources("", files, count=2), timeout_seconds=2
        )
        assert None not in gateway.node_heads().values()

        one_for_all = Gateway([first.url, second.url], chain_id=CHAIN_ID, tokens=SignedToken(key_file))
        assert [head is None for head in one_for_all.node_heads().values()] == [False, True]


def test_one_file_serves_all_nodes_and_any_other_number_is_refused():
    same = token_sources("token", "", count=3)
    assert same[0] is same[1] is same[2]
    assert [type(source) for source in token_sources("", "", count=2)] == [NoToken, NoToken]
    with pytest.raises(ChainAccessRefusedError, match="2 files for the tokens of 3 nodes"):
        token_sources("one,two", "", count=3)
    with pytest.raises(ChainAccessRefusedError, match="not both"):
        token_sources("token", "key", count=1)


def test_no_token_is_logged_or_shown(key, key_file, caplog):
    caplog.set_level(logging.DEBUG)
    source = SignedToken(key_file)
    with serve(_node(generate_private_key(65_537, 2_048))) as server, pytest.raises(ChainAccessRefusedError) as refused:
        Gateway([server.url], chain_id=CHAIN_ID, tokens=source).head()
    token = str(source.token())
    assert token.split(".")[2] not in caplog.text + str(refused.value) + repr(source) + str(refused.value.fields)


def test_every_method_that_we_ask_a_node_for_is_in_the_tokens_permissions():
    """A token of ours permits nothing more, so a method that is forgotten here would be refused."""
    folder = project_root() / "contracts"
    # What is asked of a signer of keys is no node's.
    texts = [
        path.read_text()
        for path in folder.rglob("*.py")
        if "testing" not in path.name and path.parent != folder / "signing"
    ]
    asked = {f"{group}:{name}" for text in texts for group, name in re.findall(r'"(eth)_(\w+)"', text)}
    assert len(asked) > 8
    assert asked - {"eth:subscription"} <= {*READING, *SENDING, *WATCHING}


def test_a_file_replaced_by_another_of_the_same_length_is_noticed(key, tmp_path):
    path = _write(tmp_path / "token", "aaaa.bbbb.cccc")
    source = FileToken(path)
    assert source.token() == "aaaa.bbbb.cccc"
    os.replace(_write(tmp_path / "next", "aaaa.bbbb.dddd"), path)
    assert source.token() == "aaaa.bbbb.dddd"
