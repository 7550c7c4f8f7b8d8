"""pytest's part: runs only what concerns the given network, and keeps what became of each sentence."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.chain.given import OPTION


@dataclass(frozen=True)
class Told:
    """A test's sentence, and what became of it; `reason` where it did not hold or was left out."""

    group: str
    sentence: str
    outcome: str
    reason: str = ""


class Listener:
    """Collects outcomes; `told` has one row a test."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        parser.addoption(OPTION, action="store_true", help="run against CHAIN_RPC_URLS and nothing else")

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what asks no node at all."""
        asks = {"chain", "real_chain", "besu", "network", "qbft_network", "counting"}
        kept = [item for item in items if asks & set(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report: pytest.TestReport = yield  # type: ignore[assignment]  # what the other hooks made
        if report.when == "call" or report.outcome != "passed":
            self.told.append(Told(_group(item), _sentence(item.name), report.outcome, _reason(report)))
        return report  # type: ignore[return-value]  # the wrapper's own protocol


def _group(item: pytest.Item) -> str:
    return item.path.stem.removeprefix("test_").replace("_", " ")


def _sentence(name: str) -> str:
    words, _, rest = name.removeprefix("test_").partition("[")
    value = rest.removesuffix("]").removeprefix("given").strip("-")
    return words.replace("_", " ") + (f" ({value})" if value else "")


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return " ".join(str(crash.message).split())[:300] if crash is not None else ""
