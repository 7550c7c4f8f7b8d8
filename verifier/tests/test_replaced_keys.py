"""Keys that were replaced: each counts in the blocks in which the registry listed it, and nowhere else."""

import json
from typing import Any

import bundle_builder as build
import pytest
from consilium_verify.findings import TrustFileError
from consilium_verify.trust import EarlierKey, Organization, read_trust
from consilium_verify.verification import Verdict, verify

FIRST = next(iter(build.SITES))
NEW = "0x" + "09" * 20


def _trust(*, purpose: str = "site", key: str | None = None, first: int = 1, last: int = 200, **changes: Any) -> bytes:
    """The trust file after the first witness replaced its key by another one."""
    trust = json.loads(build.trust_file())
    old = key or trust["organizations"][FIRST][purpose]
    trust["organizations"][FIRST][purpose] = NEW
    earlier = {"purpose": purpose, "key": old, "from": first, "until": last} | changes
    trust["organizations"][FIRST]["earlier"] = [earlier]
    return json.dumps(trust).encode()


def _refusals(trust: bytes) -> str:
    entries = build.signed(build.contents(build.Log()))
    result = verify(build.zipped(entries), read_trust(trust))
    assert (result.verdict is Verdict.VERIFIED) == (not result.findings.refusals)
    return "\n".join(map(str, result.findings.refusals))


@pytest.mark.parametrize("last", [111, 112, 1000])
def test_anchor_of_a_key_that_was_replaced_later_verifies(last: int) -> None:
    assert _refusals(_trust(last=last)) == ""


@pytest.mark.parametrize(("first", "last"), [(1, 110), (112, 200)])
def test_anchor_outside_the_blocks_of_its_key_is_refused(first: int, last: int) -> None:
    assert f"the signature of the witness {FIRST} is not by its site key" in _refusals(_trust(first=first, last=last))


def test_earlier_key_of_another_purpose_does_not_count() -> None:
    assert "is not by its site key" in _refusals(_trust(purpose="site", key="0x" + "07" * 20))


def test_ballot_of_a_vote_key_that_was_replaced_verifies() -> None:
    assert _refusals(_trust(purpose="vote")) == ""
    assert "is not by the vote key" in _refusals(_trust(purpose="vote", key="0x" + "07" * 20))


def test_present_key_counts_from_the_block_of_its_replacement_on() -> None:
    keys = {"site": bytes([2]) * 20}
    member = Organization("Hospital", keys, (EarlierKey("site", bytes([1]) * 20, 5, 42),))

    held = [member.held("site", bytes([number]) * 20, block) for number in (1, 2) for block in (4, 5, 42, 43)]
    assert held == [False, True, True, False, False, False, True, True]
    assert member.held("site", bytes([1]) * 20)
    assert not member.held("vote", bytes([1]) * 20)


@pytest.mark.parametrize(
    "changes", [{"until": 0}, {"purpose": "validator"}, {"key": "0x12"}, {"from": -1}, {"from": True}, {"more": 1}]
)
def test_earlier_key_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    trust = json.loads(_trust())
    trust["organizations"][FIRST]["earlier"][0] |= changes

    with pytest.raises(TrustFileError):
        read_trust(json.dumps(trust).encode())
