"""Masked model updates, one row a run: listed as use by the rule of this report, never as disclosure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.compliance.documents import Field, Part, Table, Value, absent, person_states, tabled
from audit.compliance.evidence import Evidence, Record
from audit.compliance.hipaa_164_528.common import NAME, PLANS, RECORDS
from audit.compliance.training_facts import PlanFacts, RunFacts
from consortium.kernel.bands import band_label

USE = "Use: no PHI left the organization"
# 164.528(b)(4)(i): the summary form is for research that concerns 50 or more people.
_SUMMARY_FROM = 50


@dataclass(frozen=True, slots=True)
class Use:
    """Rounds of one run in which the exporter's masked update was summed; `cohorts` are known lower edges of bands."""

    run: str
    times: tuple[str, ...]
    cohorts: tuple[int, ...]

    @property
    def cohort(self) -> str:
        """The smallest and the largest cohort in words."""
        ends = sorted({min(self.cohorts), max(self.cohorts)}) if self.cohorts else []
        return " / ".join(band_label(edge) for edge in ends) or "not on record"

    @property
    def is_large_research(self) -> bool:
        """Whether each round is known to hold enough people for the summary form."""
        return len(self.cohorts) == len(self.times) and min(self.cohorts) >= _SUMMARY_FROM


def uses(evidence: Evidence) -> Part:
    """Return masked updates by run and recipient, listed as use."""
    found_uses = uses_of(evidence)
    runs = {run.id: run for run in evidence.training.runs}
    return Part(
        name=f"{NAME}_uses",
        title="Masked model updates",
        regulation="45 CFR 164.501 (use), 164.528(b)(3) (repeated, with first and last date and count)",
        introduction=(
            "A site adds a mask to its update before it sends it; with t of n sites' shares only the sum is opened. "
            "These rows are listed as use by the rule of this report. The form is the one for repeated disclosures, "
            "so that a person who judges otherwise can take the rows over."
        ),
        fields=(
            person_states(
                "update_is_disclosure",
                "Whether a masked model update is a disclosure",
                "Needs a person: by default it is listed as use.",
            ),
            _recipients_address(evidence),
        ),
        tables=(_uses_table(evidence, found_uses, runs), _summary(evidence, found_uses, runs)),
    )


def uses_of(evidence: Evidence) -> list[Use]:
    """Return the exporter's uses, in order of their first round, from the log's own records of rounds."""
    cohorts = _cohorts(evidence)
    by_run: dict[str, list[Record]] = {}
    for record in evidence.records:
        if record["action"] == "training.round.close" and evidence.exporter in record["data"]["survivors"]:
            by_run.setdefault(record["subject"]["id"], []).append(record)
    return [_use(run, closed, cohorts) for run, closed in by_run.items()]


def _use(run: str, closed: Sequence[Record], cohorts: Mapping[tuple[str, int, int], int]) -> Use:
    known = (cohorts.get(_attempt_of(record)) for record in closed)
    return Use(
        run, tuple(record["recorded_at"] for record in closed), tuple(edge for edge in known if edge is not None)
    )


def _cohorts(evidence: Evidence) -> dict[tuple[str, int, int], int]:
    """Return the exporter's cohort in each opened attempt, as the lower edge of a band."""
    edges = {}
    for record in evidence.records:
        data = record["data"]
        if record["action"] == "training.round.open" and evidence.exporter in data["roster"] and "bands" in data:
            edges[_attempt_of(record)] = data["bands"][data["roster"].index(evidence.exporter)]
    return edges


def _attempt_of(record: Record) -> tuple[str, int, int]:
    return record["subject"]["id"], record["data"]["round"], record["data"]["attempt"]


def _recipients_address(evidence: Evidence) -> Field:
    return absent(
        "addresses",
        "Recipients' addresses (164.528(b)(2)(ii))",
        "Not on record: the registry knows members by name, country and keys.",
    )


def _recipients(evidence: Evidence, plan: PlanFacts | None) -> str:
    if plan is None:
        return "Not known: the plan's document is not held here"
    return ", ".join(evidence.name_of(one) for one in plan.recipients if one != evidence.exporter) or "Nobody else"


def _uses_table(evidence: Evidence, found_uses: Sequence[Use], runs: dict[str, RunFacts]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for use in found_uses:
        plan = runs[use.run].plan if use.run in runs else None
        title = plan.title if plan else use.run
        purpose = plan.purpose if plan else "Not known: the plan's document is not held here"
        recipients = _recipients(evidence, plan)
        rows.append((title, recipients, min(use.times), max(use.times), len(use.times), use.cohort, purpose, USE))
    columns = ("Plan", "Recipients of the model", "First", "Last", "Rounds", "People", "Purpose", "Listed as")
    return tabled(
        "uses",
        "Uses in the period, one row a run",
        columns,
        rows,
        f"{RECORDS}; {PLANS}",
        otherwise="No round of the period holds an update of this organization.",
    )


def _summary(evidence: Evidence, found_uses: Sequence[Use], runs: dict[str, RunFacts]) -> Table:
    rows = [
        (
            run.title,
            _description(run),
            ", ".join(plan.features),
            min(use.times),
            max(use.times),
            evidence.name_of(run.author),
        )
        for use in found_uses
        if use.is_large_research and (run := runs.get(use.run)) and (plan := run.plan)
    ]
    columns = ("Research", "Purpose and selection of records", "Type of data", "First", "Last", "Led by")
    return tabled(
        "summary",
        "Summary form for research with 50 or more people (164.528(b)(4)); a given person may or may not be in it",
        columns,
        rows,
        f"{RECORDS}; {PLANS}",
        otherwise="No research of the period is on record with 50 or more people of this organization in each round.",
    )


def _description(run: RunFacts) -> str:
    plan = run.plan
    if plan is None:
        return ""
    return (
        f"{plan.purpose}. Records of people whose consent permitted this purpose at each round; outcome: {plan.target}."
    )
