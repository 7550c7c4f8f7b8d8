"""Events of contracts that were deployed before their events changed: read by the ABI of their own time."""

import json
from typing import Any

import pytest
from eth_abi.abi import encode

from contracts.artifacts import Artifact, Artifacts
from contracts.errors import UnknownSchemaError
from contracts.events import ContractReference
from contracts.rpc import codec
from contracts.rpc.log_windows import read_logs
from tests.chain.counter import ARTIFACTS

# tests/data/contracts/43dfe27ebb1e34db/Counter.json: Counted without its note.
EARLIER = "43dfe27ebb1e34db"
OLD = ContractReference("Counter", "0x221EDC9c97365E06dA77B157cEfa535E04efA52D", EARLIER)
NEW = ContractReference("Counter", "0x0000000000000000000000000000000000007777", ARTIFACTS["Counter"].schema)
REASON, CALLER = b"reason".ljust(32, b"\0"), "0x" + "ab" * 20


def log(contract: ContractReference, index: int, data: bytes) -> dict[str, Any]:
    entry = next(e for e in ARTIFACTS.of(contract).entries("event") if e["name"] == "Counted")
    topics = [codec.selector(entry), REASON, bytes(12) + bytes.fromhex(CALLER[2:])]
    return {
        "address": contract.address,
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
        "blockNumber": "0x1",
        "blockTimestamp": "0x2",
        "blockHash": "0x" + "01" * 32,
        "transactionHash": "0x" + "02" * 32,
        "logIndex": hex(index),
    }


def test_old_and_new_events_of_one_contract_are_read_in_one_window():
    logs = [log(OLD, 0, encode(["uint256"], [3])), log(NEW, 1, encode(["uint256", "string"], [4, "why"]))]

    found = read_logs(lambda method, parameters: logs, ARTIFACTS, [OLD, NEW], 1, 1)

    assert [(event.arguments.get("note"), event.arguments["total"], event.schema) for event in found] == [
        (None, 3, EARLIER),
        ("why", 4, NEW.schema),
    ]


def test_a_contract_known_before_schemas_had_names_is_read_as_what_ships():
    unnamed = ContractReference("Counter", NEW.address)
    assert ARTIFACTS.of(unnamed) is ARTIFACTS["Counter"]
    assert ARTIFACTS.of(NEW) is ARTIFACTS["Counter"]


@pytest.mark.parametrize("schema", ["0123456789abcdef", "../contracts"])
def test_a_schema_of_which_no_abi_is_here_is_refused_before_the_node_is_asked(schema):
    unknown = ContractReference("Counter", OLD.address, schema)

    def ask(method: str, parameters: list[Any]) -> Any:
        raise AssertionError("the node was asked")

    with pytest.raises(UnknownSchemaError) as refused:
        read_logs(ask, ARTIFACTS, [unknown], 1, 1)
    assert schema in refused.value.message
    assert f"contracts/abi/{schema}/Counter.json" in refused.value.message


def test_an_abi_in_another_schemas_folder_is_not_taken_for_it(tmp_path):
    (tmp_path / "Counter.json").write_text(json.dumps(ARTIFACTS["Counter"].document))
    wrong = tmp_path / EARLIER
    wrong.mkdir()
    (wrong / "Counter.json").write_text(json.dumps(ARTIFACTS["Counter"].document))
    with pytest.raises(UnknownSchemaError, match="Put it where it belongs"):
        Artifacts([tmp_path]).of(OLD)


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        (lambda event: event["inputs"][0].update(internalType="Reason"), False),
        (lambda event: event["inputs"][0].update(indexed=False), True),
        (lambda event: event["inputs"][2].update(type="uint128"), True),
        (lambda event: event["inputs"][2].update(name="sum"), True),
    ],
)
def test_the_schema_changes_with_what_decides_how_an_event_is_read(change, is_other):
    document = json.loads(json.dumps(ARTIFACTS["Counter"].document))
    change(next(entry for entry in document["abi"] if entry.get("name") == "Counted"))
    document["abi"].reverse()
    assert (Artifact(document).schema != ARTIFACTS["Counter"].schema) == is_other
