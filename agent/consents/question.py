"""What a plan asks of every subject, before a round gives it a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consent.domain.effective import effective_from_json
from consent.domain.evaluation import Question, is_permitted
from consortium.kernel.manifest_checks import Permits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """Purpose, categories of data (system|code), recipients (organizations' UUIDs), and the DUO modifiers it keeps."""

    purpose: str
    categories: frozenset[str]
    recipients: frozenset[str]
    conditions: frozenset[str] = frozenset()

    def at(self, as_of: int, valid_until: int) -> Question:
        """Return the question for a round: from its `asOf` to its bound, in Unix seconds."""
        return Question(
            purpose=self.purpose,
            categories=self.categories,
            recipients=self.recipients,
            conditions=self.conditions,
            at=datetime.fromtimestamp(as_of, UTC),
            until=datetime.fromtimestamp(valid_until, UTC),
        )

    def permits(self) -> Permits:
        """Return the check that an auditor applies to opened provisions (`kernel.manifest_checks`)."""

        def check(provisions: Mapping[str, Any], as_of: int, valid_until: int) -> bool:
            return is_permitted(effective_from_json(provisions), self.at(as_of, valid_until)).permitted

        return check
