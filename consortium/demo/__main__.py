"""`make demo`: start everything, tell the story with its claims checked, and keep serving."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from consortium.demo.steps import founding, services
from consortium.demo.story import ClaimFailedError, Story
from consortium.demo.world import World
from consortium.embedded.instance import ensure_port_free, free_port, hold
from consortium.embedded.layout import Layout, default_layout
from consortium.embedded.leftovers import end_postgres_of, end_programs_of
from consortium.embedded.supervisor import interrupt_on_terminate, running_services
from consortium.kernel.errors import ConsiliumError

STEPS = (services, founding)


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    layout = Layout(options.instance.resolve())
    interrupt_on_terminate()
    try:
        port = _port(options)
        if options.fresh:
            _remove(layout)
        return _tell(layout, port, exit_after=options.exit)
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
    parser.add_argument("--port", type=int, default=8000, help="port of the portal on 127.0.0.1 (default 8000; 0: any)")
    parser.add_argument(
        "--instance", type=Path, default=default_layout().root, help="folder of the instance (default .local)"
    )
    return parser


def _port(options: argparse.Namespace) -> int:
    if options.port == 0:
        return free_port()
    ensure_port_free(options.port, option='`make demo ARGS="--port N"`')
    return int(options.port)


def _remove(layout: Layout) -> None:
    """Remove the instance, but not under the feet of one that runs."""
    with hold(layout):
        end_programs_of(layout.root)
        end_postgres_of(layout.postgres)
        for folder in (layout.postgres, layout.chain, layout.platform, layout.sites, layout.secrets, layout.demo):
            shutil.rmtree(folder, ignore_errors=True)


def _tell(layout: Layout, port: int, *, exit_after: bool) -> int:
    story = Story(layout.demo)
    with running_services(layout, web_port=port) as instance:
        world = World(instance=instance, port=port)
        for step in STEPS:
            step.tell(story, world)
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
    story.say(f"  log in as {world.operator_email} with the pass phrase {world.operator_phrase}")
    story.say("Ctrl-C stops everything.")


if __name__ == "__main__":
    sys.exit(main())
