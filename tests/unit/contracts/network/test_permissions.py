"""The allow-lists in Besu's own form."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.network.enodes import Enode, public_key_of
from contracts.network.errors import AllowListError
from contracts.network.permissions import AllowList, parse_allow_list

DATA = Path(__file__).parents[3] / "data" / "besu"
RECORDED = {row["label"]: row for row in map(json.loads, (DATA / "perm.jsonl").read_text().splitlines())}

_NODES = st.builds(
    Enode,
    key=st.integers(1, 2**64).map(lambda secret: public_key_of(secret.to_bytes(32, "big"))),
    host=st.ip_addresses(v=4, network="10.0.0.0/8").map(str),
    port=st.integers(1, 65_535),
)


@given(st.lists(_NODES, max_size=5), st.lists(st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())))
def test_what_is_written_is_read_again_in_one_order(nodes, accounts):
    written = AllowList.of(nodes, accounts)

    assert parse_allow_list(written.to_toml().encode()) == written
    assert AllowList.of(reversed(nodes + nodes), reversed(accounts)) == written


def test_lists_as_a_node_answers_them_are_read_by_value():
    nodes = RECORDED["nodes after additions"]["response"]["result"]
    accounts = RECORDED["accounts at the end"]["response"]["result"]

    # Besu writes its file so: other white space, addresses in small letters.
    text = f"accounts-allowlist={json.dumps(accounts)}\nnodes-allowlist={json.dumps(nodes)}\n"

    found = parse_allow_list(text.encode())
    assert sorted(str(node) for node in found.nodes) == sorted(nodes)
    assert [account.lower() for account in found.accounts] == accounts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes-allowlist=[", "not TOML"),
        ("nodes-whitelist=[]", "unknown nodes-whitelist"),
        ("nodes-allowlist=1", "a list of texts"),
        ("accounts-allowlist=[1]", "a list of texts"),
        ('accounts-allowlist=["0x12"]', "An address is"),
        ('nodes-allowlist=["enode://xx"]', "An enode reads"),
    ],
)
def test_a_file_in_another_form_is_refused(text, said):
    with pytest.raises(AllowListError, match=said):
        parse_allow_list(text.encode())
