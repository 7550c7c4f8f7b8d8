"""The whole verification of a bundle, from the file to the verdict."""

from dataclasses import dataclass
from enum import Enum

from consilium_verify.anchors import check_anchors
from consilium_verify.assumptions import check_assumptions
from consilium_verify.blocks import check_blocks
from consilium_verify.bundle import read_bundle
from consilium_verify.canonical import parse_canonical_object
from consilium_verify.findings import Findings
from consilium_verify.log import check_consistency, check_pinned, read_checkpoints
from consilium_verify.manifest import MANIFEST, Manifest, check_files, check_signature, read_manifest
from consilium_verify.records import check_records
from consilium_verify.statements import check_statements
from consilium_verify.trust import Trust, check_origin


class Verdict(Enum):
    """The answer, with the exit code of the command line."""

    VERIFIED = 0
    REFUSED = 1
    ORIGIN_NOT_ESTABLISHED = 3


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict and all that was found on the way to it."""

    verdict: Verdict
    findings: Findings


def verify(data: bytes, trust: Trust | None) -> Result:
    """Verify a bundle; without trust the best verdict is that its origin is not established."""
    findings = Findings()
    entries: dict[str, bytes] = {}
    manifest: Manifest | None = None
    with findings.at("bundle"):
        entries = read_bundle(data, findings)
    if entries:
        with findings.at(MANIFEST):
            manifest = read_manifest(entries)
    elif not findings.refusals:
        findings.refuse("bundle", "the archive is empty")
    if manifest is not None:
        _check_contents(entries, manifest, trust, findings)
    if findings.refusals:
        return Result(Verdict.REFUSED, findings)
    return Result(Verdict.ORIGIN_NOT_ESTABLISHED if trust is None else Verdict.VERIFIED, findings)


def _check_contents(entries: dict[str, bytes], manifest: Manifest, trust: Trust | None, findings: Findings) -> None:
    key = manifest.log_key if trust is None else trust.log_key
    check_files(manifest, entries, findings)
    if trust is None:
        findings.unchecked.append("the origin: without a trust file anybody could have made this bundle")
    else:
        check_origin(trust, manifest, findings)
    check_signature(entries, key, findings)
    checkpoints = read_checkpoints(entries, key, findings)
    check_consistency(entries, checkpoints, findings)
    check_pinned(None if trust is None else trust.pinned_checkpoint, checkpoints, findings)
    records = check_records(entries, checkpoints, findings)
    sealed = check_blocks(entries, manifest, trust, findings)
    check_anchors(entries, manifest, checkpoints, sealed, trust, findings)
    statements = check_statements(entries, manifest, records, trust, findings)
    check_assumptions(sealed, statements, trust, findings)
    with findings.at("report.json"):
        parse_canonical_object(entries.get("report.json", b""))
    findings.unchecked.append("what the report says in words: only that it is the file that was signed")
    findings.unchecked.append("that the organizations recorded the truth, and that nothing happened unrecorded")
