"""Long ranges: whoever holds the keys of validators that have left seals another history from their time on."""

import json
from typing import Any

import bundle_builder as build
import pytest
import qbft_network as qbft
from consilium_verify.verification import Verdict
from sealed_bundle import CHAIN_ID, SealedBundle, at, changed, judged, said


@pytest.fixture
def made() -> SealedBundle:
    return SealedBundle.honest()


def forged(made: SealedBundle) -> SealedBundle:
    """Another history from block 1 on, sealed by the four validators of the time, with an anchor of a shorter log."""
    fork = SealedBundle(made.log, made.network.fork(1, [1, 2, 3, 4]))
    fork.network.mine()
    fork.network.mine()
    fork.anchor(4)
    for _ in range(4):
        fork.network.mine()
    fork.anchor(11)
    return fork


def test_history_forged_with_retired_keys_shows_only_in_what_is_assumed(made: SealedBundle) -> None:
    result = judged(forged(made))

    assert result.verdict is Verdict.VERIFIED
    assert any(text.startswith("keys of validators that have left were not leaked") for text in result.findings.assumed)
    assert "fewer than a third of each set of validators was faulty in its time" in result.findings.assumed


def test_history_forged_with_retired_keys_is_refused_by_a_pinned_block(made: SealedBundle) -> None:
    fork = forged(made)
    pin = at(made.network.blocks[4])

    assert "has another hash than is known of it" in said(judged(fork, checkpoint=pin))
    assert "the block is not the one that the trust file pins at this height" in said(judged(fork, checkpoint=pin))


def test_later_history_that_goes_around_the_pinned_block_is_refused(made: SealedBundle) -> None:
    pin = at(made.network.blocks[7])

    assert "there are blocks after the trust file's checkpoint 7 and not that block" in said(
        judged(forged(made), checkpoint=pin)
    )


def test_forged_blocks_after_the_true_pinned_block_are_refused(made: SealedBundle) -> None:
    true, fork = made.blocks(), forged(made)
    files = fork.files()
    listed = [block for block in true["blocks"] if int(block["header"]["number"], 16) <= 4]
    anchors = json.loads(files["chain/anchors.json"])["anchors"]
    late = fork.network.blocks[anchors[1]["block"]["number"]]
    document = {**true, "sets": true["sets"][:2], "blocks": [*listed, {"header": late.header, **late.set_proof()}]}
    files["chain/blocks.json"] = build.canonical(document)

    reasons = said(judged(fork, files, checkpoint=at(made.network.blocks[4])))

    assert f"chain/blocks.json block {late.number}: " in reasons
    assert "3 of 5 validators sealed; a quorum is 4" in reasons


def test_forged_change_before_the_pinned_block_does_not_lead_to_it(made: SealedBundle) -> None:
    true, fork = made.blocks(), made.network.fork(1, [1, 2, 3, 4])
    seized = fork.mine(replace=[[7, 8, 9, 10]])
    listed = [block for block in true["blocks"] if int(block["header"]["number"], 16) not in (2,)]
    listed.insert(1, {"header": seized.header, **seized.set_proof()})
    sets = [*true["sets"], qbft.addresses([7, 8, 9, 10])]
    document = {**true, "sets": sets, "blocks": listed}
    files = {**made.files(), "chain/blocks.json": build.canonical(document)}

    reasons = said(judged(made, files, checkpoint=at(made.network.blocks[8])))

    assert "chain/blocks.json block 4: seal 1 is not by a validator in force" in reasons


def test_pinned_block_that_the_bundle_holds_narrows_what_is_assumed(made: SealedBundle) -> None:
    result = judged(made, checkpoint=at(made.network.blocks[4]))

    assert result.verdict is Verdict.VERIFIED
    assert "for blocks after 4, which the trust file pins, only of those that left" in result.findings.assumed[1]


def test_proof_may_begin_at_the_pinned_block(made: SealedBundle) -> None:
    def cut(document: Any) -> None:
        document["blocks"] = [b for b in document["blocks"] if int(b["header"]["number"], 16) >= 4]
        document["sets"] = document["sets"][1:]

    files = changed(made, "chain/blocks.json", cut)

    assert judged(made, files, genesis=None, checkpoint=at(made.network.blocks[4])).verdict is Verdict.VERIFIED
    assert "begin neither with block 0 nor with the one that the trust file pins" in said(judged(made, files))


def test_genesis_of_another_network_is_refused(made: SealedBundle) -> None:
    other = SealedBundle(made.log, qbft.Network([1, 2, 3, 5]))
    files = {**made.files(), "chain/blocks.json": build.canonical(other.blocks())}

    assert "chain/blocks.json block 0: block 0 has another hash than is known of it" in said(judged(made, files))


def test_pinned_block_without_a_genesis_leaves_block_0_unproven(made: SealedBundle) -> None:
    result = judged(made, genesis=None, checkpoint=at(made.network.blocks[8]))

    assert result.verdict is Verdict.VERIFIED
    assert "that block 0 is this chain's: the trust file names no genesis block" in result.findings.unchecked


def with_commitments(made: SealedBundle, organizations: list[str], number: int, block_hash: bytes) -> dict[str, bytes]:
    """The files with commitments of these organizations to a round, each naming the block that its site read."""
    files = made.files()
    document = json.loads(files["proofs/statements.json"])
    document["statements"] += [build.commitment(o, number, block_hash, chain_id=CHAIN_ID) for o in organizations]
    return {**files, "proofs/statements.json": build.canonical(document)}


def test_block_that_members_signed_narrows_what_is_assumed(made: SealedBundle) -> None:
    sites, block = list(build.SITES), made.network.blocks[8]

    enough = judged(made, with_commitments(made, sites[:2], 8, block.hash))
    alone = judged(made, with_commitments(made, sites[:1], 8, block.hash))

    assert (enough.verdict, said(enough)) == (Verdict.VERIFIED, "")
    assert "for blocks after 8, which 2 organizations signed, only of those that left" in enough.findings.assumed[1]
    assert alone.findings.assumed[1].startswith("keys of validators that have left were not leaked: whoever")


def test_forged_history_that_contradicts_a_members_signature_is_refused(made: SealedBundle) -> None:
    files = with_commitments(forged(made), [next(iter(build.SITES))], 4, made.network.blocks[4].hash)

    assert said(judged(forged(made), files)) == (
        "proofs/statements.json statement 2: the organization signed another block 4 than the one sealed here"
    )
