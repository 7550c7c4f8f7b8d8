"""Weights by digest: fetched from the platform once, kept while a round needs them."""

from collections import OrderedDict

from agent.client import PlatformClient
from agent.errors import ContradictionError
from agent.training.errors import refused
from consortium.kernel.digests import bytes32_to_digest, sha256_digest

# The incoming and the next weights of two runs.
_KEPT = 4


class Shelf:
    """A few blobs, the least used one making room."""

    def __init__(self) -> None:
        self._blobs: OrderedDict[str, bytes] = OrderedDict()

    def put(self, data: bytes) -> None:
        digest = sha256_digest(data)
        self._blobs[digest] = data
        self._blobs.move_to_end(digest)
        while len(self._blobs) > _KEPT:
            self._blobs.popitem(last=False)

    async def weights(self, client: PlatformClient, digest: bytes) -> bytes:
        """Return the weights with this SHA-256; `weights_differ` if the platform sends others."""
        name = bytes32_to_digest(digest)
        if name not in self._blobs:
            try:
                self.put(await client.blob(name))
            except ContradictionError as error:
                raise refused("weights_differ", error.message) from error
        self._blobs.move_to_end(name)
        return self._blobs[name]
