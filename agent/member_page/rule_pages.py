"""The local rules: shown, changed by a steward, brought back; and the switch that stops all work."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

# Importing it registered the kinds of work in a round.
import agent.training.handlers  # noqa: F401
from agent.configuration import Rules
from agent.errors import ConfigurationError
from agent.jobs import KINDS
from agent.member_page.desk_view import Page, to
from agent.people import Person
from agent.rules_file import KIND
from agent.wording import gettext as _
from consent.domain.purposes import ANCESTRY_RESEARCH, ANY_PURPOSE, CLINICAL_CARE, GENERAL_RESEARCH, HEALTH_RESEARCH
from consortium.kernel.errors import ConsiliumError, InvalidInputError

STOP_WORD = "stop"
_NUMBERS = ("minimum_cohort", "max_rounds", "signatures_per_minute", "max_head_age_seconds")
OFFERED_PURPOSES = (
    *(HEALTH_RESEARCH, GENERAL_RESEARCH, ANCESTRY_RESEARCH, CLINICAL_CARE, ANY_PURPOSE),
    *("HL7:BIORCH", "HL7:TRANSRCH", "HL7:CLINTRCH", "HL7:PUBHLTH"),
)
KIND_WORDS: Mapping[str, str] = {
    "ping": _("Answer that the site is there"),
    "commit": _("Take part in a round with a cohort"),
    "shares": _("Deal the secrets of a round"),
    "train": _("Train on own records and send the masked result"),
    "sign": _("Sign who is left in a round"),
    "reveal": _("Release shares, so that the sum opens"),
    "verify": _("Recompute a round and sign its result"),
    "register": _("Sign the registration of an own model"),
    "cancel": _("Sign the end of a run of an own plan"),
}
_MAX_DIGITS = 10


class RulePages:
    """Pages of rules and switch."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def show(self, request: Request, _person: Person) -> Response:
        """Show the rules; with `undo` the form holds what a rule was before that change."""
        return await self._show(request, undo=request.query_params.get("undo", ""))

    async def save(self, request: Request, person: Person) -> Response:
        """Change what differs, with the pass phrase given again."""
        fields = await self._page.form(request)
        before = self._page.site.configuration.rules
        try:
            values = _values(fields)
            proven = await self._page.prove_steward(person, fields)
            await asyncio.to_thread(lambda: self._page.site.change_rules(values, person=proven))
        except ConsiliumError as error:
            return await self._page.again(request, person, _worded(error), self._show, given=fields)
        changed = self._page.site.configuration.rules != before
        return to("/rules?done=saved" if changed else "/rules?done=unchanged")

    async def stop(self, request: Request, person: Person) -> Response:
        """Stop all work after the word was typed."""
        fields = await self._page.form(request)
        try:
            if fields.get("word", "").strip().lower() != STOP_WORD:
                raise InvalidInputError("Type stop to confirm.", field="word")
            self._page.site.switch.stop(person)
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        return to("/rules")

    async def resume(self, request: Request, person: Person) -> Response:
        """Let work go on, with the pass phrase given again."""
        fields = await self._page.form(request)
        try:
            self._page.site.switch.resume(await self._page.prove(person.name, fields.get("pass_phrase", "")))
        except ConsiliumError as error:
            return await self._page.again(request, person, error, self._show)
        return to("/rules")

    async def _show(
        self,
        request: Request,
        *,
        trouble: str = "",
        status: int = 200,
        given: Mapping[str, str] | None = None,
        undo: str = "",
    ) -> Response:
        rules = self._page.site.configuration.rules
        history = await asyncio.to_thread(self._page.site.rules_file.history)
        form = {**_form(rules), **await asyncio.to_thread(self._earlier, undo)}
        about: dict[str, Any] = {
            **{"rules": rules, "history": history, "kinds": [(kind, KIND_WORDS.get(kind, kind)) for kind in KINDS]},
            **{"form": form if given is None else {**_empty(form), **given}, "is_undo": bool(undo)},
            **{"offered": _offered(rules), "rule_words": RULE_WORDS},
            "file_differs": await asyncio.to_thread(self._page.site.rules_file.read) != rules,
        }
        return await self._page.render(request, "rules.html", status, **about, trouble=trouble)

    def _earlier(self, position: str) -> dict[str, str]:
        """Return the form's fields for what a rule was before a change of the log."""
        if not position.isdecimal() or len(position) > _MAX_DIGITS:
            return {}
        found = self._page.site.journal.select("position = ? AND kind = ?", int(position), KIND, limit=1)
        if not found:
            return {}
        name, old = str(found[0].detail["rule"]), found[0].detail["old"]
        earlier: dict[str, Any] = {name: tuple(old) if isinstance(old, list) else old}
        rules = replace(Rules(), **earlier)
        fields = _form(rules)
        return {key: value for key, value in fields.items() if key == name or key.startswith(f"{name}:")}


RULE_WORDS = {
    "plans_by_hand": _("Approved plans"),
    "repair_allow_list": _("Your node's allow-list"),
    "minimum_cohort": _("Smallest cohort"),
    "max_rounds": _("Most rounds a run"),
    "signatures_per_minute": _("Signatures a minute"),
    "max_head_age_seconds": _("Oldest head of your node"),
    "purposes": _("Purposes"),
    "work_kinds": _("Kinds of work"),
}


def _worded(error: ConsiliumError) -> ConsiliumError:
    """Return a refusal of site.toml in the words that stand at the field."""
    name = str(error.fields.get("field", ""))
    if not isinstance(error, ConfigurationError) or name not in RULE_WORDS:
        return error
    return ConfigurationError(error.message.replace(f"rules.{name}", RULE_WORDS[name]), **error.fields)


def _form(rules: Rules) -> dict[str, str]:
    """Return the rules as a form's fields; a list is one field an item, and one that says whether there is a list."""
    fields = {name: str(getattr(rules, name)) for name in _NUMBERS}
    fields["plans_by_hand"] = "hand" if rules.plans_by_hand else "auto"
    fields["repair_allow_list"] = "mend" if rules.repair_allow_list else "tell"
    for name, chosen, offered in (
        ("purposes", rules.purposes, _offered(rules)),
        ("work_kinds", rules.work_kinds, tuple(KINDS)),
    ):
        fields[name] = "all" if chosen is None else "some"
        # Who limits purposes names those that are wanted; who limits work leaves a kind out.
        ticked = tuple(KINDS) if chosen is None else chosen
        fields |= {f"{name}:{item}": "on" if item in ticked else "" for item in offered}
    return fields


def _empty(form: Mapping[str, str]) -> dict[str, str]:
    """A box that was not ticked is not in a form that was sent."""
    return {name: "" if ":" in name else value for name, value in form.items()}


def _offered(rules: Rules) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*OFFERED_PURPOSES, *(rules.purposes or ()))))


def _values(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the rules that a form names; `InvalidInputError` naming the one that cannot be meant."""
    values: dict[str, Any] = {name: _number(name, fields[name]) for name in _NUMBERS if name in fields}
    if "plans_by_hand" in fields:
        values["plans_by_hand"] = fields["plans_by_hand"] == "hand"
    if "repair_allow_list" in fields:
        values["repair_allow_list"] = fields["repair_allow_list"] == "mend"
    for name in ("purposes", "work_kinds"):
        if name in fields:
            values[name] = None if fields[name] == "all" else _chosen(name, fields)
    unknown = set(values.get("work_kinds") or ()) - set(KINDS)
    if unknown:
        raise InvalidInputError(f"This program knows no work of the kind {', '.join(sorted(unknown))}.")
    return values


def _number(name: str, text: str) -> int:
    cleaned = text.strip().replace(",", "")
    if not (cleaned.isascii() and cleaned.isdecimal() and len(cleaned) <= _MAX_DIGITS):
        raise InvalidInputError(f"{RULE_WORDS[name]}: give a whole number.", field=name)
    return int(cleaned)


def _chosen(name: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    ticked = [key.partition(":")[2] for key in fields if key.startswith(f"{name}:") and fields[key]]
    more = [part.strip() for part in fields.get(f"more_{name}", "").split(",") if part.strip()]
    chosen = tuple(dict.fromkeys([*ticked, *more]))
    if not chosen:
        message = f"{RULE_WORDS[name]}: choose at least one, or allow all. To stop work, use the switch."
        raise InvalidInputError(message, field=name)
    return chosen
