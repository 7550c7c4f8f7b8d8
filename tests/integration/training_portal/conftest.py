"""A hospital and a bank that trained a model: plan, run with three rounds, and a candidate, made as the system."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from tests.factories.membership import World, make_world
from tests.factories.training import make_model, make_plan, make_round, make_run
from training.models import Model, Plan, Run

ATTEMPTS = {1: 1, 2: 2, 3: 1}


@dataclass(frozen=True)
class Trained:
    """What the pages show."""

    world: World
    plan: Plan
    run: Run
    model: Model


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def trained(world: World, as_system) -> Trained:
    with as_system():
        plan = make_plan(world)
        run = make_run(world, plan)
        for number, attempts in ATTEMPTS.items():
            make_round(world, run, number, attempts)
        return Trained(world, plan, run, make_model(run))


@pytest.fixture
def as_superuser(become) -> Callable[[], AbstractContextManager[None]]:
    """Data sets are written by their members alone: `with as_superuser(): ...` does it for all of them."""

    @contextmanager
    def enter() -> Iterator[None]:
        with become("NONE"), scopes_disabled():
            yield

    return enter


@pytest.fixture
def hospital(login) -> Client:
    return login("hospital")
