"""`make serve`: an empty platform on this machine, with all its services, for whoever follows a guide on it.

No organization, no consortium, no story. It goes on where it was stopped, and prints what others need to reach it.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from consortium.demo.__main__ import remove
from consortium.demo.programs import start_chain_programs, start_system_workers
from consortium.demo.steps import services
from consortium.demo.story import Story
from consortium.demo.world import Ports, World, kept_ports
from consortium.embedded.errors import EmbeddedError
from consortium.embedded.instance import ensure_port_free, free_port
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import Instance, interrupt_on_terminate, running_services
from consortium.kernel.errors import ConsiliumError

DEFAULT_PORT = 8000
# Not CONSILIUM_INSTANCE, by which leftovers of an instance are known, and ended.
FOLDER_VARIABLE = "CONSILIUM_SERVED"
READY = "Ctrl-C stops everything."


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    layout = Layout(options.instance.resolve())
    interrupt_on_terminate()
    try:
        if options.fresh:
            remove(layout)
        return _serve(layout, _ports(layout, options.port))
    except ConsiliumError as error:
        sys.stderr.write(f"\n{error.message}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    default = os.environ.get(FOLDER_VARIABLE, str(project_root() / ".local" / "serve"))
    parser.add_argument("--instance", type=Path, default=Path(default), help="folder of the instance (.local/serve)")
    parser.add_argument("--port", type=int, help=f"port of the portal on 127.0.0.1 (default {DEFAULT_PORT}; 0: any)")
    parser.add_argument("--fresh", action="store_true", help="start from nothing: remove what earlier runs kept")
    return parser


def _ports(layout: Layout, asked: int | None) -> Ports:
    """The ports of an earlier start, which sites know; else the one asked for, and any for the chain."""
    kept = kept_ports(layout)
    if kept is not None and asked not in (None, 0, kept.web):
        raise EmbeddedError(f"The sites of this instance know port {kept.web}. Leave out --port, or say --fresh.")
    if kept is None:
        port = DEFAULT_PORT if asked is None else asked
        kept = Ports(port or free_port(), free_port())
    ensure_port_free(kept.web, option="--port N")
    return kept


def _serve(layout: Layout, ports: Ports) -> int:
    with running_services(layout, web_port=ports.web, chain_port=ports.chain) as instance:
        world = World(instance=instance, ports=ports)
        if world.stands("founding"):
            raise EmbeddedError("This folder holds the demonstration. Name another one with --instance.")
        world.finish("serve")
        services.tell(Story(layout.demo), world)
        if not (layout.platform / "relay.json").exists():
            instance.manage("relay", "create", role="system")
        instance.manage("log_key", "create", "--if-missing", role="system")
        start_chain_programs(instance)
        start_system_workers(instance)
        _tell(world)
        return _watch(instance)


def _tell(world: World) -> None:
    """Print what people need, and leave in a file what their shells need; nothing of it is secret but one phrase."""
    addresses, root = world.instance.addresses, world.instance.layout.root
    values = {
        "CONSILIUM_URL": world.address,
        "CHAIN_URL": addresses.chain,
        "CHAIN_ID": str(addresses.chain_id),
    }
    (root / "serve.env").write_text("".join(f"export {name}={value}\n" for name, value in values.items()))
    say = Story.say
    say(f"\nThe portal is at {world.address}, for nobody but the operator yet:")
    say(f"  {world.operator_email}  pass phrase {world.operator_phrase}")
    say(f"The development chain is at {addresses.chain}, chain id {addresses.chain_id}.")
    say("How organizations and a consortium come in: docs/guides/own-data.md")
    say(READY, bold=True)


def _watch(instance: Instance) -> int:
    while True:
        time.sleep(1)
        if dead := instance.dead():
            sys.stderr.write(f"\n{dead[0].name} ended. Its log {dead[0].log} ends:\n{dead[0].log_tail()}\n")
            return 1


if __name__ == "__main__":
    sys.exit(main())
