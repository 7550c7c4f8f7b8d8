"""What somebody else changed since the last look, and what a restart of the node would bring."""

from dataclasses import dataclass

from contracts.network.enodes import Enode
from contracts.network.errors import AllowListError
from contracts.network.permissions import AllowList, parse_allow_list
from contracts.network.points import Point, State
from contracts.network.reconciling.offers import offers_of
from contracts.network.reconciling.plan import Plan, Word
from contracts.network.reconciling.sight import Sight


@dataclass(frozen=True, slots=True)
class Known:
    """The node's lists at the end of a look, in the node's spelling."""

    nodes: tuple[str, ...]
    accounts: tuple[str, ...]

    @classmethod
    def of(cls, sight: Sight) -> "Known":
        return cls(tuple(sorted(entry.text for entry in sight.nodes)), tuple(sorted(sight.accounts)))


def drift_point(plan: Plan, known: Known | None) -> Point | None:
    """Name what was changed by hand; what the registries changed meanwhile is no drift."""
    if known is None:
        return None
    before = {offer.enode for offer in offers_of(known.nodes, source="", is_own_word=False).good}
    added = [entry.text for entry in plan.remove_nodes if entry.text not in known.nodes]
    taken = [str(node) for node in plan.add_nodes if node in before]
    added += [account for account in plan.remove_accounts if account not in known.accounts]
    taken += [account for account in plan.add_accounts if account in known.accounts]
    if not added and not taken:
        return None
    said = [f"{word}: {', '.join(found)}" for word, found in (("put there", added), ("taken away", taken)) if found]
    text = f"Somebody else changed the allow-list since the last look. {'; '.join(said)}."
    remedy = "Who had access to this node's operations port or to its file? Change the token's key if you do not know."
    return Point("drift", State.WRONG, text, remedy, {"put_there": added, "taken_away": taken})


def file_point(word: Word, sight: Sight) -> Point | None:
    """Hold the node's file to its list: a restart reads the file. None where the site names no file."""
    if word.file_fault:
        remedy = "Let this user read the file, or leave allow_list_file out."
        return Point("file", State.UNKNOWN, word.file_fault, remedy)
    if word.file is None:
        return None
    try:
        file = parse_allow_list(word.file)
    except AllowListError as error:
        return Point("file", State.WRONG, f"{error.message} A restart of the node would fail.", _CORRECT)
    listed = {entry.enode for entry in sight.nodes if entry.enode}
    comes, goes = _differences(file, listed, sight, with_accounts=bool(word.accounts))
    if not comes and not goes:
        return Point("file", State.WELL, "The permissions file has what the node's list has.")
    said = [f"{say}: {', '.join(found)}" for say, found in (("let in", comes), ("shut out", goes)) if found]
    figures = {"let_in": comes, "shut_out": goes}
    return Point("file", State.WRONG, f"A restart of the node would {'; '.join(said)}.", _CORRECT, figures)


def _differences(
    file: AllowList, listed: set[Enode], sight: Sight, *, with_accounts: bool
) -> tuple[list[str], list[str]]:
    """What the file has beyond the list, and what it lacks."""
    in_file, accounts = set(file.nodes), set(sight.accounts)
    comes, goes = sorted(map(str, in_file - listed)), sorted(map(str, listed - in_file))
    if with_accounts:
        comes += sorted(set(file.accounts) - accounts)
        goes += sorted(accounts - set(file.accounts))
    return comes, goes


_CORRECT = "Somebody edited the file. Put the node's list into it (perm_getNodesAllowlist); do not reload it."
