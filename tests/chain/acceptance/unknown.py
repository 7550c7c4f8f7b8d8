"""Answers of nodes that the gateway has no meaning for: whoever runs the suite learns them by their text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from contracts import gateway
from contracts.errors import ChainError, UnknownRefusalError
from contracts.rpc.answers import error_from_answer


class Unknown:
    """Keeps each once, in `answers`."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen in while the gateway reads answers."""
        with patch.object(gateway, error_from_answer.__name__, self.meaning):
            yield

    def meaning(self, method: str, error: Mapping[str, Any]) -> ChainError:
        """What the gateway makes of the answer, unchanged."""
        meaning = error_from_answer(method, error)
        answer = f"{method}: {error.get('code')} {error.get('message')}"
        if isinstance(meaning, UnknownRefusalError) and answer not in self.answers:
            self.answers.append(answer)
        return meaning
