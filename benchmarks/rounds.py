"""Rounds over Substra with our spawner, beside Substra's stock one and no back end at all: same data, same weights.

Seconds are those of the clock, since most of a stock round is the start of programs. Without chain and consent: the
demonstration prints the seconds of a whole round.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks._rounds import PLAN_SECTION, RUN, Rounds, hospital_rows
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from training.backends.base import Backend
from training.backends.memory import MemoryBackend
from training.backends.substra.backend import SubstraBackend
from training.federated.weights import initial_weights, load_weights

ROOT = Path(__file__).resolve().parents[1]
OURS, STOCK = 20, 4
# The first prototype's round; a step of the plan's quantization is 2**-24 at most.
ROUND_MS, TOLERANCE = 100, 1e-6
Weights = list[np.ndarray[tuple[int], np.dtype[np.float64]]]


def run() -> list[FigureDict]:
    """Return the figures; a back end whose weights differ gives none."""
    say(f"{OURS} rounds without a back end")
    memory, memory_weights = _ours(MemoryBackend())
    say(f"{OURS} rounds over Substra, tasks answered by the sites")
    backend = SubstraBackend()
    substra, substra_weights = _ours(backend)
    say(f"{STOCK} rounds over Substra's stock spawner")
    stock, stock_weights = _stock()
    if not all(np.array_equal(a, b) for a, b in zip(memory_weights, substra_weights, strict=True)):
        raise AssertionError("The back ends gave other weights.")
    difference = float(np.max(np.abs(substra_weights[STOCK] - stock_weights)))
    if difference > TOLERANCE:
        raise AssertionError(f"The stock spawner's weights differ by {difference}.")
    name = "a round of 5 hospitals over Substra, masked"
    return [
        figure(name, substra, "ms", beside="stock spawner, unmasked", compared_value=stock, at_most=ROUND_MS),
        figure(name, substra, "ms", beside="the same without a back end", compared_value=memory),
        figure(
            f"largest difference of weights after {STOCK} rounds", difference, "1",
            beside="largest weight", compared_value=float(np.max(np.abs(stock_weights))), at_most=TOLERANCE,
        ),
    ]  # fmt: skip


def _ours(backend: Backend) -> tuple[float, Weights]:
    """Return a round's median milliseconds, and the weights before the first round and after each."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rounds = Rounds(backend, Path(folder))
        try:
            seconds, weights = [], [rounds.weights]
            for number in range(1, OURS + 1):
                seconds.append(rounds.play(number))
                weights.append(rounds.weights)
        finally:
            backend.close()
    # The first one waits until Substra is imported.
    return 1e3 * median(seconds[1:]), [load_weights(raw, rounds.plan.weight_count) for raw in weights]


def _stock() -> tuple[float, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    rows = list(hospital_rows().values())
    count = Rounds.weight_count()
    weights = load_weights(initial_weights(RUN, count), count).tolist()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        task = {"sites": rows, "plan": PLAN_SECTION, "weights": weights, "rounds": STOCK}
        (Path(folder) / "task.json").write_text(json.dumps(task))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks._stock_substra", folder],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1", "TMPDIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise AssertionError(f"The stock experiment failed: {done.stderr[-2_000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return 1e3 * median(found["seconds"]), np.array(found["weights"])
