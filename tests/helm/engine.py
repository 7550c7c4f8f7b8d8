"""Helm and Kubernetes' schemas behind two pipes; run by the interpreter of .local/helm-env, which has both.

One request a line, one answer a line, JSON each: {"do": "render", ...} -> {"ok": ...} or {"refused": "..."}.
"""

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import helm_python
import kubernetes_validate
import yaml
from kubernetes_validate import utils

# It reads two megabytes of definitions anew for every object.
utils.schema_contents = cache(utils.schema_contents)

Answer = dict[str, Any]


def render(chart: str, values: dict[str, Any], release: str, namespace: str) -> Answer:
    """Return every object as {"source": template, "object": ...}, hooks among them, and the notes."""
    try:
        with helm_python.Chart.load(chart) as loaded:
            files = loaded.render(values, name=release, namespace=namespace)
    except helm_python.HelmError as error:
        return {"refused": str(error)}
    notes = next(text for name, text in files.items() if name.endswith("NOTES.txt"))
    objects = [
        {"source": name, "object": document}
        for name, text in sorted(files.items())
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]
    return {"ok": {"objects": objects, "notes": notes}}


def lint(chart: str, values: dict[str, Any]) -> Answer:
    return {"ok": helm_python.lint(chart, values, strict=True, kube_version="v1.37.0")}


def validate(objects: list[dict[str, Any]], versions: list[str]) -> Answer:
    """Return what is wrong with objects under the strict schemas of these versions of Kubernetes."""
    wrong = []
    for version in versions:
        for one in objects:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                wrong.append(f"{version} {one['kind']} {one['metadata']['name']}: {error.message}")
    return {"ok": wrong}


def main() -> None:
    work: dict[str, Callable[..., Answer]] = {"render": render, "lint": lint, "validate": validate}
    for line in sys.stdin:
        request = json.loads(line)
        answer = work[request.pop("do")](**request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
