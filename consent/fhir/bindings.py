"""Validation of a Consent against FHIR R4, required bindings included.

`fhir.resources` checks structure but accepts any code where FHIR requires one of a value set; it also takes
its own attribute names for elements, and text that holds JSON for an object. All three are refused here. R4B is
its name for R4: Consent is the same in both.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fhir.resources.R4B.consent import Consent
from pydantic import BaseModel, ValidationError

from consent.fhir.errors import ElementProblem

# Never part of the consent itself: dropped before anything is stored, and the library fails on unknown types in them.
_PASSED_OVER = frozenset({"contained", "text"})
_NOT_ELEMENTS = frozenset({"fhir_comments", "resource_type"})
# FHIR: who does not understand a modifier must not process the resource.
_MODIFIERS = frozenset({"modifierExtension", "implicitRules"})
_MAX_PROBLEMS = 10
_MISSING = ("missing", "model_field_validation.missing")


def validation_problems(resource: Mapping[str, Any]) -> list[ElementProblem]:
    """Return what FHIR R4 forbids in the resource, at most ten problems, each with its element's path."""
    if resource.get("resourceType") != "Consent":
        return [ElementProblem("Consent.resourceType", "is not Consent")]
    raw = {name: value for name, value in resource.items() if name not in _PASSED_OVER}
    if problems := [*_forbidden_json(raw, "Consent")][:_MAX_PROBLEMS]:
        return problems
    try:
        consent = Consent.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return [_problem(item["loc"], item["type"]) for item in found[:_MAX_PROBLEMS]]
    return [*_binding_problems(consent, raw, "Consent")][:_MAX_PROBLEMS]


def _forbidden_json(value: Any, path: str, *, inside: bool = False) -> Iterator[ElementProblem]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _forbidden_json(item, f"{path}[{index}]", inside=True)
    elif value is None:
        yield ElementProblem(path, "is null; leave the element out")
    elif isinstance(value, dict):
        if inside and "resourceType" in value:
            yield ElementProblem(path, "is a resource within the resource")
        for name, item in value.items():
            yield from _forbidden_json(item, _child(path, name), inside=True)


def _binding_problems(model: BaseModel, raw: Any, path: str) -> Iterator[ElementProblem]:
    if not isinstance(raw, dict):
        yield ElementProblem(path, "is not an object")
        return
    for name in raw.keys() - _element_names(type(model)):
        yield ElementProblem(_child(path, name), "is not an element of FHIR R4")
    for name in raw.keys() & _MODIFIERS:
        yield ElementProblem(f"{path}.{name}", "changes the meaning in a way that is not understood here")
    for attribute, field in type(model).model_fields.items():
        value, name = getattr(model, attribute), field.alias or attribute
        extra = field.json_schema_extra
        allowed = extra.get("enum_values") if isinstance(extra, dict) else None
        if value is not None and isinstance(allowed, list) and value not in allowed:
            yield ElementProblem(f"{path}.{name}", f"{_shown(value)} is not {_alternatives(allowed)}")
        yield from _inner_problems(value, raw.get(name), f"{path}.{name}")


def _inner_problems(value: Any, raw: Any, path: str) -> Iterator[ElementProblem]:
    if isinstance(value, BaseModel):
        yield from _binding_problems(value, raw, path)
    elif isinstance(value, list) and isinstance(raw, list):
        for index, (item, raw_item) in enumerate(zip(value, raw, strict=True)):
            yield from _inner_problems(item, raw_item, f"{path}[{index}]")
    elif isinstance(value, list):
        yield ElementProblem(path, "is not a list")


@cache
def _element_names(model: type[BaseModel]) -> frozenset[str]:
    names = {field.alias or attribute for attribute, field in model.model_fields.items()}
    return frozenset(names | {"resourceType"}) - _NOT_ELEMENTS


def _problem(location: tuple[int | str, ...], kind: str) -> ElementProblem:
    path = "Consent"
    # "root" is the library's word for the object as a whole.
    for step in (step for step in location if step != "root"):
        path = f"{path}[{step}]" if isinstance(step, int) else _child(path, step)
    if kind == "extra_forbidden":
        return ElementProblem(path, "is not an element of FHIR R4")
    return ElementProblem(path, "is missing" if kind in _MISSING else "has a value of the wrong type or form")


def _child(path: str, name: str) -> str:
    # An unknown name is the sender's text; only what looks like an element's name is repeated.
    name = name.removesuffix("_fhir")
    known = name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40
    return f"{path}.{name}" if known else f"{path}.?"


def _shown(value: object) -> str:
    text = str(value)
    return f"'{text}'" if len(text) <= 32 and text.isascii() and text.replace("-", "").isalnum() else "the value"


def _alternatives(values: list[Any]) -> str:
    ordered = sorted(map(str, values), reverse=True)
    return " or ".join([", ".join(ordered[:-1]), ordered[-1]]) if len(ordered) > 1 else ordered[0]
