"""What the letters of the article share: sources, reasons, and what of the consortium is the exporter's own."""

from collections.abc import Iterable

from audit.compliance.evidence import Evidence
from audit.compliance.training_facts import DataSetFacts, PlanFacts

NAME = "gdpr_art_30"
REGULATION = "Regulation (EU) 2016/679 (GDPR), Art. 30(1)"
PLANS = "plans on the platform, by the digests that the members voted on"
DATA_SETS = "data sets as their sites signed them"
REGISTRY = "registry of members"
CONSENTS = "consents on the platform, in bands"
NO_PLAN = "No plan of this consortium names this organization as a site or a recipient."
NO_DATA_SET = "This organization has registered no data set."
UNKNOWN_COUNTRY = "not on record"


def own_plans(evidence: Evidence) -> list[PlanFacts]:
    """Return the plans that name the exporter as a site or a recipient."""
    return [plan for plan in evidence.training.plans if evidence.exporter in (*plan.sites, *plan.recipients)]


def own_data_sets(evidence: Evidence) -> Iterable[DataSetFacts]:
    """Return the data sets that the exporter has registered."""
    return (one for one in evidence.training.data_sets if one.organization == evidence.exporter)


def country_of(evidence: Evidence, organization: str) -> str:
    """Return a member's country, or that none is on record."""
    member = evidence.member(organization)
    return (member.country if member else "") or UNKNOWN_COUNTRY
