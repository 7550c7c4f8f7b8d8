"""Small parts of pages: icons, digests, badges."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from consortium.common.sections import Section

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
    "set_parameters": _("Change of parameters"),
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
    if value is None:
        return format_html('<span class="muted">{}</span>', "-")
    machine = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    words = date_format(localtime(value), "j M Y, H:i T")
    return format_html('<time datetime="{}" title="{}">{}</time>', machine, machine, words)


@register.simple_tag
def digest(value: str) -> SafeString:
    """A digest short on the page, whole in its title and in print, copyable."""
    if not value:
        return format_html('<span class="muted">{}</span>', "-")
    prefix, _, rest = value.rpartition(":") if ":" in value else ("", "", value)
    head = f"{prefix}:" if prefix else ""
    short = f"{head}{rest[:6]}…{rest[-4:]}" if len(rest) > 14 else value
    return format_html(
        '<span class="digest"><span data-full="{full}" title="{full}">{short}</span>'
        '<button type="button" class="needs-js" data-copy="{full}" aria-label="Copy {short}">{copy}{done}</button>'
        "</span>",
        full=value,
        short=short,
        copy=icon("copy", role="copy"),
        done=icon("check", role="done"),
    )


@register.filter
def holds(section: Section, page: str) -> bool:
    """Whether the page of this URL name lies in a section of the rail."""
    return section.holds(page)
