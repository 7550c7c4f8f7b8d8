"""One engine for all tests of the charts; each variant is rendered once."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.helm.charts import Engine, Rendered, values_of


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    started = Engine()
    yield started
    started.close()


@pytest.fixture(scope="session")
def rendered(engine: Engine) -> Callable[[str, str], Rendered]:
    """`rendered(chart, variant)`."""

    @cache
    def render(chart: str, variant: str) -> Rendered:
        return engine.render(chart, values_of(chart, variant))

    return render
