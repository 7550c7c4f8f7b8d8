"""Stands in for nodes: what is asked to run counts as running at once. No container runs.

It does look, as a real node would, whether the Secrets, ConfigMaps and claims of a pod are there, with the keys that
are mounted; a pod that lacks one waits. An image whose tag ends in `-broken` fails, one in `-stuck` is never ready.
"""

import threading
from typing import Any

from api import CORE, Api, ApiError, Object

NODE = "fake-node"
LOOK_SECONDS = 0.1


class FakeKubelet:
    """Looks after all pods until it is closed; `started` names each pod's component in the order of starting."""

    def __init__(self, api: Api) -> None:
        self._api, self._stop = api, threading.Event()
        self.started: list[str] = []
        self.waiting: dict[str, str] = {}
        api.create(f"{CORE}/nodes", {"metadata": {"name": NODE}})
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for claim in self._api.items(f"{CORE}/persistentvolumeclaims"):
                if claim["status"].get("phase") != "Bound":
                    self._api.patch(f"{_path(claim, 'persistentvolumeclaims')}/status", {"status": {"phase": "Bound"}})
            for pod in self._api.items(f"{CORE}/pods"):
                self._attend(pod)

    def _attend(self, pod: Object) -> None:
        path = _path(pod, "pods")
        try:
            if "deletionTimestamp" in pod["metadata"]:
                self._api.delete(path)
            elif "nodeName" not in pod["spec"]:
                target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
                self._api.create(f"{path}/binding", {"metadata": {"name": pod["metadata"]["name"]}, "target": target})
            elif pod["status"].get("phase") == "Pending" and not self._lacks(pod):
                self.started.append(pod["metadata"]["labels"].get("app.kubernetes.io/component", "agent"))
                self._api.patch(f"{path}/status", {"status": status_of(pod)})
        except ApiError as error:
            # It went away or was changed meanwhile; the next look sees it as it is.
            if error.status not in {404, 409}:
                raise

    def _lacks(self, pod: Object) -> bool:
        """Say whether something that the pod mounts is missing."""
        namespace = f"{CORE}/namespaces/{pod['metadata']['namespace']}"
        for volume in pod["spec"].get("volumes", ()):
            for kind, name_key, plural in _MOUNTED:
                if kind in volume and (fault := self._fault(namespace, plural, volume[kind], name_key)):
                    self.waiting[pod["metadata"]["name"]] = fault
                    return True
        return False

    def _fault(self, namespace: str, plural: str, volume: Object, name_key: str) -> str:
        path = f"{namespace}/{plural}/{volume[name_key]}"
        if not self._api.exists(path):
            return f"{plural}/{volume[name_key]} is missing"
        held = self._api.get(path).get("data", {})
        missing = [item["key"] for item in volume.get("items", ()) if item["key"] not in held]
        return f"{volume[name_key]} lacks {', '.join(missing)}" if missing else ""


_MOUNTED = (
    ("secret", "secretName", "secrets"),
    ("configMap", "name", "configmaps"),
    ("persistentVolumeClaim", "claimName", "persistentvolumeclaims"),
)


def _path(one: Object, plural: str) -> str:
    return f"{CORE}/namespaces/{one['metadata']['namespace']}/{plural}/{one['metadata']['name']}"


def status_of(pod: Object) -> Object:
    """Return what a node would report of the pod a moment after its start."""
    spec = pod["spec"]
    broken, stuck = (any(c["image"].endswith(mark) for c in spec["containers"]) for mark in ("-broken", "-stuck"))
    ends = spec["restartPolicy"] == "Never"
    ended: dict[str, Any] = {"terminated": {"exitCode": int(broken), "reason": "Error" if broken else "Completed"}}
    well = not (broken or stuck)
    conditions = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    return {
        "phase": ("Failed" if broken else "Succeeded") if ends else "Running",
        "conditions": [
            {"type": kind, "status": str((well and not ends) or kind in conditions[:2])} for kind in conditions
        ],
        "initContainerStatuses": [
            _container(c, {"terminated": {"exitCode": 0}}, True) for c in spec.get("initContainers", ())
        ],
        "containerStatuses": [_container(c, ended if ends else {"running": {}}, well) for c in spec["containers"]],
    }


def _container(container: Object, state: Object, ready: bool) -> Object:
    about = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
    return about | {"state": state, "ready": ready, "started": ready}
