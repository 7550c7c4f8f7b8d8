"""The button "Verify in this browser" in a real Chromium, over proofs that the real services made.

The page and its proof are made first, by Django's test client; the browser then gets them, with the pages' own
content policy, from a small map of addresses, where a test may flip a byte.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from audit.acts import Actor, Subject
from audit.log.checkpoints import sign_checkpoint
from audit.log.integration import integrate
from audit.log.keys import create_key
from audit.models import AuditLog, AuditRecord
from audit.recorder import record
from tests.factories.membership import World, make_world

# Browsers compute hashes on pages over HTTPS only; nothing is asked of the network.
ORIGIN = "https://portal.test"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
RECORDS, CHOSEN = 7, 4
STEPS = ["bytes", "leaf", "path", "checkpoint", "signature"]


@dataclass
class Served:
    """One record's page and proof as the platform answers them."""

    path: str
    page: bytes
    policy: str
    proof_path: str
    proof: dict[str, Any]


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def served(world: World, as_system, settings: Any, tmp_path: Path) -> Served:
    """The page of the fifth of seven records under one signed checkpoint."""
    settings.LOG_KEY_FILE = str(tmp_path / "log.key")
    create_key(tmp_path / "log.key")
    with as_system():
        rows = [_take_lease(world, fence) for fence in range(RECORDS)]
        log = AuditLog.objects.get(consortium_id=world.consortium.pk)
        integrate(log)
        sign_checkpoint(log)
    client = Client()
    assert client.login(email="admin@hospital.example", password="a long pass phrase")
    path = f"/audit/records/{rows[CHOSEN].pk}/"
    page = client.get(path)
    proof = client.get(f"{path}proof.json")
    assert (page.status_code, proof.status_code) == (200, 200)
    policy = page.headers["Content-Security-Policy"]
    return Served(path, page.content, policy, f"{path}proof.json", proof.json())


@pytest.fixture
def press(chromium: Any, served: Served) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Open the page, press the button over this proof; return each step's result, the verdict, and complaints."""

    def run(proof: dict[str, Any]) -> dict[str, Any]:
        return chromium.visit(lambda page: _press(page, served, proof))

    return run


def test_a_true_record_holds_at_every_step_under_the_pages_own_policy(press, served):
    found = press(served.proof)

    assert found["steps"] == dict.fromkeys(STEPS, "holds")
    assert found["outcome"] == "holds"
    assert f"leaf {CHOSEN} of {RECORDS}" in found["words"]
    assert found["says"] == []


def test_a_flipped_byte_in_the_record_is_refused_at_its_leaf(press, served):
    raw = base64.b64decode(served.proof["record"]).replace(b'"fence":4', b'"fence":5')

    found = press({**served.proof, "record": base64.b64encode(raw).decode()})

    assert refused_at(found) == "leaf"
    assert "the record was changed" in found["words"]


def test_another_record_with_its_own_true_proof_is_refused_as_another(press, served):
    raw = base64.b64decode(served.proof["record"])
    other = {**json.loads(raw), "id": "00000000-0000-4000-8000-000000000000"}

    found = press({**served.proof, "record": base64.b64encode(json.dumps(other).encode()).decode()})

    assert refused_at(found) == "bytes"


def test_a_flipped_byte_in_the_proof_is_refused_on_the_path(press, served):
    first, *rest = served.proof["path"]
    flipped = ("0" if first[0] != "0" else "1") + first[1:]

    assert refused_at(press({**served.proof, "path": [flipped, *rest]})) == "path"


def test_a_path_that_is_too_short_or_too_long_is_refused(press, served):
    path = served.proof["path"]

    assert refused_at(press({**served.proof, "path": path[:-1]})) == "path"
    assert refused_at(press({**served.proof, "path": [*path, path[0]]})) == "path"


def test_a_checkpoint_of_another_size_or_root_is_refused(press, served):
    note = served.proof["checkpoint"]
    size = f"\n{RECORDS}\n"
    assert size in note

    assert refused_at(press({**served.proof, "checkpoint": note.replace(size, "\n8\n", 1)})) == "checkpoint"
    lines = note.split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    assert refused_at(press({**served.proof, "checkpoint": "\n".join(lines)})) == "checkpoint"


def test_a_flipped_byte_in_the_signature_is_refused_there(press, served):
    head, _, line = served.proof["checkpoint"].rstrip("\n").rpartition(" ")
    raw = bytearray(base64.b64decode(line))
    raw[20] ^= 1

    found = press({**served.proof, "checkpoint": f"{head} {base64.b64encode(bytes(raw)).decode()}\n"})

    assert refused_at(found) == "signature"
    assert "The signature is false" in found["words"]


def test_a_key_that_did_not_sign_is_refused(press, served, tmp_path):
    from consortium.kernel.notes import NoteSigner

    name = served.proof["origin"]
    other = NoteSigner(name, create_key(tmp_path / "other.key")).key

    assert refused_at(press({**served.proof, "key": str(other)})) == "signature"


def test_without_the_key_the_last_step_is_said_to_be_impossible(press, served):
    found = press({**served.proof, "key": ""})

    assert found["steps"]["signature"] == "impossible"
    assert found["outcome"] == "impossible"


def test_every_place_in_a_log_of_every_size_up_to_nine_holds(chromium):
    """The script's own walk against the kernel's, where the tree has odd edges."""
    from consortium.kernel.merkle import MemoryTree, leaf_hash

    tree = MemoryTree([bytes([n]) for n in range(9)])
    cases = [
        {
            "leaf": list(leaf_hash(bytes([index]))),
            "index": index,
            "size": size,
            "path": [list(step) for step in tree.inclusion_path(index, size)],
            "root": list(tree.root(size)),
        }
        for size in range(1, 10)
        for index in range(size)
    ]
    wrong = chromium.visit(lambda page: _walk(page, cases))

    assert len(cases) == 45
    assert wrong == []


def _walk(page: Any, cases: list[dict[str, Any]]) -> Any:
    page.route("**/*", lambda route: route.fulfill(**(_static(route.request.url) or _blank())))
    page.goto(f"{ORIGIN}/")
    return page.evaluate(
        """async (cases) => {
            const { rootOf } = await import("/static/verify.js");
            const wrong = [];
            for (const one of cases) {
                const path = one.path.map((step) => Uint8Array.from(step));
                const root = await rootOf(Uint8Array.from(one.leaf), one.index, one.size, path);
                if ([...root].join() !== one.root.join()) wrong.push([one.index, one.size]);
            }
            return wrong;
        }""",
        cases,
    )


def _press(page: Any, served: Served, proof: dict[str, Any]) -> dict[str, Any]:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.route("**/*", lambda route: route.fulfill(**_answer(route.request.url, served, proof)))
    page.goto(f"{ORIGIN}{served.path}")
    page.click("[data-verify]")
    page.wait_for_selector("[data-outcome]")
    found = page.eval_on_selector_all("[data-verify-steps] li", "all => all.map(li => li.dataset.result)")
    words = page.inner_text("[data-verify-steps]")
    outcome = page.get_attribute("[data-outcome]", "data-outcome")
    return {"steps": dict(zip(STEPS, found, strict=True)), "outcome": outcome, "words": words, "says": complaints}


def refused_at(found: dict[str, Any]) -> str:
    """The step that failed; those before it hold, and none after it was reached."""
    results = [found["steps"][step] for step in STEPS]
    at = results.index("fails")
    assert results == ["holds"] * at + ["fails"] + ["unreached"] * (len(STEPS) - at - 1)
    assert found["outcome"] == "fails"
    return STEPS[at]


def _take_lease(world: World, fence: int) -> AuditRecord:
    return record(
        action="training.lease.take",
        organization_id=None,
        consortium_id=world.consortium.pk,
        actor=Actor.system("coordinator"),
        subject=Subject("run", "00000000-0000-4000-8000-000000000005"),
        data={"fence": fence},
    )


def _answer(url: str, served: Served, proof: dict[str, Any]) -> dict[str, Any]:
    path = url.removeprefix(ORIGIN)
    if path == served.path:
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": served.policy}
        return {"status": 200, "headers": headers, "body": served.page}
    if path == served.proof_path:
        return {"status": 200, "content_type": "application/json", "body": json.dumps(proof)}
    return _static(url) or {"status": 404, "body": ""}


def _static(url: str) -> dict[str, Any] | None:
    path = Path(settings.BASE_DIR) / "static" / url.removeprefix(f"{ORIGIN}/static/").partition("?")[0]
    if not url.startswith(f"{ORIGIN}/static/") or not path.is_file():
        return None
    return {"status": 200, "content_type": TYPES[path.suffix], "body": path.read_bytes()}


def _blank() -> dict[str, Any]:
    return {"status": 200, "content_type": "text/html", "body": "<!doctype html><title>nothing</title>"}
