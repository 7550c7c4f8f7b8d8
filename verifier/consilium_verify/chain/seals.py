"""Committed seals: the signatures by which a quorum of the validators in force made a block final."""

import coincurve

from consilium_verify.chain.headers import Header, read_extra, seal_digest
from consilium_verify.chain.validators import ValidatorSet
from consilium_verify.ethereum import keccak256
from consilium_verify.findings import RefusedError


def require_sealed(header: Header, validators: ValidatorSet) -> None:
    """Hold a header's seals to the set in force for it.

    Raises
    ------
    RefusedError
        If a seal is of nobody, or of somebody outside the set, or a member sealed twice, or there is no quorum, or
        the proposer is no member.
    """
    digest = seal_digest(header)
    sealers: set[bytes] = set()
    for number, seal in enumerate(read_extra(header).seals, start=1):
        sealer = sealer_of(digest, seal, number)
        if sealer not in validators.members:
            raise RefusedError(
                f"seal {number} is not by a validator in force: by 0x{sealer.hex()}, or over another header or round"
            )
        if sealer in sealers:
            raise RefusedError(f"the validator 0x{sealer.hex()} sealed twice")
        sealers.add(sealer)
    if len(sealers) < validators.quorum:
        raise RefusedError(
            f"{len(sealers)} of {len(validators.members)} validators sealed; a quorum is {validators.quorum}"
        )
    if header.proposer not in validators.members:
        raise RefusedError(f"the proposer 0x{header.proposer.hex()} is not a validator in force")


def sealer_of(digest: bytes, seal: bytes, number: int = 1) -> bytes:
    """Return the address that made a seal: r, s and a recovery id of 0 or 1."""
    # A high s is taken, as clients take it: sealers are counted, not seals, and seals lie outside the block's hash.
    # To refuse it would let one faulty proposer turn another's seal over and so make a true block unprovable.
    if seal[64] > 1:
        raise RefusedError(f"seal {number} has a recovery id other than 0 and 1")
    try:
        key = coincurve.PublicKey.from_signature_and_message(seal, digest, hasher=None)
    except ValueError as error:
        raise RefusedError(f"seal {number} is no signature that a key can have made") from error
    return keccak256(key.format(compressed=False)[1:])[-20:]
