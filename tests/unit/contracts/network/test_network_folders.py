"""What `manage.py chain genesis` writes: everything or nothing, and to each member its own secrets alone."""

import io
import json
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command

from consortium.embedded.layout import project_root
from consortium.kernel.secp256k1 import address_of
from contracts.network import making, output_folder
from contracts.network.enodes import parse_enode, public_key_of
from contracts.network.errors import FolderNotEmptyError, MembersFileError
from contracts.network.making import MadeNetwork, make_network
from contracts.network.node_configuration import HTTP_APIS
from contracts.network.permissions import parse_allow_list
from contracts.network.predeployed import SOURCE_ADDRESS
from tests.unit.contracts.network.files import HOSPITALS, RELAY, content, document

OWN_KEY = public_key_of((11).to_bytes(32, "big"))
COMMON = [
    *(
        "README.md",
        "besu.env",
        "besu.service",
        "config.toml",
        "consilium-reconcile.service",
        "container.sh",
        "genesis.json",
    ),
    "permissions_config.toml",
]
# What Besu's own test of its options lists; see the file.
OPTIONS = json.loads((project_root() / "tests" / "data" / "besu" / "options.json").read_text())["options"]
KINDS = {bool: "boolean", int: "number", str: "text", list: "list"}
SECOND_RELAY = "0x5115D6CA81312d07E480f4EE3E3F2A36F10C1a36"


def with_own_key() -> bytes:
    whole = document()
    whole["members"][3]["public_key"] = OWN_KEY.hex()
    whole["members"][3] |= {"rpc_host": "10.0.0.4", "rpc_names": ["node.valley.example"]}
    return content(whole)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "handed-out"


@pytest.fixture
def made(target: Path) -> MadeNetwork:
    return make_network(with_own_key(), relays=[RELAY, SECOND_RELAY.lower()], target=target)


def config(target: Path, name: str) -> dict[str, object]:
    return tomllib.loads((target / name / "config.toml").read_text())


def test_each_member_gets_a_folder_and_the_one_with_its_own_key_no_key_file(made, target):
    assert sorted(path.name for path in target.iterdir()) == sorted(["genesis.json", *HOSPITALS])
    for name in HOSPITALS:
        keys = [] if name == "valley" else ["node.key"]
        assert sorted(path.name for path in (target / name).iterdir()) == sorted([*COMMON, *keys, "static-nodes.json"])


def test_a_key_file_is_its_owners_alone_and_belongs_to_the_node_that_the_others_know(made, target):
    for node in made.nodes[:3]:
        path = target / node.member.name / "node.key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert address_of(bytes.fromhex(path.read_text().strip()[2:])) == node.enode.address
    assert made.nodes[3].enode.key == OWN_KEY
    assert len({node.private_key for node in made.nodes[:3]}) == 3


def test_no_folder_holds_another_members_secret(made, target):
    for node in made.nodes:
        for path in target.rglob("*"):
            if path.is_file() and path != target / node.member.name / "node.key" and node.private_key:
                assert node.private_key.hex() not in path.read_text()
                assert not list(path.parent.glob("*private*"))


def test_all_have_the_same_genesis_with_all_nodes_as_validators(made, target):
    texts = {(target / name / "genesis.json").read_text() for name in HOSPITALS}
    texts.add((target / "genesis.json").read_text())

    assert len(texts) == 1
    storage = json.loads(texts.pop())["alloc"][SOURCE_ADDRESS[2:]]["storage"]
    listed = {int(word, 16) for word in storage.values()}
    assert {int(node.enode.address, 16) for node in made.nodes} < listed


def test_every_static_node_is_on_the_allow_list_and_the_relays_may_send(made, target):
    enodes = {node.enode for node in made.nodes}
    for node in made.nodes:
        folder = target / node.member.name
        static = {parse_enode(text) for text in json.loads((folder / "static-nodes.json").read_text())}
        allowed = parse_allow_list((folder / "permissions_config.toml").read_bytes())
        assert static == enodes - {node.enode}
        assert set(allowed.nodes) == enodes
        assert set(allowed.accounts) == {RELAY, SECOND_RELAY}


def test_the_http_port_has_no_administration_and_the_second_port_is_on_loopback(made, target):
    for name in HOSPITALS:
        found = config(target, name)
        assert found["rpc-http-api"] == ["ETH", "NET", "WEB3", "QBFT", "TXPOOL"]
        assert (found["rpc-ws-host"], found["metrics-host"]) == ("127.0.0.1", "127.0.0.1")
        assert {"ADMIN", "PERM"} < set(found["rpc-ws-api"])  # type: ignore[call-overload]
        for port in ("http", "ws"):
            assert found[f"rpc-{port}-authentication-enabled"] is True
            assert found[f"rpc-{port}-authentication-jwt-public-key-file"] == "/etc/besu/rpc-public.pem"
    assert config(target, "general")["host-allowlist"] == ["localhost", "127.0.0.1"]
    assert config(target, "valley")["host-allowlist"] == ["localhost", "127.0.0.1", "10.0.0.4", "node.valley.example"]
    assert config(target, "valley")["rpc-http-host"] == "10.0.0.4"


def test_gas_is_free_and_the_pool_outlives_a_restart(made, target):
    found = config(target, "mercy")
    wanted = {"min-gas-price": 0, "tx-pool": "SEQUENCED", "tx-pool-enable-save-restore": True}
    wanted |= {"revert-reason-enabled": True, "sync-mode": "FULL", "data-storage-format": "FOREST"}
    wanted |= {"permissions-nodes-config-file-enabled": True, "permissions-accounts-config-file-enabled": True}
    assert wanted.items() <= found.items()
    for name in ("besu.service", "container.sh"):
        assert "--profile=ENTERPRISE --config-file=/etc/besu/config.toml" in (target / "mercy" / name).read_text()


def test_besu_knows_every_option_and_takes_its_kind_of_value(made, target):
    for name in HOSPITALS:
        found = config(target, name)
        assert {option: KINDS[type(value)] for option, value in found.items()} == {o: OPTIONS.get(o) for o in found}


@pytest.mark.parametrize(("name", "http"), [("general", "127.0.0.1"), ("valley", "10.0.0.4")])
def test_the_images_environment_opens_no_port_to_the_world(made, target, name, http):
    """Besu's Dockerfile sets BESU_RPC_HTTP_HOST and BESU_RPC_WS_HOST to 0.0.0.0, and a variable wins over the file."""
    script = (target / name / "container.sh").read_text().replace("\\\n", " ")
    words = shlex.split(script, comments=True)
    command = words[words.index("$BESU_IMAGE") + 1 :]
    assert command[:2] == ["--profile=ENTERPRISE", "--config-file=/etc/besu/config.toml"]
    assert set(command[2:]) == {f"--rpc-http-host={http}", "--rpc-ws-host=127.0.0.1"}


def test_a_machine_without_the_user_starts_no_container(made, target, tmp_path):
    (tmp_path / "id").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "docker").write_text("#!/bin/sh\necho started\n")
    for program in ("id", "docker"):
        (tmp_path / program).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "BESU_IMAGE": "besu@sha256:00"}
    found = subprocess.run(
        ["sh", target / "general" / "container.sh"], capture_output=True, text=True, check=False, env=environment
    )
    assert (found.returncode != 0, "started" in found.stdout) == (True, False)


def test_the_container_is_started_by_a_script_that_a_shell_reads(made, target):
    script = target / "mercy" / "container.sh"
    assert script.stat().st_mode & 0o111 == 0o111
    assert subprocess.run(["sh", "-n", script], capture_output=True, check=False).stderr == b""
    unnamed = subprocess.run(["sh", script], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert (unnamed.returncode != 0, "name the image by its digest" in unnamed.stderr) == (True, True)


def test_the_readme_puts_every_file_of_the_folder_where_the_node_looks_for_it(made, target):
    text = (target / "general" / "README.md").read_text()
    installed: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["install"] and "-d" not in words:
            installed |= dict.fromkeys((word for word in words[7:-1]), words[-1])
    options = config(target, "general")
    named = [value for value in options.values() if isinstance(value, str) and value.startswith("/")]
    wanted = {Path(value).name: str(Path(value).parent) for value in named if Path(value).suffix}
    assert installed == wanted | {"config.toml": "/etc/besu", "besu.env": "/etc/besu"}
    rest = {"besu.service", "consilium-reconcile.service", "container.sh", "README.md"}
    assert {path.name for path in (target / "general").iterdir()} - rest == installed.keys() - {"rpc-public.pem"}


def test_the_readme_asks_the_node_by_a_name_that_it_lets_in(tmp_path):
    whole = document()
    everywhere = "0.0.0.0"  # noqa: S104  what a member may write
    for member, host in zip(whole["members"], ("127.0.0.1", everywhere, "10.0.0.4", "::1"), strict=True):
        member["rpc_host"] = host
    make_network(content(whole), relays=[RELAY], target=tmp_path / "out")
    for name, asked in zip(HOSPITALS, ("127.0.0.1", "127.0.0.1", "10.0.0.4", "[::1]"), strict=True):
        assert f"http://{asked}:8545" in (tmp_path / "out" / name / "README.md").read_text()
        assert asked.strip("[]") in config(tmp_path / "out", name)["host-allowlist"]  # type: ignore[operator]


def test_the_readmes_token_is_one_that_the_node_takes(made, target, tmp_path):
    text = (target / "general" / "README.md").read_text()
    line = next(line.strip() for line in text.splitlines() if line.strip().startswith("python -c '"))
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "rpc-private.pem").write_bytes(pem)

    program = shlex.split(line)[2]
    made_token = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    claims = jwt.decode(made_token.stdout.strip(), key.public_key(), algorithms=["RS256"], options={"require": ["exp"]})
    assert claims["permissions"] == [f"{api.lower()}:*" for api in HTTP_APIS]


def test_the_readme_names_this_node_and_how_a_lost_quorum_looks(made, target):
    text = (target / "general" / "README.md").read_text()
    assert str(made.nodes[0].enode) in text
    assert made.nodes[0].enode.address in text
    for title in ("## Before the start", "## The start", "## Backup", "## Lost quorum", "## Agreed restart"):
        assert title in text
    assert "$" not in text
    assert "you made it yourself" in (target / "valley" / "README.md").read_text()


def test_the_same_keys_make_the_same_genesis_byte_for_byte(tmp_path):
    whole = document()
    for place, member in enumerate(whole["members"], start=1):
        member["public_key"] = public_key_of(place.to_bytes(32, "big")).hex()
    for name in ("one", "two"):
        make_network(content(whole), relays=[RELAY], target=tmp_path / name)

    first, second = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()}
        for n in ("one", "two")
    )
    assert first == second


def test_nothing_is_written_over_what_is_there(made, target):
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}

    with pytest.raises(FolderNotEmptyError, match="Nothing was written"):
        make_network(with_own_key(), relays=[RELAY], target=target)

    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert list(target.parent.iterdir()) == [target]


def test_an_empty_folder_and_missing_parents_are_used(tmp_path):
    (tmp_path / "empty").mkdir()
    make_network(with_own_key(), relays=[RELAY], target=tmp_path / "empty")
    make_network(with_own_key(), relays=[RELAY], target=tmp_path / "a" / "b")
    assert (tmp_path / "empty" / "general").is_dir()
    assert (tmp_path / "a" / "b" / "general").is_dir()


def test_a_disk_that_refuses_in_the_middle_leaves_nothing(target, monkeypatch):
    writes = iter(range(100))
    whole = output_folder._write

    def write_or_fail(path, file):
        if next(writes) == 9:
            raise OSError(28, "No space left on device")
        whole(path, file)

    monkeypatch.setattr(output_folder, "_write", write_or_fail)
    with pytest.raises(OSError, match="No space left"):
        make_network(with_own_key(), relays=[RELAY], target=target)

    assert list(target.parent.iterdir()) == []


def test_a_relay_that_is_a_nodes_address_is_refused(target, monkeypatch):
    node = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    whole = document()
    whole["members"][0]["public_key"] = public_key_of((1).to_bytes(32, "big")).hex()
    with pytest.raises(MembersFileError, match="a node's address and a relay's"):
        make_network(content(whole), relays=[node], target=target)
    assert not target.exists()


def run(*options: str) -> str:
    written = io.StringIO()
    call_command("chain", "genesis", *options, stdout=written)
    return written.getvalue()


def test_the_command_tells_what_it_wrote_and_what_to_do_next(tmp_path, target):
    members = tmp_path / "members.yaml"
    members.write_bytes(with_own_key())

    said = run("--members", str(members), "--out", str(target), "--relay", RELAY)

    assert "of 4 members is written" in said
    assert said.count("node.key is there") == 3
    assert said.count("its own key") == 1
    assert "delete the keys here" in said
    assert "private" not in said


@pytest.mark.parametrize(
    ("relay", "members", "said"),
    [
        ("0x12", document(), "An address is 0x"),
        (RELAY, document(members=[]), "0 members cannot start"),
        (RELAY, None, "cannot be read: No such file"),
    ],
)
def test_the_command_refuses_with_the_cause_and_writes_nothing(tmp_path, target, relay, members, said):
    path = tmp_path / "members.yaml"
    if members is not None:
        path.write_bytes(content(members))
    with pytest.raises(CommandError, match=said):
        run("--members", str(path), "--out", str(target), "--relay", relay)
    assert not target.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    members = tmp_path / "members.yaml"
    members.write_bytes(with_own_key())

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(making, "write_together", refuse)
    with pytest.raises(CommandError, match=r"Permission denied\. Nothing was left there"):
        run("--members", str(members), "--out", str(tmp_path / "x"), "--relay", RELAY)
