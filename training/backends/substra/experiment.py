"""The experiment as SubstraFL knows it: an algorithm that only points at the sites, a strategy that only adds.

One round of ours is a train task a site and one aggregate. Stock FedAvg aggregates first and trains once too
often, so its `perform_round` is not used. Nothing here reads a record.
"""

import uuid
from collections.abc import Sequence
from typing import Any, NoReturn

from substrafl.algorithms.algo import Algo
from substrafl.nodes import AggregationNode, TrainDataNode
from substrafl.nodes.references.shared_state import SharedStateRef
from substrafl.strategies.schemas import StrategyName
from substrafl.strategies.strategy import Strategy

from training.backends.substra.remote import remote, remote_data
from training.federated.secagg.masked_vector import MaskedVector, pack, sum_vectors

# The sum is nobody's vector.
NOBODY = uuid.UUID(int=0)


class SitePointer(Algo):
    """What a site's task names: the site's own agent trains, masks and answers with bytes."""

    @property
    def model(self) -> None:
        return None

    @property
    def strategies(self) -> list[StrategyName]:
        return [StrategyName.FEDERATED_AVERAGING]

    @remote_data
    def train(self, data_from_opener: Any = None, shared_state: Any = None) -> NoReturn:
        raise RuntimeError("A site's task runs in that site's agent only.")

    def predict(self, data_from_opener: Any, shared_state: Any = None) -> NoReturn:
        raise RuntimeError("Metrics come from masked counts; the back end evaluates nothing.")

    @remote
    def initialize(self, shared_states: Any = None) -> NoReturn:
        raise RuntimeError("A run's initial weights derive from its id.")

    def save_local_state(self, path: Any) -> NoReturn:
        raise RuntimeError("A site keeps its state itself.")

    def load_local_state(self, path: Any) -> NoReturn:
        raise RuntimeError("A site keeps its state itself.")


class MaskedSum(Strategy):
    """Adds the survivors' masked vectors in the ring; the coordinator takes the masks out of the sum."""

    def __init__(self, algo: Algo, metric_functions: None = None) -> None:
        super().__init__(algo=algo, metric_functions=metric_functions)

    @property
    def name(self) -> StrategyName:
        return StrategyName.FEDERATED_AVERAGING

    def perform_round(self, **_ignored: Any) -> NoReturn:
        raise RuntimeError("Tasks are added one round at a time: see `train` and `aggregate`.")

    def perform_evaluation(self, **_ignored: Any) -> None:
        """Evaluate nothing: metrics come from masked counts."""

    @remote_data
    def evaluate(self, data_from_opener: Any = None, shared_state: Any = None) -> NoReturn:
        raise RuntimeError("Metrics come from masked counts; the back end evaluates nothing.")

    @remote
    def sum_masked(self, shared_states: Sequence[bytes], size: int, ring_bits: int) -> bytes:
        """Return the sum as a masked vector's bytes."""
        vectors = (MaskedVector(NOBODY, state) for state in shared_states)
        return pack(NOBODY, sum_vectors(vectors, size=size, ring_bits=ring_bits)).data

    def train(self, node: TrainDataNode, aggregator: str, last: SharedStateRef | None, number: int) -> SharedStateRef:
        """Note a site's train task on its node; only the site and the aggregator may read what it gives."""
        operation = self.algo.train(node.data_sample_keys, shared_state=last, _algo_name="site training")
        _local, shared = node.update_states(
            operation=operation, authorized_ids={node.organization_id}, round_idx=number, aggregation_id=aggregator
        )
        return shared

    def aggregate(
        self, node: AggregationNode, states: list[SharedStateRef], number: int, *, size: int, ring_bits: int
    ) -> SharedStateRef:
        """Note the sum of these states on the aggregation node."""
        operation = self.sum_masked(shared_states=states, size=size, ring_bits=ring_bits, _algo_name="masked sum")
        return node.update_states(operation=operation, authorized_ids={node.organization_id}, round_idx=number)
