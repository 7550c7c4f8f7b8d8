import json
import uuid
from pathlib import Path

import pytest

from agent import keystore
from agent.configuration import Configuration, Rules, parse_configuration
from agent.errors import ConfigurationError, FolderError, KeystoreError
from agent.folder import SALTS_VARIABLE, SiteFolder, read_private, write_private
from agent.founding import found_site
from agent.keystore import KeyPurpose, create_key, load_key, read_passphrase
from agent.site import Site, open_site
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain
from consortium.kernel.secp256k1 import recover
from contracts.signing.keys import TypedData


def _configuration(**changes: object) -> Configuration:
    values: dict[str, object] = {
        "organization": uuid.UUID(int=7),
        "name": 'Hospital "6.5" \\ Süd',
        "platform_url": "https://platform.example",
        "chain_id": 417_001,
        "chain_urls": ("http://node:8545",),
        "hosts": ("member.hospital.example",),
        "rules": Rules(work_kinds=("ping",)),
    }
    return Configuration(**(values | changes))  # type: ignore[arg-type]  # the test's own table


def test_everything_that_init_makes_is_the_owners_alone(site: Site) -> None:
    root = site.folder.root

    modes = {path.name: path.lstat().st_mode & 0o777 for path in [root, *root.rglob("*")]}

    assert {name for name, mode in modes.items() if mode == 0o700} == {root.name, "keys"}
    assert {mode for name, mode in modes.items() if name not in {root.name, "keys"}} == {0o600}
    assert {"site.toml", "vote.json", "site.json", "passphrase", "pseudonym.key", "people.json"} <= modes.keys()


@pytest.mark.parametrize(
    ("name", "mode", "remedy"), [("site.toml", 0o640, "600"), ("keys", 0o750, "700"), ("", 0o701, "700")]
)
def test_folder_open_to_others_is_refused_with_the_command_that_mends_it(
    site: Site, name: str, mode: int, remedy: str
) -> None:
    path = site.folder.root / name
    path.chmod(mode)

    with pytest.raises(FolderError, match=f"chmod {remedy} {path}"):
        open_site(site.folder.root)

    path.chmod(int(remedy, 8))
    open_site(site.folder.root).journal.close()


def test_link_in_the_folder_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (site.folder.root / "extra").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FolderError, match="is a link"):
        open_site(site.folder.root)


def test_folder_without_a_site_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="init"):
        open_site(tmp_path)


def test_second_init_changes_nothing(site: Site) -> None:
    before = site.folder.keystore("vote").read_bytes()

    with pytest.raises(FolderError, match="holds a site already"):
        found_site(site.folder.root, site.configuration)

    assert site.folder.keystore("vote").read_bytes() == before


def test_private_file_is_replaced_in_one_step_and_a_leftover_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".file.new").write_bytes(b"half")

    write_private(tmp_path / "file", b"whole")

    assert read_private(tmp_path / "file") == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_configuration_is_read_as_it_was_written() -> None:
    assert parse_configuration(_configuration().to_toml().encode()) == _configuration()


@pytest.mark.parametrize("name", ["chain_token_file", "chain_jwt_key_file"])
def test_where_the_nodes_token_comes_from_is_read_as_it_was_written(name: str) -> None:
    configuration = _configuration(**{name: "/run/node token"})

    assert parse_configuration(configuration.to_toml().encode()) == configuration


def test_a_token_and_a_key_that_makes_tokens_are_not_both_taken() -> None:
    with pytest.raises(ConfigurationError, match="Keep one"):
        _configuration(chain_token_file="token", chain_jwt_key_file="key.pem")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[chain]", "[chain]\nmystery = 1", "unknown chain.mystery"),
        ("id = 417001", 'id = "417001"', "chain.id must be of type int"),
        ('url = "https://platform.example"', 'url = "http://platform.example"', "must be https"),
        ('rpc_urls = ["http://node:8545"]', "rpc_urls = []", "names no node"),
        ('url = "https://platform.example"', "", "platform.url is missing"),
        ("[rules]", "[rules", "not TOML"),
    ],
)
def test_wrong_configuration_is_refused_by_name(old: str, new: str, message: str) -> None:
    text = _configuration().to_toml()
    assert old in text

    with pytest.raises(ConfigurationError, match=message):
        parse_configuration(text.replace(old, new, 1).encode())


@pytest.mark.parametrize("changes", [{"name": "two\nlines"}, {"name": " "}, {"port": 70_000}, {"chain_id": 0}])
def test_configuration_that_cannot_be_meant_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        _configuration(**changes)


def test_key_signs_after_the_round_trip_through_its_file(site: Site) -> None:
    key = load_key(site.folder, KeyPurpose.VOTE, read_passphrase(site.folder))
    request = {**dict.fromkeys(("organization", "method_path", "body", "nonce"), bytes(32)), "time": 1}
    data = TypedData(Domain(AGENT_DOMAIN, 1), "AgentRequest", request)

    assert recover(data.digest, key.sign(data)) == key.address
    assert key.address == keystore.address_in(site.folder, KeyPurpose.VOTE)
    assert key._secret.hex() not in repr(key) + str(key)


def test_wrong_pass_phrase_opens_nothing(site: Site) -> None:
    with pytest.raises(KeystoreError, match="does not open"):
        load_key(site.folder, KeyPurpose.VOTE, "another")


def test_pass_phrase_may_lie_elsewhere(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "phrase"
    write_private(elsewhere, site.folder.passphrase.read_bytes() + b"\n")
    site.folder.passphrase.unlink()
    monkeypatch.setenv(keystore.PASSPHRASE_FILE_VARIABLE, str(elsewhere))

    assert load_key(site.folder, KeyPurpose.SITE, read_passphrase(site.folder)).purpose is KeyPurpose.SITE


def test_a_site_whose_pass_phrase_lies_elsewhere_holds_none_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(tmp_path / "phrase", b"a pass phrase of the member")
    monkeypatch.setenv(keystore.PASSPHRASE_FILE_VARIABLE, str(tmp_path / "phrase"))

    addresses = found_site(tmp_path / "site", _configuration())

    folder = SiteFolder(tmp_path / "site")
    assert not folder.passphrase.exists()
    assert load_key(folder, KeyPurpose.VOTE, "a pass phrase of the member").address == addresses[KeyPurpose.VOTE]


def test_salts_may_lie_on_storage_of_their_own(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = tmp_path / "apart"
    monkeypatch.setenv(SALTS_VARIABLE, str(apart))

    opened = open_site(site.folder.root)
    opened.consents.vault.database.close()
    opened.journal.close()

    assert (apart / "salts.sqlite").exists()
    assert not list(site.folder.root.glob("salts*"))
    assert apart.stat().st_mode & 0o777 == 0o700


def test_a_salts_folder_that_others_can_reach_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = tmp_path / "apart"
    apart.mkdir()
    # Not by mkdir's mode: the process may hide new folders from others by its umask.
    apart.chmod(0o755)
    monkeypatch.setenv(SALTS_VARIABLE, str(apart))

    with pytest.raises(FolderError, match=f"chmod 700 {apart}"):
        open_site(site.folder.root)


def test_salts_that_lie_in_the_site_are_moved_before_others_are_made(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(site.folder.root / "salts.sqlite", b"salts of earlier consents")
    monkeypatch.setenv(SALTS_VARIABLE, str(tmp_path / "apart"))

    with pytest.raises(FolderError, match="move salts"):
        open_site(site.folder.root)

    assert not (tmp_path / "apart").exists()


def test_key_is_never_overwritten(site: Site) -> None:
    before = site.folder.keystore("vote").read_bytes()

    with pytest.raises(KeystoreError, match="never overwritten"):
        create_key(site.folder, KeyPurpose.VOTE, "x")

    assert site.folder.keystore("vote").read_bytes() == before


@pytest.mark.parametrize("change", [{"n": 2**30}, None])
def test_damaged_or_unreasonable_keystore_is_refused(site: Site, change: dict[str, int] | None) -> None:
    path = site.folder.keystore("vote")
    document = json.loads(path.read_bytes())
    if change:
        document["crypto"]["kdfparams"] |= change
    write_private(path, json.dumps(document).encode() if change else b"{}")

    with pytest.raises(KeystoreError):
        load_key(site.folder, KeyPurpose.VOTE, "x")


def test_keystore_whose_address_was_changed_is_refused(site: Site) -> None:
    path = site.folder.keystore("vote")
    document = json.loads(path.read_bytes()) | {"address": "11" * 20}
    write_private(path, json.dumps(document).encode())

    with pytest.raises(KeystoreError, match="another address"):
        load_key(site.folder, KeyPurpose.VOTE, read_passphrase(site.folder))


def test_folder_knows_its_places(tmp_path: Path) -> None:
    folder = SiteFolder(tmp_path)

    assert folder.keystore("vote") == tmp_path / "keys" / "vote.json"
    assert folder.journal == tmp_path / "journal.sqlite"
