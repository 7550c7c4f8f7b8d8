"""A program that works whenever there is something to do, and ends when it is asked to."""

import contextlib
import gc
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from django.db import InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from consortium.common import heartbeat
from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.errors import ChainError

logger = logging.getLogger(__name__)

# After a fault that may pass: 0.5, 1, 2, ... seconds.
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
# Objects that may come before the collector looks at them.
COLLECTED_AFTER = 20_000
# A signal is noticed within this time while waiting.
MAX_WAIT_SECONDS = 0.5
# Between two signs of life of a program that only waits for a person.
HELD_SECONDS = 5.0


@contextlib.contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, so that a pass is finished before the program ends."""
    stop = threading.Event()

    def ask(sign: int, frame: FrameType | None) -> None:
        stop.set()

    before = {sign: signal.signal(sign, ask) for sign in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextlib.contextmanager
def rarely_collecting() -> Iterator[None]:
    """Let the whole process look for garbage less often until the block ends: for a program's main thread.

    Events and rows of a batch live until its end, and make no cycles: looking through them each time that 700 more
    are there, Python's default, finds nothing and took a quarter of the projector's time.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECTED_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def work_until_stopped(step: Callable[[], float], *, channel: str, stop: threading.Event) -> None:
    """Call `step` as the system until stopped; it says how many seconds it may be left waiting for `channel`.

    Faults that pass (node or database away) are logged and tried again after a growing pause.

    Raises
    ------
    ChainError
        One that needs a person.
    """
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        heartbeat.beat()
        try:
            with act_for_all():
                seconds = step()
            _wait_for_notice(channel, seconds, stop)
            pause = FIRST_PAUSE_SECONDS
            continue
        except ChainError as error:
            if not error.retryable:
                raise
            logger.warning("The chain does not answer as it should: %s Trying again in %.1f s.", error.message, pause)
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database went away (%s). Trying again in %.1f s.", type(error).__name__, pause)
            connection.close()
        stop.wait(pause)
        pause = min(pause * 2, MAX_PAUSE_SECONDS)


def stay_until_stopped(error: ConsiliumError) -> None:
    """Do nothing more until SIGTERM, for keepers that start again whatever ends; probes see that it is held."""
    logger.error("%s: %s Nothing is done until a person starts this again.", error.code, error.message)
    connection.close()
    with stop_on_signals() as stop:
        heartbeat.beat_held()
        while not stop.wait(HELD_SECONDS):
            heartbeat.beat_held()


def _wait_for_notice(channel: str, seconds: float, stop: threading.Event) -> None:
    """Wait for a NOTIFY on the channel, at most so long, and no longer than the program may go on."""
    wrapper: BaseDatabaseWrapper = connection
    with wrapper.cursor() as cursor:
        cursor.execute(f"LISTEN {channel}")
    while seconds > 0 and not stop.is_set():
        slice_seconds = min(seconds, MAX_WAIT_SECONDS)
        if list(wrapper.connection.notifies(timeout=slice_seconds, stop_after=1)):
            return
        seconds -= slice_seconds
