import json
import os
import subprocess
import sys
from pathlib import Path

import bundle_builder as build
import pytest
from consilium_verify.bundle import read_bundle, write_bundle
from consilium_verify.findings import Findings
from consilium_verify.trust import read_trust
from consilium_verify.verification import Verdict, verify

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def entries() -> dict[str, bytes]:
    return build.signed(build.contents(build.Log()))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program as a stranger runs it, by itself."""
    command = [sys.executable, "-W", "error", "-m", "consilium_verify", *map(str, arguments)]
    environment = {"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def test_honest_bundle_is_verified_against_the_trust_file(entries: dict[str, bytes]) -> None:
    result = verify(build.zipped(entries), read_trust(build.trust_file()))

    assert (result.verdict, result.findings.refusals) == (Verdict.VERIFIED, [])
    assert result.findings.checked == [
        "10 files are exactly those that the manifest lists",
        "log, chain and contracts are those of the trust file",
        f"the manifest is signed by the log's key {build.ORIGIN}+{build.key_id(build.ORIGIN, build.LOG_KEY).hex()}",
        "3 checkpoints are signed by the log and extend one another",
        "4 of the log's 11 records are in the bundle, each proven to be at its index",
        "2 anchors carry the log's own sizes and roots; the last is of 11 records in block 111 with 2 witnesses",
        "1 statements bear a signature of their own",
    ]
    assert any("not sealed by validators: development chain" in item for item in result.findings.unchecked)
    assert any("extract" in item for item in result.findings.unchecked)


def test_without_a_trust_file_the_origin_is_not_established(entries: dict[str, bytes]) -> None:
    result = verify(build.zipped(entries), None)

    assert result.verdict is Verdict.ORIGIN_NOT_ESTABLISHED
    assert any("anybody could have made" in item for item in result.findings.unchecked)


def test_whole_log_is_recognized_as_whole() -> None:
    log = build.Log(exported=tuple(range(11)))
    files = build.contents(log)
    # the statement's record is now on line 6
    files["proofs/statements.json"] = build.canonical({"statements": [build.ballot_statement(6)[0]]})

    result = verify(build.zipped(build.signed(files)), read_trust(build.trust_file()))

    assert result.verdict is Verdict.VERIFIED
    assert "the bundle holds the whole log up to its last checkpoint" in result.findings.checked


def test_log_that_grew_since_the_pinned_checkpoint_is_verified(entries: dict[str, bytes]) -> None:
    log = build.Log()
    build.contents(log)
    pinned = {"size": 7, "root": build.b64(build.root(log.leaves[:7]))}

    result = verify(build.zipped(entries), read_trust(build.trust_file(log_checkpoint=pinned)))

    assert result.verdict is Verdict.VERIFIED
    assert "the log extends the trust file's checkpoint of 7 records" in result.findings.checked


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_logs_of_every_shape_are_verified(size: int) -> None:
    records = [{"number": i} for i in range(max(size, 6))]
    sizes = tuple(sorted({1, size, len(records)}))
    log = build.Log(records, sizes, anchored=(sizes[-1],), exported=(0, 5))

    assert (
        verify(build.zipped(build.signed(build.contents(log))), read_trust(build.trust_file())).verdict
        is Verdict.VERIFIED
    )


def test_archive_has_the_one_form_that_pythons_zipfile_writes(entries: dict[str, bytes]) -> None:
    assert write_bundle(entries) == build.zipped(entries)
    findings = Findings()
    assert read_bundle(build.zipped(entries), findings) == entries
    assert findings.refusals == []


def test_command_line_tells_its_verdicts_apart_by_exit_code(entries: dict[str, bytes], tmp_path: Path) -> None:
    bundle, broken, trust = tmp_path / "b.zip", tmp_path / "x.zip", tmp_path / "trust.json"
    bundle.write_bytes(build.zipped(entries))
    data = bytearray(build.zipped(entries))
    data[data.index(b'"number":8')] ^= 1
    broken.write_bytes(data)
    trust.write_bytes(build.trust_file())

    verified, refused = run("--trust", trust, bundle), run("--trust", trust, broken)
    assert (verified.returncode, verified.stdout.splitlines()[0]) == (
        0,
        "VERIFIED: the bundle holds against the trust file.",
    )
    assert refused.returncode == 1
    assert "records.jsonl line 3 (log index 8): the inclusion proof fails" in refused.stdout
    assert "records.jsonl: the file's SHA-256 or size is not the one in the manifest" in refused.stdout
    assert run(bundle).returncode == 3
    missing = run("--trust", tmp_path / "none.json", bundle)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert run(tmp_path / "none.zip").returncode == 2
    assert run().returncode == 2
    found = json.loads(run("--json", bundle).stdout)
    assert (found["verdict"], found["refusals"]) == ("origin_not_established", [])


def test_verifier_imports_nothing_of_the_platform() -> None:
    code = "import sys, consilium_verify.cli; print(' '.join(sys.modules))"
    environment = {"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"]}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=60
    )

    loaded = {name.partition(".")[0] for name in answer.stdout.split()}
    assert not loaded & {
        "consortium",
        "consent",
        "training",
        "audit",
        "contracts",
        "agent",
        "django",
        "web3",
        "rfc8785",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "consilium-trust/2"},
        {"log": {"origin": "x", "key": build.verifier_key(), "id": build.LOG_ID}},
        {"chain": {"chain_id": 1}},
        {"chain": {"chain_id": "1", "genesis": build.GENESIS}},
        {"witness_quorum": 4},
        {"contracts": []},
        {"more": 1},
        {"log_checkpoint": {"size": 1, "root": "AAAA"}},
    ],
)
def test_unusable_trust_file_is_the_askers_fault_and_no_verdict(
    changes: dict[str, object], entries: dict[str, bytes], tmp_path: Path
) -> None:
    bundle, trust = tmp_path / "b.zip", tmp_path / "trust.json"
    bundle.write_bytes(build.zipped(entries))
    trust.write_bytes(build.trust_file(**changes))

    answer = run("--trust", trust, bundle)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "The trust file cannot be used" in answer.stderr
