"""The platform's own processes, started in the order in which they need each other."""

import urllib.error
import urllib.request

from consortium.embedded.supervisor import Instance
from consortium.embedded.tied import TiedProcess

# The exit status of both chain programs where an operator has to look: starting them again would not help.
NEEDS_A_PERSON = frozenset({3})
CELERY = ["-m", "celery", "-A", "consortium.celery"]


def begin_web(instance: Instance, port: int) -> TiedProcess:
    """Start the web process; other things can be done until it answers."""
    arguments = ["-m", "uvicorn", "consortium.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    return instance.start_program("web", [*arguments, "--no-access-log", "--lifespan", "off"])


def await_web(web: TiedProcess, port: int) -> None:
    web.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"))


def start_workers(instance: Instance) -> list[TiedProcess]:
    """Start the worker for tenants' tasks."""
    return [instance.start_program("worker", [*CELERY, *_worker("platform")])]


def start_chain_programs(instance: Instance) -> list[TiedProcess]:
    """Start what sends to the chain and what reads from it, each as the system's database role."""
    return [
        instance.start_program("dispatcher", ["manage.py", "dispatch"], role="system", final=NEEDS_A_PERSON),
        instance.start_program("projector", ["manage.py", "project"], role="system", final=NEEDS_A_PERSON),
    ]


def start_system_workers(instance: Instance) -> list[TiedProcess]:
    """Start the worker for runs (one process is held a run), the one for short tasks, and the clock."""
    beat = ["beat", "--schedule", str(instance.layout.platform / "beat-schedule"), "--pidfile="]
    return [
        start_run_worker(instance),
        instance.start_program("system-worker", [*CELERY, *_worker("system")], role="system"),
        instance.start_program("beat", [*CELERY, *beat, "--loglevel", "WARNING"]),
    ]


def start_run_worker(instance: Instance) -> TiedProcess:
    return instance.start_program("run-worker", [*CELERY, *_worker("runs")], role="system")


def _worker(queue: str) -> list[str]:
    options = ["-c", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    return ["worker", "-Q", queue, "-n", f"{queue}@consilium", *options]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  loopback, fixed scheme
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
