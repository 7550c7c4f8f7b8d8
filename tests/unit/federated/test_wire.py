"""Messages come back from JSON unchanged, and nothing but their one form is read."""

import json
import uuid
from collections.abc import Callable

import pytest

from tests.unit.federated.federation import Federation, random_vectors
from training.federated.errors import WireFormatError
from training.federated.secagg.deals import SignedDeal
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.releases import OpenedSecrets, ReleasedShares
from training.federated.secagg.share_transport import EncryptedShare
from training.federated.secagg.survivors import SurvivorSet
from training.federated.wire import read_base64, read_hex, read_integer, read_list, read_map, read_uuid

Message = MaskKeys | SignedDeal | EncryptedShare | SurvivorSet | ReleasedShares | OpenedSecrets
TYPES = [MaskKeys, SignedDeal, EncryptedShare, SurvivorSet, ReleasedShares, OpenedSecrets]


@pytest.fixture(scope="module")
def messages() -> dict[type[Message], Message]:
    federation = Federation(SecureAggregationParameters(n=3, t=3, c=1, ring_bits=64))
    coordinator = federation.run_until_masked(random_vectors(federation, size=2, seed=1))
    survivors = federation.agree(coordinator)
    releases = [site.release_shares(coordinator.signatures) for site in federation.sites.values()]
    for released in releases:
        coordinator.add_release(released)
    deal = federation.deals[federation.organizations[0]]
    made: list[Message] = [federation.opened.members[0], deal.public, deal.shares[0], survivors, releases[0]]
    made.append(coordinator.open_sum().secrets)
    return {type(message): message for message in made}


@pytest.mark.parametrize("kind", TYPES)
def test_a_message_comes_back_from_json_unchanged(kind: type[Message], messages: dict[type[Message], Message]) -> None:
    text = json.dumps(messages[kind].to_wire())

    assert kind.from_wire(json.loads(text)) == messages[kind]


@pytest.mark.parametrize("kind", TYPES)
def test_missing_added_or_mistyped_fields_are_refused(
    kind: type[Message], messages: dict[type[Message], Message]
) -> None:
    wire = messages[kind].to_wire()

    without = [{k: v for k, v in wire.items() if k != key} for key in wire]
    values: list[object] = [None, [], "text", {**wire, "more": 1}, *without]
    for value in values:
        with pytest.raises(WireFormatError):
            kind.from_wire(value)
    for key in wire:
        for wrong in (None, 1, True, "", "0x", [1], {"a": 1}, "0X" + "A" * 64):
            with pytest.raises(WireFormatError):
                kind.from_wire({**wire, key: wrong})


@pytest.mark.parametrize(
    "read",
    [
        lambda: read_uuid("2B1C8F1E-5D0B-4A57-9A52-0A3F3F6F7A11", what="id"),
        lambda: read_uuid("{2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11}", what="id"),
        lambda: read_uuid("2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11\n", what="id"),
        lambda: read_hex("0xAB", what="digest", size_bytes=1),
        lambda: read_hex("abcd", what="digest", size_bytes=1),
        lambda: read_base64("QUI", what="share", size_bytes=2),
        lambda: read_base64("QUJ=", what="share", size_bytes=2),
        lambda: read_base64("QU\nI=", what="share", size_bytes=2),
        lambda: read_base64("QUI=", what="share", size_bytes=1),
        lambda: read_base64("A" * 10_000, what="share"),
        lambda: read_integer(True, what="round"),
        lambda: read_integer(2**32, what="round"),
        lambda: read_list([1, 2], what="digests", max_items=1),
        lambda: read_map({str(uuid.UUID(int=i)): 1 for i in range(3)}, what="shares", max_items=2),
    ],
)
def test_other_writings_of_a_value_are_refused(read: Callable[[], object]) -> None:
    with pytest.raises(WireFormatError):
        read()
