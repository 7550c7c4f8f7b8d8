"""What steps leave to the end of their whole is done once, in order, or not at all."""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from consortium.common.gathering import finish_now, gathered, gathering


@dataclass
class Letters:
    done: ClassVar[list[str]] = []
    left: list[str] = field(default_factory=list)

    def finish(self) -> None:
        self.done.append("".join(self.left))


class Numbers(Letters):
    def finish(self) -> None:
        self.done.append(f"{len(self.left)} numbers")
        later = gathered(Letters)
        assert later is not None
        later.left.append("!")


@pytest.fixture(autouse=True)
def _empty():
    Letters.done.clear()


def leave(kind: type[Letters], *texts: str) -> None:
    found = gathered(kind)
    assert found is not None
    found.left += texts


def test_it_is_done_once_at_the_end():
    with gathering():
        leave(Letters, "a", "b")
        leave(Letters, "c")
        assert Letters.done == []
    assert Letters.done == ["abc"]


def test_what_the_end_leaves_is_done_too():
    with gathering():
        leave(Numbers, "1", "2")
    assert Letters.done == ["2 numbers", "!"]


def test_outside_of_a_whole_nothing_is_gathered():
    assert gathered(Letters) is None
    finish_now(Letters)
    with gathering():
        leave(Letters, "a")
    assert gathered(Letters) is None


def fail_after(*texts: str) -> None:
    with gathering():
        leave(Letters, *texts)
        raise LookupError


def test_where_the_whole_fails_nothing_of_it_is_done():
    with pytest.raises(LookupError):
        fail_after("a")
    assert Letters.done == []
    assert gathered(Letters) is None


def test_a_step_that_must_come_after_has_it_done_before():
    with gathering():
        leave(Letters, "a")
        finish_now(Letters)
        finish_now(Numbers)
        assert Letters.done == ["a"]
        leave(Letters, "b")
    assert Letters.done == ["a", "b"]
