"""Templates and their small parts: icons, badges, digests, times; everything escaped by default."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.wording import gettext

# A state's meaning (which decides the color) and its icon; the word stands beside them.
_STATES = {
    "open": ("is-waiting", "clock-3", gettext("Waiting for your vote")),
    "not_yet": ("is-waiting", "clock-3", gettext("Not open yet")),
    "closed": ("is-settled", "lock", gettext("Closed")),
    "answered": ("is-settled", "check", gettext("Your vote is on the chain")),
    "signed": ("is-underway", "send", gettext("Signed, on its way")),
    "sent": ("is-underway", "send", gettext("Handed to the platform")),
    "well": ("is-settled", "check", gettext("In order")),
    "wrong": ("is-refused", "octagon-alert", gettext("Not in order")),
    "stopped": ("is-refused", "pause", gettext("Stopped")),
    "working": ("is-settled", "check", gettext("Working")),
    "doubt": ("is-refused", "triangle-alert", gettext("Do not sign")),
    "decided": ("is-settled", "check", gettext("Decided")),
    "refused": ("is-refused", "x", gettext("Refused")),
}
_DIGEST_HEAD, _DIGEST_TAIL = 6, 4


def environment() -> Environment:
    """Return the templates' environment."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(_=gettext, icon=icon, badge=badge, digest=digest, digest_full=digest_full, moment=moment)
    return made


def icon(name: str, size: str = "") -> Markup:
    """Return an icon of the sprite; decoration only."""
    form = '<svg class="icon{}" aria-hidden="true"><use href="/static/icons.svg#i-{}"></use></svg>'
    return Markup(form).format(" icon-20" if size else "", name)  # noqa: S704  a constant form


def badge(state: str, label: str = "") -> Markup:
    """Return a state as icon, word and color."""
    meaning, name, word = _STATES.get(state, ("", "circle-dot", state))
    return Markup('<span class="badge {}">{}{}</span>').format(meaning, icon(name), label or word)


def digest(value: str) -> Markup:
    """Return a digest short on the page, whole in its title and in print, and to be copied."""
    if not value:
        return Markup('<span class="muted">-</span>')
    algorithm, colon, digits = value.rpartition(":")
    prefix = f"{algorithm}{colon}" if colon else "0x" * digits.startswith("0x")
    digits = digits.removeprefix("0x")
    short = f"{prefix}{digits[:_DIGEST_HEAD]}…{digits[-_DIGEST_TAIL:]}" if len(digits) > 14 else value
    return Markup(
        '<span class="digest"><span class="mono" data-full="{full}" title="{full}">{short}</span>'
        '<button type="button" class="needs-js" data-copy="{full}" aria-label="{label}">{copy}{done}</button></span>'
    ).format(
        **{"full": value, "short": short, "label": gettext("Copy digest %s") % short},
        **{"copy": _copy_icon("copy", "copy"), "done": _copy_icon("check", "done")},
    )


def digest_full(value: str) -> Markup:
    """Return a digest whole, its ends strong: what a signer compares."""
    digits = value.removeprefix("0x")
    form = Markup("<b>0x{}</b>{}<b>{}</b>")
    return form.format(digits[:_DIGEST_TAIL], digits[_DIGEST_TAIL:-_DIGEST_TAIL], digits[-_DIGEST_TAIL:])


def moment(value: datetime) -> Markup:
    """Return a time for people, with the machine's form beside it."""
    machine = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    form = Markup('<time datetime="{machine}" title="{machine}">{text}</time>')
    return form.format(machine=machine, text=value.strftime("%-d %b %Y, %H:%M:%S UTC"))


def _copy_icon(name: str, when: str) -> Markup:
    form = Markup('<svg class="icon {}" aria-hidden="true"><use href="/static/icons.svg#i-{}"></use></svg>')
    return form.format(when, name)
