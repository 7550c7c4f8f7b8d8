"""The platform's processes: each with the database role, keys and commands that the operator's guide gives it."""

import importlib
import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from agent.cli import parser as site_parser
from tests.architecture.test_named_commands import unknown_words
from tests.helm.charts import CASES, PLATFORM, PUBLIC_KEYS, ROOT, SITE

GUIDE = (ROOT / "docs" / "guides" / "operator.md").read_text()
ROLES = {
    **{"web": "app", "worker": "app", "run-worker": "system", "system-worker": "system", "beat": None},
    **{"dispatcher": "system", "projector": "system", "migrations": "owner", "founding": "system"},
}
# The system's and Python's own, which no settings read.
FOREIGN = {"HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HEALTH_URL"}
SITE_VARIABLES = {
    *("CONSILIUM_SITE_FOLDER", "CONSILIUM_SITE_SALTS_FOLDER", "CONSILIUM_SITE_PASSPHRASE_FILE"),
    *("ORGANIZATION_ID", "ORGANIZATION_NAME", "PLATFORM_URL", "CHAIN_URL", "CHAIN_ID", "VOTE_ADDRESS", "SITE_ADDRESS"),
}


def component(pod):
    return pod["metadata"]["labels"]["app.kubernetes.io/component"]


def secrets_of(pod):
    return {volume["secret"]["secretName"] for volume in pod["spec"].get("volumes", ()) if "secret" in volume}


def environment(container):
    return {entry["name"]: entry["value"] for entry in container.get("env", ())}


def test_each_process_has_its_role_in_the_database_and_no_other(rendered):
    pods = {component(pod): pod for pod in rendered(PLATFORM, "founding").pods() if pod["kind"] != "Pod"}
    assert pods.keys() == ROLES.keys()
    for name, role in ROLES.items():
        databases = {secret for secret in secrets_of(pods[name]) if secret.startswith("database")}
        assert databases == ({f"database{role}-secret"} if role else set()), name


@pytest.mark.parametrize(
    ("secret", "holders"),
    [
        ("oidc-secret", {"web"}),
        ("relay-secret", {"dispatcher", "founding"}),
        # The worker signs bundles, the system's worker checkpoints; what web tells of the key is public.
        ("log-secret", {"worker", "system-worker"}),
        ("databaseowner-secret", {"migrations"}),
        ("founding", {"founding"}),
    ],
)
def test_each_key_is_where_it_is_needed_and_nowhere_else(rendered, secret, holders):
    found = {component(pod) for pod in rendered(PLATFORM, "founding").pods() if secret in secrets_of(pod)}

    assert found == holders


def test_each_key_of_the_relay_is_a_lane_of_the_dispatcher(rendered):
    pods = {component(pod): pod for pod in rendered(PLATFORM, "lanes and tokens").pods()}
    (container,) = pods["dispatcher"]["spec"]["containers"]
    (copied,) = pods["dispatcher"]["spec"]["initContainers"]

    assert environment(container)["RELAY_KEY_FILE"] == "/run/consilium/keys/FIRST_KEY,/run/consilium/keys/second.key"
    assert "/run/consilium/secrets/relay/second.key" in copied["command"]
    assert environment(container)["RELAY_PASSPHRASE_FILE"] == "/run/consilium/secrets/relay/RELAY_PASSPHRASE"


def test_keys_behind_a_signer_are_named_and_asked_for_with_the_relays_certificate(rendered):
    pods = {component(pod): pod for pod in rendered(PLATFORM, "remote signer").pods()}
    holders = {name for name, pod in pods.items() if "relaysigner-secret" in secrets_of(pod)}
    assert holders == {"dispatcher", "founding"}
    for name in holders:
        (container,) = pods[name]["spec"]["containers"]
        told = environment(container)
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert told["RELAY_SIGNER_URL"] == "https://signer.example:9000"
        assert told["RELAY_SIGNER_KEYS"].split(",") == PUBLIC_KEYS
        assert told["RELAY_SIGNER_KEY_FILE"] == "/run/consilium/signer/tls.key"
        assert "/run/consilium/signer" in mounted
        assert "RELAY_KEY_FILE" not in told
        assert "initContainers" not in pods[name]["spec"]


def test_a_signer_and_a_key_file_stand_beside_each_other(rendered):
    pods = {component(pod): pod for pod in rendered(PLATFORM, "remote signer beside a file").pods()}
    (container,) = pods["dispatcher"]["spec"]["containers"]

    assert environment(container)["RELAY_KEY_FILE"] == "/run/consilium/keys/RELAY_KEY"
    assert environment(container)["RELAY_SIGNER_KEYS"] == PUBLIC_KEYS[0]


def test_operations_ports_are_seen_by_who_relays_activations_and_who_watches(rendered):
    made = rendered(PLATFORM, "operations ports")
    pods = {component(pod): pod for pod in made.pods() if pod["kind"] != "Pod"}
    told = {name: environment(pod["spec"]["containers"][0]) for name, pod in pods.items()}
    edges = {one["metadata"]["name"] for one in made.of_kind("NetworkPolicy")}

    assert {name for name, pod in pods.items() if "operations-secret" in secrets_of(pod)} == {"web", "projector"}
    for name in ("web", "projector"):
        assert told[name]["CHAIN_OPERATIONS_URL"] == "wss://one.example:8546,wss://two.example:8546"
        assert told[name]["CHAIN_OPERATIONS_TOKEN_FILE"] == "/run/consilium/operations/TOKEN"
        assert f"demo-consilium-{name}-to-operations" in edges
    assert {name for name in edges if "operations" in name} == {
        *("demo-consilium-web-to-operations", "demo-consilium-projector-to-operations")
    }


def test_who_asks_the_chain_has_the_key_that_makes_tokens_and_nobody_else(rendered):
    pods = {component(pod): pod for pod in rendered(PLATFORM, "lanes and tokens").pods() if pod["kind"] != "Pod"}
    holders = {name for name, pod in pods.items() if "jwt-secret" in secrets_of(pod)}

    assert holders == {"web", "worker", "run-worker", "system-worker", "dispatcher", "projector"}
    for name in holders:
        (container,) = pods[name]["spec"]["containers"]
        assert environment(container)["CHAIN_RPC_JWT_KEY_FILE"] == "/run/consilium/keys/CHAIN_RPC_JWT_KEY", name


def test_the_guides_processes_are_the_charts(rendered):
    rows = dict(re.findall(r"^\| [\w' ]+ \| `(.+?)`.* \| `(consilium_\w+)` \|", GUIDE, re.MULTILINE))
    assert len(rows) == 8
    for pod in rendered(PLATFORM, "minimal").pods():
        if pod["kind"] == "Pod":
            continue
        words = " ".join(pod["spec"]["containers"][0]["command"]).removeprefix("python -m ").removeprefix("python ")
        row = next(row for row in rows if words.startswith(row.removeprefix("python -m ").split(" --")[0]))
        role = ROLES[component(pod)]
        # The clock sends tasks; it asks no database, so it is given none.
        assert role is None or rows[row] == f"consilium_{role}"


@pytest.mark.parametrize(("chart", "variant"), CASES)
def test_every_variable_is_one_that_the_settings_or_the_agent_read(rendered, chart, variant):
    for place, container in rendered(chart, variant).containers():
        for name in environment(container).keys() - FOREIGN - (SITE_VARIABLES if chart == SITE else set()):
            secret = name.removesuffix("_FILE")
            assert f"`{name}`" in GUIDE or f"`{secret}` (secret)" in GUIDE, f"{place}: {name}"


@pytest.mark.parametrize(("chart", "variant"), CASES)
def test_every_command_exists_with_its_options(rendered, chart, variant):
    for place, container in rendered(chart, variant).containers():
        assert not list(wrong_words(container["command"])), place
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if "exec" in container.get(probe, {}):
                assert container[probe]["exec"]["command"] in (["healthy"], ["healthy", "--working"])


def wrong_words(command):
    """Yield the words of a command that nothing knows."""
    match command:
        case ["python", "manage.py", name, *rest]:
            parser = load_command_class(str(get_commands()[name]), name).create_parser("manage.py", name)
            yield from unknown_words(parser, rest)
        case ["python", "-m", "celery", "-A", "consortium.celery", "worker" | "beat" as name, *rest]:
            yield from unknown_celery_words(name, rest)
        case ["python", "-m", "uvicorn", application, *rest]:
            module, _, attribute = application.partition(":")
            if not hasattr(importlib.import_module(module), attribute):
                yield application
            known = {
                option
                for parameter in importlib.import_module("uvicorn.main").main.params
                for option in parameter.opts + parameter.secondary_opts
            }
            yield from (word for word in rest if word.startswith("--") and word not in known)
        case ["consilium-site", *rest]:
            yield from unknown_words(site_parser(), rest)
        case ["healthy" | "prepare-site"]:
            if not (ROOT / "helm" / "images" / command[0]).exists():
                yield command[0]
        case ["install", "--mode=0600", "--target-directory=/run/consilium/keys", *files]:
            yield from (file for file in files if not file.startswith("/run/consilium/secrets/"))
        case _:
            yield from command


def unknown_celery_words(name, rest):
    command = getattr(importlib.import_module(f"celery.bin.{name}"), name)
    known = {option for parameter in command.params for option in parameter.opts}
    return (word for word in rest if word.startswith("-") and word.partition("=")[0] not in known)


def test_an_invented_command_is_noticed():
    assert [*wrong_words(["python", "manage.py", "dispatch", "--forever"])] == ["--forever"]
    assert [*wrong_words(["python", "-m", "celery", "-A", "consortium.celery", "worker", "--loud"])] == ["--loud"]
    assert [*wrong_words(["rm"])] == ["rm"]


def test_queues_of_the_workers_are_those_that_tasks_go_to(rendered, settings):
    commands = [container["command"] for _place, container in rendered(PLATFORM, "minimal").containers()]
    served = {command[command.index("-Q") + 1] for command in commands if "-Q" in command}

    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert served == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}


def test_the_web_process_may_finish_what_it_has_begun(rendered):
    web = rendered(PLATFORM, "minimal").named("Deployment", "demo-consilium-web")["spec"]["template"]["spec"]
    container = web["containers"][0]
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    ends = int(container["command"][container["command"].index("--timeout-graceful-shutdown") + 1])

    assert web["terminationGracePeriodSeconds"] > waits + ends


def test_files_of_keys_are_where_the_program_looks_for_them(rendered):
    for _place, container in rendered(PLATFORM, "founding").containers():
        mounts = {Path(mount["mountPath"]) for mount in container.get("volumeMounts", ())}
        for name, value in environment(container).items():
            if name.endswith("_FILE") and name not in {"HEARTBEAT_FILE"}:
                assert any(mount in Path(value).parents for mount in mounts), f"{name}: {value}"


def test_autoscaled_processes_leave_their_number_to_the_autoscaler(rendered):
    made = rendered(PLATFORM, "autoscaled")
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in made.of_kind("HorizontalPodAutoscaler")}

    assert scaled == {"demo-consilium-web", "demo-consilium-worker"}
    assert {one["metadata"]["name"] for one in made.of_kind("Deployment") if "replicas" not in one["spec"]} == scaled


def test_hooks_bring_account_and_walls_and_take_them_along(rendered):
    made = rendered(PLATFORM, "founding")
    for job, events in (("migrations", "pre-install,pre-upgrade"), ("founding", "post-install,post-upgrade")):
        hooks = [one for one in made.objects if one["metadata"].get("annotations", {}).get("helm.sh/hook") == events]
        before = [one for one in hooks if one["metadata"]["annotations"]["helm.sh/hook-weight"] == "-10"]
        assert [one["kind"] for one in hooks if one not in before] == ["Job"]
        assert {one["kind"] for one in before} == {"ServiceAccount", "NetworkPolicy"}
        assert f"demo-consilium-{job}-default-deny" in {one["metadata"]["name"] for one in before}
        # By this label the README's command finds what a failed job left.
        assert {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in hooks} == {job}
        policies = {one["metadata"]["annotations"]["helm.sh/hook-delete-policy"] for one in hooks}
        assert policies == {"before-hook-creation,hook-succeeded"}
