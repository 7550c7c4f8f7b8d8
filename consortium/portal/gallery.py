"""Every component in every state, from the includes that the pages use, so that the gallery cannot drift from them.

Its names and figures are examples; nothing here is read from the database.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consortium.common.parts import ProofMark, Step, Waiting, slices
from consortium.portal.health import Figure

_DIGEST = "sha256:" + "9f3ac41e" * 8
_HASH = "0x" + "5a93dca6" * 8
THEMES = ("light", "dark")
MEANINGS = (
    ("settled", "Settled"),
    ("waiting", "Waits for somebody"),
    ("refused", "Refused, failed"),
    ("private", "Private to us"),
    ("underway", "Under way"),
)
STATES = (
    ("Transaction and record", ("recorded", "submitted", "confirmed", "failed", "integrated", "anchored")),
    ("Organization and person", ("applicant", "active", "suspended", "removed", "invited", "ended")),
    ("Proposal and ballot", ("pending", "queued", "executed", "defeated", "canceled", "yes", "no", "")),
    ("Consent", ("accepted", "refused", "received", "withdrawn", "erased", "private")),
    ("Run and model", ("planned", "waiting_for_sites", "running", "paused", "completed", "candidate", "released")),
)


@dataclass(frozen=True)
class ExampleSeat:
    """A seat of a vote that nobody holds."""

    short: str
    choice: str = ""
    is_own: bool = False
    prefix: str = "Hospital"

    @property
    def css(self) -> str:
        return f"seat-{self.choice}" if self.choice else "seat-you" if self.is_own else ""

    @property
    def icon(self) -> str:
        return {"yes": "check", "no": "x", "abstain": "ban"}.get(
            self.choice, "user" if self.is_own else "circle-dashed"
        )

    @property
    def said(self) -> str:
        return self.choice or "not voted"


class ExampleForm(forms.Form):
    """Rows of a form: plain, with help, wrong, chosen, ticked."""

    name = forms.CharField(label="Name of the run", help_text="Members see it in every list.")
    cohort = forms.IntegerField(label="Smallest cohort", min_value=25)
    purpose = forms.ChoiceField(label="Purpose", choices=[("hmb", "Research on health or disease (HMB)")])
    roles = forms.MultipleChoiceField(
        label="Roles", choices=[("a", "Voter"), ("b", "Data steward")], widget=forms.CheckboxSelectMultiple
    )
    sure = forms.BooleanField(label="I have read what this changes")


@require_GET
@login_required
def gallery(request: HttpRequest) -> HttpResponse:
    """The components in their states, light beside dark."""
    return render(
        request, "portal/gallery.html", {"halves": [(theme, _form(theme)) for theme in THEMES], **_examples()}
    )


def _form(theme: str) -> ExampleForm:
    form = ExampleForm({"name": "Long stay", "cohort": "10", "purpose": "hmb", "roles": "a"}, auto_id=f"{theme}-%s")
    form.is_valid()
    return form


def _examples() -> dict[str, Any]:
    now = timezone.now()
    signed = {"signer": "Hospital 5.2", "when": now - timedelta(hours=2), "digest": _HASH}
    return {
        "meanings": MEANINGS,
        "states": STATES,
        "hues": range(1, 9),
        "digests": (_DIGEST, _HASH),
        "marks": [
            ProofMark("confirmed", block=8_214_216, **signed),  # type: ignore[arg-type]  # fields of one value
            ProofMark("anchored", block=8_214_299, leaf=17_902, **signed),  # type: ignore[arg-type]  # the same
            ProofMark("submitted", **signed),  # type: ignore[arg-type]  # the same
            ProofMark("failed", **signed),  # type: ignore[arg-type]  # the same
        ],
        "steps": [
            Step(_("Recorded"), "by Hospital 3.6", now - timedelta(hours=3), digest=_DIGEST),
            Step(_("Confirmed"), "in block 8,147,281", now - timedelta(hours=2)),
            Step(_("Voting"), when=now + timedelta(days=1), state="now", icon="vote"),
            Step(_("Timelock"), note="1 day", state="todo", icon="clock-3"),
        ],
        "ballots": _ballots(),
        "parts": slices((318, "settled", "permit"), (31, "refused", "deny"), (27, "waiting", "expired")),
        "things": [
            Waiting(
                1,
                "vote",
                "Vote on the admission of Hospital 7.4",
                "Your vote decides.",
                "#",
                "Read it",
                now + timedelta(hours=27),
            ),
            Waiting(
                2,
                "user-plus",
                "2 invited people have not answered",
                "Their links expire soon.",
                "#",
                "Review",
                since=now,
            ),
        ],
        "figures": [
            Figure("building-2", "Members", "5", "active", "None suspended"),
            Figure("server", "Validators", "4 of 5", "sealing", "One more loss would halt the chain"),
            Figure("blocks", "Last block", "48 s", "ago", "Late: one comes every 5 s"),
            Figure("anchor", "Log anchored", "12 min", "ago", "3 of 3 witnesses"),
        ],
        "drawings": ("done", "votes", "people", "consents", "data", "runs", "report", "lost"),
        "soon": now + timedelta(hours=27),
        "earlier": now - timedelta(minutes=12),
    }


def _ballots() -> list[tuple[str, list[ExampleSeat], int]]:
    yes = [ExampleSeat(name, "yes") for name in ("3.6", "2.1", "5.2")]
    return [
        ("One more yes is needed", [*yes, ExampleSeat("6.5", is_own=True), ExampleSeat("4.8")], 4),
        ("Passed", [*yes, ExampleSeat("6.5", "yes", is_own=True), ExampleSeat("4.8")], 4),
        ("Defeated", [*yes[:2], ExampleSeat("4.8"), ExampleSeat("6.5", "abstain"), ExampleSeat("5.2", "no")], 4),
        ("Of 30 members, by counts", [ExampleSeat(str(n), "yes" if n < 18 else "") for n in range(30)], 20),
    ]
