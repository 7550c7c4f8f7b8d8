"""The genesis file against the one that a real Besu network ran on, and the contract that lies in it."""

import json
from pathlib import Path

import pytest

from consortium.kernel.digests import keccak256
from contracts.artifacts import shipped
from contracts.errors import UnknownContractError
from contracts.network.extra_data import ExtraData, decode_extra_data
from contracts.network.genesis import build_genesis, source_code, source_storage
from contracts.network.members import Numbers
from contracts.network.predeployed import SOURCE_ADDRESS
from tests.unit.contracts.network.files import RELAY

RECORDED = json.loads((Path(__file__).parents[3] / "data" / "besu" / "genesis.json").read_text())
VALIDATORS = ["0x" + f"{number:02x}" * 20 for number in (9, 3, 7, 5)]
EMPTY_BLOCKS = {"xemptyblockperiodseconds", "emptyblockperiodseconds"}
OURS = build_genesis(Numbers("arizona-cardiac", 20_261), VALIDATORS, relay=RELAY)


def test_it_has_the_recorded_genesis_keys_in_their_order_and_forms():
    assert list(OURS) == list(RECORDED)
    assert list(OURS["config"]) == list(RECORDED["config"])
    for name in RECORDED:
        assert type(OURS[name]) is type(RECORDED[name])
    assert OURS["config"]["qbft"].keys() - RECORDED["config"]["qbft"].keys() == EMPTY_BLOCKS
    assert RECORDED["config"]["qbft"].keys() <= OURS["config"]["qbft"].keys()


def test_empty_blocks_come_less_often_by_the_old_name_and_by_the_new_one():
    # Besu's changelog: renamed in 26.5.0, the old name removed in 26.8.1; the recorded 26.4 knows the old one alone.
    assert {OURS["config"]["qbft"][name] for name in EMPTY_BLOCKS} == {5}


def test_it_differs_from_the_recorded_one_in_the_contract_alone():
    ours, recorded = json.loads(json.dumps(OURS)), json.loads(json.dumps(RECORDED))
    # Block periods when idle: the recorded network made an empty block each second.
    for name in EMPTY_BLOCKS:
        del ours["config"]["qbft"][name]
    # The recorded contract is another one with another layout, and its network had an account with money.
    own = ours.pop("alloc")
    recorded.pop("alloc")

    assert ours == recorded
    assert list(own) == [SOURCE_ADDRESS[2:]]
    assert own[SOURCE_ADDRESS[2:]].keys() == RECORDED["alloc"][SOURCE_ADDRESS[2:]].keys()


def test_gas_is_free_and_the_fork_is_cancun():
    assert OURS["config"]["zeroBaseFee"] is True
    assert OURS["config"]["cancunTime"] == 0
    assert "pragueTime" not in OURS["config"]


def test_its_extra_data_is_that_of_contract_mode():
    assert decode_extra_data(bytes.fromhex(OURS["extraData"][2:])) == ExtraData()
    assert OURS["extraData"] == RECORDED["extraData"]


def test_the_storage_has_every_slot_of_the_layout_and_no_other():
    storage = {
        int(slot, 16): int(word, 16) for slot, word in source_storage(VALIDATORS, minimum=4, relay=RELAY).items()
    }
    first = int.from_bytes(keccak256(bytes(32)), "big")
    ascending = sorted(int(address, 16) for address in VALIDATORS)

    assert storage == {
        0: 4,
        1: int.from_bytes(keccak256(b"".join(a.to_bytes(32, "big") for a in ascending)), "big"),
        2: 4,
        3: int(RELAY, 16),
        4: int(RELAY, 16),
        **{first + place: address for place, address in enumerate(ascending)},
    }


def test_the_code_is_the_shipped_contracts_and_needs_no_constructor():
    assert source_code().hex() == shipped()["ValidatorSource"].document["deployedBytecode"].removeprefix("0x")


def test_a_contract_that_keeps_its_state_elsewhere_cannot_be_predeployed(monkeypatch):
    artifact = shipped()["ValidatorSource"]
    moved = [dict(row, slot=str(9)) for row in artifact.document["storageLayout"]]
    monkeypatch.setattr(artifact, "document", artifact.document | {"storageLayout": moved})

    with pytest.raises(UnknownContractError, match="otherwise than a genesis can write"):
        source_code()
