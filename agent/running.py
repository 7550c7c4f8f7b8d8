"""The agent's process: work loop, courier and member page until a signal asks it to end."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from agent.consents.loop import ConsentLoop
from agent.courier import Courier
from agent.errors import FolderError
from agent.member_page.application import member_page
from agent.node_watch import NodeWatch
from agent.site import Site
from agent.training import handlers, plan_binding
from agent.witness import Witness
from agent.work import WorkLoop

logger = logging.getLogger(__name__)
_BACKLOG = 64
# Importing them registered the kinds of work in a round, and how a plan is tied to its vote.
_REGISTERED = (handlers, plan_binding)


async def run_site(site: Site) -> None:
    """Run until SIGTERM or SIGINT; jobs in hand are refused, sockets closed, the journal whole.

    Raises
    ------
    FolderError
        If the address of the member page is taken: another agent of this member runs.
    """
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, ending.set)
    async with site.client() as client:
        courier = Courier(client, site.letters)
        desk = site.desk(client, courier)
        application = member_page(site, desk=desk, courier=courier)
        with _sockets(site) as sockets:
            server = _Server(
                uvicorn.Config(application, lifespan="off", log_level="warning", access_log=False, server_header=False)
            )
            workers = [
                asyncio.create_task(WorkLoop(client, site).run(), name="work"),
                asyncio.create_task(courier.run(), name="courier"),
                asyncio.create_task(ConsentLoop(site.consents, client).run(), name="consents"),
                asyncio.create_task(Witness(site, client, desk).run(), name="witness"),
            ]
            if site.node_keeper.is_named:
                workers.append(asyncio.create_task(NodeWatch(site.node_keeper, client, desk).run(), name="node"))
            tasks = [*workers, asyncio.create_task(server.serve(sockets), name="member page")]
            site.journal.record("site", "started", process=os.getpid())
            await _until(ending, tasks)
            server.should_exit = True
            for task in workers:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    # An import that is nearly done is worth the wait; one that is killed takes nothing.
    await asyncio.to_thread(site.consents.imports.wait)
    site.journal.record("site", "ended", process=os.getpid())


async def _until(ending: asyncio.Event, tasks: list["asyncio.Task[None]"]) -> None:
    """Wait for a signal, or for a part that failed: half an agent is worse than none."""
    asked = asyncio.create_task(ending.wait())
    done, _ = await asyncio.wait({asked, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    for task in done - {asked}:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: they end the jobs first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _sockets(site: Site) -> Iterator[list[socket.socket]]:
    """Open the member page's two doors: loopback, and a Unix socket in the private folder."""
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(("127.0.0.1", site.configuration.port))
        except OSError as error:
            raise FolderError(
                f"Port {site.configuration.port} of this machine is in use. Stop what holds it (perhaps this agent "
                "runs already), or set member_page.port in site.toml."
            ) from error
        tcp.listen(_BACKLOG)
        local = stack.enter_context(_unix_socket(site.folder.socket))
        yield [tcp, local]


@contextlib.contextmanager
def _unix_socket(path: Path) -> Iterator[socket.socket]:
    """Open the socket 0600; one left by a killed agent is replaced (the port above shows that none runs)."""
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        _bind(door, path)
    finally:
        os.umask(before)
    door.listen(_BACKLOG)
    try:
        yield door
    finally:
        door.close()
        path.unlink(missing_ok=True)


def _bind(door: socket.socket, path: Path) -> None:
    """Bind by the folder's descriptor: a socket's path may have 107 bytes, a folder's more."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        door.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
