"""The end of the story: how the chain is, as `manage.py chain status` tells it, without a program of its own."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from consortium.demo.story import Story
from consortium.demo.world import World
from contracts.network.asking import NamedNode
from contracts.network.points import Point, State, lines_of
from contracts.network.status import Watch, network_status
from contracts.rpc.answers import error_from_answer

OF_THE_CHAIN = ("chain", "outbox", "lanes", "projector")


class LoopbackNode:
    """The development chain, asked once; web3 would take a second to import."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  loopback, fixed scheme
            found = json.load(answer)
        if "error" in found:
            raise error_from_answer(method, found["error"])
        return found["result"]


def tell(story: Story, world: World) -> None:
    """Print the status."""
    story.say("\nmanage.py chain status", bold=True)
    for point in (*_flow(world.address), *_network(world.ports.chain)):
        for line in lines_of(point):
            story.note(line)


def _flow(address: str) -> list[Point]:
    """What the web process says of chain, outbox and projector, well or not."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310  loopback
            checks = json.load(answer)["checks"]
    except urllib.error.HTTPError as error:
        checks = json.load(error)["checks"]
    found = ((name, checks[name]) for name in OF_THE_CHAIN)
    return [Point(name, State.WELL if check["well"] else State.WRONG, check["text"]) for name, check in found]


def _network(port: int) -> list[Point]:
    node = NamedNode(f"127.0.0.1:{port}", LoopbackNode(f"http://127.0.0.1:{port}"))
    return network_status(Watch([node], is_development=True))
