"""The charts, rendered by Helm's own engine in a process beside the tests, and the values they are tried with."""

import copy
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consortium.embedded.layout import project_root

ROOT = project_root()
PYTHON = ROOT / ".local" / "helm-env" / "bin" / "python"
PLATFORM, SITE = "consilium", "consilium-site"
CHARTS = (PLATFORM, SITE)
Object = dict[str, Any]


class RefusedError(Exception):
    """Helm did not render the values; the text says why."""


@dataclass(frozen=True)
class Rendered:
    """What a release would be made of."""

    objects: tuple[Object, ...]
    sources: tuple[str, ...]
    notes: str

    def of_kind(self, *kinds: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object:
        return next(one for one in self.of_kind(kind) if one["metadata"]["name"] == name)

    def pods(self) -> list[Object]:
        """Return every pod that the release would run, as {"metadata", "spec"} with `owner` for messages."""
        found = []
        for one in self.objects:
            template = one if one["kind"] == "Pod" else one.get("spec", {}).get("template")
            if isinstance(template, dict) and "containers" in template.get("spec", {}):
                owner = f"{one['kind']}/{one['metadata']['name']}"
                found.append({"owner": owner, "kind": one["kind"], **template})
        return found

    def containers(self) -> list[tuple[str, Object]]:
        """Return each container, those that only begin among them, with where it stands."""
        return [
            (f"{pod['owner']}/{container['name']}", container)
            for pod in self.pods()
            for container in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
        ]


class Engine:
    """Helm and the schemas, asked over two pipes."""

    def __init__(self) -> None:
        if not PYTHON.exists():
            raise RuntimeError("The charts' tools are not installed. Run: make .local/helm-env/.ok")
        self._process = subprocess.Popen(
            [PYTHON, Path(__file__).with_name("engine.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, do: str, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return answer["ok"]

    def render(self, chart: str, values: Object, *, release: str = "demo", namespace: str = "prod") -> Rendered:
        made = self.ask("render", chart=str(ROOT / "helm" / chart), values=values, release=release, namespace=namespace)
        objects, sources = (tuple(entry[key] for entry in made["objects"]) for key in ("object", "source"))
        return Rendered(objects, sources, made["notes"])

    def close(self) -> None:
        self._process.communicate()


def merged(values: Object, changes: Object) -> Object:
    """Return the values with changes laid over them; a list or None takes the place of what was there."""
    result = copy.deepcopy(values)
    for key, value in changes.items():
        result[key] = merged(result.get(key) or {}, value) if isinstance(value, dict) else value
    return result


def _peers(cidr: str) -> Object:
    return {"peers": [{"ipBlock": {"cidr": cidr}}]}


def _secrets(*names: str) -> Object:
    return {name: {"existingSecret": f"{name.lower()}-secret"} for name in names}


CONTROLLER = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
# What has to be said, and no more.
MINIMAL: dict[str, Object] = {
    PLATFORM: {
        "publicUrl": "https://consilium.example.org",
        "logOrigin": "consilium.example.org/log",
        "chain": {"id": 1337, "rpcUrls": ["http://besu-rpc.chain.svc:8545"]},
        "secrets": _secrets(
            *("django", "oidc", "broker", "databaseOwner", "databaseApp", "databaseSystem", "relay", "log")
        ),
        "networkPolicy": {
            "webPeers": CONTROLLER,
            "postgresql": _peers("10.1.0.0/24"),
            "broker": _peers("10.2.0.0/24"),
            "chain": _peers("10.3.0.0/24"),
        },
    },
    SITE: {
        "organization": {"id": "00000000-0000-4000-8000-000000000001", "name": 'General "Hospital" Süd'},
        "platform": {"url": "https://consilium.example.org"},
        "chain": {"id": 1337, "rpcUrls": ["http://besu-rpc.chain.svc:8545"]},
        "secrets": _secrets("passphrase"),
        "planCode": {"walls": "limits"},
        "networkPolicy": {"platform": _peers("203.0.113.7/32"), "chain": _peers("10.3.0.0/24")},
    },
}
# Points of secp256k1: its generator, and twice it.
NODE_KEYS = [
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
    "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
    "1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a",
]
PUBLIC_KEYS = ["0x" + "1a" * 64, "0x" + "2b" * 64]
_DIGEST = {"digest": "sha256:" + "a" * 64}
VARIANTS: dict[str, dict[str, Object]] = {
    PLATFORM: {
        "minimal": {},
        "ingress": {"ingress": {"enabled": True, "className": "nginx", "tlsSecret": "portal-tls"}},
        "autoscaled": {"web": {"autoscaling": {"enabled": True}}, "worker": {"autoscaling": {"enabled": True}}},
        "founding": {
            "founding": {"enabled": True, "existingSecret": "founding"},
            "secrets": {"relay": {"hasPassphrase": True}},
        },
        "own authority": {
            "externalCa": {"existingConfigMap": "hospital-ca", "key": "bundle.pem"},
            "oidc": {"jwksUrl": "https://keycloak.example.org/certs", "issuer": "https://keycloak.example.org"},
            "networkPolicy": {"identityProvider": _peers("10.4.0.0/24")},
        },
        "pinned": {"image": _DIGEST, "coordinatorImage": _DIGEST, "imagePullSecrets": [{"name": "registry"}]},
        "placed": {
            "nodeSelector": {"pool": "consilium"},
            "tolerations": [{"key": "pool", "operator": "Exists"}],
            "priorityClassName": "high",
            "storage": {"bundles": {"existingClaim": "evidence"}},
        },
        "two of each": {
            name: {"replicas": 2} for name in ("worker", "runWorker", "systemWorker", "dispatcher", "projector")
        },
        "lanes and tokens": {
            "secrets": {
                "relay": {"keys": ["FIRST_KEY", "second.key"], "hasPassphrase": True},
                "chainRpcJwt": {"existingSecret": "jwt-secret"},
            }
        },
        "remote signer": {
            "relaySigner": {"url": "https://signer.example:9000/", "keys": PUBLIC_KEYS},
            "founding": {"enabled": True, "existingSecret": "founding"},
            "secrets": {"relay": {"existingSecret": ""}, "relaySigner": {"existingSecret": "relaysigner-secret"}},
            "networkPolicy": {"relaySigner": _peers("10.5.0.0/24")},
        },
        "operations ports": {
            "chain": {"operationsUrls": ["wss://one.example:8546", "wss://two.example:8546"]},
            "secrets": {"operationsToken": {"existingSecret": "operations-secret"}},
            "networkPolicy": {"operations": _peers("10.3.0.0/28")},
        },
        "remote signer beside a file": {
            "relaySigner": {"url": "https://signer.example:9000", "keys": PUBLIC_KEYS[:1]},
            "secrets": {"relaySigner": {"existingSecret": "relaysigner-secret"}},
            "networkPolicy": {"relaySigner": _peers("10.5.0.0/24")},
        },
        "without policies": {"networkPolicy": {"enabled": False}},
        "without migrations": {"migrations": {"enabled": False}},
    },
    SITE: {
        "minimal": {},
        "namespaces": {"planCode": {"walls": "namespaces", "seccompProfile": "profiles/consilium-site.json"}},
        "remote signer": {
            "signer": {
                "url": "https://signer.example:9000/",
                "voteIdentifier": PUBLIC_KEYS[0],
                "siteIdentifier": PUBLIC_KEYS[1].upper().replace("X", "x"),
                "interface": "json-rpc",
                "timeoutSeconds": 9,
            },
            "secrets": _secrets("signer"),
            "networkPolicy": {"signer": _peers("10.5.0.0/24")},
        },
        "remote vote key": {
            "signer": {"url": "https://signer.example:9000", "voteIdentifier": PUBLIC_KEYS[0]},
            "secrets": _secrets("signer"),
            "networkPolicy": {"signer": _peers("10.5.0.0/24")},
        },
        "operations port": {
            "chain": {"operationsUrl": "wss://besu.hospital.example:8546"},
            "node": {
                "enodes": [f"enode://{NODE_KEYS[0]}@192.0.2.14:30303"],
                "alsoPermitted": [f"enode://{NODE_KEYS[1]}@192.0.2.90:30303"],
                "accounts": ["0x" + "3c" * 20],
                "validatorSource": "0x" + "4d" * 20,
            },
            "rules": {"repairAllowList": False},
            "secrets": _secrets("operationsToken"),
            "networkPolicy": {"operations": _peers("10.3.0.7/32")},
        },
        "known keys": {"signer": {"voteAddress": "0x" + "1a" * 20, "siteAddress": "0x" + "2b" * 20}},
        "own rules": {
            "rules": {"purposes": ["DUO:0000006"], "workKinds": ["train"], "plansByHand": True, "minimumCohort": 25},
            "memberPage": {"hosts": ["member.hospital.example"]},
        },
        "own authority": {"externalCa": {"existingConfigMap": "hospital-ca"}, "image": _DIGEST},
        "without policies": {"networkPolicy": {"enabled": False}},
        "placed": {
            "nodeSelector": {"a": "b"},
            "priorityClassName": "high",
            "storage": {"salts": {"storageClassName": "x"}},
        },
    },
}
CASES = [(chart, name) for chart in CHARTS for name in VARIANTS[chart]]


def values_of(chart: str, variant: str = "minimal", changes: Object | None = None) -> Object:
    return merged(merged(MINIMAL[chart], VARIANTS[chart][variant]), changes or {})
