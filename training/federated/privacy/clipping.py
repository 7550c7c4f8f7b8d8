"""Clipping binds what one site may add to a sum (honest sites only: nobody sees a masked vector)."""

import numpy as np
from numpy.typing import NDArray


def clip_norm(vector: NDArray[np.float64], bound: float) -> NDArray[np.float64]:
    """Return the vector, scaled down to Euclidean norm `bound` if it is longer.

    Parameters
    ----------
    vector : float64 array, shape (d,), finite
    bound : float
        Positive.

    References
    ----------
    Abadi et al. 2016, "Deep Learning with Differential Privacy", algorithm 1.
    """
    largest = float(np.max(np.abs(vector), initial=0.0))
    if largest == 0.0:
        return vector.copy()
    # divided by the largest magnitude first, so that squares of huge values do not overflow
    norm = largest * float(np.linalg.norm(vector / largest))
    return vector.copy() if norm <= bound else vector * (bound / norm)
