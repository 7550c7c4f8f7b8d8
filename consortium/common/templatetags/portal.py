"""Small parts of pages: icons, digests, badges."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# State, its meaning (which decides the colour) and its icon; the word itself comes from the model.
_STATES = {
    "recorded": ("is-waiting", "clock-3"),
    "submitted": ("is-underway", "send"),
    "confirmed": ("is-settled", "check"),
    "failed": ("is-refused", "x"),
    "applicant": ("is-waiting", "clock-3"),
    "active": ("is-settled", "check"),
    "suspended": ("is-refused", "pause"),
    "removed": ("is-refused", "x"),
}


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite; decoration only, the word stands beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#i-{}"></use></svg>',
        "icon-20" if size == "20" else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def badge(state: str, label: str) -> SafeString:
    """A state as icon, word and colour; the colour is never the only sign."""
    meaning, name = _STATES.get(state, ("", "clock-3"))
    return format_html('<span class="badge {}">{}{}</span>', meaning, icon(name), label)


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
        copy=icon("copy"),
        done=icon("check"),
    )
