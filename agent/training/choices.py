"""The journal as the book of an attempt's choices: durable before an answer leaves, never made twice differently."""

from agent.errors import AlreadyDecidedError
from agent.journal import Journal
from training.federated.errors import AlreadyChosenError
from training.federated.secagg.choices import Choice


class ChoiceJournal:
    """Records what `SiteAttempt` chooses."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def record(self, choice: Choice) -> None:
        """Return once the choice is durable; `AlreadyChosenError` if another one stands under its key."""
        key = "/".join(str(part) for part in choice.key())
        place = choice.context
        try:
            self._journal.decide(
                f"attempt:{key}",
                choice.value,
                kind=f"attempt.{choice.kind}",
                run=str(place.run),
                round=place.round,
                attempt=place.attempt,
            )
        except AlreadyDecidedError as error:
            raise AlreadyChosenError(
                f"This site has already {choice.kind} otherwise in this attempt; open a new attempt."
            ) from error
