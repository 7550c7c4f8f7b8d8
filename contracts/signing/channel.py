"""The line to a remote signer: mutual TLS, one address, a deadline for the whole answer, and few bytes of it."""

import asyncio
import contextlib
import queue
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx

from contracts.signing.errors import SignerAwayError, SignerError, SignerNotTrustedError
from contracts.signing.files import require_public_file, require_secret_file

# A signature has 132 characters; the list of keys of a large signer has some hundred kilobytes.
MAX_ANSWER_BYTES = 1024 * 1024
# Web3Signer answers with twenty threads; each of these connections costs a handshake, which a batch shares.
MAX_CONNECTIONS = 8
# How long beyond the deadline a resolver of names that hangs is waited for.
_GRACE_SECONDS = 1.0

_Found = TypeVar("_Found")
_Read = TypeVar("_Read")


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
        SignerFileError
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
class Question:
    """One request; a body is sent as JSON."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class SignerChannel:
    """Asks one signer. No connection outlives a batch, so a renewed certificate holds without a restart."""

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
        SignerFileError
            If our certificates cannot be read, or others can reach them.
        """
        (answer,) = self.ask_many([Question(method, path, body)], lambda _, answer: answer)
        if isinstance(answer, SignerError):
            raise answer
        return answer

    def ask_many(
        self, questions: Sequence[Question], read: Callable[[int, Answer], _Read]
    ) -> list[_Read | SignerError]:
        """Return what `read` makes of each answer, in the order of the questions, all within one time-out.

        After the first fault, of the line or of `read`, no more is asked, and what was not asked has that fault.

        Raises
        ------
        SignerFileError, SignerNotTrustedError
            If our certificates cannot be used; nothing was asked.
        """
        context = self.certificates.context()
        return _apart(_Batch(self, questions, read).run(context), self.timeout_seconds + _GRACE_SECONDS)

    def client(self, context: ssl.SSLContext) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            verify=context,
            trust_env=False,
            follow_redirects=False,
            timeout=self.timeout_seconds,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
            headers={"Accept-Encoding": "identity"},
        )


class _Batch(Generic[_Read]):
    """Questions that few connections share."""

    def __init__(
        self, channel: SignerChannel, questions: Sequence[Question], read: Callable[[int, Answer], _Read]
    ) -> None:
        self._channel = channel
        self._read = read
        self._left = iter(list(enumerate(questions)))
        late = SignerAwayError(f"The signer did not answer within {channel.timeout_seconds:g} s.")
        self._found: list[_Read | SignerError] = [late] * len(questions)

    async def run(self, context: ssl.SSLContext) -> list[_Read | SignerError]:
        async with self._channel.client(context) as client:
            askers = [self._ask_in_turn(client) for _ in range(min(MAX_CONNECTIONS, len(self._found)))]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._channel.timeout_seconds):
                    await asyncio.gather(*askers)
        return self._found

    async def _ask_in_turn(self, client: httpx.AsyncClient) -> None:
        for index, question in self._left:
            try:
                self._found[index] = self._read(index, await self._ask(client, question))
            except SignerError as error:
                self._found[index] = error
                # Emptied for the other askers too.
                for unasked, _ in self._left:
                    self._found[unasked] = error

    async def _ask(self, client: httpx.AsyncClient, question: Question) -> Answer:
        try:
            async with client.stream(question.method, question.path, json=question.body) as answer:
                return Answer(answer.status_code, await _content(answer))
        # A signer that does not know our certificate says so in the first read, which httpx lets through as it is.
        except (httpx.HTTPError, OSError) as error:
            raise _meaning(error, self._channel.url) from error


async def _content(answer: httpx.Response) -> bytes:
    if answer.is_redirect:
        raise SignerNotTrustedError("The signer sends us elsewhere. Keys are used at the configured address alone.")
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


def _apart(coroutine: Coroutine[Any, Any, _Found], seconds: float) -> _Found:
    """Run it in a loop of its own: signatures are asked for from threads and from running loops alike."""
    outcome: queue.Queue[_Found | BaseException] = queue.Queue(1)

    def work() -> None:
        try:
            outcome.put(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001  it is raised where the answer is waited for
            outcome.put(error)

    threading.Thread(target=work, name="signer", daemon=True).start()
    found: _Found | BaseException = SignerAwayError("The signer did not answer in time.")
    with contextlib.suppress(queue.Empty):
        found = outcome.get(timeout=seconds)
    if isinstance(found, BaseException):
        raise found
    return found
