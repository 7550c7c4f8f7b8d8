"""SubstraFL's remote methods without pickle: shared states are the masked vectors' own safetensors bytes.

SubstraFL's two decorators name a class that pickles shared states, and its `RemoteStruct` passes no serializer on.
So these decorators name a class whose default serializer is ours.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from substrafl.remote.operations import RemoteDataOperation, RemoteOperation
from substrafl.remote.remote_struct import RemoteStruct
from substrafl.remote.serializers.serializer import Serializer
from substrafl.remote.substratools_methods import RemoteMethod

Method = Callable[..., Any]


class BytesSerializer(Serializer):
    """Shared states are bytes; whoever uses them reads them strictly (`secagg.masked_vector.unpack`)."""

    @staticmethod
    def save(state: bytes, path: Path) -> None:
        Path(path).write_bytes(state)

    @staticmethod
    def load(path: Path) -> bytes:
        return Path(path).read_bytes()


class BytesRemoteMethod(RemoteMethod):
    """A remote method whose shared states are bytes."""

    def __init__(self, instance: Any, method_name: str, method_parameters: dict[str, Any]) -> None:
        super().__init__(instance, method_name, method_parameters, shared_state_serializer=BytesSerializer)


def remote_data(method: Method) -> Method:
    """Decorate a method on a site's data: called, it returns the operation; with `_skip=True` it runs."""

    @wraps(method)
    def inner(
        self: Any,
        data_samples: list[str] | None = None,
        shared_state: Any = None,
        *,
        _skip: bool = False,
        _algo_name: str | None = None,
        **parameters: Any,
    ) -> Any:
        if _skip:
            return method(self=self, shared_state=shared_state, **parameters)
        return RemoteDataOperation(_struct(self, method, _algo_name, parameters), data_samples or [], shared_state)

    return inner


def remote(method: Method) -> Method:
    """Decorate a method on shared states: called, it returns the operation; with `_skip=True` it runs."""

    @wraps(method)
    def inner(
        self: Any,
        shared_states: list[Any] | None = None,
        *,
        _skip: bool = False,
        _algo_name: str | None = None,
        **parameters: Any,
    ) -> Any:
        if _skip:
            return method(self=self, shared_states=shared_states, **parameters)
        return RemoteOperation(_struct(self, method, _algo_name, parameters), shared_states)

    return inner


def _struct(owner: Any, method: Method, name: str | None, parameters: dict[str, Any]) -> RemoteStruct:
    return RemoteStruct(
        cls=owner.__class__,
        cls_args=owner.args,
        cls_kwargs=owner.kwargs,
        method_name=method.__name__,
        method_parameters=parameters,
        algo_name=name,
        remote_cls=BytesRemoteMethod,
    )
