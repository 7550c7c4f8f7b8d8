"""The tests' own contract: its artifact, and its stand-in on the chain in memory."""

from pathlib import Path
from typing import Any

from contracts.artifacts import Artifacts
from contracts.errors import TransactionRevertedError
from contracts.testing import FakeCall, FakeChain, FakeContract

ARTIFACTS = Artifacts([Path(__file__).resolve().parents[1] / "data" / "contracts"])
LIMIT = 100


def text32(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


class FakeCounter(FakeContract):
    """What Counter.sol does."""

    def constructor(self, call: FakeCall, *arguments: Any) -> None:
        (self.bound,) = arguments
        self.sum = 0
        self.taken: list[dict[str, Any]] = []
        self._counted(call, "created")

    def limit(self, call: FakeCall) -> int:
        return int(self.bound)

    def total(self, call: FakeCall) -> int:
        return self.sum

    def add(self, call: FakeCall, amount: int, reason: bytes, note: str) -> None:
        if self.sum + amount > self.bound:
            raise TransactionRevertedError("CounterTooLarge", {"limit": self.bound, "asked": self.sum + amount})
        self.sum += amount
        call.emit("Counted", reason=reason, caller=call.sender, total=self.sum, note=note)

    def walk(self, call: FakeCall, path: list[dict[str, Any]]) -> None:
        self.taken.extend(path)
        call.emit("Stepped", steps=path)
        self._counted(call, "walked")

    def addAfterOthers(self, call: FakeCall, expected: int) -> None:
        if self.sum != expected:
            raise TransactionRevertedError("Error", {"message": "not yet"})
        self.sum += 1
        self._counted(call, "after")

    def divide(self, call: FakeCall, by: int) -> int:
        if by == 0:
            raise TransactionRevertedError("Panic", {"code": 0x12})
        return self.sum // by

    def lastStep(self, call: FakeCall) -> tuple[dict[str, Any], int]:
        return self.taken[-1], len(self.taken)

    def steps(self, call: FakeCall) -> list[dict[str, Any]]:
        return self.taken

    def _counted(self, call: FakeCall, reason: str) -> None:
        call.emit("Counted", reason=text32(reason), caller=call.sender, total=self.sum, note="")


def fake_chain(**options: Any) -> FakeChain:
    return FakeChain({"Counter": FakeCounter}, artifacts=ARTIFACTS, **options)
