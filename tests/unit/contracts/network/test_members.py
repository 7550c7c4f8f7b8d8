"""The members file: what it may say, and that everything else is refused with cause and remedy."""

import contextlib
import copy
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.embedded.layout import project_root
from contracts.network.enodes import parse_enode, parse_node_key, public_key_of
from contracts.network.errors import EnodeError, MembersFileError
from contracts.network.members import Member, Numbers, parse_members
from tests.unit.contracts.network.files import content, document

KEY = public_key_of((7).to_bytes(32, "big")).hex()


def changed(place: list[Any], value: Any) -> bytes:
    """A good file with one value set, or removed where it is None."""
    found: Any = copy.deepcopy(document())
    at = found
    for step in place[:-1]:
        at = at[step]
    if value is None:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return content(found)


def test_the_guides_file_is_one():
    guide = (project_root() / "docs" / "guides" / "operator.md").read_text()
    block = guide[guide.index("    network:\n") :].partition("\n\n")[0]

    file = parse_members(textwrap.dedent(block).encode())

    assert [member.name for member in file.members] == ["general", "mercy", "valley", "saint-anna"]
    assert file.members[2].rpc_names == ("node.valley.example",)


def test_what_is_left_out_has_defaults_that_a_network_ran_on():
    file = parse_members(content(document()))

    assert file.numbers == Numbers("arizona-cardiac", 20_262, 1, 5, 4, 60_000_000, 4)
    assert file.members[0] == Member("general", "10.0.0.1", 30_303, None, "127.0.0.1", ())


def test_everything_may_be_said():
    whole = document()
    whole["network"] |= {"block_period_seconds": 2, "empty_block_period_seconds": 10, "request_timeout_seconds": 8}
    whole["network"] |= {"gas_limit": 30_000_000, "minimum_validators": 4}
    whole["members"][1] |= {"port": 30_304, "public_key": "0x" + KEY, "rpc_host": "10.0.0.2"}
    whole["members"][1] |= {"rpc_names": ["node.mercy.example"], "host": "2001:DB8::1"}

    file = parse_members(content(whole))

    assert (file.numbers.block_period_seconds, file.numbers.gas_limit) == (2, 30_000_000)
    expected = Member("mercy", "2001:db8::1", 30_304, bytes.fromhex(KEY), "10.0.0.2", ("node.mercy.example",))
    assert file.members[1] == expected


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["network"], None, "lacks `network`"),
        (["members"], None, "lacks `members`"),
        (["network", "chain_id"], None, "lacks `chain_id`"),
        (["network", "chain_id"], 0, "within 1 and"),
        (["network", "chain_id"], 2**53, "within 1 and"),
        (["network", "chain_id"], True, "a whole number"),
        (["network", "chain_id"], "20262", "a whole number"),
        (["network", "name"], "Arizona Cardiac", "small letters"),
        (["network", "emptyblockperiodseconds"], 5, "unknown emptyblockperiodseconds"),
        (["network", "block_period_seconds"], 6, "empty_block_period_seconds is below"),
        (["network", "request_timeout_seconds"], 1, "within 2 and 600"),
        (["network", "gas_limit"], 20_000_000, "within 30000000"),
        (["network", "empty_block_period_seconds"], 60, "within 1 and 20"),
        (["network", "minimum_validators"], 3, "within 4 and 64"),
        (["network", "minimum_validators"], 5, "there are 4 members. Lower it"),
        (["extra"], 1, "unknown extra"),
        (["members"], {"general": 1}, "a list is needed"),
        (["members", 3], None, "3 members cannot start a network"),
        (["members", 0], "general", "member 1 must be a mapping"),
        (["members", 0, "name"], None, "member 1 lacks `name`"),
        (["members", 0, "name"], "../mercy", "small letters"),
        (["members", 0, "name"], "mercy", "the same name"),
        (["members", 0, "host"], "node.general.example", "no IP address"),
        (["members", 0, "host"], "0.0.0.0", "Nobody is reached"),  # noqa: S104  an address that is refused
        (["members", 0, "host"], "10.0.0.2", "the same host and port"),
        (["members", 0, "port"], 0, "no port"),
        (["members", 0, "port"], 65_536, "no port"),
        (["members", 0, "public_key"], "ab" * 64, "no point of secp256k1"),
        (["members", 0, "public_key"], KEY[:-1], "128 hexadecimal digits"),
        (["members", 0, "private_key"], "ab" * 32, "unknown private_key"),
        (["members", 0, "rpc_host"], "localhost", "an IP address of the machine"),
        (["members", 0, "rpc_names"], ["*"], "no host name"),
        (["members", 0, "rpc_names"], "general.example", "a list is needed"),
    ],
)
def test_a_file_that_cannot_become_a_network_is_refused(place, value, said):
    with pytest.raises(MembersFileError, match=said):
        parse_members(changed(place, value))


def test_two_members_cannot_have_one_key():
    whole = document()
    for member in whole["members"][:2]:
        member["public_key"] = KEY
    with pytest.raises(MembersFileError, match="the same public_key"):
        parse_members(content(whole))


def test_more_than_64_members_are_refused():
    members = [{"name": f"m{n}", "host": f"10.0.1.{n}"} for n in range(65)]
    with pytest.raises(MembersFileError, match="65 members"):
        parse_members(content(document(members=members)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"network: {name: a, name: b}", "line 1: 'name' stands twice"),
        (b"network: &here {name: a}\nmembers: *here", "aliases"),
        (b"network: !!python/object/apply:os.system [ls]", "not plain YAML"),
        (b"network: [", "not plain YAML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"? [a, b]\n: 1", "a key is a plain word"),
        (b"", "must be a mapping"),
        (b"[]", "must be a mapping"),
        (b"a: 1\n---\nb: 1", "not plain YAML"),
        (b"x" * (2**20 + 1), "larger than 1 MiB"),
        (b"[" * 2_000, "not plain YAML"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_only_plain_yaml_is_read(text, said):
    with pytest.raises(MembersFileError, match=said):
        parse_members(text)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.floats() | st.text(max_size=12) | st.dates(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)
_PLACES = st.sampled_from(
    [["network"], ["network", "chain_id"], ["network", "name"], ["network", "gas_limit"], ["members"]]
    + [["members", 0, key] for key in ("name", "host", "port", "public_key", "rpc_host", "rpc_names")]
)


@given(place=_PLACES, value=_VALUES)
def test_any_value_anywhere_is_taken_or_refused_by_name(place, value):
    whole: Any = document()
    at = whole
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with contextlib.suppress(MembersFileError):
        parse_members(content(whole))


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused_in_words(raw):
    with pytest.raises(MembersFileError):
        parse_members(raw)


@given(st.integers(1, 2**200), st.ip_addresses(), st.integers(1, 65_535))
def test_an_enode_comes_back_from_its_text(secret, address, port):
    text = f"enode://{public_key_of(secret.to_bytes(32, 'big')).hex()}@"
    text += f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    if address.is_unspecified or address.is_multicast:
        with pytest.raises(EnodeError):
            parse_enode(text)
    else:
        assert parse_enode(f"{text}?discport=0") == parse_enode(str(parse_enode(text)))


@pytest.mark.parametrize("text", ["enode://xx", f"enode://{KEY}@node1.hospital:30303", f"enode://{KEY}@10.0.0.1", ""])
def test_what_is_no_enode_is_refused(text):
    with pytest.raises(EnodeError):
        parse_enode(text)


def test_a_key_that_is_off_the_curve_is_no_node():
    with pytest.raises(EnodeError, match="no point"):
        parse_node_key("00" * 64)
