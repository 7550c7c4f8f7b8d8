"""The program of one run under one fence: Substra in a process and a folder of its own.

`python -m training.backends.substra.child`, started by the coordinator with an empty environment. It holds no secret
and no record, reads messages from its standard input and answers on its standard output. It ends with its
coordinator: at the end of its input, at once.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from training.backends.substra.answers import Answers, Place
from training.backends.substra.messages import MessageError, read_message, write_message

if TYPE_CHECKING:
    from training.backends.substra.compute_plan import ComputePlan, Shape

Head = dict[str, Any]
Inbox = SimpleQueue[Head]


class FenceError(Exception):
    """A message carries another fence than the one this child was started under."""


def main() -> None:
    """Serve one coordinator."""
    forbid_unpickling()
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever a library prints goes to the log, not between the messages.
    os.dup2(2, 1)
    head = _first(source)
    answers, inbox = Answers(), Inbox()
    threading.Thread(target=_receive, args=(source, head["fence"], answers, inbox), daemon=True).start()
    serve(head, answers, inbox.get, lambda fields, body=b"": write_message(target, fields, body))


def serve(head: Head, answers: Answers, receive: Callable[[], Head], send: Callable[..., None]) -> None:
    """Make the plan and run what is asked for, one thing after another."""
    # Only now: importing Substra takes a second, in which messages are read already.
    from training.backends.substra.compute_plan import ComputePlan

    labels = {"run": head["run"], "fence": str(head["fence"]), "function": head["function"]}
    plan = ComputePlan(head["sites"], answers, labels=labels, resumes=head["resumes"])
    send({"event": "ready", "compute_plan": plan.key})
    while True:
        _do(plan, receive(), send)


def forbid_unpickling() -> None:
    """Have every attempt of this process to load a pickled class fail, whoever makes it."""

    def refuse(event: str, _arguments: object) -> None:
        if event == "pickle.find_class":
            raise RuntimeError("Nothing is unpickled in a run's child.")

    sys.addaudithook(refuse)


def _do(plan: "ComputePlan", head: Head, send: Callable[..., None]) -> None:
    operation = head["operation"]
    if operation == "publish":
        for site in head["sites"]:
            send({"event": "ended", **plan.train(_shape(head), site)})
    elif operation == "sum":
        row, total = plan.sum(_shape(head), head["sites"])
        send({"event": "ended", **row})
        send({"event": "summed", "round": head["round"], "attempt": head["attempt"]}, total)
    elif operation == "settle":
        send({"event": "settled"})
    else:
        raise MessageError(f"There is no operation {operation!r}.")


def _shape(head: Head) -> "Shape":
    from training.backends.substra.compute_plan import Shape

    return Shape(head["round"], head["attempt"], head["weights"], head["size"], head["ring_bits"])


def _first(source: IO[bytes]) -> Head:
    message = read_message(source)
    if message is None:
        os._exit(0)
    return message[0]


def _receive(source: IO[bytes], fence: int, answers: Answers, inbox: Inbox) -> None:
    """Hand sites' answers to the task that waits, the rest to the main thread; end the process at the end."""
    try:
        while (message := read_message(source)) is not None:
            head, body = message
            if head.get("fence") != fence:
                raise FenceError(f"The message is of fence {head.get('fence')}, this child of {fence}.")
            _hand_on(head, body, answers, inbox)
    except Exception as error:  # noqa: BLE001  whatever it is: the coordinator must not wait for this child
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


def _hand_on(head: Mapping[str, Any], body: bytes, answers: Answers, inbox: Inbox) -> None:
    operation = head["operation"]
    if operation == "cancel":
        answers.cancel()
    elif operation in ("deliver", "lose"):
        place = Place(head["round"], head["attempt"], head["site"])
        if operation == "deliver":
            answers.deliver(place, body)
        else:
            answers.lose(place, head["reason"])
    else:
        inbox.put(dict(head))


if __name__ == "__main__":
    main()
