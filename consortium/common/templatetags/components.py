"""The components of pages, as the gallery shows them: one place for the markup that every page repeats."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Select
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from consortium.common.hues import hues_of
from consortium.common.parts import ProofMark, Slice, Step, slices
from consortium.common.templatetags.portal import icon

register = template.Library()

_NOTICES = {
    "underway": "info",
    "waiting": "triangle-alert",
    "refused": "octagon-alert",
    "private": "lock",
    "settled": "circle-check",
}


@register.simple_block_tag
def section(content: str, key: str, title: str, note: str = "", link: str = "", link_text: str = "") -> SafeString:
    """A section of a page under its heading, with a note beside it and a link at its end."""
    return format_html(
        '<section class="section" id="{key}" aria-labelledby="h-{key}"><div class="section-head">'
        '<h2 id="h-{key}">{title}</h2>{note}{link}</div>{content}</section>',
        key=key,
        title=title,
        note=format_html("<p>{}</p>", note) if note else "",
        link=format_html('<a class="end" href="{}">{}</a>', link, link_text) if link else "",
        content=content,
    )


@register.simple_block_tag
def table(content: str, caption: str) -> SafeString:
    """A table in a panel; below 720 px its rows are cards, and explicit roles keep it a table."""
    return format_html(
        '<div class="panel table-wrap"><table class="table" role="table"><caption class="sr">{}</caption>{}'
        "</table></div>",
        caption,
        content,
    )


@register.simple_block_tag
def columns(content: str) -> SafeString:
    """The head of a table, made of `column`s."""
    return format_html('<thead role="rowgroup"><tr role="row">{}</tr></thead>', content)


@register.simple_tag
def column(label: str, css: str = "") -> SafeString:
    return format_html('<th scope="col" role="columnheader" class="{}">{}</th>', css, label)


@register.simple_block_tag
def rowhead(content: str) -> SafeString:
    """The first cell of a row: what the row is about."""
    return format_html('<th scope="row" role="rowheader">{}</th>', content)


@register.simple_block_tag
def cell(content: str, label: str, css: str = "") -> SafeString:
    """A cell; its label stands before it where a row is a card."""
    return format_html('<td role="cell" data-label="{}" class="{}">{}</td>', label, css, content)


@register.simple_block_tag
def notice(content: str, meaning: str, title: str = "") -> SafeString:
    """Something to know, with its meaning as icon, word and colour."""
    return format_html(
        '<div class="notice is-{}">{}<div><p>{}{}</p></div></div>',
        meaning,
        icon(_NOTICES[meaning]),
        format_html("<strong>{}</strong>", title) if title else "",
        content,
    )


@register.simple_block_tag
def nothing(content: str, drawing: str, title: str, level: int = 3) -> SafeString:
    """An empty place that teaches: a drawing, what will be here, and the first step.

    `level` is that of its heading: 2 where it stands under the page's own heading.
    """
    heading = format_html("<h{0}>{1}</h{0}>", level, title)
    return format_html('<div class="panel empty">{}{}{}</div>', render_to_string(_drawing(drawing)), heading, content)


@register.simple_block_tag
def dialog(content: str, key: str, title: str) -> SafeString:
    """A dialog that a button with `data-open` opens; the browser keeps the focus inside and gives it back."""
    return format_html(
        '<dialog class="dialog" id="{key}" aria-labelledby="{key}-t"><div class="dialog-body">'
        '<h3 id="{key}-t">{title}</h3>{content}</dialog>',
        key=key,
        title=title,
        content=content,
    )


@register.simple_tag
def drawing(name: str) -> SafeString:
    """A line drawing of ours, in ink and accent."""
    return render_to_string(_drawing(name))


def _drawing(name: str) -> str:
    return f"components/drawings/{name}.html"


@register.inclusion_tag("components/_org.html", takes_context=True)
def org(context: template.Context, organization: Any, link: bool = True) -> dict[str, Any]:
    """An organization as a chip of its steady colour, the same on every page of a consortium."""
    own = context.get("acting_organization")
    return {
        "organization": organization,
        "hue": hue_of(context.get("consortium"), organization),
        "is_own": own is not None and organization is not None and own.pk == organization.pk,
        "link": link,
    }


def hue_of(consortium: Any, organization: Any) -> int:
    """The organization's colour, 1 to 8, by the order of joining; 0 for one that is not of the consortium."""
    if not consortium or organization is None:
        return 0
    hues: dict[Any, int] | None = getattr(consortium, "hues", None)
    if hues is None:
        hues = consortium.hues = hues_of(consortium.memberships.all())
    return hues.get(organization.pk, 0)


@register.inclusion_tag("components/_person.html")
def person(name: str, note: str = "") -> dict[str, str]:
    """Somebody, by initials and name."""
    return {"name": name, "note": note, "initials": "".join(word[0] for word in name.split()[:2]).upper()}


@register.inclusion_tag("components/_proof.html")
def proof(mark: ProofMark | None) -> dict[str, Any]:
    """The proof mark that ends a statement: signer, time, block and digest within one click."""
    return {"mark": mark}


@register.inclusion_tag("components/_timeline.html")
def timeline(steps: Sequence[Step]) -> dict[str, Any]:
    return {"steps": steps}


@register.inclusion_tag("components/_votes.html")
def votes(seats: Sequence[Any], needed: int) -> dict[str, Any]:
    """The seats of a vote with the line after the number needed; a bar with counts above 24 members."""
    return {"seats": seats, "needed": needed}


@register.simple_tag
def counted(seats: Sequence[Any]) -> list[Slice]:
    """The votes of more members than a row of seats holds."""
    choices = [seat.choice for seat in seats]
    return slices(
        (choices.count("yes"), "settled", _("yes")),
        (choices.count("no"), "refused", _("no")),
        (choices.count("abstain"), "waiting", _("abstained")),
        (choices.count(""), "private-soft", _("not voted")),
    )


@register.inclusion_tag("components/_meter.html")
def meter(parts: Sequence[Slice], label: str) -> dict[str, Any]:
    """A bar of parts with their numbers beside it."""
    return {"parts": parts, "label": label}


@register.inclusion_tag("components/_row.html")
def row(field: BoundField, css: str = "") -> dict[str, Any]:
    """A row of a form: label, help, what was wrong, field."""
    kind = _kind(field)
    attributes: dict[str, str | bool] = {}
    if kind != "check":
        attributes["class"] = f"{'select' if kind == 'select' else 'input'} {css}".strip()
    if described := _described_by(field):
        attributes["aria-describedby"] = described
    if field.errors:
        attributes["aria-invalid"] = "true"
    return {"field": field, "kind": kind, "control": "" if kind == "choices" else field.as_widget(attrs=attributes)}


def _kind(field: BoundField) -> str:
    """How a field is laid out; a list of boxes is no select, though Django derives both from one class."""
    widget = field.field.widget
    if isinstance(widget, CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, CheckboxInput):
        return "check"
    return "select" if isinstance(widget, Select) else "input"


def _described_by(field: BoundField) -> str:
    parts = (("h", field.help_text), ("e", field.errors))
    return " ".join(f"{field.auto_id}-{name}" for name, there in parts if there)
