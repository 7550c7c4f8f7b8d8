"""Accounting of disclosures: 45 CFR 164.528, of one organization, six years back where nothing else is asked for.

The rule asks for date, recipient with address, description and purpose of each disclosure, first and last date with a
count for repeated ones (164.528(b)(3)), and allows a summary for research with 50 or more people (164.528(b)(4)).

No record of a person leaves a site in this system. Whether a masked update is a disclosure is a person's judgement;
until somebody judges otherwise it is listed as a use. Nothing here is ever moved into the table of disclosures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.compliance.documents import Field, Part, Table, Value, absent, found, person_states, tabled
from audit.compliance.evidence import Evidence, PredictionFacts, Record
from audit.compliance.training_facts import PlanFacts, RunFacts
from consortium.kernel.bands import band_label

NAME = "hipaa_164_528"
REGULATION = "45 CFR 164.528, with 164.512(i) and 164.501"
USE = "Use: no PHI left the organization"
UNDECIDED = "Whether this is a disclosure needs a person"
NO_EXEMPTION = "No exemption follows from the record"
_RECORDS = "records.jsonl"
_PLANS = "plans on the platform, by the digests that the members voted on"
_OWN_LOG = "the organization's own log on the platform, which is not in this bundle"
_NONE_LEFT = (
    "None on record. A record of a person never leaves a site in this system: sites send masked sums of what they "
    "computed. Disclosures made outside it are in the organization's own accounting."
)
# 164.528(a)(1)(i), with treatment, payment and health care operations as in 164.501.
_EXEMPT = {
    "HL7:TREAT": "Exempt: treatment (164.528(a)(1)(i))",
    "HL7:HPAYMT": "Exempt: payment (164.528(a)(1)(i))",
    "HL7:HOPERAT": "Exempt: health care operations (164.528(a)(1)(i))",
}
# 164.528(b)(4)(i): the summary form is for research that concerns 50 or more people.
_SUMMARY_FROM = 50
_PER_PERSON = (
    "Made at the site: the platform knows no person. The organization looks the person up in its own records of each "
    "run, where the exact cohorts lie."
)


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


def disclosures(evidence: Evidence) -> Part:
    """Return the accounting itself: rows of disclosures, of which this system makes none, and what it lacks."""
    return Part(
        name=f"{NAME}_disclosures",
        title="Disclosures",
        regulation=REGULATION,
        introduction=(
            "A row for each disclosure of protected health information by the exporting organization through this "
            "system. Nothing is put here by default; what a person judges to be a disclosure belongs here."
        ),
        fields=(
            found(
                "organization",
                "Accounting organization",
                evidence.name_of(evidence.exporter),
                "registry of members",
                otherwise="",
            ),
            person_states("other_disclosures", "Disclosures made outside this system (164.528(a))"),
            person_states("suspensions", "Suspensions asked for by an agency or official (164.528(a)(2))"),
            absent(
                "requests", "Requests of individuals and their answers (164.528(c))", "Not recorded by this system."
            ),
            absent("per_person", "Accounting for one individual (164.528(b))", _PER_PERSON),
        ),
        tables=(
            tabled(
                "disclosures",
                "Disclosures in the period",
                ("Date", "Recipient", "Address", "What was disclosed", "Purpose"),
                (),
                "",
                otherwise=_NONE_LEFT,
            ),
        ),
    )


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


def elsewhere(evidence: Evidence) -> Part:
    """Return what else the exporter gave to the platform, with the exemptions that the record shows."""
    return Part(
        name=f"{NAME}_platform",
        title="Given to the platform",
        regulation="45 CFR 164.528(a)(1): exemptions",
        introduction=(
            "Stripped consents under pseudonyms, and rows that the organization's own people had scored. Whether who "
            "runs the platform is a business associate (164.502(e)) is for a person."
        ),
        fields=(
            person_states("associate", "Business associate agreement with who runs the platform"),
            absent(
                "authorizations",
                "Disclosures under an authorization (164.508)",
                "Not recorded by this system; the consents that permit a use lie at the site.",
            ),
            absent(
                "limited_data_sets",
                "Limited data sets (164.514(e))",
                "None on record: this system hands out no data set.",
            ),
            absent("to_individuals", "Disclosures to the individuals themselves", "Not recorded by this system."),
        ),
        tables=(_batches(evidence), _predictions(evidence.predictions)),
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
        f"{_RECORDS}; {_PLANS}",
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
        f"{_RECORDS}; {_PLANS}",
        otherwise="No research of the period is on record with 50 or more people of this organization in each round.",
    )


def _description(run: RunFacts) -> str:
    plan = run.plan
    if plan is None:
        return ""
    return (
        f"{plan.purpose}. Records of people whose consent permitted this purpose at each round; outcome: {plan.target}."
    )


def _batches(evidence: Evidence) -> Table:
    rows = [
        (batch.time, "Who runs the platform", batch.consents, "Stripped consents under pseudonyms", UNDECIDED)
        for batch in evidence.batches
    ]
    columns = ("Date", "Recipient", "Consents", "What was given", "Listed as")
    return tabled(
        "batches",
        "Consents given to the platform",
        columns,
        rows,
        "signed batches on the platform",
        otherwise="No batch of consents was taken in this period.",
    )


def _predictions(predictions: Sequence[PredictionFacts]) -> Table:
    rows = [
        (
            one.first,
            one.last,
            one.requests,
            one.rows,
            one.purpose or "Not known",
            _EXEMPT.get(one.purpose_code, NO_EXEMPTION),
        )
        for one in predictions
    ]
    columns = ("First", "Last", "Requests", "Rows", "Purpose", "Listed as")
    return tabled(
        "predictions",
        "Rows that own people had scored at the platform",
        columns,
        rows,
        _OWN_LOG,
        otherwise="No prediction was asked for in this period.",
    )


PARTS = (disclosures, uses, elsewhere)
