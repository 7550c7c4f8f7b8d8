"""The runner of the benchmarks: what it runs, prints and keeps, also where one of them fails."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.harness.figures import KEYS, MalformedFigureError, ensure_figures, figure
from benchmarks.harness.running import Bench, BenchmarkFailedError

GOOD = """
    from benchmarks.harness.figures import figure
    def run():
        print("chatter of a library")
        return [figure("speed", 30.0, "rows/s", beside="numpy", compared_value=40.0, at_least=20)]
"""
MISSING_ITS_GOAL = """
    from benchmarks.harness.figures import figure
    def run():
        return [figure("delay", 3.0, "s", beside="nothing", compared_value=1.0, at_most=2)]
"""
RAISING = "def run(): raise RuntimeError('no disk left')"
DYING = "import os\ndef run(): os._exit(9)"
MALFORMED = "def run(): return [{'figure': 'speed', 'value': float('nan')}]"
HANGING = "import time\ndef run(): time.sleep(600)"

Write = Callable[..., Bench]


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """`bench_of(name=source, ...)` makes a package of benchmarks, importable here and in children."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(**sources: str) -> Bench:
        package = tmp_path / "sample_benchmarks"
        package.mkdir()
        (package / "__init__.py").touch()
        for name, source in sources.items():
            (package / f"{name}.py").write_text(f'"""What {name} measures."""\n' + source.replace("\n    ", "\n"))
        return Bench("sample_benchmarks", tmp_path / "results")

    yield write
    sys.modules.pop("sample_benchmarks", None)


def test_a_benchmark_prints_its_figures_and_keeps_them_with_machine_and_commit(
    bench_of: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = bench_of(good=GOOD)

    assert main(["good"], bench=bench) == 0

    kept = json.loads((bench.results / "good.json").read_text())
    assert [set(entry) for entry in kept["figures"]] == [set(KEYS)]
    assert kept["figures"][0] | {"figure": ""} == {
        **{"figure": "", "value": 30.0, "unit": "rows/s", "compared_to": "numpy", "compared_value": 40.0},
        **{"ratio": 0.75, "goal": 20, "met": True},
    }
    assert set(kept["machine"]) >= {"cores", "memory_bytes", "processor", "python"}
    assert kept["machine"]["cores"] >= 1
    assert set(kept) >= {"benchmark", "commit", "is_modified", "started_at", "wall_seconds"}
    printed = capfd.readouterr()
    assert "speed" in printed.out
    assert "0.75" in printed.out
    assert "chatter" not in printed.out
    assert "good (1 of 1)" in printed.err


def test_without_names_all_run_in_the_order_of_their_names(bench_of: Write, capfd: pytest.CaptureFixture[str]) -> None:
    bench = bench_of(second=GOOD, first=GOOD, _helper="raise RuntimeError")

    assert main([], bench=bench) == 0

    assert sorted(path.name for path in bench.results.iterdir()) == ["first.json", "second.json"]
    assert "first (1 of 2)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (RAISING, "no disk left"),
        (DYING, "exit status 9"),
        (MALFORMED, "A figure has exactly the keys"),
        ("import no_such_module", "no_such_module"),
    ],
)
def test_a_failing_benchmark_loses_no_other_and_shows_in_the_exit_status(
    bench_of: Write, capfd: pytest.CaptureFixture[str], source: str, reason: str
) -> None:
    bench = bench_of(bad=source, good=GOOD)

    assert main(["bad", "good"], bench=bench) == 1

    printed = capfd.readouterr()
    assert [path.name for path in bench.results.iterdir()] == ["good.json"]
    assert reason in printed.err
    assert "1 of 2 benchmarks gave figures; goals missed: 0. Failed: bad." in printed.out


def test_a_failing_benchmark_leaves_its_earlier_result(bench_of: Write) -> None:
    bench = bench_of(bad=RAISING)
    bench.results.mkdir()
    (bench.results / "bad.json").write_text("of an earlier commit")

    assert main(["bad"], bench=bench) == 1

    assert (bench.results / "bad.json").read_text() == "of an earlier commit"


def test_a_hanging_benchmark_is_ended(bench_of: Write) -> None:
    bench = bench_of(hanging=HANGING)

    with pytest.raises(BenchmarkFailedError, match="more than 1 s"):
        bench.run("hanging", limit_seconds=1)

    assert list(bench.results.iterdir()) == []


def test_a_missed_goal_is_counted_and_is_no_failure(bench_of: Write, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([], bench=bench_of(slow=MISSING_ITS_GOAL)) == 0

    printed = capfd.readouterr().out
    assert "NO" in printed
    assert "goals missed: 1." in printed


def test_an_unknown_name_runs_nothing_and_names_those_there_are(
    bench_of: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = bench_of(good=GOOD, other=GOOD)

    assert main(["good", "god"], bench=bench) == 2

    assert "No benchmark is called god. There are: good, other." in capfd.readouterr().err
    assert not bench.results.exists()


def test_the_list_names_each_benchmark_with_what_it_measures(
    bench_of: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--list"], bench=bench_of(good=GOOD, broken="import no_such_module")) == 0

    assert capfd.readouterr().out.splitlines() == [
        "broken        What broken measures.",
        "good          What good measures.",
    ]


def test_a_name_given_twice_runs_once(bench_of: Write, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["good", "good"], bench=bench_of(good=GOOD)) == 0

    assert "(1 of 1)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": None}, "value must be a finite number"),
        ({"value": True}, "value must be a finite number"),
        ({"compared_value": float("inf")}, "compared_value must be a finite number"),
        ({"unit": ""}, "unit must be text"),
        ({"goal": None}, "met is true or false beside a goal"),
        ({"met": None}, "met is true or false beside a goal"),
        ({"extra": 1}, "exactly the keys"),
    ],
)
def test_what_is_no_figure_is_refused(change: dict[str, object], reason: str) -> None:
    entry = figure("speed", 1.0, "s", beside="numpy", compared_value=2.0, at_most=3)
    assert ensure_figures([entry]) == [entry]

    with pytest.raises(MalformedFigureError, match=reason):
        ensure_figures([{**entry, **change}])


def test_a_benchmark_without_figures_is_refused() -> None:
    with pytest.raises(MalformedFigureError, match="at least one figure"):
        ensure_figures([])


def test_a_figure_without_a_goal_is_neither_met_nor_missed() -> None:
    entry = figure("size", 4_194_304, "bytes", beside="nothing to compare", compared_value=0)

    assert (entry["goal"], entry["met"], entry["ratio"], entry["value"]) == (None, None, None, 4_194_304)
