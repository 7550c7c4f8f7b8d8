"""Nothing reaches anything, save along the edges that are named; as a cluster would judge it."""

from typing import Any

import pytest

from tests.helm.charts import CASES, PLATFORM, SITE, RefusedError, values_of

CLOSED = [case for case in CASES if case[1] != "without policies"]
EDGES = {
    *(
        "web-to-postgresql",
        "web-to-broker",
        "web-to-chain",
        "worker-to-postgresql",
        "worker-to-broker",
        "worker-to-chain",
    ),
    *("run-worker-to-postgresql", "run-worker-to-broker", "system-worker-to-postgresql", "system-worker-to-broker"),
    *("beat-to-broker", "dispatcher-to-postgresql", "dispatcher-to-chain", "projector-to-postgresql"),
    *("projector-to-chain", "migrations-to-postgresql", "migrations-to-dns", "any-to-dns", "test-to-web"),
    *("web-from-ingress", "web-from-test", "default-deny", "migrations-default-deny"),
}


def selects(selector, labels):
    return selector.get("matchLabels", {}).items() <= labels.items()


def labels_of(pod):
    return pod["metadata"]["labels"]


def policies_for(made, pod, direction):
    return [
        one["spec"]
        for one in made.of_kind("NetworkPolicy")
        if selects(one["spec"]["podSelector"], labels_of(pod)) and direction in one["spec"]["policyTypes"]
    ]


@pytest.mark.parametrize(("chart", "variant"), CLOSED)
def test_every_pod_is_closed_both_ways_before_anything_is_opened(rendered, chart, variant):
    made = rendered(chart, variant)
    for pod in made.pods():
        for direction in ("Ingress", "Egress"):
            closed = [spec for spec in policies_for(made, pod, direction) if direction.lower() not in spec]
            assert closed, f"{pod['owner']} {direction}"


@pytest.mark.parametrize(("chart", "variant"), CLOSED)
def test_every_policy_selects_a_pod_of_the_release_and_opens_no_door_to_everybody(rendered, chart, variant):
    made = rendered(chart, variant)
    for policy in made.of_kind("NetworkPolicy"):
        spec = policy["spec"]
        assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "demo"
        assert any(selects(spec["podSelector"], labels_of(pod)) for pod in made.pods()), policy["metadata"]["name"]
        for rule, side in [(r, "from") for r in spec.get("ingress", ())] + [(r, "to") for r in spec.get("egress", ())]:
            assert rule[side], policy["metadata"]["name"]
            assert rule["ports"]
            assert all(peer for peer in rule[side])


def test_the_platforms_edges_are_these(rendered):
    names = {
        one["metadata"]["name"].removeprefix("demo-consilium-")
        for one in rendered(PLATFORM, "minimal").of_kind("NetworkPolicy")
    }

    assert names == EDGES


def test_the_founding_job_and_another_identity_provider_bring_their_own_edges(rendered):
    def names(variant):
        return {
            one["metadata"]["name"].removeprefix("demo-consilium-")
            for one in rendered(PLATFORM, variant).of_kind("NetworkPolicy")
        }

    assert names("founding") - EDGES == {
        *("founding-default-deny", "founding-to-dns", "founding-to-postgresql", "founding-to-chain")
    }
    assert names("own authority") - EDGES == {"web-to-identity-provider"}


def test_a_signer_of_the_relays_keys_is_reached_by_those_who_sign_alone(rendered):
    def names(variant):
        made = rendered(PLATFORM, variant)
        found = {one["metadata"]["name"].removeprefix("demo-consilium-") for one in made.of_kind("NetworkPolicy")}
        return {name for name in found if "signer" in name}, made

    both, made = names("remote signer")
    assert both == {"dispatcher-to-relay-signer", "founding-to-relay-signer"}
    assert names("remote signer beside a file")[0] == {"dispatcher-to-relay-signer"}
    assert names("minimal")[0] == set()
    (rule,) = made.named("NetworkPolicy", "demo-consilium-dispatcher-to-relay-signer")["spec"]["egress"]
    assert rule == {"to": [{"ipBlock": {"cidr": "10.5.0.0/24"}}], "ports": [{"protocol": "TCP", "port": 9000}]}


@pytest.mark.parametrize(
    ("variant", "edge", "port"), [("remote signer", "signer", 9000), ("operations port", "operations", 8546)]
)
def test_a_site_reaches_its_signer_and_its_operations_port_where_they_are_named(rendered, variant, edge, port):
    made = rendered(SITE, variant)
    names = {one["metadata"]["name"].removeprefix("demo-consilium-site-") for one in made.of_kind("NetworkPolicy")}

    assert names == {"default-deny", "agent-to-dns", "agent-to-platform", "agent-to-chain", f"agent-to-{edge}"}
    (rule,) = made.named("NetworkPolicy", f"demo-consilium-site-agent-to-{edge}")["spec"]["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    assert rule["to"]


@pytest.mark.parametrize(("chart", "variant"), CLOSED)
def test_an_edge_within_the_release_has_both_ends(rendered, chart, variant):
    made = rendered(chart, variant)
    for pod in made.pods():
        for spec in policies_for(made, pod, "Egress"):
            for rule in spec.get("egress", ()):
                for peer in rule["to"]:
                    inside = "podSelector" in peer and "namespaceSelector" not in peer
                    for other in made.pods() if inside else ():
                        if selects(peer["podSelector"], labels_of(other)):
                            assert lets_in(made, other, labels_of(pod), rule["ports"])


def lets_in(made, pod, caller, ports):
    return any(
        "podSelector" in peer and selects(peer["podSelector"], caller) and rule["ports"] == ports
        for spec in policies_for(made, pod, "Ingress")
        for rule in spec.get("ingress", ())
        for peer in rule["from"]
    )


def test_the_edges_lead_where_the_programs_connect_to(rendered):
    """A process with a database has an edge to it, one with a broker's queue to the broker, and no other has."""
    made = rendered(PLATFORM, "founding")
    names = {one["metadata"]["name"] for one in made.of_kind("NetworkPolicy")}
    for pod in made.pods():
        component = labels_of(pod)["app.kubernetes.io/component"]
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", ())}
        assert ("secret-database" in volumes) == (f"demo-consilium-{component}-to-postgresql" in names), component


def test_nothing_reaches_a_site_and_it_reaches_platform_node_and_names_alone(rendered):
    made = rendered(SITE, "minimal")
    policies = {
        one["metadata"]["name"].removeprefix("demo-consilium-site-"): one for one in made.of_kind("NetworkPolicy")
    }

    assert policies.keys() == {"default-deny", "agent-to-dns", "agent-to-platform", "agent-to-chain"}
    assert not any("ingress" in one["spec"] for one in policies.values())
    assert made.of_kind("Ingress") == []
    assert [one["spec"].get("ports") for one in made.of_kind("Service")] == [None]
    assert not any("ports" in container for _place, container in made.containers())


def test_the_probes_port_is_the_one_that_the_policies_open(rendered):
    made = rendered(PLATFORM, "minimal")
    port = made.named("Deployment", "demo-consilium-web")["spec"]["template"]["spec"]["containers"][0]["ports"][0]

    opened = made.named("NetworkPolicy", "demo-consilium-web-from-ingress")["spec"]["ingress"][0]["ports"]
    assert opened == [{"protocol": "TCP", "port": port["containerPort"]}]


@pytest.mark.parametrize(
    ("chart", "variant", "name"),
    [
        (PLATFORM, "operations ports", "operations"),
        (PLATFORM, "remote signer", "relaySigner"),
        (SITE, "remote signer", "signer"),
        (SITE, "operations port", "operations"),
    ],
)
def test_an_edge_that_values_open_needs_its_peers(engine, chart, variant, name):
    with pytest.raises(RefusedError, match=rf"{name}\.peers names nobody"):
        engine.render(chart, values_of(chart, variant, {"networkPolicy": {name: {"peers": []}}}))


def test_an_empty_list_of_peers_would_open_everything_and_is_refused(engine):
    changes: dict[str, Any] = {"networkPolicy": {"chain": {"peers": []}}}
    for chart in (PLATFORM, SITE):
        with pytest.raises(RefusedError, match=r"chain\.peers names nobody"):
            engine.render(chart, values_of(chart, changes=changes))
