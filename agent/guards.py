"""What the journal remembers so that neither a restart nor another program forgets it: pins, fences, the switch."""

import uuid
from collections.abc import Callable, Mapping

from agent.errors import JobRefusedError, PolicyRefusedError
from agent.journal import Journal
from agent.people import Person, Role
from consortium.kernel.secp256k1 import checksum_address


class Pins:
    """The contracts of a consortium, as they were when this site first checked them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def of(self, consortium: uuid.UUID) -> dict[str, str]:
        """Return name and address of each pinned contract; empty for a consortium never checked."""
        rows = self._journal.read("SELECT contract, address FROM pins WHERE consortium = ?", str(consortium))
        return dict(rows)

    def consortia(self) -> list[uuid.UUID]:
        """Return the consortia whose contracts this site has pinned."""
        return [uuid.UUID(row[0]) for row in self._journal.read("SELECT DISTINCT consortium FROM pins ORDER BY 1")]

    def pin(self, consortium: uuid.UUID, contracts: Mapping[str, str]) -> None:
        """Keep the addresses, or hold them to those kept.

        Raises
        ------
        PolicyRefusedError
            If an address differs from the pinned one, or a contract is new to a pinned consortium.
        """
        given = {name: checksum_address(address) for name, address in contracts.items()}
        with self._journal.transaction() as connection:
            known = self.of(consortium)
            if known == given:
                return
            if not known:
                rows = [(str(consortium), name, address) for name, address in sorted(given.items())]
                connection.executemany("INSERT INTO pins VALUES (?, ?, ?)", rows)
                self._journal.record("contracts", "pinned", consortium=str(consortium), contracts=given)
                return
            self._journal.record("contracts", "refused", consortium=str(consortium), contracts=given)
        raise PolicyRefusedError(
            "The platform names other contracts than those this site pinned. If the members voted for new ones, "
            "forget the pins with: consilium-site contracts forget",
            reason="contracts_changed",
        )

    def forget(self, consortium: uuid.UUID) -> None:
        """Drop the pins of a consortium, by hand, after its members agreed on new contracts."""
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM pins WHERE consortium = ?", (str(consortium),))
            self._journal.record("contracts", "forgotten", consortium=str(consortium))


class Fences:
    """The highest fencing number seen for each run; a coordinator that was replaced is not obeyed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def admit(self, run: str, fence: int, *, and_then: Callable[[], None] = lambda: None) -> None:
        """Raise the run's number, or refuse a lower one; what `and_then` enters is kept with it, or neither is.

        Raises
        ------
        JobRefusedError
            For a lower number; the attempt is in the journal.
        """
        with self._journal.transaction() as connection:
            row = connection.execute("SELECT fence FROM fences WHERE run = ?", (run,)).fetchone()
            if row is not None and fence < row[0]:
                self._journal.record("work", "refused", run=run, fence=fence, reason="stale_fence")
                raised = False
            else:
                raised = True
                connection.execute(
                    "INSERT INTO fences VALUES (?, ?) ON CONFLICT DO UPDATE SET fence = ?", (run, fence, fence)
                )
                and_then()
        if not raised:
            raise JobRefusedError("A newer coordinator leads this run.", reason="stale_fence")


class KillSwitch:
    """Whether the member has stopped all work on its data. Ballots and withdrawals go on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @property
    def is_stopped(self) -> bool:
        """Read from the journal each time: the page and the command line throw the same switch."""
        latest = self._journal.entries(limit=1, kinds=("work.switch",))
        return bool(latest) and latest[0].outcome == "stopped"

    def stop(self, person: Person) -> None:
        """Stop all work; open attempts end, nothing more leaves."""
        person.require(Role.STEWARD)
        self._journal.record("work.switch", "stopped", person=person.name)

    def resume(self, person: Person) -> None:
        """Let work go on."""
        person.require(Role.STEWARD)
        self._journal.record("work.switch", "resumed", person=person.name)
