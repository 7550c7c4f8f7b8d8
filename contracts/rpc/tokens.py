"""Bearer tokens for nodes that ask for one (--rpc-http-authentication-enabled): from a file, or made by us.

A node answers every fault of a token alike, so tokens are renewed before they expire, and once more when a node
refuses one. They are never logged, nor shown by `repr`.
"""

import stat
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import jwt

from contracts.errors import ChainAccessRefusedError, TokenExpiredError

# A token of ours lives so long; a stolen one is soon worth nothing, and nodes' clocks may differ.
LIFETIME_SECONDS = 300
CLOCK_SKEW_SECONDS = 30
# A token is renewed when it has no more than this left.
RENEW_SECONDS = 60
MAX_FILE_BYTES = 65_536

# What we ask nodes for, in Besu's spelling: group, colon, method. A token of ours permits nothing else.
READING = (
    *("eth:blockNumber", "eth:call", "eth:chainId", "eth:estimateGas", "eth:getBlockByHash"),
    *("eth:getBlockByNumber", "eth:getBlockReceipts", "eth:getCode"),
    *("eth:getLogs", "eth:getProof", "eth:getTransactionByHash", "eth:getTransactionCount"),
    *("eth:getTransactionReceipt", "eth:subscribe", "eth:syncing"),
)
SENDING = ("eth:sendRawTransaction",)
# What `manage.py chain status` asks beside it.
WATCHING = (
    *("net:enode", "net:peerCount", "net:version", "qbft:getSignerMetrics", "qbft:getValidatorsByBlockNumber"),
    *("txpool:besuStatistics", "txpool:status", "web3:clientVersion", "admin:nodeInfo", "admin:peers"),
)


class TokenSource(Protocol):
    """Where the token for a node comes from."""

    def token(self) -> str | None:
        """The token to send, or None where none is needed."""

    def renew(self) -> bool:
        """Take a new token after a node has refused one; return whether there is another to try."""


class NoToken:
    """For nodes that let everybody in who reaches them."""

    def token(self) -> str | None:
        return None

    def renew(self) -> bool:
        return False


class FileToken:
    """A token that something else keeps fresh in a file; read again when the file changes, and before it expires."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._token = ""
        self._expires = float("inf")

    def __repr__(self) -> str:
        return f"FileToken({self._path})"

    def token(self) -> str | None:
        """The file's token.

        Raises
        ------
        ChainAccessRefusedError
            If the file is missing, open to others, or holds no token.
        TokenExpiredError
            If what it holds has expired.
        """
        with self._lock:
            if not self._token or _stamp(self._path) != self._stamp or self._expires - self._now() < RENEW_SECONDS:
                self._read()
            if self._expires <= self._now():
                raise TokenExpiredError(f"The token in {self._path} has expired. Look after what writes it.")
            return self._token

    def renew(self) -> bool:
        with self._lock:
            before = self._token
            self._read()
            return self._token != before

    def _read(self) -> None:
        stamp, text = _stamp(self._path), _secret(self._path).strip()
        if text.count(".") != 2 or not text.isascii() or not text.isprintable() or " " in text:
            raise ChainAccessRefusedError(f"{self._path} holds no token. Write a JSON Web Token into it, alone.")
        self._stamp, self._token, self._expires = stamp, text, _expiry(text)


class SignedToken:
    """Tokens made by us with an RSA key whose public half the nodes have; valid for minutes, for what we ask alone."""

    def __init__(
        self, key_path: Path, *, permissions: Sequence[str] = READING, now: Callable[[], float] = time.time
    ) -> None:
        self._path = key_path
        self._permissions = list(permissions)
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._expires = float("-inf")

    def __repr__(self) -> str:
        return f"SignedToken({self._path})"

    def token(self) -> str | None:
        """A token with at least a minute left.

        Raises
        ------
        ChainAccessRefusedError
            If the key is missing, open to others, or no RSA key.
        """
        with self._lock:
            if self._expires - self._now() < RENEW_SECONDS:
                self._sign()
            return self._token

    def renew(self) -> bool:
        with self._lock:
            self._sign()
            return True

    def _sign(self) -> None:
        # A node whose clock is behind refuses a token that was issued in its future.
        issued = int(self._now()) - CLOCK_SKEW_SECONDS
        expires = int(self._now()) + LIFETIME_SECONDS
        claims = {"permissions": self._permissions, "iat": issued, "exp": expires}
        try:
            self._token = jwt.encode(claims, _secret(self._path), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            # Not from the fault: its text may hold what the file does.
            raise ChainAccessRefusedError(
                f"{self._path} holds no RSA private key (PEM). Correct CHAIN_RPC_JWT_KEY_FILE."
            ) from None
        self._expires = expires


def token_source(token_file: str, key_file: str, *, permissions: Sequence[str] = READING) -> TokenSource:
    """The source that a configuration names; at most one of the two may be given.

    Raises
    ------
    ChainAccessRefusedError
        If both are.
    """
    if token_file and key_file:
        raise ChainAccessRefusedError("Name a file with a token or a key that makes tokens, not both.")
    if token_file:
        return FileToken(Path(token_file))
    return SignedToken(Path(key_file), permissions=permissions) if key_file else NoToken()


def token_sources(
    token_files: str, key_files: str, *, count: int, permissions: Sequence[str] = READING
) -> list[TokenSource]:
    """A source for each of `count` nodes: one file for all of them, or one a node, separated by commas, in their order.

    Each member's node takes the tokens of its own member alone, so that several members' nodes need several files.

    Raises
    ------
    ChainAccessRefusedError
        If both kinds are given, or as many files as there are no nodes.
    """
    tokens, keys = _names(token_files), _names(key_files)
    if tokens and keys:
        raise ChainAccessRefusedError("Name files with tokens or keys that make tokens, not both.")
    pairs = [(name, "") for name in tokens] or [("", name) for name in keys] or [("", "")]
    if len(pairs) not in (1, count):
        raise ChainAccessRefusedError(
            f"{len(pairs)} files for the tokens of {count} nodes: name one for all, or one a node in their order."
        )
    made = [token_source(*pair, permissions=permissions) for pair in pairs]
    return made if len(made) == count else made * count


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _secret(path: Path) -> str:
    try:
        found = path.stat()
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise ChainAccessRefusedError(f"{path} can be read by others. Run: chmod 600 {path}")
        if found.st_size > MAX_FILE_BYTES:
            raise ChainAccessRefusedError(f"{path} is too large for a token or a key.")
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ChainAccessRefusedError(
            f"{path} cannot be read ({type(error).__name__}). Write the token or key there, or correct the setting."
        ) from error


def _expiry(token: str) -> float:
    """When a token expires by its own words, unchecked; the node checks them."""
    try:
        expires = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except jwt.PyJWTError:
        return float("inf")
    return float(expires) if isinstance(expires, (int, float)) else float("inf")
