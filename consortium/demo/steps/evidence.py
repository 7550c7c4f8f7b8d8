"""Step 9: the log is anchored, a bundle exported, and a stranger verifies it without the platform."""

import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from consortium.demo.policy import POLICY
from consortium.demo.portal import Visitor
from consortium.demo.sites import wait_for
from consortium.demo.story import ClaimFailedError, Story
from consortium.demo.world import World
from consortium.embedded.layout import project_root

REPORT = "audit_controls"
VERIFIED, REFUSED = 0, 1
WITNESSES = POLICY["parameters"]["witnessQuorum"]


def tell(story: Story, world: World) -> None:
    with story.step("9  Evidence"), world.admin(world.sites[1]) as officer:
        trust = _trust(story, world, _log_origin(story, world, officer))
        bundle = _export(story, world, officer)
        checked = verify(bundle, trust)
        story.claim(
            "a stranger verifies the bundle without the platform", checked.returncode == VERIFIED, checked.stdout
        )
        for line in checked.stdout.splitlines():
            story.note(line)
        tampered = _flip_one_byte(bundle)
        refused = verify(tampered, trust)
        named = "records.jsonl" in refused.stdout
        story.claim(
            "one flipped byte is refused by file and record", refused.returncode == REFUSED and named, refused.stdout
        )
        root = project_root()
        story.record(
            bundle=os.path.relpath(bundle, root),
            trust=os.path.relpath(trust, root),
            bundle_verified=checked.returncode == VERIFIED,
            tampered_bundle_refused=refused.returncode == REFUSED,
        )


def _log_origin(story: Story, world: World, officer: Visitor) -> str:
    """The name of the consortium's log, once a checkpoint of it lies on the chain."""
    path = f"consortia/{world.consortium['id']}"
    anchored = wait_for(90, lambda: _anchored(officer, path), "an anchored checkpoint")
    signed = len(anchored[0]["witnesses"])
    story.claim(f"the log's checkpoint is co-signed by {signed} members and anchored", signed >= WITNESSES, anchored[0])
    origin: str = anchored[0]["origin"]
    return origin


def _export(story: Story, world: World, officer: Visitor) -> Path:
    asked = officer.post(f"consortia/{world.consortium['id']}/bundles", {"report": REPORT})
    story.claim("a compliance officer asks for a bundle", asked.status_code == 202, asked.text)
    made = wait_for(120, lambda: _made(officer, asked.json()["id"]), "the bundle")
    story.claim("it is made", made["state"] == "ready", made)
    content = officer.download(f"bundles/{made['id']}/content")
    bundle = world.instance.layout.demo / "bundle.zip"
    bundle.write_bytes(content)
    names = zipfile.ZipFile(bundle).namelist()
    story.claim("it holds records, proofs, checkpoints and one report", "report.pdf" in names, names)
    return bundle


def _anchored(visitor: Visitor, path: str) -> Any:
    found = visitor.get(f"{path}/checkpoints")
    rows = found["results"] if isinstance(found, dict) else found
    return [row for row in rows if row["anchor"] and row["anchor"]["chain_state"] == "confirmed"]


def _made(visitor: Visitor, bundle: str) -> dict[str, Any] | None:
    found: dict[str, Any] = visitor.get(f"bundles/{bundle}")
    return found if found["state"] in {"ready", "failed"} else None


def _trust(story: Story, world: World, origin: str) -> Path:
    trust = trust_file(world, origin)
    story.note(f"the trust file comes from {world.sites[2].hospital.name}'s own node, not from the platform")
    return trust


def trust_file(world: World, origin: str) -> Path:
    """Write it from another member's own node and journal, never from the platform that made the bundle."""
    text = world.sites[2].run("trust", world.consortium["id"], "--log", origin, "--pin-log")
    trust = world.instance.layout.demo / "trust.json"
    trust.write_text(text)
    json.loads(text)
    return trust


def verify(bundle: Path, trust: Path) -> subprocess.CompletedProcess[str]:
    """Run the verifier in an environment that has nothing of the platform; its status is VERIFIED if all holds."""
    root = project_root()
    python = root / ".local" / "verifier" / "bin" / "python"
    if not python.exists():
        raise ClaimFailedError("the verifier's environment is missing; `make demo` makes it")
    return subprocess.run(
        [str(python), "-m", "consilium_verify", "--trust", str(trust), str(bundle)],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root / "verifier"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _flip_one_byte(bundle: Path) -> Path:
    """Flip one bit in the middle of the records, where the archive stores them as they are."""
    content = bytearray(bundle.read_bytes())
    records = zipfile.ZipFile(bundle).read("records.jsonl")
    content[content.find(records) + len(records) // 2] ^= 1
    tampered = bundle.with_name("tampered.zip")
    tampered.write_bytes(content)
    return tampered
