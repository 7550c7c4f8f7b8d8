"""What the proof of blocks rests on and nobody can prove, and what narrows it: a pinned block, or members' signatures.

A commitment to a round names the block that its site read, by height and hash: so a site's signature stands for that
block, whoever holds the keys of validators that have left.
"""

from collections.abc import Mapping, Sequence

from consilium_verify.blocks import SealedBlock
from consilium_verify.ethereum import natural_text
from consilium_verify.fields import raw
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.statements import STATEMENTS, Statement
from consilium_verify.trust import Trust


def check_assumptions(
    sealed: Mapping[int, SealedBlock] | None, statements: Sequence[Statement], trust: Trust | None, findings: Findings
) -> None:
    """Hold sealed blocks to members' signatures on them, and say what their proof assumes."""
    if not sealed:
        return
    before = len(findings.refusals)
    signed = _signed(sealed, statements, findings)
    if len(findings.refusals) > before:
        return
    findings.assumed.append("fewer than a third of each set of validators was faulty in its time")
    findings.assumed.append(_retired_keys(sealed, signed, trust))


def _signed(
    sealed: Mapping[int, SealedBlock], statements: Sequence[Statement], findings: Findings
) -> dict[int, set[bytes]]:
    """Return the organizations that signed each of the sealed blocks."""
    signed: dict[int, set[bytes]] = {}
    for statement in statements:
        with findings.at(f"{STATEMENTS} statement {statement.number}"):
            if "blockNumber" in statement.message:
                number = natural_text(statement.message["blockNumber"])
                block = sealed.get(number)
                if block is not None and raw(statement.message["blockHash"], 32) != block.hash:
                    raise RefusedError(f"the organization signed another block {number} than the one sealed here")
                if block is not None:
                    signed.setdefault(number, set()).add(statement.organization)
    return signed


def _retired_keys(sealed: Mapping[int, SealedBlock], signed: Mapping[int, set[bytes]], trust: Trust | None) -> str:
    known = _known(sealed, signed, trust)
    if known is None:
        return (
            "keys of validators that have left were not leaked: whoever holds those of a quorum of an earlier set can "
            "seal another history from its time on (a checkpoint in the trust file, a block of this bundle, settles it)"
        )
    height, why = known
    return (
        f"keys of validators that have left were not leaked, but for blocks after {height}, {why}, only of those that "
        "left after it"
    )


def _known(
    sealed: Mapping[int, SealedBlock], signed: Mapping[int, set[bytes]], trust: Trust | None
) -> tuple[int, str] | None:
    """Return the highest block that the asker pinned or enough members signed, and why it is known."""
    if trust is None:
        return None
    known = {}
    if trust.pinned_block is not None and trust.pinned_block[0] in sealed:
        known[trust.pinned_block[0]] = "which the trust file pins"
    quorum = max(trust.witness_quorum, 1)
    for number, organizations in signed.items():
        # Whose signatures they are is known only where the trust file names the members' keys.
        if trust.organizations and len(organizations) >= quorum:
            known.setdefault(number, f"which {len(organizations)} organizations signed")
    return max(known.items(), default=None)
