"""The trusted runner's part between the plan's code and the mask: check, clip, quantize."""

import numpy as np
from numpy.typing import NDArray

from training.federated.errors import QuantizationError
from training.federated.layout import WEIGHTED_UPDATE
from training.federated.plan import TrainingPlan
from training.federated.privacy.clipping import clip_norm
from training.federated.secagg.prg import RingVector
from training.federated.tensors import ensure_finite


def prepare_vector(plan: TrainingPlan, plain: NDArray[np.float64]) -> RingVector:
    """Return what the site masks: the plain vector with its update clipped, in the ring.

    Parameters
    ----------
    plan : TrainingPlan
    plain : float64 array, shape (layout.size,)
        As the plan's code returned it; nothing about it is trusted.

    Raises
    ------
    NotFiniteError
        If a value is NaN or infinite.
    QuantizationError
        If shape or type is another, or a count is not a whole number within its bound.
    """
    layout = plan.layout()
    if plain.dtype != np.float64 or plain.shape != (layout.size,):
        raise QuantizationError(f"The plan's code returned another shape or type than float64 ({layout.size},).")
    ensure_finite(plain, what="an update")
    clipped = plain.copy()
    place = layout.part(WEIGHTED_UPDATE).place
    clipped[place] = clip_norm(plain[place], plan.clip_bound)
    return layout.encode(clipped)


def plain_from_bytes(plan: TrainingPlan, raw: bytes) -> NDArray[np.float64]:
    """Return the plain vector from the little-endian float64 bytes that came through the pipe."""
    size = plan.layout().size
    if len(raw) != 8 * size:
        raise QuantizationError(f"The plan's code returned {len(raw)} bytes, not {8 * size}.")
    return np.frombuffer(raw, dtype="<f8").astype(np.float64)
