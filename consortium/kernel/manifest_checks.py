"""An auditor's check of a cohort manifest against what the chain recorded (invariant 3), without a name."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from consortium.kernel.consent_leaf import ConsentOpening, verify_opening
from consortium.kernel.errors import InvalidProofError
from consortium.kernel.identifiers import to_hex
from consortium.kernel.manifests import EPOCH_KIND, AttemptReference, CohortManifest, ConsentState
from consortium.kernel.trie import TrieProof
from consortium.kernel.trie_proofs import verify_inclusion

# Says whether provisions permit the plan over the whole time from the first to the second Unix second.
Permits = Callable[[Mapping[str, Any], int, int], bool]


@dataclass(frozen=True, slots=True)
class CommittedCohort:
    """What the chain recorded when the round opened: the site's commitment and the epoch it anchored."""

    attempt: AttemptReference
    state: ConsentState
    cohort_root: bytes
    band: int


@dataclass(frozen=True, slots=True)
class ManifestFindings:
    """What was checked: of `count` leaves, the purposes of `opened` were; the others stay closed or are erased."""

    count: int
    opened: int


def verify_manifest(
    manifest: CohortManifest,
    committed: CommittedCohort,
    *,
    proofs: Mapping[bytes, TrieProof],
    revoked: Collection[bytes],
    openings: Mapping[bytes, ConsentOpening],
    permits: Permits,
) -> ManifestFindings:
    """Check that the manifest is the committed one and every leaf was consented and unrevoked then.

    Parameters
    ----------
    proofs : S to proof
        Inclusion in the epoch's trie, one for each entry.
    revoked : set of S
        Every subject that the chain shows as revoked in this epoch up to `seq`.
    openings : S to opening
        For the leaves whose salts still exist and that the auditor may see.
    permits : callable
        The evaluation of provisions for the plan; validity must cover `as_of` and `valid_until`.

    Raises
    ------
    InvalidProofError
        Naming the first leaf that fails by its S, or the field of the commitment that differs.
    """
    _verify_commitment(manifest, committed)
    gone = frozenset(revoked)
    for subject, consent in manifest.entries:
        _verify_leaf(manifest, subject, consent, proofs.get(subject))
        if subject in gone:
            raise InvalidProofError(f"The leaf {to_hex(subject)} was revoked before the round opened.")
        if (opening := openings.get(subject)) is not None:
            _verify_permission(manifest.state, subject, consent, opening, permits)
    return ManifestFindings(manifest.count, sum(subject in openings for subject, _ in manifest.entries))


def _verify_commitment(manifest: CohortManifest, committed: CommittedCohort) -> None:
    for name, found, expected in (
        ("attempt", manifest.attempt, committed.attempt),
        ("consent state", manifest.state, committed.state),
        ("band", manifest.band, committed.band),
        ("cohort root", manifest.cohort_root(), committed.cohort_root),
    ):
        if found != expected:
            raise InvalidProofError(f"The manifest's {name} is not the one that was committed to.")


def _verify_leaf(manifest: CohortManifest, subject: bytes, consent: bytes, proof: TrieProof | None) -> None:
    if proof is None:
        raise InvalidProofError(f"The leaf {to_hex(subject)} comes without a proof of its place in the epoch.")
    leaf = manifest.leaf(subject, consent)
    try:
        verify_inclusion(proof, kind=EPOCH_KIND, key=subject, value=leaf, root=manifest.state.root)
    except InvalidProofError as error:
        raise InvalidProofError(f"The leaf {to_hex(subject)} does not lie in the epoch: {error}") from error


def _verify_permission(
    state: ConsentState, subject: bytes, consent: bytes, opening: ConsentOpening, permits: Permits
) -> None:
    verify_opening(consent, opening)
    if not permits(opening.provisions, state.as_of, state.valid_until):
        raise InvalidProofError(f"The leaf {to_hex(subject)} does not permit the plan for the whole round.")
