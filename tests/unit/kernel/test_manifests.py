import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

import pytest

from consortium.kernel.canonical import canonical_json
from consortium.kernel.consent_leaf import (
    ConsentOpening,
    LeafContext,
    consent_commitment,
    consent_leaf,
    new_salt,
    subject_commitment,
    verify_opening,
)
from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.manifest_checks import CommittedCohort, ManifestFindings, verify_manifest
from consortium.kernel.manifests import (
    EPOCH_KIND,
    AttemptReference,
    CohortManifest,
    ConsentState,
    build_manifest,
    parse_manifest,
)
from consortium.kernel.trie import Trie, TrieProof

MERCY = LeafContext(31337, uuid.UUID(int=1), uuid.UUID(int=2))
ATTEMPT = AttemptReference("0x" + "11" * 20, uuid.UUID(int=3), 4, 1, "sha256:" + "ab" * 32)
PERMITTED = {"permitted": ["research"], "valid_until": 2_000}


def permits(provisions: Mapping[str, Any], start: int, end: int) -> bool:
    return "research" in provisions["permitted"] and start < end <= provisions["valid_until"]


class Site(NamedTuple):
    """A site with twelve consenting subjects, all of them in the cohort."""

    manifest: CohortManifest
    committed: CommittedCohort
    proofs: dict[bytes, TrieProof]
    openings: dict[bytes, ConsentOpening]

    def verify(self, **changes: Any) -> ManifestFindings:
        given: dict[str, Any] = {"proofs": self.proofs, "revoked": (), "openings": self.openings, **changes}
        manifest, committed = given.pop("manifest", self.manifest), given.pop("committed", self.committed)
        return verify_manifest(manifest, committed, permits=permits, **given)


def make_site(provisions: Mapping[str, Any] = PERMITTED, *, enrolled: int = 12) -> Site:
    openings = {
        subject_commitment(new_salt(), f"p{i}"): ConsentOpening(new_salt(), provisions) for i in range(enrolled)
    }
    cohort = {subject: consent_commitment(o.salt, o.provisions) for subject, o in openings.items()}
    epoch = Trie(EPOCH_KIND, {subject: consent_leaf(MERCY, subject, consent) for subject, consent in cohort.items()})
    state = ConsentState(epoch=7, root=epoch.root, seq=9, as_of=1_000, valid_until=1_060)
    manifest = build_manifest(context=MERCY, attempt=ATTEMPT, state=state, cohort=cohort)
    committed = CommittedCohort(ATTEMPT, state, manifest.cohort_root(), 10)
    return Site(manifest, committed, {subject: epoch.prove(subject) for subject in cohort}, openings)


@pytest.fixture
def site() -> Site:
    return make_site()


def test_honest_manifest_is_verified_leaf_by_leaf(site: Site) -> None:
    assert site.verify() == ManifestFindings(count=12, opened=12)


def test_erased_leaves_still_verify_but_their_purpose_is_not_checked(site: Site) -> None:
    erased = next(iter(site.openings))

    assert site.verify(openings={s: o for s, o in site.openings.items() if s != erased}) == ManifestFindings(12, 11)


def test_leaf_revoked_since_the_epoch_is_found(site: Site) -> None:
    subject = site.manifest.entries[5][0]

    with pytest.raises(InvalidProofError, match=f"0x{subject.hex()} was revoked"):
        site.verify(revoked={subject})


def test_leaf_outside_the_epoch_is_found(site: Site) -> None:
    stranger = make_site(enrolled=1)
    [entry] = stranger.manifest.entries
    manifest = replace(site.manifest, entries=tuple(sorted((*site.manifest.entries, entry))))
    committed = replace(site.committed, cohort_root=manifest.cohort_root())

    with pytest.raises(InvalidProofError, match="does not lie in the epoch"):
        site.verify(manifest=manifest, committed=committed, proofs={**site.proofs, **stranger.proofs})
    with pytest.raises(InvalidProofError, match="without a proof"):
        site.verify(manifest=manifest, committed=committed)


@pytest.mark.parametrize("provisions", [{**PERMITTED, "permitted": []}, {**PERMITTED, "valid_until": 1_059}])
def test_opened_leaf_that_does_not_permit_the_whole_round_is_found(provisions: dict[str, Any]) -> None:
    with pytest.raises(InvalidProofError, match="does not permit"):
        make_site(provisions).verify()


def test_opening_with_other_provisions_is_found(site: Site) -> None:
    subject, opening = next(iter(site.openings.items()))
    lie = {**site.openings, subject: ConsentOpening(opening.salt, {**PERMITTED, "more": True})}

    with pytest.raises(InvalidProofError, match="not the ones"):
        site.verify(openings=lie)


@pytest.mark.parametrize(
    "changes",
    [
        {"band": 25},
        {"cohort_root": bytes(32)},
        {"attempt": replace(ATTEMPT, attempt=2)},
        {"state": ConsentState(7, bytes(32), 9, 1_000, 1_060)},
    ],
)
def test_manifest_that_is_not_the_committed_one_is_found(site: Site, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidProofError, match="committed"):
        site.verify(committed=replace(site.committed, **changes))


def test_same_cohort_has_another_root_in_each_attempt(site: Site) -> None:
    again = build_manifest(
        context=MERCY, attempt=ATTEMPT, state=site.manifest.state, cohort=dict(site.manifest.entries)
    )

    assert again.entries == site.manifest.entries
    assert again.cohort_root() != site.manifest.cohort_root()


def test_manifest_reads_back_from_its_bytes_with_the_same_digest(site: Site) -> None:
    again = parse_manifest(site.manifest.to_bytes())

    assert again == site.manifest
    assert again.digest() == site.manifest.digest()
    assert json.loads(site.manifest.to_bytes())["count"] == 12


@pytest.mark.parametrize(
    "change",
    [
        {"count": 11},
        {"cohort_root": "0x" + "00" * 32},
        {"entries": []},
        {"more": 1},
        {"round": "4"},
        {"round": -1},
        {"round": True},
        {"chain_id": "31337"},
        {"run": "x"},
        {"ledger": "0x"},
        {"format": "consilium-cohort/2"},
        {"nonce": "0x00"},
        {"entries": [["0x00", "0x00"]]},
        {"entries": 3},
    ],
)
def test_manifest_whose_fields_do_not_agree_is_refused(site: Site, change: dict[str, Any]) -> None:
    value = {**json.loads(site.manifest.to_bytes()), **change}

    with pytest.raises(InvalidInputError):
        parse_manifest(canonical_json(value))


def test_doubled_or_disordered_entries_are_refused(site: Site) -> None:
    entries = site.manifest.entries

    for wrong in (entries[::-1], (entries[0], *entries)):
        with pytest.raises(InvalidInputError, match="twice"):
            replace(site.manifest, entries=wrong)


def test_leaf_of_one_organization_consortium_or_chain_is_no_leaf_of_another() -> None:
    contexts = [
        MERCY,
        replace(MERCY, chain_id=1),
        replace(MERCY, consortium=uuid.UUID(int=9)),
        replace(MERCY, organization=uuid.UUID(int=9)),
        LeafContext(31337, MERCY.organization, MERCY.consortium),
    ]

    assert len({consent_leaf(context, bytes(32), bytes(32)) for context in contexts}) == len(contexts)


def test_consent_leaf_is_the_one_of_its_description() -> None:
    def part(raw: bytes) -> bytes:
        return len(raw).to_bytes(4, "big") + raw

    subject = sha256(part(b"consilium/consent/1/subject") + part(b"\x01" * 32) + part(b"p1")).digest()
    assert subject_commitment(b"\x01" * 32, "p1") == subject
    consent = sha256(part(b"consilium/consent/1/provisions") + part(b"\x02" * 32) + part(b'{"a":1}')).digest()
    assert consent_commitment(b"\x02" * 32, {"a": 1}) == consent
    verify_opening(consent, ConsentOpening(b"\x02" * 32, {"a": 1}))


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(InvalidInputError):
        subject_commitment(salt, "p1")
    with pytest.raises(InvalidInputError):
        consent_commitment(salt, {})
