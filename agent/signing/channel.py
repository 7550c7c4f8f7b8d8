"""The line to a remote signer: mutual TLS, one address, a deadline for the whole answer, and few bytes of it."""

import asyncio
import contextlib
import queue
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.signing.errors import SignerAwayError, SignerNotTrustedError
from agent.signing.files import require_public_file, require_secret_file

# A signature has 132 characters; the list of keys of a large signer has some hundred kilobytes.
MAX_ANSWER_BYTES = 1024 * 1024
# How long beyond the deadline a resolver of names that hangs is waited for.
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of our certificate, its key, and the authority that signs the signer's certificate (PEM)."""

    certificate: Path
    key: Path
    authority: Path

    def context(self) -> ssl.SSLContext:
        """Return a context that knows this one authority, holds the host's name to it, and shows our certificate.

        Raises
        ------
        FolderError
            If a file is missing or within others' reach.
        SignerNotTrustedError
            If a file is not what it should be.
        """
        require_secret_file(self.key)
        # Not `create_default_context`: that writes session keys to a file that the environment may name.
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_verify_locations(require_public_file(self.authority))
            # An encrypted key would be asked for at a terminal that nobody sits at.
            made.load_cert_chain(require_public_file(self.certificate), self.key, password="")
        except (ssl.SSLError, ValueError, OSError) as error:
            raise SignerNotTrustedError(
                f"The certificates for the signer cannot be used: {self.certificate}, {self.key} (a plain PEM key that "
                f"belongs to it) and {self.authority}."
            ) from error
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    """What the signer said: the HTTP status and at most `MAX_ANSWER_BYTES`."""

    status: int
    content: bytes


@dataclass(frozen=True, slots=True)
class SignerChannel:
    """Asks one signer. Each question has a connection of its own, so a renewed certificate holds without a restart."""

    url: str
    certificates: Certificates
    timeout_seconds: float

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Return the signer's answer.

        Raises
        ------
        SignerAwayError
            If it did not come whole within the time-out.
        SignerNotTrustedError
            If it did not come from the signer: another certificate, no TLS, a redirect, or too many bytes.
        """
        context = self.certificates.context()
        return _apart(self._ask(context, method, path, body), self.timeout_seconds + _GRACE_SECONDS)

    async def _ask(self, context: ssl.SSLContext, method: str, path: str, body: Any) -> Answer:
        try:
            async with (
                asyncio.timeout(self.timeout_seconds),
                self._client(context) as client,
                client.stream(method, path, json=body) as answer,
            ):
                return Answer(answer.status_code, await _content(answer))
        except TimeoutError as error:
            raise SignerAwayError(f"The signer did not answer within {self.timeout_seconds:g} s.") from error
        # A signer that does not know our certificate says so in the first read, which httpx lets through as it is.
        except (httpx.HTTPError, OSError) as error:
            raise _meaning(error, self.url) from error

    def _client(self, context: ssl.SSLContext) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            verify=context,
            trust_env=False,
            follow_redirects=False,
            timeout=self.timeout_seconds,
            headers={"Accept-Encoding": "identity"},
        )


async def _content(answer: httpx.Response) -> bytes:
    if answer.is_redirect:
        raise SignerNotTrustedError("The signer sends us elsewhere. Keys are used at the address in site.toml alone.")
    content = bytearray()
    async for piece in answer.aiter_raw():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise SignerNotTrustedError("The signer's answer is larger than any that was asked for.")
    return bytes(content)


def _meaning(error: Exception, url: str) -> SignerAwayError | SignerNotTrustedError:
    """Tell a signer that is not there from one that is not the signer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return SignerNotTrustedError(f"The certificate at {url} does not hold: {cause.verify_message}.")
        if isinstance(cause, ssl.SSLError):
            word = str(cause.reason or "no TLS").replace("_", " ").lower()
            return SignerNotTrustedError(f"There is no mutual TLS with {url}: {word}.")
        cause = cause.__cause__ or cause.__context__
    return SignerAwayError(f"The signer at {url} does not answer ({type(error).__name__}).")


def _apart(coroutine: Coroutine[Any, Any, Answer], seconds: float) -> Answer:
    """Run it in a loop of its own: signatures are asked for from threads and from running loops alike."""
    outcome: queue.Queue[Answer | BaseException] = queue.Queue(1)

    def work() -> None:
        try:
            outcome.put(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001  it is raised where the answer is waited for
            outcome.put(error)

    threading.Thread(target=work, name="signer", daemon=True).start()
    found: Answer | BaseException = SignerAwayError("The signer did not answer in time.")
    with contextlib.suppress(queue.Empty):
        found = outcome.get(timeout=seconds)
    if isinstance(found, BaseException):
        raise found
    return found
