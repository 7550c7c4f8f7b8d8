"""What every back end promises; each one's test module makes `backend` and inherits these."""

import uuid

import numpy as np
import pytest

from training.backends.base import AttemptTask, Backend, RunStart
from training.federated.secagg.masked_vector import MaskedVector, pack

SITES = tuple(uuid.UUID(int=number) for number in range(1, 6))
SIZE = 9


class BackendContract:
    """Subclass it and give a fixture `backend`."""

    @pytest.fixture(params=[32, 64])
    def task(self, request: pytest.FixtureRequest) -> AttemptTask:
        return AttemptTask(1, 1, "sha256:" + "0" * 64, SITES, SIZE, request.param)

    @pytest.fixture
    def started(self, backend: Backend, tmp_path, task) -> Backend:
        backend.start(RunStart(uuid.UUID(int=9), 3, tmp_path, SITES, "sha256:" + "1" * 64, 1))
        backend.publish(task)
        return backend

    @staticmethod
    def vectors(task: AttemptTask) -> list[MaskedVector]:
        dtype = np.uint32 if task.ring_bits == 32 else np.uint64
        top = np.iinfo(dtype).max
        return [pack(site, np.full(SIZE, top - place, dtype)) for place, site in enumerate(SITES)]

    def test_the_sum_is_taken_in_the_ring(self, started, task):
        vectors = self.vectors(task)
        for vector in vectors:
            started.deliver(task, vector)

        total = started.sum(task, vectors)

        # -1 -2 -3 -4 -5 modulo the ring
        assert total.tolist() == [2**task.ring_bits - 15] * SIZE

    def test_the_sum_of_some_survivors_leaves_the_lost_out(self, started, task):
        vectors = self.vectors(task)[:4]
        started.lose(task, SITES[4], "lost")

        assert started.sum(task, vectors).tolist() == [2**task.ring_bits - 10] * SIZE

    def test_lineage_tells_each_task_once_and_the_sums_parents(self, started, task):
        vectors = self.vectors(task)[:4]
        for vector in vectors:
            started.deliver(task, vector)
            started.deliver(task, vector)
        started.lose(task, SITES[4], "lost")
        started.sum(task, vectors)

        rows = {(row.kind, row.organization): row for row in started.lineage()}

        expected = [
            *(("train", site, "done") for site in SITES[:4]),
            ("train", SITES[4], "failed"),
            ("sum", None, "done"),
        ]
        assert {(*key, row.status) for key, row in rows.items()} == set(expected)
        assert set(rows["sum", None].parents) == {rows["train", site].key for site in SITES[:4]}
        assert started.lineage() == []

    def test_everything_may_be_told_again_to_one_that_was_made_anew(self, started, task):
        vectors = self.vectors(task)
        started.publish(task)
        for vector in [*vectors, *vectors]:
            started.deliver(task, vector)
        first = started.sum(task, vectors)

        assert np.array_equal(started.sum(task, vectors), first)
        started.cancel()
        started.close()
        started.close()
