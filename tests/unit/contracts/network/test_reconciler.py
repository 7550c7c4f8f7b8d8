"""A node's allow-list follows the registries, on the model of Besu over its web socket."""

import threading
from pathlib import Path

import pytest

from contracts.errors import ChainUnavailableError
from contracts.network.registered import Standing
from contracts.reconciler import Act, Reconciler
from tests.unit.contracts.network.reconciling import (
    RELAY,
    Asked,
    World,
    enode,
    make_node,
    member,
    said,
    states,
    text_of,
    without_node,
    world,
)

OTHER = "0x590fC524DA3d48a5175116647833B740823921D6"


def calls(outcome) -> list[tuple[str, int]]:
    return [(act.method, len(act.entries)) for act in outcome.acts if act.outcome == "done"]


def test_a_list_that_is_as_it_should_be_is_left_alone():
    with world() as at:
        outcome = at.look()
        assert (outcome.is_well, outcome.acts, len(at.node.permissions.writes)) == (True, [], 1)
        assert states(outcome)["nodes"] == "well"


def test_a_member_is_permitted_before_its_node_validates():
    with world() as at:
        at.members.append(member(5, is_validating=False))
        at.offers += said(enode(5))
        outcome = at.look()
        assert outcome.is_well
        assert calls(outcome) == [("perm_addNodesToAllowlist", 1)]
        assert str(enode(5)) in at.listed


def test_an_applicant_who_is_not_admitted_is_no_member():
    with world() as at:
        at.offers += said(enode(5))
        assert at.look().acts == []
        assert str(enode(5)) not in at.listed


def test_several_are_added_in_one_call():
    with world(listed=[enode(1)]) as at:
        assert calls(at.look()) == [("perm_addNodesToAllowlist", 3)]
        assert len(at.listed) == 4


@pytest.mark.parametrize(
    ("standing", "is_validating", "stays"),
    [(Standing.SUSPENDED, True, True), (Standing.SUSPENDED, False, False), (Standing.REMOVED, False, False)],
)
def test_a_suspended_member_stays_while_it_validates_and_a_removed_one_goes(standing, is_validating, stays):
    with world(listed=[enode(number) for number in range(1, 6)]) as at:
        at.members.append(member(5, standing=standing, is_validating=is_validating))
        at.offers += said(enode(5))
        at.look()
        assert (str(enode(5)) in at.listed) is stays


def test_a_member_that_left_is_removed_and_disconnected_and_the_reason_told():
    with world(listed=[enode(number) for number in range(1, 6)]) as at:
        at.members.append(member(5, standing=Standing.REMOVED, is_validating=False))
        at.node.peers = [str(enode(2)), str(enode(5))]
        outcome = at.look()
        assert outcome.is_well
        assert calls(outcome) == [("perm_removeNodesFromAllowlist", 1), ("admin_removePeer", 1)]
        assert {reason for act in outcome.acts for reason in act.reasons.values()} == {"organization_removed"}
        assert at.node.peers == [str(enode(2))]
        assert str(enode(5)) not in at.listed


def test_a_stranger_that_does_not_go_is_told(monkeypatch):
    with world() as at:
        at.node.peers = [str(enode(9))]
        monkeypatch.setitem(at.node.methods, "admin_removePeer", lambda _: True)
        outcome = at.look()
        assert states(outcome)["peers"] == "wrong"
        assert enode(9).address in text_of(outcome, "peers")


def test_a_node_with_a_new_key_takes_the_place_of_the_old_one():
    with world() as at:
        at.node.ledger.validators = [(1, tuple(enode(number).address.lower() for number in (1, 2, 3, 7)))]
        at.members[3] = member(7)
        at.offers = said(*(enode(number) for number in (1, 2, 3, 7)))
        assert at.look().is_well
        assert at.listed == {str(enode(number)) for number in (1, 2, 3, 7)}


def test_a_host_name_is_refused_and_named_with_who_said_it():
    with world(listed=[enode(1), enode(2), enode(3)]) as at:
        named = str(enode(4)).replace("10.0.0.4", "node.valley.example")
        at.offers = said(enode(1), enode(2), enode(3), named)
        outcome = at.look()
        assert states(outcome)["missing"] == "wrong"
        assert "the platform says enode://" in text_of(outcome, "missing")
        assert "node.valley.example" in text_of(outcome, "missing")
        assert len(at.listed) == 3


def test_a_member_that_does_not_validate_yet_is_waited_for_without_alarm():
    with world() as at:
        at.members += [member(5, is_validating=False), without_node(6)]
        outcome = at.look()
        assert (outcome.is_well, states(outcome)["missing"]) == (True, "waiting")


def test_an_offer_with_another_key_lets_nobody_in():
    with world(listed=[enode(1), enode(2), enode(3)]) as at:
        at.offers = said(enode(1), enode(2), enode(3), enode(9, host="10.0.0.4"))
        at.look()
        assert at.listed == {str(enode(number)) for number in (1, 2, 3)}


def test_a_second_endpoint_is_added_and_the_first_one_kept():
    with world() as at:
        at.offers += said(enode(2, host="10.9.9.9"))
        at.look()
        assert {str(enode(2)), str(enode(2, host="10.9.9.9"))} <= at.listed


def test_the_platform_cannot_fill_the_list_and_the_members_own_word_has_room():
    with world() as at:
        at.offers += said(*(enode(2, host=f"10.9.9.{last}") for last in range(1, 9)))
        at.look()
        assert len(at.listed) == 7
        at.offers = said(enode(2, host="10.8.8.8"), is_own_word=True)
        at.look()
        assert str(enode(2, host="10.8.8.8")) in at.listed


def test_a_node_that_the_member_permits_by_itself_stays():
    with world(listed=[*(enode(number) for number in range(1, 5)), enode(8)]) as at:
        at.also = (enode(8),)
        at.node.peers = [str(enode(8))]
        assert at.look().acts == []


def test_one_entry_that_the_node_refuses_does_not_keep_the_others_out(monkeypatch):
    with world(listed=[enode(1)]) as at:
        original = at.node.permissions.add_nodes

        def refusing(given):
            return original(["enode://xx"] if str(enode(3)) in given else given)

        monkeypatch.setattr(at.node.permissions, "add_nodes", refusing)
        outcome = at.look()
        assert at.listed == {str(enode(number)) for number in (1, 2, 4)}
        assert text_of(outcome, "refused, invalid") == f"The node does not take {enode(3)}."
        # It is not asked for again at once.
        assert at.look().acts == []


def test_where_somebody_else_was_first_the_list_is_read_again(monkeypatch):
    with world(listed=[enode(1)]) as at:
        original = at.node.permissions.add_nodes
        first = iter([True])

        def raced(given):
            if next(first, False):
                original([str(enode(2))])
            return original(given)

        monkeypatch.setattr(at.node.permissions, "add_nodes", raced)
        outcome = at.look()
        assert outcome.is_well
        assert [act.refusal for act in outcome.acts if act.outcome == "refused"] == ["already there"]
        assert len(at.listed) == 4


def test_a_boot_or_static_node_is_kept_and_told_with_what_to_do():
    everybody = [enode(number) for number in range(1, 6)]
    with world(listed=everybody, fixed=[enode(5)]) as at:
        at.members.append(member(5, standing=Standing.REMOVED, is_validating=False))
        outcome = at.look()
        assert states(outcome)["refused, fixed"] == "wrong"
        assert "static-nodes.json" in next(p.remedy for p in outcome.points if p.name == "refused, fixed")
        again = at.look()
        assert (again.acts, states(again)["refused, fixed"]) == ([], "wrong")


def test_the_nodes_own_name_is_put_on_its_list_and_never_taken_off():
    with world(listed=[enode(2), enode(3), enode(4)]) as at:
        at.look()
        assert str(enode(1)) in at.listed
        at.members[0] = member(1, standing=Standing.REMOVED, is_validating=False)
        at.look(accepted=9)
        assert str(enode(1)) in at.listed


@pytest.mark.parametrize(
    ("break_it", "said_is"),
    [
        (lambda at: setattr(at, "fault", "No node answers."), "registries cannot be read: No node answers."),
        (lambda at: setattr(at, "members", []), "no registry lists a node"),
        (lambda at: setattr(at.node.ledger, "validators", [(1, ())]), "names no validators"),
        (lambda at: setattr(at.reconciler, "clock", lambda: 4_000_000_000.0), "newest block is"),
    ],
)
def test_in_doubt_nobody_is_removed_or_disconnected_and_it_is_an_alarm(break_it, said_is):
    with world(listed=[*(enode(number) for number in range(1, 5)), enode(9)]) as at:
        at.node.peers = [str(enode(9))]
        break_it(at)
        before = at.listed
        outcome = at.look(accepted=99)
        assert (outcome.is_well, at.listed, at.node.peers) == (False, before, [str(enode(9))])
        assert said_is in text_of(outcome, "removals")


def test_in_doubt_members_are_let_in_all_the_same():
    with world(listed=[enode(1)]) as at:
        at.reconciler.clock = lambda: 4_000_000_000.0
        at.look()
        assert len(at.listed) == 4


def test_a_validator_in_force_is_not_removed_whatever_the_registry_says():
    with world() as at:
        at.members[3] = member(4, standing=Standing.REMOVED, is_validating=False)
        outcome = at.look(accepted=9)
        assert str(enode(4)) in at.listed
        assert "makes blocks" in text_of(outcome, "removals")


def test_more_than_a_third_at_once_needs_a_persons_word():
    with world(listed=[enode(number) for number in range(1, 8)]) as at:
        outcome = at.look()
        assert (len(at.listed), outcome.is_well) == (7, False)
        assert "3 nodes would be removed at once, and 1 may be" in text_of(outcome, "removals")
        assert "--accept-removals 3" in next(p.remedy for p in outcome.points if p.name == "removals")
        assert at.look(accepted=3).is_well
        assert len(at.listed) == 4


def test_a_removal_that_would_leave_no_quorum_is_refused():
    with world(listed=[enode(1), enode(8)]) as at:
        at.offers = said()
        outcome = at.look(accepted=9)
        assert str(enode(8)) in at.listed
        assert "would leave 1 nodes, and 3 make a quorum" in text_of(outcome, "removals")


def test_accounts_are_those_that_the_site_names_and_the_last_is_never_removed():
    with world() as at:
        at.accounts = (OTHER,)
        assert calls(at.look()) == [("perm_addAccountsToAllowlist", 1), ("perm_removeAccountsFromAllowlist", 1)]
        assert at.node.permissions.accounts == [OTHER.lower()]
        at.accounts = ()
        assert states(at.look())["accounts"] == "not_applicable"
        assert at.node.permissions.accounts == [OTHER.lower()]


def test_the_old_account_stays_where_the_new_one_is_refused(monkeypatch):
    with world() as at:
        at.accounts = (OTHER,)
        original = at.node.permissions.add_accounts
        monkeypatch.setattr(at.node.permissions, "add_accounts", lambda _: original(["0x12"]))
        assert not at.look().is_well
        assert at.node.permissions.accounts == [RELAY.lower()]


def test_what_somebody_changed_by_hand_is_found_named_and_mended():
    with world() as at:
        at.look()
        at.node.permissions.nodes = [str(enode(1)), str(enode(2)), str(enode(3)), str(enode(9))]
        outcome = at.look()
        assert not outcome.is_well
        assert f"put there: {enode(9)}; taken away: {enode(4)}" in text_of(outcome, "drift")
        assert at.listed == {str(enode(number)) for number in range(1, 5)}
        assert at.look().is_well


def test_what_the_registry_changed_is_no_drift():
    with world() as at:
        at.look()
        at.members.append(member(5))
        at.offers += said(enode(5))
        assert "drift" not in states(at.look())


def test_without_repair_it_is_told_alone():
    with world(listed=[enode(1), enode(2), enode(3), enode(9)]) as at:
        at.reconciler.repairs = False
        at.node.peers = [str(enode(9))]
        before = at.listed
        outcome = at.look()
        assert (outcome.acts, at.listed, at.node.peers) == ([], before, [str(enode(9))])
        assert (states(outcome)["nodes"], states(outcome)["peers"]) == ("wrong", "wrong")
        assert f"It lacks {enode(4)}" in text_of(outcome, "nodes")


def test_the_nodes_file_is_held_to_its_list_since_a_restart_reads_it(tmp_path: Path):
    path = tmp_path / "permissions_config.toml"
    with world(path=path) as at:
        at.reads_file = True
        assert states(at.look())["file"] == "well"
        written = path.read_text()
        path.write_text(written.replace(str(enode(4)), str(enode(9))))
        outcome = at.look()
        assert f"let in: {enode(9)}; shut out: {enode(4)}" in text_of(outcome, "file")
        path.write_text("nodes-allowlist=[")
        assert "would fail" in text_of(at.look(), "file")


def test_a_file_that_the_node_read_again_is_mended_in_list_and_file(tmp_path: Path):
    path = tmp_path / "permissions_config.toml"
    with world(path=path) as at:
        at.reads_file = True
        at.look()
        path.write_text(path.read_text().replace(str(enode(4)), str(enode(9))))
        at.node.permissions.reload()
        outcome = at.look()
        assert "drift" in states(outcome)
        assert str(enode(9)) not in path.read_text()
        assert states(at.look())["file"] == "well"


def test_a_node_without_permissions_is_told():
    with world() as at:
        at.node.permissions.nodes = None
        outcome = at.look()
        assert "allowlist has not been enabled" in text_of(outcome, "node")
        assert outcome.known is None


def test_a_permissions_file_that_the_node_cannot_write_is_told_at_once_and_asked_for_once():
    listed = [enode(number) for number in range(1, 5)]
    with world(6, listed=listed) as at:
        at.node.permissions.is_read_only = True
        outcome = at.look()
        assert "permissions_config.toml" in text_of(outcome, "node")
        assert [act.outcome for act in outcome.acts] == ["begun", "refused"]
        assert at.listed == {str(node) for node in listed}


def test_a_port_that_does_not_answer_is_told():
    class Away:
        def ask(self, method, parameters=()):
            raise ChainUnavailableError("The node's operations port cannot be reached.")

    outcome = Reconciler(Away()).look(World(make_node(4, listed=[]), [member(1)], Reconciler(Away())).word())
    assert (outcome.is_well, states(outcome)["node"]) == (False, "wrong")


class KilledError(Exception):
    """The process ended here."""


def disturbed() -> World:
    """A node that lacks two members, lists one who left, has its account exchanged, and a stranger connected."""
    node = make_node(4, listed=[enode(1), enode(2), enode(5)])
    node.peers = [str(enode(2)), str(enode(5))]
    members = [*(member(number) for number in range(1, 5)), member(5, standing=Standing.REMOVED)]
    at = World(node, members, Reconciler(Asked(node), pause=lambda _: None))
    at.offers, at.accounts = said(*(enode(number) for number in range(1, 6))), (OTHER,)
    return at


STEPS = [(act.method, act.outcome) for act in disturbed().look().acts]


def test_there_is_a_step_for_each_call_and_its_answer():
    assert len(STEPS) == 10
    assert {outcome for _, outcome in STEPS} == {"begun", "done"}


@pytest.mark.parametrize("step", range(len(STEPS)), ids=[f"{method} {outcome}" for method, outcome in STEPS])
def test_a_kill_at_each_step_and_a_restart_end_in_the_same_state(step):
    at, count = disturbed(), iter(range(100))

    def kill(_act: Act) -> None:
        if next(count) == step:
            raise KilledError

    at.reconciler.note = kill
    with pytest.raises(KilledError):
        at.look()
    at.reconciler = Reconciler(Asked(at.node), pause=lambda _: None)

    assert at.look().is_well
    assert at.listed == {str(enode(number)) for number in range(1, 5)}
    assert (at.node.permissions.accounts, at.node.peers) == ([OTHER.lower()], [str(enode(2))])


def test_two_at_once_end_in_the_same_state():
    at, barrier = disturbed(), threading.Barrier(2)
    outcomes = []

    def run() -> None:
        reconciler = Reconciler(Asked(at.node), pause=lambda _: None)
        barrier.wait()
        outcomes.append(reconciler.look(at.word()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 2
    assert at.look().is_well
    assert at.listed == {str(enode(number)) for number in range(1, 5)}
