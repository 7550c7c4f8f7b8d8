"""What goes into the process of a plan's code and what comes back: bytes with their sizes, nothing that executes."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from agent.training.errors import CodeRefusedError, RunnerError
from training.federated.algorithms.features import Row
from training.federated.plan import parse_training_plan
from training.federated.plan_code import TrainTask

ANSWER: Final = b"\x00"
REFUSAL: Final = b"\x01"
# The code may say which rule was broken; a text of its own could carry a record out of the house.
REFUSED_CODES: Final = frozenset({"row_format", "tensor_format", "not_finite", "quantization"})
_SIZE: Final = struct.Struct("<Q")


def write_request(training: Mapping[str, Any], weights: bytes, columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Return the plan's training section, the rows' columns and the incoming weights as one message."""
    table = {
        "training": dict(training),
        "columns": list(columns),
        "rows": [[row[name] for name in columns] for row in rows],
    }
    head = json.dumps(table, allow_nan=False).encode()
    return _SIZE.pack(len(head)) + head + weights


def read_request(raw: bytes) -> tuple[TrainTask, list[Row]]:
    """Read the agent's own message in the child."""
    (size,) = _SIZE.unpack_from(raw)
    table = json.loads(raw[_SIZE.size : _SIZE.size + size])
    rows: list[Row] = [dict(zip(table["columns"], values, strict=True)) for values in table["rows"]]
    return TrainTask(parse_training_plan(table["training"]), raw[_SIZE.size + size :]), rows


def read_reply(raw: bytes) -> bytes:
    """Return the plain vector's little-endian float64 bytes; nothing about them is trusted.

    Raises
    ------
    CodeRefusedError
        If the code refused rows or weights.
    RunnerError
        If it ended without an answer.
    """
    if raw[:1] == ANSWER:
        return raw[1:]
    if raw[:1] == REFUSAL:
        reason = raw[1:].decode("ascii", errors="replace")
        known = reason if reason in REFUSED_CODES else "unknown"
        raise CodeRefusedError(f"The plan's code refuses this site's rows or the weights ({known}).", reason=known)
    raise RunnerError("The plan's code ended without an answer: it failed, or used more than its limits.")


def warm_up_request() -> bytes:
    """Return a request over made-up rows, by which the helper imports whatever training needs."""
    from training.federated.weights import dump_weights

    training = {
        "algorithm": "logistic_regression",
        "features": [
            {"name": "a", "kind": "numeric", "offset": 0.0, "scale": 1.0},
            {"name": "b", "kind": "binary"},
            {"name": "c", "kind": "categorical", "categories": ["x", "y"]},
        ],
        "target": {"name": "d", "greater_than": 0},
        **{"learning_rate": 1.0, "local_steps": 1, "penalty": 0.0, "clip_bound": 1.0, "max_rows": 2, "max_sites": 3},
        **{"ring_bits": 64, "histogram_bins": 512, "calibration_bins": 1},
    }
    rows = [{"a": 1.0, "b": 0, "c": "x", "d": 1.0}, {"a": 2.0, "b": 1, "c": "y", "d": 0.0}]
    return write_request(training, dump_weights(np.zeros(4)), ["a", "b", "c", "d"], rows)
