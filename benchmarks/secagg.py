"""Secure aggregation: masking, bytes, whole attempts and unmasking, beside numpy and C's cryptography alone.

Seconds are processor seconds of the one thread that works: other programs on the machine are not in them.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from benchmarks._attempt import TimedAttempt, open_with, parameters_of, random_vector
from benchmarks._floors import Floor, KeyFloors, VectorFloors, coordinator_floor, site_floor
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from benchmarks.harness.timing import seconds_of
from training.federated.secagg.coordinator import unmask
from training.federated.secagg.masked_vector import pack
from training.federated.secagg.masking import mask_vector
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RING_DTYPES
from training.federated.secagg.releases import OpenedSecrets
from training.federated.secagg.survivors import survivor_set

SIZES, RINGS = (10_000, 100_000, 1_000_000), (32, 64)
FIVE = {ring_bits: SecureAggregationParameters(5, 4, 1, ring_bits) for ring_bits in RINGS}
# What the first prototype took for a client's million coordinates of 32 bits, and twice that for twice the bytes.
MASKING_MS = {(1_000_000, 32): 10, (1_000_000, 64): 20}
# The header of one tensor, padded.
HEADER_BYTES = 512
ATTEMPTS = {5: 5, 16: 3, 64: 1}
ATTEMPT_SIZE, ATTEMPT_RING = 100_000, 64
# A tenth of the two seconds that a round may take.
ATTEMPT_MS = 200
# Sites, lost ones, and the goal: the prototype's 63 and 339 ms, rounded up.
DROPOUTS = ((20, 4, 100), (50, 10, 400))
DROPOUT_SIZE, DROPOUT_RING = 1_000_000, 32


def run() -> list[FigureDict]:
    """Return the figures."""
    return [*_masking(), *_attempts(), *_unmasking()]


def _masking() -> Iterator[FigureDict]:
    for ring_bits in RINGS:
        opened, owned = open_with(FIVE[ring_bits])
        site = opened.roster[0]
        for size in SIZES:
            say(f"masking {size:,} coordinates of {ring_bits} bits")
            vector = random_vector(size, ring_bits)
            spent = seconds_of(partial(mask_vector, vector, opened, site, owned[site], opened.roster))
            floors = VectorFloors(size, vector.dtype)
            named = partial(figure, f"mask {size:,} x {ring_bits} bits, n=5 t=4 c=1", 1e3 * spent, "ms")
            goal = MASKING_MS.get((size, ring_bits))
            yield named(beside="5 key streams alone", compared_value=5e3 * floors.stream, at_most=goal)
            yield named(beside="5 additions in numpy", compared_value=5e3 * floors.add)
            yield from _bytes(size, ring_bits, len(pack(site, vector).data))


def _bytes(size: int, ring_bits: int, sent: int) -> Iterator[FigureDict]:
    plain = size * RING_DTYPES[ring_bits].itemsize
    named = partial(figure, f"masked vector, {size:,} x {ring_bits} bits", sent, "bytes")
    yield named(beside="plain update of the same width", compared_value=plain, at_most=plain + HEADER_BYTES)
    yield named(beside="plain update in float32", compared_value=4 * size)


def _attempts() -> Iterator[FigureDict]:
    vector, keys = random_vector(ATTEMPT_SIZE, ATTEMPT_RING), KeyFloors()
    floors = VectorFloors(ATTEMPT_SIZE, vector.dtype)
    for n, repeats in ATTEMPTS.items():
        parameters = parameters_of(n, ring_bits=ATTEMPT_RING)
        say(f"{repeats} whole attempts of {n} sites, t={parameters.t}, c={parameters.c}")
        played = [TimedAttempt(parameters, vector) for _ in range(repeats)]
        for attempt in played:
            attempt.run()
        best = _Best(parameters, floors, keys)
        yield best.figure("a site", [attempt.site for attempt in played], site_floor)
        yield best.figure("the coordinator", [attempt.coordinator for attempt in played], coordinator_floor)
        named = f"a site's deal, shares and release, n={n}"
        yield figure(named, played[0].bytes_beside_vector, "bytes", beside="its vector", compared_value=vector.nbytes)


class _Best:
    """The best of several attempts with the same parameters, beside a floor."""

    def __init__(self, parameters: SecureAggregationParameters, vector: VectorFloors, keys: KeyFloors) -> None:
        self._parameters, self._vector, self._keys = parameters, vector, keys

    def figure(self, who: str, steps: list[Mapping[str, float]], floor: Floor) -> FigureDict:
        best = min(steps, key=lambda seconds: sum(seconds.values()))
        say(f"{who}: " + ", ".join(f"{step} {1e3 * seconds:.1f} ms" for step, seconds in best.items()))
        n, t, c = self._parameters.n, self._parameters.t, self._parameters.c
        return figure(
            f"attempt of {ATTEMPT_SIZE:,} x {ATTEMPT_RING} bits, n={n} t={t} c={c}: {who}",
            1e3 * sum(best.values()),
            "ms",
            beside="its cryptography and additions alone",
            compared_value=1e3 * floor(n, self._vector, self._keys),
            at_most=ATTEMPT_MS,
        )


def _unmasking() -> Iterator[FigureDict]:
    total = random_vector(DROPOUT_SIZE, DROPOUT_RING)
    floors = VectorFloors(DROPOUT_SIZE, total.dtype)
    for n, lost, goal in DROPOUTS:
        say(f"unmasking a sum of {n} sites of which {lost} were lost")
        opened, owned = open_with(parameters_of(n, ring_bits=DROPOUT_RING))
        gone, there = opened.roster[:lost], opened.roster[lost:]
        survivors = survivor_set(opened, [(one, bytes(32)) for one in there])
        secrets = OpenedSecrets({one: owned[one].seed for one in there}, {one: owned[one].mask_private for one in gone})
        spent = seconds_of(partial(unmask, total, opened, survivors, secrets))
        masks = len(there) * (1 + lost)
        yield figure(
            f"unmask {DROPOUT_SIZE:,} x {DROPOUT_RING} bits, n={n}, {lost} lost ({masks} masks)",
            1e3 * spent,
            "ms",
            beside=f"{masks} key streams alone",
            compared_value=1e3 * masks * floors.stream,
            at_most=goal,
        )
