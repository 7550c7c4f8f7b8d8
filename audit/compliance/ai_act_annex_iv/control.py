"""Points 3 to 5: how it performs and is controlled, whether its metrics fit, and its risks."""

from audit.compliance.ai_act_annex_iv.common import CARD, NAME, REGULATION, ROUNDS, by_plan, model_of, plan_of
from audit.compliance.documents import Field, Part, Table, Value, absent, found, person_states, tabled
from audit.compliance.evidence import Evidence

_NOT_MEASURED = "No figures of a round are on record in the period."
_WITHHELD = (
    "Withheld: sites send masked histograms, of which only the sum over all sites is opened, so that no site's and no "
    "group's figures exist here."
)


def control(evidence: Evidence) -> Part:
    """Return point 3."""
    plan = plan_of(evidence)
    return Part(
        name=f"{NAME}_3",
        title="3. Monitoring, functioning and control",
        regulation=f"{REGULATION} 3, with Art. 13 and 14",
        introduction="Figures are pooled over the sites and are of the weights that a round started from.",
        fields=(
            *_figures(evidence),
            absent("by_site", "Accuracy by site", _WITHHELD),
            absent("by_group", "Accuracy for groups of people (3)", _WITHHELD),
            *_limits(evidence),
            person_states("foreseeable", "Foreseeable unintended outcomes and sources of risk (3)"),
            person_states("oversight", "Measures for oversight by people in use (3, Art. 14)"),
            by_plan(
                "input",
                "Input data (3)",
                ", ".join(f"{name} ({kind})" for name, kind in plan.columns if name in plan.features) if plan else None,
            ),
        ),
        tables=(_by_round(evidence),),
    )


def metrics(evidence: Evidence) -> Part:
    """Return point 4."""
    plan = plan_of(evidence)
    return Part(
        name=f"{NAME}_4",
        title="4. Fitness of the metrics",
        regulation=f"{REGULATION} 4",
        introduction="Which figures were agreed on; whether they fit the use is a person's argument.",
        fields=(
            by_plan(
                "agreed_metrics",
                "Metrics that the members agreed on by vote",
                ", ".join(plan.metrics) if plan else None,
            ),
            person_states("fitness", "Why these metrics fit the purpose"),
        ),
    )


def risks(evidence: Evidence) -> Part:
    """Return point 5."""
    return Part(
        name=f"{NAME}_5",
        title="5. Risk management",
        regulation=f"{REGULATION} 5, with Art. 9",
        introduction="This system keeps no register of risks. Votes, rounds and the log can be followed from here.",
        fields=(
            person_states("risk_argument", "Risk management system and the argument about risks (Art. 9)"),
            absent(
                "risk_links", "Links to entries of a risk register", "Not on record: no register of risks is connected."
            ),
            found(
                "residual",
                "Limits that the model's card names",
                "; ".join(model_of(evidence).limits) or None,
                CARD,
                otherwise="The card is not held by this deployment.",
            ),
        ),
    )


def _figures(evidence: Evidence) -> list[Field]:
    rounds = [one for one in model_of(evidence).run.rounds if one.figures]
    last = dict(rounds[-1].figures) if rounds else {}
    words = f"{ROUNDS}, last one measured" if last else ROUNDS
    auc = (
        f"{last['AUC']}, exact within {last['AUC is exact within']}"
        if {"AUC", "AUC is exact within"} <= last.keys()
        else last.get("AUC")
    )
    return [
        found("auc", "AUC over all sites, with its error bound", auc, words, otherwise=_NOT_MEASURED),
        found("accuracy", "Accuracy over all sites", last.get("Accuracy"), words, otherwise=_NOT_MEASURED),
        found(
            "calibration",
            "Calibration error over all sites",
            last.get("Calibration error"),
            words,
            otherwise=_NOT_MEASURED,
        ),
        found("measured_rows", "Rows measured on, as a band", last.get("Rows"), words, otherwise=_NOT_MEASURED),
        absent(
            "final_figures",
            "Figures of the final weights",
            "Not on record: a round measures the weights it starts from, and no round started from these.",
        ),
    ]


def _limits(evidence: Evidence) -> list[Field]:
    limits = model_of(evidence).limits
    return [
        found(
            "limits",
            "Known limits of the model (3)",
            "; ".join(limits) or None,
            CARD,
            otherwise="The card is not held by this deployment.",
        ),
        person_states("capabilities", "Capabilities and limits in use (3)"),
    ]


def _by_round(evidence: Evidence) -> Table:
    names = ("AUC", "AUC is exact within", "Accuracy", "Calibration error", "Rows")
    rows: list[list[Value]] = [
        [one.number, *(dict(one.figures).get(name, "-") for name in names)]
        for one in model_of(evidence).run.rounds
        if one.figures
    ]
    return tabled(
        "figures", "Figures by round, over all sites", ("Round", *names), rows, ROUNDS, otherwise=_NOT_MEASURED
    )
