"""The portal's sections, in the order of the rail: a page belongs to one of them or to none."""

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Section:
    """A section's first page (`name`, a URL name), its word and icon, and the other pages under it."""

    name: str
    label: str | Promise
    icon: str
    pages: frozenset[str] = field(default_factory=frozenset)
    # A part of the page, and not the page itself: its link leads there and is never marked as the present one.
    part: str = ""
    # Shows how many things wait for the person.
    counts: bool = False

    def holds(self, page: str) -> bool:
        """Whether the page of this URL name lies in the section."""
        return not self.part and (page == self.name or page in self.pages)


@dataclass(frozen=True, slots=True)
class Group:
    """Sections under one heading; the first group has none."""

    heading: str | Promise
    sections: tuple[Section, ...]


OVERVIEW = Section("overview", _("Overview"), "layout-dashboard")
WORK = Section("overview", _("My work"), "inbox", part="work", counts=True)
MEMBERS = Section("members", _("Members"), "building-2", frozenset({"member", "apply"}))
PROPOSALS = Section("proposals", _("Proposals"), "vote", frozenset({"proposal"}))
CONSENTS = Section("consents", _("Consents"), "file-check", frozenset({"withdraw_consent", "import", "withdrawal"}))
DATA_SETS = Section("data_sets", _("Data sets"), "database", frozenset({"data_set"}))
PLANS = Section("plans", _("Plans"), "clipboard-list", frozenset({"plan", "plan_new", "run_new"}))
RUNS = Section("runs", _("Runs"), "activity", frozenset({"run", "run_order"}))
MODELS = Section("models", _("Models"), "box", frozenset({"model", "model_scores", "foreign_models", "foreign_model"}))
AUDIT = Section("audit", _("Audit"), "history", frozenset({"record", "correlation", "follow", "search"}))
REPORTS = Section("reports", _("Reports"), "file-text", frozenset({"report", "bundles"}))
PEOPLE = Section("people", _("People and roles"), "users", frozenset({"person", "invite", "invite_auditor"}))
MORE = Section("more", _("More"), "menu")

GROUPS = (
    Group("", (WORK, OVERVIEW)),
    Group(_("Govern"), (MEMBERS, PROPOSALS, CONSENTS)),
    Group(_("Train"), (DATA_SETS, PLANS, RUNS, MODELS)),
    Group(_("Prove"), (AUDIT, REPORTS)),
    Group(_("Your organization"), (PEOPLE,)),
)
# The five places of a phone; everything else is under the last.
PLACES = (Section("overview", _("Work"), "inbox", counts=True), PROPOSALS, RUNS, MODELS, MORE)


def is_elsewhere(page: str) -> bool:
    """Whether a page lies in a section that a phone reaches by "More" alone."""
    return not any(section.holds(page) for section in PLACES[:-1])
