"""How Besu reads a block parameter: tags, hexadecimal, and (in this version still) decimal numbers."""

from enum import StrEnum
from typing import Any

from tests.besu import refusals


class BlockTag(StrEnum):
    """Names of moving heights; a QBFT network knows no safe or finalized block."""

    LATEST = "latest"
    PENDING = "pending"
    SAFE = "safe"
    FINALIZED = "finalized"


def parse_height(parameter: Any) -> int | BlockTag:
    """The height or tag that a parameter names; -32602 where it names none."""
    if isinstance(parameter, int) and not isinstance(parameter, bool):
        return parameter
    if parameter == "earliest":
        return 0
    try:
        return BlockTag(parameter)
    except ValueError:
        pass
    try:
        return int(parameter, 16 if str(parameter).startswith("0x") else 10)
    except (ValueError, TypeError) as error:
        raise refusals.invalid_params("Invalid block number params") from error
