"""The charts as Helm reads them: without a remark, over a matrix of values, valid for every Kubernetes they promise."""

import json
import re

import pytest
import yaml

from tests.helm.charts import CASES, CHARTS, PLATFORM, ROOT, SITE, RefusedError, values_of

VERSIONS = [f"1.{minor}" for minor in range(30, 38)]


@pytest.mark.parametrize(("chart", "variant"), CASES)
def test_helm_has_no_remark_on_the_chart(engine, chart, variant):
    found = engine.ask("lint", chart=str(ROOT / "helm" / chart), values=values_of(chart, variant))

    # An icon is all that it would like to have.
    assert [one for one in found["messages"] if "icon is recommended" not in one["error"]] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_of_every_variant_is_valid_for_each_kubernetes_that_the_charts_name(engine, rendered, version):
    objects = {json.dumps(one, sort_keys=True): one for case in CASES for one in rendered(*case).objects}

    assert engine.ask("validate", objects=list(objects.values()), versions=[version]) == []


def test_the_oldest_kubernetes_that_was_tried_is_the_oldest_that_the_charts_promise():
    for chart in CHARTS:
        promised = yaml.safe_load((ROOT / "helm" / chart / "Chart.yaml").read_text())["kubeVersion"]
        assert promised == f">={VERSIONS[0]}.0-0"


def test_a_misspelt_field_would_be_noticed(engine, rendered):
    spoilt = json.loads(json.dumps(rendered(PLATFORM, "minimal").named("Deployment", "demo-consilium-web")))
    spoilt["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    assert len(engine.ask("validate", objects=[spoilt], versions=["1.37"])) == 1


@pytest.mark.parametrize(("chart", "variant"), CASES)
def test_names_are_unique_and_labels_say_whose_they_are(rendered, chart, variant):
    objects = rendered(chart, variant).objects
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]

    assert len(set(names)) == len(names)
    assert {one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in objects} == {"demo"}
    assert {one["metadata"].get("namespace") for one in objects} == {None}


@pytest.mark.parametrize("chart", CHARTS)
def test_the_longest_name_of_a_release_still_makes_valid_names(engine, chart):
    release = "a" * 53
    made = engine.render(chart, values_of(chart), release=release)

    assert max(len(one["metadata"]["name"]) for one in made.objects) <= 63
    assert engine.ask("validate", objects=list(made.objects), versions=["1.37"]) == []


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_stands_in_the_readme_with_its_default(chart):
    folder = ROOT / "helm" / chart
    rows = re.findall(r"^\| `([\w.]+)` \|(.*?)\|", (folder / "README.md").read_text(), re.MULTILINE)
    said = {name: default.strip() for name, default in rows}
    values = yaml.safe_load((folder / "values.yaml").read_text())

    assert said == {name: f"`{json.dumps(value)}`" if value not in ("", None) else "" for name, value in leaves(values)}


def leaves(values, prefix=""):
    """Yield each value by its path; resources, lists and empty tables whole."""
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value and key != "resources":
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


@pytest.mark.parametrize("chart", CHARTS)
def test_the_schema_names_every_value_and_lets_no_other_through(chart):
    folder = ROOT / "helm" / chart
    schema = json.loads((folder / "values.schema.json").read_text())
    open_tables = {"labels", "podSelector", "namespaceSelector", "tolerations", "global"}

    loose = [path for path, table in tables(schema) if table.get("additionalProperties") is not False]

    assert [path for path in loose if not open_tables & set(path.split("/"))] == []
    assert set(yaml.safe_load((folder / "values.yaml").read_text())) == set(schema["properties"]) - {"global"}


def tables(schema, path=""):
    """Yield every table that a schema describes."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, value in schema.items():
            yield from tables(value, f"{path}/{key}")
    if isinstance(schema, list):
        for value in schema:
            yield from tables(value, path)


@pytest.mark.parametrize("chart", CHARTS)
def test_defaults_alone_are_refused_with_the_first_thing_to_say(engine, chart):
    with pytest.raises(RefusedError, match=r"is not set|is \"\""):
        engine.render(chart, {})


def test_chart_and_program_have_one_version():
    project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None
    for chart in CHARTS:
        about = yaml.safe_load((ROOT / "helm" / chart / "Chart.yaml").read_text())
        assert about["appVersion"] == project[1]


def test_notes_say_what_to_do_next_and_what_does_not_stand(rendered):
    assert "helm test demo -n prod" in rendered(PLATFORM, "minimal").notes
    assert "WARNING: networkPolicy.enabled is false" in rendered(PLATFORM, "without policies").notes
    assert "limits alone" in rendered(SITE, "minimal").notes
    assert "limits alone" not in rendered(SITE, "namespaces").notes
