"""Requests of a person who is logged in, with refusals as errors that say what the platform said."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from consortium.client.errors import (
    NotComeAboutError,
    NotLoggedInError,
    PlatformAwayError,
    RefusedError,
    UnknownFieldError,
)
from consortium.client.visitor import Visitor

LOOK_SECONDS = 1.0


class Session:
    """A person at the API."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def get(self, path: str) -> Any:
        with _answering():
            return self._visitor.get(path)

    def post(self, path: str, body: Any) -> Any:
        with _answering():
            answer = self._visitor.post(path, body)
            answer.raise_for_status()
            return answer.json() if answer.content else None

    def pages(self, path: str) -> list[Any]:
        """Return what all pages of a list hold."""
        with _answering():
            return self._visitor.pages(path)

    def wait(self, path: str, field: str, values: tuple[str, ...], *, seconds: float) -> Any:
        """Ask again until a field has one of the values; a field that is not there yet is waited for too."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.get(path)
            try:
                shown = as_text(pick(found, field))
            except UnknownFieldError:
                shown = "missing"
            if shown in values:
                return found
            if time.monotonic() > deadline:
                raise NotComeAboutError(f"{field} of {path} is {shown} and not {' or '.join(values)}.")
            time.sleep(LOOK_SECONDS)


@contextmanager
def open_session(url: str, email: str, phrase: str) -> Iterator[Session]:
    """Log in and take a token for the block.

    Raises
    ------
    NotLoggedInError, PlatformAwayError
    """
    with Visitor(url) as visitor, _answering():
        answer = visitor.log_in(email, phrase)
        if answer.status_code != httpx.codes.FOUND:
            raise NotLoggedInError(f"The platform does not let {email} in with this pass phrase alone.")
        visitor.get_token()
        yield Session(visitor)


def pick(value: Any, field: str) -> Any:
    """Return a field of an answer: names and, in lists, positions from 0, joined by dots; `count` of a list."""
    for name in field.split("."):
        if isinstance(value, list) and name == "count":
            value = len(value)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            raise UnknownFieldError(f"The answer has no {field}.")
    return value


def as_text(value: Any) -> str:
    """Return a value as a shell wants it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: ""}[value]
    return str(value)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise RefusedError(_said(error.response)) from error
    except httpx.HTTPError as error:
        raise PlatformAwayError("The platform does not answer. Look at its address, and at /readyz there.") from error


def _said(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return f"The platform refused ({answer.status_code}): {detail or problem or answer.reason_phrase}"
