"""The helper that plans' code is forked from: a program of its own that never held a key.

It is started by `runner_process.RunnerProcess`, imports the code once, gives up what it can, and then forks a child
for each request. A request is a message of limits with two descriptors, a pipe to read from and one to answer by.
"""

import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from agent.training.confinement import Limits, confine_code, confine_helper
from agent.training.runner_messages import ANSWER, REFUSAL, REFUSED_CODES, read_request
from consortium.kernel.errors import ConsiliumError

# Of the helper's own few descriptors none is higher.
_DESCRIPTORS = 256
_MESSAGE_BYTES = 256
_PIECE = 64 * 1024
Code = Callable[..., Any]


def main(descriptor: int, name: str, warm_up: bytes) -> None:
    """Serve until the agent closes its end."""
    code = _load(name)
    _answer(code, warm_up)
    os.environ.clear()
    channel = socket.socket(fileno=descriptor)
    channel.send(json.dumps(confine_helper().to_json()).encode())
    # Children are reaped by the kernel; the agent knows of their end by the pipe's.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, (request, reply), _flags, _address = _receive(channel)
        if not message:
            return
        child = os.fork()
        if child == 0:
            _run(code, Limits(**json.loads(message)), request, reply)
        os.close(request)
        os.close(reply)
        _report(channel, child)


def _receive(channel: socket.socket) -> tuple[bytes, list[int], int, Any]:
    message, descriptors, flags, address = socket.recv_fds(channel, _MESSAGE_BYTES, 2)
    return message, descriptors or [-1, -1], flags, address


def _report(channel: socket.socket, child: int) -> None:
    """Hand the agent a hold on the child that no other process can take the place of."""
    try:
        hold = os.pidfd_open(child)
    except ProcessLookupError:
        channel.send(b"ended")
        return
    socket.send_fds(channel, [b"child"], [hold])
    os.close(hold)


def _run(code: Code, limits: Limits, request: int, reply: int) -> None:
    """Run the code and answer; never returns."""
    try:
        low, high = sorted((request, reply))
        os.closerange(0, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, _DESCRIPTORS)
        # The parent ignores it for its own children.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        confine_code(limits)
        _write(reply, _answer(code, _read(request)))
    finally:
        # Whatever happened is said by an answer that is missing; no text of the code leaves.
        os._exit(0)


def _answer(code: Code, raw: bytes) -> bytes:
    task, rows = read_request(raw)
    try:
        plain: bytes = code(task, rows).astype("<f8").tobytes()
    except ConsiliumError as error:
        reason = error.code if error.code in REFUSED_CODES else ""
        return REFUSAL + reason.encode()
    return ANSWER + plain


def _read(descriptor: int) -> bytes:
    pieces = []
    while piece := os.read(descriptor, _PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _load(name: str) -> Code:
    module, _, function = name.partition(":")
    code: Code = getattr(importlib.import_module(module), function)
    return code


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.stdin.buffer.read())
