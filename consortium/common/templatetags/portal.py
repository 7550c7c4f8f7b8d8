"""Small parts of pages: icons, digests, badges."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from consortium.common.sections import Section
from consortium.common.times import ago, span, until

register = template.Library()

# State, its meaning (which decides the colour) and its icon; the word itself comes from the model.
_STATES = {
    "recorded": ("is-waiting", "clock-3"),
    "submitted": ("is-underway", "send"),
    "confirmed": ("is-settled", "check"),
    "failed": ("is-refused", "x"),
    "pending": ("is-waiting", "clock-3"),
    "succeeded": ("is-settled", "check"),
    "queued": ("is-underway", "clock-3"),
    "executed": ("is-settled", "circle-check"),
    "defeated": ("is-refused", "circle-x"),
    "canceled": ("is-refused", "ban"),
    "expired": ("is-refused", "clock-3"),
    "yes": ("is-settled", "check"),
    "no": ("is-refused", "x"),
    "abstain": ("", "ban"),
    "": ("", "circle-dashed"),
    "applicant": ("is-waiting", "clock-3"),
    "active": ("is-settled", "check"),
    "suspended": ("is-refused", "pause"),
    "removed": ("is-refused", "x"),
    "planned": ("", "circle-dashed"),
    "waiting_for_sites": ("is-waiting", "clock-3"),
    "running": ("is-underway", "activity"),
    "paused": ("is-waiting", "pause"),
    "completed": ("is-settled", "circle-check"),
    "draft": ("", "file-text"),
    "proposed": ("is-underway", "vote"),
    "approved": ("is-settled", "check"),
    "rejected": ("is-refused", "circle-x"),
    "retired": ("", "ban"),
    "candidate": ("is-waiting", "circle-dot"),
    "released": ("is-settled", "circle-check"),
    "recalled": ("is-refused", "undo-2"),
    "superseded": ("", "history"),
    "announced": ("is-waiting", "send"),
    "open": ("is-underway", "circle-dot"),
    "collecting": ("is-underway", "activity"),
    "revealed": ("is-underway", "eye-off"),
    "closed": ("is-settled", "check"),
    "abandoned": ("is-refused", "ban"),
    "voting": ("is-underway", "vote"),
    "integrated": ("is-underway", "circle-dot"),
    "anchored": ("is-settled", "anchor"),
    "accepted": ("is-settled", "check"),
    "refused": ("is-refused", "circle-x"),
    "received": ("is-underway", "check"),
    "withdrawn": ("is-refused", "undo-2"),
    "entered_in_error": ("", "ban"),
    "erased": ("", "eye-off"),
    "private": ("is-private", "lock"),
    "invited": ("is-waiting", "send"),
    "suspended_person": ("is-refused", "pause"),
    "accepted_link": ("is-settled", "user"),
    "revoked": ("", "ban"),
    "ended": ("", "history"),
}


@register.simple_tag
def icon(name: str, size: str = "", role: str = "") -> SafeString:
    """An icon of the sprite; decoration only, the word stands beside it. `role` is a class that its place knows."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#i-{}"></use></svg>',
        "icon-20" if size == "20" else role,
        static("icons.svg"),
        name,
    )


@register.simple_tag
def badge(state: str, label: str) -> SafeString:
    """A state as icon, word and colour; the colour is never the only sign."""
    meaning, name = _STATES.get(state, ("", "clock-3"))
    return format_html('<span class="badge {}">{}{}</span>', meaning, icon(name), label)


_KINDS = {
    "admit": _("Admission of a member"),
    "suspend": _("Suspension of a member"),
    "reinstate": _("Reinstatement of a member"),
    "remove": _("Removal of a member"),
    "activate_validator": _("Activation of a validator"),
    "deactivate_validator": _("Deactivation of a validator"),
    "set_policy": _("Change of policy"),
    "set_decision_rule": _("Change of a rule"),
    "set_runner": _("Acceptance of a runner"),
    "set_peer": _("Acceptance of another consortium"),
    "set_parameters": _("Change of parameters"),
    "set_guardian": _("Change of the guardian"),
    "set_voting_delay": _("Change of the time before a vote"),
    "set_voting_period": _("Change of the time for a vote"),
    "set_timelock_delay": _("Change of the time after a vote"),
    "set_validator_writer": _("Change of who writes the validators' list"),
    "set_validator_controller": _("Change of who controls the validators' list"),
    "replace_key": _("Recovery of a key"),
    "approve_plan": _("Approval of a training plan"),
    "release_model": _("Release of a model"),
    "recall_model": _("Recall of a model"),
    "grant_licence": _("Licence on data"),
}


@register.simple_tag
def kind_label(proposal: Any) -> str:
    """The kind of a proposal in plain words."""
    return str(_KINDS.get(proposal.kind, proposal.kind))


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    """A time in words, its machine form beside it."""
    return _time(value, "" if value is None else date_format(localtime(value), "j M Y, H:i T"))


@register.simple_tag
def since(value: datetime | None) -> SafeString:
    """How long ago a time was, its machine form beside it."""
    return _time(value, "" if value is None else ago(value))


@register.simple_tag
def left(value: datetime | None) -> SafeString:
    """How long it is until a time, its machine form beside it."""
    return _time(value, "" if value is None else until(value))


@register.simple_tag
def clock(value: datetime) -> SafeString:
    """A time of today as hour and minute, an earlier one as its day."""
    is_today = localtime(value).date() == localtime().date()
    return _time(value, date_format(localtime(value), "H:i" if is_today else "j M"))


@register.simple_tag
def now_moment() -> SafeString:
    """The time at which the page was made."""
    return _time(timezone.now(), date_format(localtime(), "l j M Y, H:i T"))


def _time(value: datetime | None, words: str) -> SafeString:
    if value is None:
        return format_html('<span class="muted">{}</span>', "-")
    machine = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', machine, machine, words)


@register.simple_tag
def digest(value: str | None) -> SafeString:
    """A digest short on the page, whole in its title and in print; copyable, and followable where a page follows."""
    if not value:
        return format_html('<span class="muted">{}</span>', "-")
    short = shortened(value)
    address = followed(value)
    shown = (
        format_html('<a href="{}" data-full="{}" title="{}">{}</a>', address, value, value, short)
        if address
        else format_html('<span data-full="{}" title="{}">{}</span>', value, value, short)
    )
    return format_html(
        '<span class="digest">{shown}'
        '<button type="button" class="needs-js" data-copy="{full}" aria-label="{label}">{copy}{done}</button>'
        "</span>",
        shown=shown,
        full=value,
        label=_("Copy %(short)s") % {"short": short},
        copy=icon("copy", role="copy"),
        done=icon("check", role="done"),
    )


@register.simple_tag
def mark(name: str, meaning: str, word: str) -> SafeString:
    """A badge of one's own: its icon, one of the five meanings as a class, its word."""
    return format_html('<span class="badge {}">{}{}</span>', meaning, icon(name), word)


@register.simple_tag
def follow_button(value: str) -> SafeString:
    """The way from a proof to the page that follows its digest and verifies it, where there is one."""
    address = followed(value) if value else ""
    if not address:
        return SafeString("")
    words = _("Follow and verify")
    return format_html('<a class="btn btn-small btn-block" href="{}">{}{}</a>', address, icon("shield-check"), words)


def shortened(value: str) -> str:
    """The algorithm, four characters and four more; what is short stays whole."""
    prefix, _colon, rest = value.rpartition(":")
    head = f"{prefix}:" if prefix else "0x" if rest.startswith("0x") else ""
    body = rest.removeprefix("0x") if head == "0x" else rest
    return f"{head}{body[:4]}…{body[-4:]}" if len(body) > 12 else value


def followed(value: str) -> str:
    """The address of the page that follows a digest, or nothing where this deployment has none."""
    try:
        return reverse("follow", args=[value])
    except NoReverseMatch:
        return ""


@register.filter
def holds(section: Section, page: str) -> bool:
    """Whether the page of this URL name lies in a section of the rail."""
    return section.holds(page)


@register.filter
def worded(code: str) -> str:
    """A code as words, where no model has them."""
    return code.replace("_", " ").capitalize()


@register.filter
def invitation_badge(state: str) -> str:
    """The badge of an invitation's state."""
    return {"open": "invited", "accepted": "accepted_link", "revoked": "revoked"}.get(state, "expired")


@register.simple_tag
def length_between(begun: datetime, ended: datetime) -> str:
    """How long something took."""
    return span(ended - begun)


@register.filter
def voting(state: str) -> str:
    """The badge of a proposal's state: what is active for a member is still under way for a vote."""
    return "voting" if state == "active" else state
