"""The images' small programs, run for real: probes, and what makes a site in a pod."""

import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.test import Client

from agent.configuration import parse_configuration
from agent.signing.settings import SignerSettings
from tests.helm.charts import NODE_KEYS, PLATFORM, PUBLIC_KEYS, ROOT, SITE

IMAGES = ROOT / "helm" / "images"
OLD_SECONDS = 200


@pytest.fixture
def path_with_programs(tmp_path: Path) -> str:
    """Return a PATH on which `python` and `consilium-site` are this checkout's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    agent = folder / "consilium-site"
    agent.write_text(f'#!/bin/sh\nexec {sys.executable} -m agent.cli "$@"\n')
    agent.chmod(0o755)
    return f"{folder}:{IMAGES}:/usr/bin:/bin"


def call(*command: str, path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {"PATH": path, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_heartbeat_is_well_while_it_is_young_and_ready_while_nobody_is_waited_for(tmp_path, path_with_programs):
    sign = tmp_path / "heartbeat"

    def healthy(*arguments: str) -> int:
        return call("healthy", *arguments, path=path_with_programs, HEARTBEAT_FILE=str(sign)).returncode

    assert healthy() == 1
    sign.write_text("working\n")
    assert (healthy(), healthy("--working")) == (0, 0)
    sign.write_text("held\n")
    assert (healthy(), healthy("--working")) == (0, 1)
    os.utime(sign, (time.time() - OLD_SECONDS,) * 2)
    assert (healthy(), healthy("--working")) == (1, 1)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_a_web_process_is_asked_by_its_own_name_as_a_proxy_would(path_with_programs, status, code):
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"status": "as it is"}')

        def log_message(self, *arguments):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/readyz"
        done = call("healthy", path=path_with_programs, HEALTH_URL=url, ALLOWED_HOSTS="consilium.example.org,other")

    assert done.returncode == code
    assert "as it is" in done.stdout + done.stderr
    assert asked == [("/readyz", "consilium.example.org", "https")]


@pytest.mark.django_db
def test_the_probes_of_the_web_pod_get_an_answer_from_the_production_settings(rendered, settings):
    """Without the host's name Django says 400; without the proxy's word it redirects, which a probe takes for well."""
    settings.ALLOWED_HOSTS = ["consilium.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    web = rendered(PLATFORM, "minimal").named("Deployment", "demo-consilium-web")["spec"]["template"]["spec"][
        "containers"
    ][0]

    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = web[probe]["httpGet"]
        headers = {header["name"]: header["value"] for header in asked["httpHeaders"]}
        # No chain is named in these tests, and no probe of the web asks for one.
        assert Client().get(asked["path"], headers=headers).status_code == 200
        assert Client().get(asked["path"], headers={"Host": "consilium.example.org"}).status_code == 301


def site_toml(rendered, variant: str) -> bytes:
    text: str = rendered(SITE, variant).of_kind("ConfigMap")[0]["data"]["site.toml"]
    return text.encode()


def test_the_agent_reads_where_its_keys_and_its_nodes_port_are(rendered):
    remote = parse_configuration(site_toml(rendered, "remote signer"))
    vote, site = remote.vote_signer.remote, remote.site_signer.remote
    assert vote is not None
    assert site is not None
    assert (vote.url, vote.identifier, site.identifier) == ("https://signer.example:9000", *PUBLIC_KEYS)
    assert (vote.key, vote.interface, vote.timeout_seconds) == ("/run/consilium/signer/tls.key", "json-rpc", 9)
    assert parse_configuration(site_toml(rendered, "remote vote key")).site_signer == SignerSettings()

    kept = parse_configuration(site_toml(rendered, "operations port"))
    assert kept.operations_url == "wss://besu.hospital.example:8546"
    assert kept.operations_token_file == "/run/consilium/operations/TOKEN"
    assert kept.node.enodes == (f"enode://{NODE_KEYS[0]}@192.0.2.14:30303",)
    assert kept.node.validator_source == "0x" + "4d" * 20
    assert (kept.rules.repair_allow_list, kept.chain_urls) == (False, ("http://besu-rpc.chain.svc:8545",))
    pod = rendered(SITE, "operations port").named("StatefulSet", "demo-consilium-site")["spec"]["template"]["spec"]
    assert "/run/consilium/operations" in {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}


@pytest.mark.parametrize("variant", ["minimal", "own rules"])
def test_the_agent_reads_the_charts_configuration_as_it_was_meant(rendered, variant):
    read = parse_configuration(site_toml(rendered, variant))

    assert read.name == 'General "Hospital" Süd'
    assert (read.chain_id, read.chain_urls) == (1337, ("http://besu-rpc.chain.svc:8545",))
    if variant == "own rules":
        assert (read.rules.minimum_cohort, read.rules.plans_by_hand) == (25, True)
        assert (read.rules.purposes, read.rules.work_kinds) == (("DUO:0000006",), ("train",))
        assert read.hosts == ("member.hospital.example",)
    else:
        assert (read.rules.purposes, read.rules.work_kinds, read.rules.minimum_cohort) == (None, None, 10)


@pytest.fixture
def pod(tmp_path, rendered, path_with_programs):
    """Return a call of the init container's program in folders that stand for the pod's volumes."""
    made = rendered(SITE, "minimal").named("StatefulSet", "demo-consilium-site")["spec"]["template"]["spec"]
    prepare = next(container for container in made["initContainers"] if container["name"] == "prepare")
    told = {entry["name"]: entry["value"] for entry in prepare["env"]}
    for mount in ("secret", "configuration", "passphrase", "site", "salts"):
        (tmp_path / mount).mkdir()
    (tmp_path / "secret" / "PASSPHRASE").write_text("a pass phrase of the member, long enough")
    (tmp_path / "configuration" / "site.toml").write_bytes(site_toml(rendered, "minimal"))
    told |= {
        "RUN_FOLDER": str(tmp_path),
        "CONSILIUM_SITE_FOLDER": str(tmp_path / "site" / "site"),
        "CONSILIUM_SITE_SALTS_FOLDER": str(tmp_path / "salts" / "salts"),
        "CONSILIUM_SITE_PASSPHRASE_FILE": str(tmp_path / "passphrase" / "passphrase"),
    }

    def start(**changes: str) -> subprocess.CompletedProcess[str]:
        return call("prepare-site", path=path_with_programs, **(told | changes))

    return start


def test_a_pods_first_start_makes_a_site_and_the_next_one_keeps_its_keys(pod, tmp_path):
    first = pod()
    assert first.returncode == 0, first.stderr
    site = tmp_path / "site" / "site"
    keys = (site / "keys" / "vote.json").read_bytes()
    assert not (site / "keys" / "passphrase").exists()
    assert {path.lstat().st_mode & 0o077 for path in [site, *site.rglob("*")]} == {0}

    (tmp_path / "configuration" / "site.toml").write_text((site / "site.toml").read_text().replace("= 10", "= 25"))
    second = pod()

    assert second.returncode == 0, second.stderr
    assert (site / "keys" / "vote.json").read_bytes() == keys
    assert parse_configuration((site / "site.toml").read_bytes()).rules.minimum_cohort == 25
    assert first.stdout.splitlines()[-2:] == second.stdout.splitlines()[-2:]


def test_a_start_that_was_cut_short_begins_anew_and_a_damaged_site_is_left_alone(pod, tmp_path):
    half = tmp_path / "site" / "site.new" / "keys"
    half.mkdir(parents=True)
    (half / "vote.json").write_text("{}")
    assert pod().returncode == 0
    assert not half.parent.exists()

    (tmp_path / "site" / "site" / "site.toml").unlink()
    kept = sorted((tmp_path / "site" / "site").rglob("*"))
    done = pod()

    assert done.returncode == 1
    assert "Restore it, or move it away" in done.stderr
    assert sorted((tmp_path / "site" / "site").rglob("*")) == kept


def test_other_keys_than_the_consortium_knows_start_no_agent(pod):
    said = pod().stdout.splitlines()
    vote, site = (line.split()[-1] for line in said[-2:])

    assert pod(VOTE_ADDRESS=vote.lower(), SITE_ADDRESS=site).returncode == 0
    done = pod(VOTE_ADDRESS=site, SITE_ADDRESS=site)

    assert done.returncode == 1
    assert f"The vote key here is not {site}" in done.stderr


def test_the_keys_of_the_readme_are_keys_that_the_platform_takes(tmp_path):
    """What openssl makes by the README's commands opens."""
    from audit.log.keys import read_key
    from contracts.relay import load_relay

    readme = (ROOT / "helm" / PLATFORM / "README.md").read_text()
    script = "\n".join(
        line.partition(" #")[0].strip() for line in readme.splitlines() if "openssl" in line and "kubectl" not in line
    )
    assert script.count("openssl") == 3
    subprocess.run(["sh", "-euc", f"umask 077\n{script}"], cwd=tmp_path, check=True, capture_output=True)

    assert load_relay(tmp_path / "relay.key").address.startswith("0x")
    assert read_key(tmp_path / "log.key") is not None
    assert "BEGIN PRIVATE KEY" in (tmp_path / "oidc.pem").read_text()


def test_the_story_on_a_real_server_brings_the_secrets_that_the_charts_name(rendered):
    """`make k8s-test` runs seldom: that it has what a new process mounts is held here."""
    source = (ROOT / "helm" / "k8s-test" / "k8s_test.py").read_text()
    for chart, variant in ((PLATFORM, "founding"), (SITE, "minimal")):
        for pod in rendered(chart, variant).pods():
            for volume in pod["spec"].get("volumes", ()):
                if "secret" in volume:
                    assert f'"{volume["secret"]["secretName"]}"' in source
