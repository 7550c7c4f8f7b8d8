"""Install both charts on a real API server, as an operator would: `make k8s-test`.

It proves what the server, its admission and its controllers say: objects, pod security, hooks, waits, upgrades,
rollbacks, what an uninstall leaves. Containers do not run (fake_kubelet.py), and nothing enforces network policies.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

import helm_python  # noqa: E402  the path above is this script's own
from api import CORE, Api, ApiError, Object, wait_until  # noqa: E402
from control_plane import ControlPlane, running  # noqa: E402
from fake_kubelet import FakeKubelet  # noqa: E402

from tests.helm.charts import PLATFORM, SITE, values_of  # noqa: E402

APPS, NETWORK = "/apis/apps/v1", "/apis/networking.k8s.io/v1"
# Everything that a release could leave behind.
KINDS = (
    *(
        f"{CORE}/{kind}"
        for kind in ("pods", "services", "configmaps", "secrets", "serviceaccounts", "persistentvolumeclaims")
    ),
    *(f"{APPS}/{kind}" for kind in ("deployments", "replicasets", "statefulsets", "controllerrevisions")),
    *(f"{NETWORK}/{kind}" for kind in ("networkpolicies", "ingresses")),
    *("/apis/batch/v1/jobs", "/apis/policy/v1/poddisruptionbudgets", "/apis/autoscaling/v2/horizontalpodautoscalers"),
)
SECRETS: dict[str, tuple[str, ...]] = {
    "django-secret": ("SECRET_KEY",),
    "oidc-secret": ("OIDC_PRIVATE_KEY",),
    "broker-secret": ("CELERY_BROKER_URL", "CACHE_URL"),
    "databaseowner-secret": ("DATABASE_URL",),
    "databaseapp-secret": ("DATABASE_URL",),
    "databasesystem-secret": ("DATABASE_URL",),
    "relay-secret": ("RELAY_KEY",),
    "log-secret": ("LOG_KEY",),
    "founding": ("founding.json",),
}
# What every namespace has, and what the story brings.
GIVEN = {"default", "kube-root-ca.crt", "passphrase-secret", *SECRETS}


class Story:
    """Two namespaces in which pods of the standard `restricted` alone may run, and what is done in them."""

    def __init__(self, plane: ControlPlane, kubelet: FakeKubelet) -> None:
        self.api, self.kubelet = plane.api, kubelet
        self.platform, self.member = (
            helm_python.Config(kubeconfig_path=plane.kubeconfig, namespace=name) for name in ("platform", "member")
        )
        self.charts = {name: helm_python.Chart.load(ROOT / "helm" / name) for name in (PLATFORM, SITE)}

    def steps(self) -> list[Callable[[], None]]:
        return [
            self.namespaces_that_take_restricted_pods_alone,
            self.a_plain_pod_is_refused,
            self.a_refused_value_installs_nothing,
            self.an_install_without_its_secrets_fails_in_time,
            self.an_install_migrates_first_and_waits_for_every_process,
            self.the_release_holds_what_was_rendered,
            self.a_members_agent_is_installed_and_keeps_its_claims,
            self.helm_test_asks_the_web_process,
            self.an_upgrade_founds_and_scales,
            self.a_migration_that_fails_leaves_the_old_processes,
            self.an_upgrade_that_is_never_ready_goes_back_by_itself,
            self.a_rollback_brings_the_first_values_back,
            self.an_upgrade_of_the_agent_gives_it_the_new_configuration,
            self.an_uninstall_leaves_nothing_but_claims,
        ]

    def namespaces_that_take_restricted_pods_alone(self) -> None:
        for name in ("platform", "member"):
            labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
            self.api.create(f"{CORE}/namespaces", {"metadata": {"name": name, "labels": labels}})
            account = f"{CORE}/namespaces/{name}/serviceaccounts/default"
            wait_until(lambda path=account: self.api.exists(path), f"the account of {name}")  # type: ignore[misc] # its own path each

    def a_plain_pod_is_refused(self) -> None:
        plain = {"metadata": {"name": "plain"}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
        refused = self.refused(lambda: self.api.create(f"{CORE}/namespaces/platform/pods", plain))
        assert 'violates PodSecurity "restricted' in refused, refused

    def a_refused_value_installs_nothing(self) -> None:
        before = self.all_of("platform")
        values = values_of(PLATFORM, changes={"beat": {"replicas": 2}})
        refused = self.refused(lambda: self.install(values))
        assert "beat.replicas must be 1" in refused, refused
        assert self.all_of("platform") == before

    def an_install_without_its_secrets_fails_in_time(self) -> None:
        self.refused(lambda: self.install(values_of(PLATFORM), timeout=4))
        assert set(self.kubelet.waiting.values()) == {"secrets/django-secret is missing"}
        assert self.kubelet.started == []
        assert not self.api.items(f"{APPS}/namespaces/platform/deployments")
        self.platform.uninstall("consilium", wait="watcher", timeout=30)
        self.remove_hooks()

    def an_install_migrates_first_and_waits_for_every_process(self) -> None:
        for name, keys in SECRETS.items():
            body = {"metadata": {"name": name}, "stringData": dict.fromkeys(keys, "not a real one")}
            self.api.create(f"{CORE}/namespaces/platform/secrets", body)
        release = self.install(values_of(PLATFORM, "ingress", {"secrets": {"relay": {"hasPassphrase": False}}}))
        assert release["status"] == "deployed", release
        assert self.kubelet.started[0] == "migrations"
        assert set(self.kubelet.started[1:]) == {
            *("web", "worker", "run-worker", "system-worker", "beat", "dispatcher", "projector")
        }
        for one in self.api.items(f"{APPS}/namespaces/platform/deployments"):
            assert one["status"]["readyReplicas"] == one["spec"]["replicas"], one["metadata"]["name"]
        assert not self.api.items("/apis/batch/v1/namespaces/platform/jobs")

    def the_release_holds_what_was_rendered(self) -> None:
        held = {one["metadata"]["name"] for one in self.api.items(f"{NETWORK}/namespaces/platform/networkpolicies")}
        assert {"consilium-default-deny", "consilium-any-to-dns", "consilium-dispatcher-to-chain"} <= held
        # What was there for the migrations alone went with them.
        assert not any(name.startswith("consilium-migrations") for name in held), held
        pods = self.api.items(f"{CORE}/namespaces/platform/pods")
        assert pods
        for pod in pods:
            assert not [v for v in pod["spec"].get("volumes", ()) if "projected" in v], "a token is mounted"

    def a_members_agent_is_installed_and_keeps_its_claims(self) -> None:
        body = {"metadata": {"name": "passphrase-secret"}, "stringData": {"PASSPHRASE": "not a real one"}}
        self.api.create(f"{CORE}/namespaces/member/secrets", body)
        chart = self.charts[SITE]
        release = self.member.install(chart, "general", values_of(SITE), namespace="member", wait="watcher", timeout=60)
        assert release["status"] == "deployed", release
        claims = {one["metadata"]["name"] for one in self.api.items(f"{CORE}/namespaces/member/persistentvolumeclaims")}
        assert claims == {"site-general-consilium-site-0", "salts-general-consilium-site-0"}

    def helm_test_asks_the_web_process(self) -> None:
        self.platform.test("consilium", timeout=30)
        assert self.kubelet.started[-1] == "test"

    def an_upgrade_founds_and_scales(self) -> None:
        changes = {"founding": {"enabled": True, "existingSecret": "founding"}, "web": {"replicas": 3}}
        self.upgrade(values_of(PLATFORM, "ingress", changes))
        assert self.kubelet.started.count("migrations") == 2
        assert self.kubelet.started[-1] == "founding"
        assert self.web()["status"]["readyReplicas"] == 3

    def a_migration_that_fails_leaves_the_old_processes(self) -> None:
        before = self.web()["spec"]
        broken = {"image": {"tag": "0.2.0-broken"}, "web": {"replicas": 3}}
        self.refused(lambda: self.upgrade(values_of(PLATFORM, "ingress", broken), timeout=5))
        assert self.web()["spec"] == before
        self.remove_hooks()

    def an_upgrade_that_is_never_ready_goes_back_by_itself(self) -> None:
        stuck = {"coordinatorImage": {"tag": "0.2.0-stuck"}, "web": {"replicas": 3}}
        refused = self.refused(
            lambda: self.upgrade(values_of(PLATFORM, "ingress", stuck), timeout=8, rollback_on_failure=True)
        )
        assert refused
        worker = self.api.get(f"{APPS}/namespaces/platform/deployments/consilium-run-worker")
        assert worker["spec"]["template"]["spec"]["containers"][0]["image"] == "consilium/coordinator:0.1.0"
        assert self.platform.status("consilium")["status"] == "deployed"

    def a_rollback_brings_the_first_values_back(self) -> None:
        self.platform.rollback("consilium", version=1, wait="watcher", timeout=60)
        assert self.web()["spec"]["replicas"] == 2
        wait_until(lambda: self.web()["status"].get("readyReplicas") == 2, "two web pods")

    def an_upgrade_of_the_agent_gives_it_the_new_configuration(self) -> None:
        path = f"{CORE}/namespaces/member/pods/general-consilium-site-0"
        before = self.api.get(path)["metadata"]["uid"]
        values = values_of(SITE, changes={"rules": {"minimumCohort": 25}})
        self.member.upgrade(self.charts[SITE], "general", values, namespace="member", wait="watcher", timeout=60)
        assert self.api.get(path)["metadata"]["uid"] != before
        held = self.api.get(f"{CORE}/namespaces/member/configmaps/general-consilium-site")["data"]["site.toml"]
        assert "minimum_cohort = 25" in held

    def an_uninstall_leaves_nothing_but_claims(self) -> None:
        self.platform.uninstall("consilium", wait="watcher", timeout=60)
        self.member.uninstall("general", wait="watcher", timeout=60)
        for namespace, claims in (
            ("platform", {"consilium-bundles"}),
            ("member", {"site-general-consilium-site-0", "salts-general-consilium-site-0"}),
        ):
            wait_until(lambda n=namespace, c=claims: self.all_of(n) == c, f"only claims in {namespace}", 30)  # type: ignore[misc] # its own names each

    def install(self, values: Object, timeout: int = 120) -> Object:
        release: Object = self.platform.install(
            self.charts[PLATFORM], "consilium", values, namespace="platform", wait="watcher", timeout=timeout
        )
        return release

    def upgrade(self, values: Object, timeout: int = 120, **options: Any) -> None:
        chart = self.charts[PLATFORM]
        self.platform.upgrade(
            chart, "consilium", values, namespace="platform", wait="watcher", timeout=timeout, **options
        )

    def web(self) -> Object:
        return self.api.get(f"{APPS}/namespaces/platform/deployments/consilium-web")

    def all_of(self, namespace: str) -> set[str]:
        """Return the names of everything in the namespace that the story did not put there itself."""
        found = set()
        for kind in KINDS:
            prefix, _, plural = kind.rpartition("/")
            found |= {one["metadata"]["name"] for one in self.api.items(f"{prefix}/namespaces/{namespace}/{plural}")}
        return found - GIVEN

    def remove_hooks(self) -> None:
        """Take away what a failed job left to be read, by the label that README.md says."""
        chosen = "labelSelector=app.kubernetes.io/component%3Dmigrations"
        for kind in ("/apis/batch/v1/{}/jobs", f"{CORE}/{{}}/serviceaccounts", f"{NETWORK}/{{}}/networkpolicies"):
            path = f"{kind.format('namespaces/platform')}?{chosen}"
            self.api.call("DELETE", path, {"propagationPolicy": "Background"})

    @staticmethod
    def refused(attempt: Callable[[], object]) -> str:
        """Return the words of the refusal; it is a fault if there is none."""
        try:
            attempt()
        except (ApiError, helm_python.HelmError) as error:
            return str(error)
        raise AssertionError("This should have been refused.")


def main() -> int:
    binaries = ROOT / ".local" / "k8s" / "bin"
    if (built := subprocess.run([HERE / "build.sh", binaries], check=False)).returncode != 0:
        sys.stderr.write(
            "k8s-test: without a control plane nothing was installed; `make test` holds the charts to the schemas.\n"
        )
        return built.returncode
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=binaries.parent))
    try:
        with running(binaries, folder, ROOT / ".venv" / "bin" / "python") as plane:
            tell(plane.api)
            with contextlib.closing(FakeKubelet(plane.api)) as kubelet:
                play(Story(plane, kubelet))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("Both charts were installed, upgraded, rolled back and removed. Containers did not run here.")
    return 0


def play(story: Story) -> None:
    for step in story.steps():
        started = time.monotonic()
        step()
        print(f"ok  {step.__name__.replace('_', ' ')}  ({time.monotonic() - started:.1f} s)", flush=True)


def tell(api: Api) -> None:
    version = api.get("/version")["gitVersion"]
    print(f"k8s-test: Kubernetes {version}, Helm SDK {helm_python.helm_sdk_version()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
