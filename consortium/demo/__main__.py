"""`make demo`: start everything, tell the story with its claims checked, and keep serving."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from consortium.demo import chain_status
from consortium.demo.sites import VOTER
from consortium.demo.steps import consents, evidence, founding, model, planning, services, training
from consortium.demo.story import ClaimFailedError, Story
from consortium.demo.world import Ports, World, kept_ports
from consortium.embedded.errors import EmbeddedError
from consortium.embedded.instance import ensure_port_free, free_port, hold
from consortium.embedded.layout import Layout, default_layout
from consortium.embedded.leftovers import end_postgres_of, end_programs_of
from consortium.embedded.supervisor import interrupt_on_terminate, running_services
from consortium.kernel.errors import ConsiliumError

DEFAULT_PORT = 8000
STEPS = (services, founding, consents, planning, training, model, evidence)


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    layout = Layout(options.instance.resolve())
    interrupt_on_terminate()
    try:
        if options.fresh:
            remove(layout)
        return _tell(layout, _ports(options, layout), exit_after=options.exit)
    except ConsiliumError as error:
        sys.stderr.write(f"\n{error.message}\n")
        return 1
    except ClaimFailedError as error:
        sys.stderr.write(f"\nThe story stops here. {error}\nLogs: {layout.logs}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130 if options.exit else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="stop after the story; status 0 only if every claim held")
    parser.add_argument("--fresh", action="store_true", help="start from nothing: remove what earlier runs kept")
    parser.add_argument("--port", type=int, help=f"port of the portal on 127.0.0.1 (default {DEFAULT_PORT}; 0: any)")
    parser.add_argument(
        "--instance", type=Path, default=default_layout().root, help="folder of the instance (default .local)"
    )
    return parser


def _ports(options: argparse.Namespace, layout: Layout) -> Ports:
    """The ports of an earlier run, which its sites know; else the one asked for, and any for the chain."""
    if (kept := kept_ports(layout)) is not None:
        if options.port not in (None, kept.web):
            raise EmbeddedError(
                f"The sites of this instance know the portal at port {kept.web}. Leave out --port, or start from "
                "nothing with --fresh."
            )
        ensure_port_free(kept.web, option="--fresh and --port N")
        return kept
    if options.port == 0:
        return Ports(free_port(), free_port())
    port = DEFAULT_PORT if options.port is None else int(options.port)
    ensure_port_free(port, option='`make demo ARGS="--port N"`')
    return Ports(port, free_port())


def remove(layout: Layout) -> None:
    """Remove the instance, but not under the feet of one that runs."""
    with hold(layout):
        end_programs_of(layout.root)
        end_postgres_of(layout.postgres)
        for folder in (layout.postgres, layout.chain, layout.platform, layout.sites, layout.secrets, layout.demo):
            shutil.rmtree(folder, ignore_errors=True)


def _tell(layout: Layout, ports: Ports, *, exit_after: bool) -> int:
    story = Story(layout.demo)
    with running_services(layout, web_port=ports.web, chain_port=ports.chain) as instance:
        world = World(instance=instance, ports=ports)
        for step in STEPS:
            step.tell(story, world)
        chain_status.tell(story, world)
        path = story.finish()
        story.say(
            f"\n{story.claims} claims checked and held in {story.result['wall_seconds']} s. Figures: {path}", bold=True
        )
        if exit_after:
            return 0
        _invite(story, world)
        while True:
            time.sleep(1)
            if dead := instance.dead():
                sys.stderr.write(f"\n{dead[0].name} ended. Its log {dead[0].log} ends:\n{dead[0].log_tail()}\n")
                return 1


def _invite(story: Story, world: World) -> None:
    story.say(f"\nThe portal is at {world.address}")
    story.say(f"  operator    {world.operator_email}  pass phrase {world.operator_phrase}")
    for site in world.sites:
        story.say(f"  {site.hospital.name}  {site.hospital.admin}  pass phrase {site.admin_phrase}")
        story.say(f"      its member page {site.member_page}/  {VOTER}  pass phrase {site.voter_phrase}")
    story.say("Ctrl-C stops everything.")


if __name__ == "__main__":
    sys.exit(main())
