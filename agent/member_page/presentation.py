"""Templates and their small parts: icons, badges, digests, times; everything escaped by default."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.facts import span
from agent.wording import gettext
from consent.domain.purposes import duo_terms, purpose_label
from consortium.kernel.bands import band_label
from consortium.kernel.errors import InvalidInputError

# A state's meaning (which decides the color) and its icon; the word stands beside them.
_STATES = {
    "open": ("is-waiting", "clock-3", gettext("Waiting for your vote")),
    "not_yet": ("", "circle-dashed", gettext("Not open yet")),
    "closed": ("is-settled", "lock", gettext("Closed")),
    "answered": ("is-settled", "check", gettext("Your vote is on the chain")),
    "on_chain": ("is-settled", "check", gettext("On the chain")),
    "signed": ("is-underway", "send", gettext("Signed, on its way")),
    "sent": ("is-underway", "send", gettext("Handed to the platform")),
    "letter_refused": ("is-refused", "x", gettext("Refused by the platform")),
    "well": ("is-settled", "check", gettext("In order")),
    "wrong": ("is-refused", "octagon-alert", gettext("Not in order")),
    "stopped": ("is-refused", "pause", gettext("Stopped")),
    "working": ("is-settled", "check", gettext("Working")),
    "doubt": ("is-refused", "triangle-alert", gettext("Do not sign")),
    "decided": ("is-settled", "check", gettext("Decided")),
    "done": ("is-settled", "check", gettext("Done")),
    "running": ("is-underway", "loader", gettext("Under way")),
    "failed": ("is-refused", "x", gettext("Failed, nothing taken")),
    "interrupted": ("is-refused", "triangle-alert", gettext("Interrupted")),
    "waiting": ("is-waiting", "send", gettext("Signed, waits for the platform")),
    "refused": ("is-refused", "x", gettext("Refused")),
    "received": ("is-waiting", "clock-3", gettext("Out of every cohort here")),
    "on_its_way": ("is-underway", "send", gettext("Signed, on its way to the chain")),
    "confirmed": ("is-settled", "check", gettext("On the chain for everybody")),
    "landed": ("is-settled", "check", gettext("On the chain")),
    "voted_on": ("", "circle-dashed", gettext("The members have not approved it yet")),
    "waits": ("is-waiting", "clock-3", gettext("Waits for a steward")),
    "ready": ("is-settled", "check", gettext("May run here")),
    "plan_refused": ("is-refused", "ban", gettext("Refused for good")),
    "blocked": ("is-refused", "octagon-alert", gettext("Cannot run here")),
    "holds": ("is-settled", "check", gettext("Holds")),
    "fails": ("is-refused", "x", gettext("Does not hold")),
    "unknown": ("is-waiting", "clock-3", gettext("Open")),
    "released": ("is-private", "eye-off", gettext("Part of an opened sum")),
    "masked": ("", "lock", gettext("Masked bytes left, never opened")),
    "committed": ("", "circle-dashed", gettext("Nothing left the house")),
    "accepted": ("is-underway", "check", gettext("Accepted")),
    "changed": ("is-settled", "check", gettext("Changed")),
}
# What a form that was taken leaves to say on the page that follows.
DONE = {
    "key_made": gettext("The new key is made. It signs nothing before your vote key has signed for it."),
    "key_signed": gettext("Signed and handed over. The old key signs until the registry lists the new one."),
    "key_in_use": gettext("The new key is in the old one's place. Destroy the retired keystore when you like."),
    "saved": gettext("The rules are saved and in force."),
    "unchanged": gettext("Nothing was different, so nothing was changed."),
    "withdrawn": gettext("The consent is withdrawn. No cohort of this site holds the subject any more."),
    "erased": gettext("The subject is erased: salts, consents and links are gone for good."),
    "epoch": gettext("A new epoch is asked for. It is signed as soon as nothing holds it back."),
    "registered": gettext("The data set is registered. The platform learns columns, terms and the band."),
    "allowed": gettext("The plan is allowed at this site."),
    "refused": gettext("The plan is refused at this site for good."),
    "proposed": gettext("The plan is put to the vote. Its ballot appears as soon as your node shows it."),
}
_DIGEST_HEAD, _DIGEST_TAIL = 6, 4
_GROUP = 12


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
    made.globals.update(purpose=purpose_words, condition=condition_words, band_words=band_words, done_words=DONE)
    made.globals.update(written=written, span=span, until=until, sentence=sentence)
    made.globals.update(offered_words=offered_words, value_words=value_words)
    made.filters["count"] = count
    return made


def icon(name: str, size: str = "") -> Markup:
    """Return an icon of the sprite; decoration only."""
    form = '<svg class="icon{}" aria-hidden="true"><use href="/static/icons.svg#i-{}"></use></svg>'
    return Markup(form).format(" icon-20" if size else "", name)  # noqa: S704  a constant form


def badge(state: str, label: str = "") -> Markup:
    """Return a state as icon, word and color."""
    meaning, name, word = _STATES.get(state, ("", "circle-dot", state))
    return Markup('<span class="badge {}">{}{}</span>').format(meaning, icon(name), label or word)


def digest(value: str, href: str = "") -> Markup:
    """Return a digest short on the page, whole in its title and in print, to be copied and perhaps followed."""
    if not value:
        return Markup('<span class="muted">-</span>')
    algorithm, colon, digits = value.rpartition(":")
    prefix = f"{algorithm}{colon}" if colon else "0x" * digits.startswith("0x")
    digits = digits.removeprefix("0x")
    short = f"{prefix}{digits[:_DIGEST_HEAD]}…{digits[-_DIGEST_TAIL:]}" if len(digits) > 14 else value
    shown = Markup('<a href="{}" data-full="{}" title="{}">{}</a>').format(href, value, value, short)
    plain = Markup('<span class="mono" data-full="{}" title="{}">{}</span>').format(value, value, short)
    return Markup(
        '<span class="digest">{shown}'
        '<button type="button" class="needs-js" data-copy="{full}" aria-label="{label}">{copy}{done}</button></span>'
    ).format(
        **{"shown": shown if href else plain, "full": value, "label": gettext("Copy digest %s") % short},
        **{"copy": _copy_icon("copy", "copy"), "done": _copy_icon("check", "done")},
    )


def digest_full(value: str) -> Markup:
    """Return a digest whole, in groups, its ends strong: what a signer compares."""
    digits = value.removeprefix("0x")
    middle = digits[_DIGEST_TAIL:-_DIGEST_TAIL]
    groups = [middle[start : start + _GROUP] for start in range(0, len(middle), _GROUP)]
    form, group = Markup("<b>0x{}</b>{}<b>{}</b>"), Markup('<span class="group">{}</span><wbr>')
    return form.format(
        digits[:_DIGEST_TAIL], Markup("").join(group.format(part) for part in groups), digits[-_DIGEST_TAIL:]
    )


def moment(value: datetime) -> Markup:
    """Return a time for people, with the machine's form beside it."""
    machine = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    form = Markup('<time datetime="{machine}" title="{machine}">{text}</time>')
    return form.format(machine=machine, text=value.strftime("%-d %b %Y, %H:%M:%S UTC"))


def written(text: str) -> Markup:
    """Return a time as the journal writes it, for people; `-` for none."""
    try:
        return moment(datetime.fromisoformat(text).astimezone(UTC))
    except ValueError:
        return Markup("-")


def until(value: datetime, now: datetime) -> str:
    """Return how long it is to a moment; empty if it is past."""
    left = value - now
    return gettext("in %s") % span(left.total_seconds()) if left > timedelta() else ""


def count(value: int) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}"


def sentence(text: str, choice: str) -> Markup:
    """Return the sentence that is signed with its answer marked, at the first place where it stands as a word."""
    before, found, after = text.partition(f" {choice} ")
    if not found:
        return Markup("{}").format(text)
    return Markup("{} <mark>{}</mark> {}").format(before, choice, after)


def purpose_words(code: str) -> str:
    """Return a purpose in words with its code: `health or medical or biomedical research (HMB)`."""
    try:
        label = purpose_label(code)
    except InvalidInputError:
        return code
    term = duo_terms().get(code)
    return f"{label[:1].upper()}{label[1:]} ({term.shorthand if term else code.removeprefix('HL7:')})"


def offered_words(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return purposes to choose from, each with its words."""
    return [(code, purpose_words(code)) for code in codes]


def value_words(value: object) -> str:
    """Return a rule's value as people say it."""
    if isinstance(value, bool):
        return gettext("by hand") if value else gettext("at once")
    if isinstance(value, list):
        return "; ".join(purpose_words(str(one)) for one in value)
    return gettext("all") if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def condition_words(code: str) -> str:
    """Return one of DUO's modifiers in words."""
    term = duo_terms().get(code)
    return f"{term.label} ({term.shorthand})" if term else code


def band_words(edge: int) -> str:
    """Return a band in words; a number that is no edge as it stands."""
    try:
        return band_label(edge)
    except InvalidInputError:
        return str(edge)


def _copy_icon(name: str, when: str) -> Markup:
    form = Markup('<svg class="icon {}" aria-hidden="true"><use href="/static/icons.svg#i-{}"></use></svg>')
    return form.format(when, name)
