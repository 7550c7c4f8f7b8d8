"""A limit on the whole wait for an answer's head: the library's own counts anew with each byte that comes."""

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# How much later than asked for a connection may be cut.
TICK_SECONDS = 0.1


class Watchdog:
    """Cuts connections whose time is over; one thread a process, and none before the first use."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start from nothing, as a forked process does: threads and their locks do not follow into it."""
        self._changed = threading.Condition()
        self._due: dict[int, tuple[float, socket.socket]] = {}
        self._is_running = False

    @contextlib.contextmanager
    def cut_after(self, connection: socket.socket, seconds: float) -> Iterator[None]:
        """Cut the connection, whatever it does, if the block takes longer."""
        number = next(self._numbers)
        with self._changed:
            self._start()
            self._due[number] = (time.monotonic() + seconds, connection)
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(number, None)

    def _start(self) -> None:
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._run, name="deadlines", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due:
                    self._changed.wait()
                moment = time.monotonic()
                for number in [number for number, (due, _) in self._due.items() if due <= moment]:
                    _cut(self._due.pop(number)[1])
            time.sleep(TICK_SECONDS)


WATCHDOG = Watchdog()
os.register_at_fork(after_in_child=WATCHDOG.begin_anew)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # The plain one also under TLS: whoever reads finds the connection ended.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Limited:
    """A connection whose answer's head has to be there in time; `timeout` is the limit of each read."""

    def getresponse(self) -> Any:
        limit, sock = self.timeout, self.sock  # type: ignore[attr-defined]  # of the class beside this one
        if not isinstance(limit, (int, float)) or sock is None:
            return super().getresponse()  # type: ignore[misc]  # of the class beside this one
        with WATCHDOG.cut_after(sock, limit):
            return super().getresponse()  # type: ignore[misc]  # of the class beside this one


class _PlainConnection(_Limited, HTTPConnection):
    pass


class _SecureConnection(_Limited, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class LimitedAdapter(HTTPAdapter):
    """An adapter for a session whose connections keep the limit."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def limited_session() -> requests.Session:
    """A session in which no answer's head takes longer than the read limit of its request."""
    session = requests.Session()
    session.mount("http://", LimitedAdapter())
    session.mount("https://", LimitedAdapter())
    return session
