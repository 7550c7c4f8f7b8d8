"""What holds for every pod of every variant, whatever it runs."""

import pytest

from tests.helm.charts import CASES, PLATFORM, SITE

pytestmark = pytest.mark.parametrize(("chart", "variant"), CASES)


def test_pods_keep_to_the_standard_called_restricted(rendered, chart, variant):
    made = rendered(chart, variant)
    for pod in made.pods():
        spec, context = pod["spec"], pod["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True, pod["owner"]
        assert context["runAsUser"] >= 10000
        assert context["seccompProfile"]["type"] in {"RuntimeDefault", "Localhost"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & spec.keys()
        assert {next(iter(volume.keys() - {"name"})) for volume in spec.get("volumes", ())} <= {
            *("emptyDir", "secret", "configMap", "persistentVolumeClaim")
        }
    for place, container in made.containers():
        security = container["securityContext"]
        assert security == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, place


def test_no_pod_holds_a_token_and_each_process_has_an_account_of_its_own(rendered, chart, variant):
    made = rendered(chart, variant)
    accounts = {one["metadata"]["name"]: one for one in made.of_kind("ServiceAccount")}
    pods = [pod for pod in made.pods() if pod["kind"] != "Pod"]

    assert all(pod["spec"]["automountServiceAccountToken"] is False for pod in made.pods())
    assert all(one["automountServiceAccountToken"] is False for one in accounts.values())
    assert sorted(pod["spec"]["serviceAccountName"] for pod in pods) == sorted(accounts)
    assert made.of_kind("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding") == []


def test_every_container_says_what_it_needs_and_what_it_may_take(rendered, chart, variant):
    for place, container in rendered(chart, variant).containers():
        assert container["resources"].keys() == {"requests", "limits"}, place
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()


def test_what_lasts_is_watched(rendered, chart, variant):
    for pod in rendered(chart, variant).pods():
        probes = {"startupProbe", "livenessProbe", "readinessProbe"}
        expected = probes if pod["kind"] in {"Deployment", "StatefulSet"} else set()
        assert probes & pod["spec"]["containers"][0].keys() == expected, pod["owner"]


def test_images_have_a_version_or_a_digest(rendered, chart, variant):
    for place, container in rendered(chart, variant).containers():
        name, _, version = container["image"].rpartition("@" if "@" in container["image"] else ":")
        assert name.startswith("consilium/"), place
        assert version == "0.1.0" or version.startswith("sha256:")


def test_secrets_are_named_and_mounted_as_files_and_stand_nowhere(rendered, chart, variant):
    made = rendered(chart, variant)
    assert made.of_kind("Secret") == []
    for place, container in made.containers():
        for entry in container.get("env", ()):
            assert "valueFrom" not in entry, place
            is_secret = any(
                word in entry["name"] for word in ("SECRET", "PASSPHRASE", "KEY", "DATABASE_URL", "BROKER", "CACHE")
            )
            # Public halves, which name keys behind a signer.
            is_public = entry["name"] == "RELAY_SIGNER_KEYS"
            if is_secret and not is_public and not entry["name"].endswith("_FILE"):
                assert entry in ({"name": "OIDC_PRIVATE_KEY", "value": ""}, NO_DATABASE), place
    for pod in made.pods():
        for volume in pod["spec"].get("volumes", ()):
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440
                assert volume["secret"]["items"], "every key would be mounted, also those of others"


NO_DATABASE = {"name": "DATABASE_URL", "value": "postgres://nobody@127.0.0.1:1/none"}


def test_every_mount_has_a_volume_and_every_volume_is_mounted(rendered, chart, variant):
    for pod in rendered(chart, variant).pods():
        spec = pod["spec"]
        volumes = {volume["name"] for volume in spec.get("volumes", ())}
        if pod["kind"] == "StatefulSet":
            volumes |= {"site", "salts"}
        containers = [*spec.get("initContainers", ()), *spec["containers"]]
        mounts = {mount["name"] for container in containers for mount in container.get("volumeMounts", ())}
        assert mounts == volumes, pod["owner"]


def test_temporary_folders_are_bounded(rendered, chart, variant):
    for pod in rendered(chart, variant).pods():
        for volume in pod["spec"].get("volumes", ()):
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"], pod["owner"]


def test_what_may_not_be_twice_is_not(rendered, chart, variant):
    made = rendered(chart, variant)
    if chart == PLATFORM:
        beat = made.named("Deployment", "demo-consilium-beat")["spec"]
        assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})
    if chart == SITE:
        assert made.named("StatefulSet", "demo-consilium-site")["spec"]["replicas"] == 1
