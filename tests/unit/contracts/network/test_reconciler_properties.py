"""Whatever lists, registry and refusals are: no stranger comes in, the own node stays, it settles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.network.reconciling.offers import address_in
from contracts.network.registered import Standing
from contracts.reconciler import Reconciler
from tests.unit.contracts.network.reconciling import Asked, World, enode, make_node, member, said

NUMBERS = range(1, 9)
SETS = st.sets(st.sampled_from(NUMBERS))
STANDINGS = st.sampled_from([Standing.NONE, Standing.ACTIVE, Standing.SUSPENDED, Standing.REMOVED])


@dataclass
class Disturbed(Asked):
    """A node whose list somebody else changes before some calls; `disturbances` are members taken off it."""

    node: Any
    disturbances: list[int | None] = field(default_factory=list)

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        if method.startswith("perm_") and "get" not in method and self.disturbances:
            self._disturb(self.disturbances.pop(0))
        return super().ask(method, parameters)

    def _disturb(self, number: int | None) -> None:
        """Take a member off the list, or do nothing."""
        permissions = self.node.permissions
        text = "" if number in (None, 1) else str(enode(number))
        if text in permissions.nodes and text not in permissions.fixed:
            permissions.nodes.remove(text)


@settings(deadline=None)
@given(
    listed=SETS,
    fixed=SETS,
    standings=st.lists(STANDINGS, min_size=len(NUMBERS), max_size=len(NUMBERS)),
    validating=SETS,
    known=SETS,
    disturbances=st.lists(st.one_of(st.none(), st.sampled_from(NUMBERS)), max_size=6),
    accepted=st.integers(0, 9),
)
def test_no_stranger_comes_in_the_own_node_stays_and_it_settles(
    listed, fixed, standings, validating, known, disturbances, accepted
):
    everybody = {1, *listed, *fixed}
    node = make_node(4, listed=[enode(n) for n in sorted(everybody)], fixed=[enode(n) for n in sorted(fixed)])
    members = [
        member(number, standing=standing, is_validating=number in validating)
        for number, standing in zip(NUMBERS, standings, strict=True)
    ]
    asked = Disturbed(node, list(disturbances))
    at = World(node, members, Reconciler(asked, pause=lambda _: None))
    at.offers = said(*(enode(number) for number in sorted(known)))
    belong = {one.validator for one in members if one.belongs} | {enode(1).address}
    before = {enode(number).address for number in everybody}

    for _ in range(3):
        at.look(accepted)
        now = {address_in(text) for text in at.listed}
        assert now <= belong | before, "only those come in who belong"
        assert enode(1).address in now
        assert {enode(number).address for number in fixed} <= now

    asked.disturbances.clear()
    for _ in range(3):
        at.look(99)
    settled = at.listed
    assert at.look(99).acts == []
    assert at.listed == settled
    _require_right(at, belong, known, fixed)


def _require_right(at: World, belong: set[str], known: set[int], fixed: set[int]) -> None:
    """Everybody who belongs and is known is there; strangers are there only for a reason that was told."""
    now = {address_in(text) for text in at.listed}
    assert {enode(number).address for number in known} & belong <= now
    strangers = now - belong
    in_force = {enode(number).address for number in range(1, 5)}
    excused = {enode(number).address for number in fixed} | in_force
    outcome = at.look(99)
    if strangers <= excused:
        assert not strangers or not outcome.is_well
    else:
        assert any(point.name == "removals" for point in outcome.wrong)


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=300)), hosts=st.lists(st.text("abc.-0123456789:[]", max_size=40), max_size=5))
def test_no_text_that_is_offered_is_raised_or_lets_in_a_stranger(texts, hosts):
    node = make_node(4, listed=[enode(1)])
    key = enode(9).key.hex()
    offers = said(*texts, *(f"enode://{key}@{host}:30303" for host in hosts))
    at = World(node, [member(1)], Reconciler(Asked(node), pause=lambda _: None), offers=offers)
    at.look()
    assert at.listed == {str(enode(1))}
