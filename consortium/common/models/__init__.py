"""Shapes that the apps' models share, the content-addressed store, and remembered answers."""

from consortium.common.models.blobs import Blob
from consortium.common.models.idempotency import RememberedAnswer
from consortium.common.models.shapes import ChainBacked, TransactionState, UuidModel

__all__ = ["Blob", "ChainBacked", "RememberedAnswer", "TransactionState", "UuidModel"]
