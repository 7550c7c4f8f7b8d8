"""The back ends by name, imported when a coordinator needs one: heavy ones stay out of web processes."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.module_loading import import_string

from training.backends.base import Backend
from training.errors import UnknownBackendError

BACKENDS: Mapping[str, str] = MappingProxyType(
    {
        "memory": "training.backends.memory.MemoryBackend",
        "substra": "training.backends.substra.backend.SubstraBackend",
    }
)


def ensure_known(name: str) -> str:
    """Return the name; `UnknownBackendError` if there is no such back end."""
    if name not in BACKENDS:
        raise UnknownBackendError(f"There is no back end {name!r}. Choose among {', '.join(sorted(BACKENDS))}.")
    return name


def make_backend(name: str) -> Backend:
    """Return a fresh back end for one run."""
    backend: Backend = import_string(BACKENDS[ensure_known(name)])()
    return backend
