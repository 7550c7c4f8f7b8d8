"""Is this deployment well: checks that apps register, asked by probes and by `manage.py doctor`."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError


@dataclass(frozen=True)
class Finding:
    """The answer of one check; `remedy` says what to do when it is not well."""

    name: str
    well: bool
    text: str
    remedy: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


Check = Callable[[], Finding]
_CHECKS: dict[str, Check] = {}
# What a page cannot be answered without. While chain or projector is away, pages still stand and say how old they are.
FOR_PAGES = frozenset({"database", "broker"})


def health_check(name: str) -> Callable[[Check], Check]:
    """Register a check under `name`; it returns a finding and never raises."""

    def register(check: Check) -> Check:
        _CHECKS[name] = check
        return check

    return register


def findings(only: Collection[str] | None = None) -> list[Finding]:
    """Run the checks in order of name, or those that are named."""
    return [check() for name, check in sorted(_CHECKS.items()) if only is None or name in only]


@health_check("database")
def database() -> Finding:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('server_version')")
            role, version = cursor.fetchone()
    except DatabaseError as error:
        return Finding(
            "database",
            False,
            f"PostgreSQL does not answer: {type(error).__name__}.",
            "Start the database, or correct DATABASE_URL.",
        )
    return Finding("database", True, f"PostgreSQL {version} answers; connected as {role}.", figures={"role": role})


@health_check("broker")
def broker() -> Finding:
    try:
        cache.set("health", "1", timeout=5)
        well = cache.get("health") == "1"
    except RedisError as error:
        return Finding("broker", False, f"The broker does not answer: {type(error).__name__}.", _BROKER_REMEDY)
    return Finding("broker", well, "Valkey answers." if well else "The broker forgets.", "" if well else _BROKER_REMEDY)


_BROKER_REMEDY = "Start Valkey, or correct CELERY_BROKER_URL and CACHE_URL."


@require_GET
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "alive"})


@require_GET
def ready(request: HttpRequest) -> JsonResponse:
    """Every service of the deployment answers: for whoever watches over it."""
    return _told(findings())


@require_GET
def ready_for_pages(request: HttpRequest) -> JsonResponse:
    """What a page needs answers: for the probe that takes a web process out of service."""
    return _told(findings(FOR_PAGES))


def _told(found: list[Finding]) -> JsonResponse:
    well = all(finding.well for finding in found)
    body = {
        "status": "ready" if well else "not ready",
        "checks": {f.name: {"well": f.well, "text": f.text, **f.figures} for f in found},
    }
    return JsonResponse(body, status=200 if well else 503)
