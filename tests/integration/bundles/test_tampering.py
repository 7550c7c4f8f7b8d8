"""One changed byte of a real bundle, and a stranger is told which file and which record."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.bundles.archive import zipped
from consortium.kernel.canonical import canonical_json
from consortium.kernel.notes import NoteSigner, sign_note
from tests.integration.bundles.verifying import verify

pytestmark = pytest.mark.services
FILES = {
    *("chain/anchors.json", "manifest.json", "manifest.sig", "proofs/consistency.json", "proofs/inclusion.json"),
    *("records.jsonl", "report.html", "report.json", "report.pdf"),
}
Files = dict[str, bytes]


def entries(data: bytes) -> Files:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def resealed(files: Files, key: Ed25519PrivateKey, **changes: Any) -> bytes:
    """What the platform itself could do, which holds the log's key: every digest and the signature made anew."""
    manifest = json.loads(files["manifest.json"]) | changes
    listed = {name: content for name, content in files.items() if not name.startswith("manifest.")}
    manifest["files"] = [
        {"path": name, "sha256": hashlib.sha256(listed[name]).hexdigest(), "size": len(listed[name])}
        for name in sorted(listed)
    ]
    written = canonical_json(manifest)
    signer = NoteSigner(manifest["log"]["origin"], key)
    text = f"consilium-bundle/1\n{signer.name}\nsha256:{hashlib.sha256(written).hexdigest()}\n"
    return zipped({**listed, "manifest.json": written, "manifest.sig": sign_note(text, [signer]).encode()})


def test_the_resealing_of_these_tests_is_the_exporters_own(real_bundle):
    assert resealed(entries(real_bundle.bundle), real_bundle.key) == real_bundle.bundle


def test_a_flipped_byte_in_any_file_is_refused_by_the_files_name(real_bundle, tmp_path):
    files = entries(real_bundle.bundle)
    assert files.keys() > FILES

    for name, content in files.items():
        answer = verify(zipped({**files, name: flipped(content, len(content) // 2)}), real_bundle.trust, tmp_path)

        # A manifest that still reads well is told by its signature.
        told = ("manifest.json", "manifest.sig") if name == "manifest.json" else (name,)
        assert answer.status == 1
        assert any(place.startswith(told) for place in answer.places), (name, answer.refusals)


def test_a_flipped_bit_of_the_archive_itself_is_refused(real_bundle, tmp_path):
    size = len(real_bundle.bundle)
    for at in (4, 30, size // 3, size - 30, size - 3):
        assert verify(flipped(real_bundle.bundle, at), real_bundle.trust, tmp_path).verdict == "refused"


def test_a_dropped_file_is_named(real_bundle, tmp_path):
    files = entries(real_bundle.bundle)
    for name in files:
        left = {other: content for other, content in files.items() if other != name}

        answer = verify(zipped(left), real_bundle.trust, tmp_path)

        assert answer.status == 1
        assert any(place.startswith(name) for place in answer.places), (name, answer.refusals)


def test_a_renamed_and_an_added_file_are_named(real_bundle, tmp_path):
    files = entries(real_bundle.bundle)
    renamed = {("report-2.pdf" if name == "report.pdf" else name): content for name, content in files.items()}

    assert {"report.pdf", "report-2.pdf"} <= verify(zipped(renamed), real_bundle.trust, tmp_path).places
    added = zipped({**files, "proofs/extra.json": b"{}"})
    assert "proofs/extra.json" in verify(added, real_bundle.trust, tmp_path).places


def test_a_manifest_signed_by_another_key_is_refused(real_bundle, tmp_path):
    answer = verify(resealed(entries(real_bundle.bundle), Ed25519PrivateKey.generate()), real_bundle.trust, tmp_path)

    assert answer.status == 1
    assert "manifest.sig" in answer.places


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda trust: trust["log"].update(other_log("another.example/logs/1")), "log's key"),
        (lambda trust: trust["log"].update(id="0x" + "11" * 32), "log's id"),
        (lambda trust: trust["chain"].update(genesis="0x" + "22" * 32), "genesis"),
        (lambda trust: trust["chain"].update(chain_id=1), "chain id"),
        (lambda trust: trust["contracts"].update(AuditAnchor="0x" + "33" * 20), "contracts"),
    ],
    ids=["log", "name on the chain", "genesis", "chain", "contract"],
)
def test_a_bundle_of_another_origin_is_refused(real_bundle, tmp_path, change: Callable[[Any], None], word: str):
    trust = json.loads(json.dumps(real_bundle.trust))
    change(trust)

    answer = verify(real_bundle.bundle, trust, tmp_path)

    assert answer.status == 1
    assert any(word in refusal["reason"] for refusal in answer.refusals)


def other_log(origin: str) -> dict[str, str]:
    return {"origin": origin, "key": str(NoteSigner(origin, Ed25519PrivateKey.generate()).key)}


def test_more_witnesses_than_signed_are_missed(real_bundle, tmp_path):
    stranger = {"name": "A third member", "site": "0x" + "44" * 20}
    organizations = real_bundle.trust["organizations"] | {"0x" + "77" * 32: stranger}

    answer = verify(
        real_bundle.bundle, {**real_bundle.trust, "organizations": organizations, "witness_quorum": 3}, tmp_path
    )

    assert answer.status == 1
    assert any("2 witnesses signed; the trust file asks for 3" in refusal["reason"] for refusal in answer.refusals)


def edited(files: Files, name: str, change: Callable[[Any], object]) -> Files:
    value = json.loads(files[name])
    change(value)
    return {**files, name: canonical_json(value)}


def test_the_platform_itself_cannot_change_a_record(real_bundle, tmp_path):
    files = entries(real_bundle.bundle)
    lines = files["records.jsonl"].splitlines()
    changed = json.loads(lines[1])
    changed["outcome"] = "refused"
    lines[1] = canonical_json(changed)
    files["records.jsonl"] = b"".join(line + b"\n" for line in lines)

    answer = verify(resealed(files, real_bundle.key), real_bundle.trust, tmp_path)

    assert answer.status == 1
    assert any(place.startswith("records.jsonl line 2") for place in answer.places), answer.refusals


def test_the_platform_itself_cannot_swap_or_drop_a_record(real_bundle, tmp_path):
    files = entries(real_bundle.bundle)
    lines = files["records.jsonl"].splitlines(keepends=True)
    swapped = {**files, "records.jsonl": b"".join([lines[1], lines[0], *lines[2:]])}
    dropped = {**files, "records.jsonl": b"".join(lines[:-1])}

    places = verify(resealed(swapped, real_bundle.key), real_bundle.trust, tmp_path).places
    assert places == {"records.jsonl line 1 (log index 0)", "records.jsonl line 2 (log index 1)"}
    assert verify(resealed(dropped, real_bundle.key), real_bundle.trust, tmp_path).status == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["anchors"][0].update(root="0x" + "ab" * 32),
        lambda value: value["anchors"][0]["witnesses"][0].update(
            signature=value["anchors"][1]["witnesses"][0]["signature"]
        ),
        lambda value: value["anchors"][0]["witnesses"].pop(),
        lambda value: value["anchors"][0]["block"].update(hash="0x" + "cd" * 32),
        lambda value: value["anchors"][0]["block"]["header"].update(stateRoot="0x" + "ef" * 32),
        lambda value: value["anchors"][0]["receipt"].update(status=0),
        lambda value: value["anchors"].reverse(),
    ],
    ids=["root", "signature", "witness", "block", "header", "status", "order"],
)
def test_the_platform_itself_cannot_change_an_anchor(real_bundle, tmp_path, change):
    files = edited(entries(real_bundle.bundle), "chain/anchors.json", change)

    answer = verify(resealed(files, real_bundle.key), real_bundle.trust, tmp_path)

    assert answer.status == 1
    assert any(place.startswith("chain/anchors.json") for place in answer.places), answer.refusals


def test_the_platform_itself_cannot_show_another_history_than_the_one_it_signed(real_bundle, tmp_path):
    files = edited(
        entries(real_bundle.bundle),
        "proofs/consistency.json",
        lambda value: value["proofs"][0].update(path=[base64.b64encode(bytes(32)).decode()]),
    )

    answer = verify(resealed(files, real_bundle.key), real_bundle.trust, tmp_path)

    assert answer.status == 1
    assert any(place.startswith("proofs/consistency.json") for place in answer.places)
