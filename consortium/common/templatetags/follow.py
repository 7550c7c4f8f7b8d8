"""Digests that lead to what they name."""

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consortium.common.templatetags.portal import icon

register = template.Library()


def shortened(value: str) -> str:
    """Return a digest's algorithm, first six and last four characters."""
    prefix, _, rest = value.rpartition(":")
    head = f"{prefix}:" if prefix else ""
    return f"{head}{rest[:6]}…{rest[-4:]}" if len(rest) > 14 else value


@register.simple_tag
def chip(value: str | None) -> SafeString:
    """A digest short on the page, whole in its title and in print; it leads to what it names, and is copyable."""
    if not value:
        return format_html('<span class="muted">{}</span>', "-")
    short = shortened(value)
    return format_html(
        '<span class="digest"><a href="{url}" data-full="{full}" title="{full}">{short}</a>'
        '<button type="button" class="needs-js" data-copy="{full}" aria-label="Copy {short}">{copy}{done}</button>'
        "</span>",
        url=reverse("follow", args=[value]),
        full=value,
        short=short,
        copy=icon("copy", role="copy"),
        done=icon("check", role="done"),
    )


@register.simple_tag
def mark(name: str, meaning: str, word: str) -> SafeString:
    """A badge of one's own: its icon, one of the five meanings as a class, its word."""
    return format_html(
        '<span class="badge {}"><svg class="icon" aria-hidden="true"><use href="{}#i-{}"></use></svg>{}</span>',
        meaning,
        static("icons.svg"),
        name,
        word,
    )
