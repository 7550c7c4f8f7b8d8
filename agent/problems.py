"""Reads the platform's answers strictly: sizes, shapes and problem documents (RFC 9457)."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from agent.errors import PlatformAwayError, PlatformRefusedError

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_CODE = re.compile(r"[a-z0-9_.-]{1,64}\Z")


def require_success(answer: httpx.Response, *expected: int) -> httpx.Response:
    """Return an answer with an expected status; otherwise raise what the status means."""
    if answer.status_code in expected:
        return answer
    if answer.status_code >= 500 or answer.status_code == 429:
        raise PlatformAwayError(f"The platform answered {answer.status_code}. It is tried again.")
    raise PlatformRefusedError(
        f"The platform refused ({answer.status_code}, {_problem_code(answer)}).",
        status=answer.status_code,
        reason=_problem_code(answer),
    )


def read_object(answer: httpx.Response) -> Mapping[str, Any]:
    """Return the answer's JSON object."""
    if len(answer.content) > MAX_ANSWER_BYTES:
        raise PlatformAwayError("The platform's answer is larger than any that was asked for.")
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise PlatformAwayError("The platform's answer is not JSON.") from error
    if not isinstance(value, dict):
        raise PlatformAwayError("The platform's answer is not a JSON object.")
    return value


def read_results(answer: httpx.Response) -> list[Mapping[str, Any]]:
    """Return the objects of a list answer."""
    results = read_object(answer).get("results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise PlatformAwayError("The platform's answer holds no list of results.")
    return results


def text(item: Mapping[str, Any], key: str, *, longest: int = 1024) -> str:
    """Return a text field of bounded length."""
    value = item.get(key)
    if type(value) is not str or len(value) > longest:
        raise PlatformAwayError(f"The platform's answer has no text {key}.")
    return value


def name(item: Mapping[str, Any], key: str) -> str:
    """Return a name that may stand in a path: letters, digits, dashes and underscores."""
    value = text(item, key, longest=64)
    if not _NAME.match(value):
        raise PlatformAwayError(f"The platform's answer has no usable {key}.")
    return value


def optional_text(item: Mapping[str, Any], key: str, *, longest: int = 4096) -> str:
    """Return a text field, empty where it is absent or null."""
    return "" if item.get(key) is None else text(item, key, longest=longest)


def number(item: Mapping[str, Any], key: str) -> int:
    """Return an integer field, not negative and exact in JSON."""
    value = item.get(key)
    if type(value) is not int or not 0 <= value <= 2**53 - 1:
        raise PlatformAwayError(f"The platform's answer has no number {key}.")
    return value


def identifier(item: Mapping[str, Any], key: str) -> uuid.UUID:
    """Return a UUID field."""
    try:
        return uuid.UUID(text(item, key))
    except ValueError as error:
        raise PlatformAwayError(f"The platform's answer has no identifier {key}.") from error


def moment(item: Mapping[str, Any], key: str) -> datetime:
    """Return an RFC 3339 time field."""
    try:
        value = datetime.fromisoformat(text(item, key, longest=64))
    except ValueError as error:
        raise PlatformAwayError(f"The platform's answer has no time {key}.") from error
    if value.tzinfo is None:
        raise PlatformAwayError(f"The platform's time {key} names no zone.")
    return value


def _problem_code(answer: httpx.Response) -> str:
    """Return the problem's code if it looks like one; texts of others do not enter our journal."""
    try:
        code = json.loads(answer.content[:65536]).get("code", "")
    except (ValueError, AttributeError, RecursionError):
        return "unknown"
    return code if type(code) is str and _CODE.match(code) else "unknown"
