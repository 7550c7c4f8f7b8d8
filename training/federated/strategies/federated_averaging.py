"""Federated averaging: the step from a round's sum to the next weights.

McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data",
algorithm 1, with the sites' row counts as weights. Verifiers on other machines must reach the same
bits: the step is one division and one addition a coordinate in float64, both correctly rounded by
IEEE 754, on sums that are exact; no matrix product and no reduction, whose order could vary.
"""

from training.federated.layout import WEIGHT, WEIGHTED_UPDATE
from training.federated.plan import TrainingPlan
from training.federated.secagg.prg import RingVector
from training.federated.weights import dump_weights, load_weights


def strategy_step(previous: bytes, total: RingVector, plan: TrainingPlan, *, survivors: int) -> bytes:
    """Return the next weights: previous + (sum of weight * update) / (sum of weights).

    Parameters
    ----------
    previous : bytes
        The round's incoming weights, canonical safetensors.
    total : uint32 or uint64 array, shape (layout.size,)
        The unmasked sum.
    plan : TrainingPlan
    survivors : int
        Vectors in the sum.

    Returns
    -------
    bytes
        Canonical safetensors; their SHA-256 is the ledger's `nextWeights`.

    Raises
    ------
    RangeCheckError
        If the sum is none that so many honest sites can send; the attempt is abandoned.
    """
    sums = plan.layout().decode(total, addends=survivors)
    weights = load_weights(previous, plan.weight_count)
    return dump_weights(weights + sums[WEIGHTED_UPDATE] / sums[WEIGHT][0])
