"""A verifier recomputes a round from what the platform shows, and signs nothing that differs by a bit."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from consortium.kernel.digests import keccak256
from tests.unit.federated.federation import RUN, WEIGHTS, Federation, plain_sum, random_vectors
from training.federated.errors import KeyAgreementError, VerificationError
from training.federated.secagg.coordinator import OpenedSum
from training.federated.secagg.masked_vector import pack, unpack
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RingVector
from training.federated.secagg.verification import RoundResult, aggregate_digest, make_result, verify_round

SIZE = 7


def step(total: RingVector, survivors: int) -> bytes:
    return total.tobytes() + bytes([survivors])


@pytest.fixture(params=[32, 64])
def round_(request: pytest.FixtureRequest) -> tuple[Federation, OpenedSum, RoundResult]:
    federation = Federation(SecureAggregationParameters(n=5, t=4, c=1, ring_bits=request.param))
    opened = federation.run(random_vectors(federation, size=SIZE, seed=1, lost=1))
    return federation, opened, make_result(opened.survivors, opened.total, step(opened.total, 4))


def verify(federation: Federation, opened: OpenedSum, result: RoundResult, **changes: object) -> bytes:
    given: dict[str, object] = {
        "opened": federation.opened,
        "claimed": result,
        "masked": federation.masked,
        "secrets": opened.secrets,
        "size": SIZE,
        "step": step,
    }
    return verify_round(**(given | changes))  # type: ignore[arg-type]  # a test changes one argument at a time


def test_an_honest_round_is_recomputed_bit_for_bit(round_: tuple[Federation, OpenedSum, RoundResult]) -> None:
    federation, opened, result = round_

    next_weights = verify(federation, opened, result)

    assert next_weights == step(plain_sum(random_vectors(federation, size=SIZE, seed=1, lost=1)), 4)
    assert hashlib.sha256(next_weights).digest() == result.next_weights
    assert result.aggregate == aggregate_digest(opened.total)


def test_one_flipped_bit_of_a_claim_is_refused(round_: tuple[Federation, OpenedSum, RoundResult]) -> None:
    federation, opened, result = round_
    flipped = bytes([result.aggregate[0] ^ 1]) + result.aggregate[1:]

    with pytest.raises(VerificationError, match="sum differs"):
        verify(federation, opened, replace(result, aggregate=flipped))
    with pytest.raises(VerificationError, match="next weights differ"):
        verify(federation, opened, replace(result, next_weights=flipped))
    with pytest.raises(VerificationError, match="next weights differ"):
        verify(federation, opened, result, step=lambda total, survivors: step(total, survivors) + b"\0")


def test_other_masked_bytes_than_were_signed_are_refused(round_: tuple[Federation, OpenedSum, RoundResult]) -> None:
    federation, opened, result = round_
    owner = federation.organizations[2]
    ring_bits = federation.parameters.ring_bits
    vector = unpack(federation.masked[owner], size=SIZE, ring_bits=ring_bits).copy()
    vector[0] += np.ones(1, vector.dtype)[0]

    with pytest.raises(VerificationError, match=str(owner)):
        verify(federation, opened, result, masked={**federation.masked, owner: pack(owner, vector)})


def test_other_secrets_than_were_committed_to_are_refused(round_: tuple[Federation, OpenedSum, RoundResult]) -> None:
    federation, opened, result = round_
    lost, owner = federation.organizations[:2]
    seeds, keys = opened.secrets.seeds, opened.secrets.mask_privates

    with pytest.raises(VerificationError, match=str(owner)):
        verify(federation, opened, result, secrets=replace(opened.secrets, seeds={**seeds, owner: bytes(32)}))
    with pytest.raises(VerificationError, match=str(lost)):
        verify(federation, opened, result, secrets=replace(opened.secrets, mask_privates={lost: bytes(32)}))
    with pytest.raises(VerificationError, match="sum differs"):
        verify(federation, opened, result, secrets=replace(opened.secrets, mask_privates={}))
    with pytest.raises(VerificationError, match="exactly the survivors"):
        verify(federation, opened, result, secrets=replace(opened.secrets, mask_privates={**keys, owner: bytes(32)}))
    with pytest.raises(VerificationError, match="exactly the survivors"):
        verify(federation, opened, result, masked={o: m for o, m in federation.masked.items() if o != owner})
    stranger = Federation(federation.parameters).organizations[0]
    with pytest.raises(KeyAgreementError):
        verify(federation, opened, result, secrets=replace(opened.secrets, mask_privates={stranger: bytes(32)}))


def test_a_result_of_fewer_than_t_survivors_is_refused(round_: tuple[Federation, OpenedSum, RoundResult]) -> None:
    federation, opened, result = round_
    few = replace(opened.survivors, survivors=0b11100, masked_digests=opened.survivors.masked_digests[1:])

    with pytest.raises(VerificationError, match="fewer survivors than t=4"):
        verify(federation, opened, replace(result, survivors=few))


def test_signed_fields_are_those_of_the_ledgers_types(round_: tuple[Federation, OpenedSum, RoundResult]) -> None:
    federation, _, result = round_
    ids = b"".join(organization.bytes + bytes(16) for organization in federation.organizations)
    digests = b"".join(hashlib.sha256(federation.masked[o].data).digest() for o in federation.organizations[1:])

    assert result.survivors.fields(federation.opened) == {
        "run": RUN.bytes + bytes(16),
        "round": 1,
        "attempt": 1,
        "roster": keccak256(ids),
        "survivors": 0b11110,
        "maskedDigests": keccak256(digests),
        "weights": WEIGHTS,
    }
    assert result.fields(federation.opened) == {
        "run": RUN.bytes + bytes(16),
        "round": 1,
        "attempt": 1,
        "survivors": 0b11110,
        "maskedDigests": keccak256(digests),
        "aggregate": result.aggregate,
        "nextWeights": result.next_weights,
    }
