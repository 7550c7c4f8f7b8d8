"""The tenancy walk's world, for whoever asks the API anything at all."""

from tests.integration.tenancy.conftest import everything, principals, settled, sites

__all__ = ["everything", "principals", "settled", "sites"]
