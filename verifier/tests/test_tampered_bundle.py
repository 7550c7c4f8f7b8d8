import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import bundle_builder as build
import pytest
from consilium_verify.findings import Refusal
from consilium_verify.trust import Trust, read_trust
from consilium_verify.verification import Verdict, verify

Entries = dict[str, bytes]
FILES = sorted(build.signed(build.contents(build.Log())))
TRUST = read_trust(build.trust_file())


@pytest.fixture
def files() -> Entries:
    """The files of an honest bundle, for an exporter to sign."""
    return build.contents(build.Log())


@pytest.fixture
def entries(files: Entries) -> Entries:
    """An honest bundle, for others to tamper with."""
    return build.signed(files)


def refusals(entries: Entries | bytes, trust: Trust | None = TRUST) -> list[Refusal]:
    data = entries if isinstance(entries, bytes) else build.zipped(entries)
    result = verify(data, trust)
    assert result.verdict is (Verdict.REFUSED if result.findings.refusals else Verdict.VERIFIED)
    return result.findings.refusals


def places(entries: Entries | bytes, trust: Trust | None = TRUST) -> set[str]:
    return {refusal.where for refusal in refusals(entries, trust)}


def reasons(entries: Entries | bytes, trust: Trust | None = TRUST) -> str:
    return "; ".join(f"{refusal.where}: {refusal.reason}" for refusal in refusals(entries, trust))


def edited(data: bytes, change: Callable[[Any], None]) -> bytes:
    value = json.loads(data)
    change(value)
    return build.canonical(value)


# Outsiders: they do not hold the log's key.


def test_no_byte_of_the_file_can_be_changed(entries: Entries) -> None:
    data = build.zipped(entries)
    assert not refusals(data)

    # the archive's own structure is tried byte by byte below
    for position in range(0, len(data), 11):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        assert refusals(bytes(changed)), f"byte {position} may be changed unseen"


def test_no_byte_of_the_archives_structure_can_be_changed() -> None:
    entries = build.signed(build.contents(build.Log()))
    data = build.zipped(entries)
    contents = [data.index(content) for content in entries.values()]
    inside = {p for c, content in zip(contents, entries.values(), strict=True) for p in range(c, c + len(content))}

    for position in sorted(set(range(len(data))) - inside):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        assert refusals(bytes(changed)), f"byte {position} may be changed unseen"


@pytest.mark.parametrize("path", FILES)
def test_changed_file_is_named(entries: Entries, path: str) -> None:
    for position in range(0, len(entries[path]), 1 + len(entries[path]) // 12):
        content = bytearray(entries[path])
        content[position] ^= 1

        found = places({**entries, path: bytes(content)})

        # a changed manifest names itself, or shows in its signature
        assert path in found or (path == "manifest.json" and "manifest.sig" in found)


@pytest.mark.parametrize("path", FILES)
def test_missing_file_is_named(entries: Entries, path: str) -> None:
    del entries[path]

    assert path in places(entries)


@pytest.mark.parametrize("path", [path for path in FILES if not path.startswith("manifest")])
def test_renamed_file_is_named_under_both_names(entries: Entries, path: str) -> None:
    entries["x" + path] = entries.pop(path)

    assert {path, "x" + path} <= places(entries)


def test_unlisted_file_is_named(entries: Entries) -> None:
    assert reasons({**entries, "notes.txt": b"hi"}) == "notes.txt: the file is not listed in the manifest"


def test_truncated_or_extended_archive_is_refused(entries: Entries) -> None:
    data = build.zipped(entries)

    for changed in (data[:-1], data[:100], b"", b"PK", data + b"\0", b"#!/bin/sh\n" + data, data + data):
        assert places(changed) & {"bundle"}


@pytest.mark.parametrize("path", FILES)
def test_doubled_entry_is_refused(entries: Entries, path: str) -> None:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), b"other")

    assert reasons(target.getvalue()) == f"bundle: the entry {path} is there twice"


@pytest.mark.parametrize(
    "name",
    ["../report.pdf", "/etc/passwd", "a/../b", "a//b", "a\\b", "c:x", "A", "a/", ".hidden", "a\x00b", "é", "a" * 200],
)
def test_escaping_or_strange_name_is_refused(entries: Entries, name: str) -> None:
    target = BytesIO(build.zipped(entries))
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("placeholder", (1980, 1, 1, 0, 0, 0))
        info.filename = name
        archive.writestr(info, b"")

    assert "name that is not allowed" in reasons(target.getvalue())


def test_symbolic_link_is_refused(entries: Entries) -> None:
    target = BytesIO(build.zipped(entries))
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("link", (1980, 1, 1, 0, 0, 0))
        info.external_attr = 0o120777 << 16
        archive.writestr(info, b"/etc/passwd")

    assert "the entry link is a symbolic link" in reasons(target.getvalue())


def test_bomb_is_refused_without_unpacking_it(entries: Entries) -> None:
    target = BytesIO(build.zipped(entries))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("bomb", bytes(50_000_000), zipfile.ZIP_DEFLATED)

    assert "the entry bomb is compressed" in reasons(target.getvalue())


def test_size_that_lies_is_refused(entries: Entries) -> None:
    data = build.zipped(entries)
    at = data.index(b"PK\x01\x02")
    sizes = struct.pack("<II", 0x7FFFFFFF, 0x7FFFFFFF)

    assert places(data[: at + 20] + sizes + data[at + 28 :]) == {"bundle"}


def test_manifest_signed_by_another_key_is_refused(files: Entries) -> None:
    entries = build.signed(files, key=build.OTHER_KEY)

    assert places(entries) == places(entries, None) == {"manifest.sig"}


# A stranger who makes a whole bundle with a log of his own: consistent, but not of the trusted origin.


def test_bundle_of_another_key_is_consistent_and_refused_by_the_trust_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LOG_KEY", build.OTHER_KEY)
    monkeypatch.setattr(build.note, "__defaults__", (build.OTHER_KEY, build.ORIGIN))
    monkeypatch.setattr(build.verifier_key, "__defaults__", (build.ORIGIN, build.OTHER_KEY))
    entries = build.signed(build.contents(build.Log()), key=build.OTHER_KEY)

    assert verify(build.zipped(entries), None).verdict is Verdict.ORIGIN_NOT_ESTABLISHED
    found = places(entries)
    assert {"manifest.json", "manifest.sig", "checkpoints/4.note", "checkpoints/11.note"} <= found


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"log": {"origin": "other.example", "key": build.verifier_key("other.example"), "id": build.LOG_ID}},
            "log's key",
        ),
        ({"log": {"origin": build.ORIGIN, "key": build.verifier_key(), "id": "0x" + "ab" * 32}}, "log's id"),
        ({"chain": {"chain_id": 1, "genesis": build.GENESIS}}, "chain id"),
        ({"chain": {"chain_id": build.CHAIN_ID, "genesis": "0x" + "00" * 32}}, "genesis"),
        ({"contracts": {"AuditAnchor": "0x" + "09" * 20}}, "contracts"),
        ({"chain": {"chain_id": build.CHAIN_ID, "checkpoint": {"height": 104, "hash": "0x" + "00" * 32}}}, "block 104"),
        ({"log_checkpoint": {"size": 12, "root": build.b64(bytes(32))}}, "shorter than the 12 records"),
        ({"log_checkpoint": {"size": 7, "root": build.b64(bytes(32))}}, "not that of the trust file's checkpoint"),
        ({"witness_quorum": 3}, "2 witnesses signed; the trust file asks for 3"),
    ],
)
def test_bundle_of_another_origin_than_the_trust_file_is_refused(
    entries: Entries, changes: dict[str, Any], reason: str
) -> None:
    assert reason in reasons(entries, read_trust(build.trust_file(**changes)))


def test_witness_with_another_key_than_pinned_is_refused(entries: Entries) -> None:
    trust = json.loads(build.trust_file())
    first = next(iter(build.SITES))
    trust["organizations"][first]["site"] = "0x" + "09" * 20

    assert f"the signature of the witness {first} is not by its site key" in reasons(
        entries, read_trust(json.dumps(trust).encode())
    )


# The exporter itself, who holds the log's key and can sign any manifest.


def test_exporter_cannot_change_a_record(files: Entries) -> None:
    files["records.jsonl"] = files["records.jsonl"].replace(b'"number":8', b'"number":9')

    assert reasons(build.signed(files)) == "records.jsonl line 3 (log index 8): the inclusion proof fails"


def test_exporter_cannot_reorder_records(files: Entries) -> None:
    lines = files["records.jsonl"].splitlines(keepends=True)
    swapped = {**files, "records.jsonl": b"".join([lines[1], lines[0], *lines[2:]])}
    assert {"records.jsonl line 1 (log index 1)", "records.jsonl line 2 (log index 5)"} <= places(build.signed(swapped))

    def swap(value: Any) -> None:
        value["proofs"][0], value["proofs"][1] = value["proofs"][1], value["proofs"][0]

    swapped["proofs/inclusion.json"] = edited(files["proofs/inclusion.json"], swap)
    assert "not in the order of the log" in reasons(build.signed(swapped))


def test_exporter_cannot_show_a_record_twice_or_leave_its_proof_out(files: Entries) -> None:
    first = files["records.jsonl"].splitlines(keepends=True)[0]

    doubled = {**files, "records.jsonl": files["records.jsonl"] + first}
    assert "there are 4 proofs for 5 records" in reasons(build.signed(doubled))
    fewer = edited(files["proofs/inclusion.json"], lambda value: value["proofs"].pop())
    assert "there are 3 proofs for 4 records" in reasons(build.signed({**files, "proofs/inclusion.json": fewer}))


@pytest.mark.parametrize("path", ["records.jsonl", "report.json", "proofs/inclusion.json", "chain/anchors.json"])
def test_exporter_cannot_use_another_spelling_of_json(files: Entries, path: str) -> None:
    files[path] = files[path].replace(b'":', b'": ', 1)

    assert any(where.startswith(path) for where in places(build.signed(files)))


def test_exporter_cannot_shrink_the_log_below_what_was_anchored() -> None:
    honest = build.contents(build.Log())
    short = build.contents(build.Log(sizes=(4, 7), anchored=(4,), exported=(1, 5)))
    assert not refusals(build.signed(short))

    short["chain/anchors.json"] = honest["chain/anchors.json"]

    assert reasons(build.signed(short)) == (
        "chain/anchors.json anchor 2 (size 11): the log in the bundle is shorter than what was anchored"
    )


def test_exporter_cannot_rewrite_the_log_between_checkpoints(files: Entries) -> None:
    forked = build.Log()
    build.contents(forked)
    forked.records[2] = {"action": "rewritten"}
    leaves = forked.leaves
    files["checkpoints/11.note"] = build.note(f"{build.ORIGIN}\n11\n{build.b64(build.root(leaves))}\n")

    found = places(build.signed(files))

    assert "proofs/consistency.json from 7 to 11" in found
    assert "chain/anchors.json anchor 2 (size 11)" in found


def test_exporter_cannot_leave_out_an_anchored_checkpoint(files: Entries) -> None:
    del files["checkpoints/4.note"]
    files["proofs/consistency.json"] = edited(files["proofs/consistency.json"], lambda value: value["proofs"].pop(0))

    assert "anchor 1 (size 4): the bundle lacks the checkpoint" in reasons(build.signed(files))


@pytest.mark.parametrize("proofs", [0, 1, 2])
def test_exporter_cannot_leave_out_or_add_consistency_proofs(files: Entries, proofs: int) -> None:
    def change(value: Any) -> None:
        value["proofs"] = value["proofs"][:proofs] if proofs < 2 else [*value["proofs"], value["proofs"][0]]

    files["proofs/consistency.json"] = edited(files["proofs/consistency.json"], change)

    assert places(build.signed(files)) == {"proofs/consistency.json"}


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("other.example\n4\n{root}\n", "4", "of another log"),
        (build.ORIGIN + "\n4\n{root}\n", "5", "not named by the checkpoint's size"),
        (build.ORIGIN + "\n04\n{root}\n", "4", "not a checkpoint"),
        (build.ORIGIN + "\n4\n{root}\nextension\n", "4", "not a checkpoint"),
    ],
)
def test_exporter_cannot_pass_off_another_note_as_a_checkpoint(
    files: Entries, text: str, name: str, reason: str
) -> None:
    log = build.Log()
    build.contents(log)
    del files["checkpoints/4.note"]
    files[f"checkpoints/{name}.note"] = build.note(text.format(root=build.b64(build.root(log.leaves[:4]))))

    assert f"checkpoints/{name}.note: " in (said := reasons(build.signed(files)))
    assert reason in said


def _anchor_changes() -> list[Any]:
    def at(path: str, value: Any) -> Callable[[Any], None]:
        def change(document: Any) -> None:
            *way, last = path.split("/")
            target = document["anchors"][0]
            for step in way:
                target = target[int(step)] if isinstance(target, list) else target[step]
            target[int(last) if isinstance(target, list) else last] = value

        return change

    return [
        pytest.param(at("root", "0x" + "00" * 32), "another root was anchored", id="root"),
        pytest.param(at("size", 5), "lacks the checkpoint", id="size"),
        pytest.param(at("receipt/status", 0), "the transaction failed", id="status"),
        pytest.param(at("receipt/log/address", "0x" + "09" * 20), "not of the contract AuditAnchor", id="address"),
        pytest.param(at("receipt/log/topics/1", "0x" + "09" * 32), "not an anchor of this log", id="log"),
        pytest.param(at("receipt/log/topics/0", "0x" + "09" * 32), "not an anchor of this log", id="event"),
        pytest.param(at("receipt/log/data", "0x" + "09" * 64), "another size or root, or other witnesses", id="data"),
        pytest.param(at("block/hash", "0x" + "09" * 32), "does not follow from its header", id="hash"),
        pytest.param(at("block/header/number", "0x05"), "does not follow from its header", id="header"),
        pytest.param(at("block/number", 5), "another number", id="number"),
        pytest.param(at("block/number", 500), "do not both grow", id="order"),
        pytest.param(at("witnesses/0/organization", "0x" + "09" * 32), "is not by its site key", id="witness"),
        pytest.param(at("witnesses/0/signature", "0x" + "09" * 65), "signature is malformed", id="signature"),
        pytest.param(at("witnesses", []), "0 witnesses signed", id="none"),
        pytest.param(at("more", 1), "expected an object", id="more"),
    ]


@pytest.mark.parametrize(("change", "reason"), _anchor_changes())
def test_exporter_cannot_change_an_anchor(files: Entries, change: Callable[[Any], None], reason: str) -> None:
    files["chain/anchors.json"] = edited(files["chain/anchors.json"], change)

    said = reasons(build.signed(files))

    assert said.startswith("chain/anchors.json")
    assert reason in said


def test_exporter_cannot_count_one_witness_twice(files: Entries) -> None:
    def change(value: Any) -> None:
        witnesses = value["anchors"][1]["witnesses"]
        witnesses[1] = witnesses[0]

    files["chain/anchors.json"] = edited(files["chain/anchors.json"], change)

    assert "is counted twice" in reasons(build.signed(files))


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("type", "Transfer(address to)", "not one of the consortium's messages"),
        ("organization", list(build.SITES)[1], "speaks for another organization"),
        ("signature", "0x" + "09" * 65, "malformed"),
        ("line", 1, "does not name this statement"),
        ("line", 99, "does not name this statement"),
        ("message", {}, "does not have the members"),
    ],
)
def test_exporter_cannot_change_a_signed_statement(files: Entries, member: str, value: Any, reason: str) -> None:
    def change(document: Any) -> None:
        document["statements"][0][member] = value

    files["proofs/statements.json"] = edited(files["proofs/statements.json"], change)

    assert reasons(build.signed(files)).startswith("proofs/statements.json statement 1: ")
    assert reason in reasons(build.signed(files))


def test_exporter_cannot_turn_a_ballot_around(files: Entries) -> None:
    def change(document: Any) -> None:
        document["statements"][0]["message"]["choice"] = "2"

    files["proofs/statements.json"] = edited(files["proofs/statements.json"], change)

    assert "not by the vote key" in reasons(build.signed(files))


@pytest.mark.parametrize("path", ["report.json", "records.jsonl", "proofs/inclusion.json", "chain/anchors.json"])
def test_exporter_cannot_leave_a_required_file_out_of_the_manifest(files: Entries, path: str) -> None:
    del files[path]

    assert path in places(build.signed(files))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "consilium-bundle/2"},
        {"more": 1},
        {"exported_at": "yesterday"},
        {"consortium": "x"},
        {"files": []},
        {"log": {"origin": "x", "key": build.verifier_key(), "id": build.LOG_ID}},
        {"chain": {"chain_id": -1, "kind": "development", "genesis": build.GENESIS, "contracts": {}}},
        {"files": [{"path": "manifest.json", "sha256": "0" * 64, "size": 0}]},
        {"files": [{"path": "report.json", "sha256": "0" * 64, "size": 0}] * 2},
    ],
)
def test_malformed_manifest_is_refused(files: Entries, changes: dict[str, Any]) -> None:
    assert places(build.signed(files, **changes))


def test_manifest_cannot_pass_as_a_checkpoint_nor_a_checkpoint_as_a_manifest(files: Entries) -> None:
    entries = build.signed(files)
    listing = hashlib.sha256(entries["manifest.json"]).hexdigest()
    assert listing.encode() in entries["manifest.sig"]

    as_signature = {**entries, "manifest.sig": files["checkpoints/11.note"]}
    assert reasons(as_signature) == "manifest.sig: the signature is over another manifest"
    as_checkpoint = build.signed({**files, "checkpoints/12.note": entries["manifest.sig"]})
    assert "checkpoints/12.note: not a checkpoint of origin, size and root" in reasons(as_checkpoint)
