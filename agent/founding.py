"""Makes a new site's folder: configuration, keys, pass phrase, pseudonym key."""

import secrets
from pathlib import Path

from agent.configuration import Configuration
from agent.folder import SiteFolder, write_private
from agent.journal import Journal
from agent.keystore import KeyPurpose, create_key, create_passphrase, names_passphrase, read_passphrase

PSEUDONYM_KEY_BYTES = 32


def found_site(path: Path, configuration: Configuration) -> dict[KeyPurpose, str]:
    """Make the folder and return the addresses of the new keys, which go into the application.

    site.toml is written last: until then the folder is no site, and `init` may be run again on an empty one.
    """
    folder = SiteFolder(path)
    folder.create()
    if not names_passphrase():
        create_passphrase(folder)
    passphrase = read_passphrase(folder)
    addresses = {purpose: create_key(folder, purpose, passphrase) for purpose in KeyPurpose}
    write_private(folder.pseudonym_key, secrets.token_bytes(PSEUDONYM_KEY_BYTES).hex().encode())
    write_private(folder.configuration, configuration.to_toml().encode())
    journal = Journal(folder.journal)
    journal.record("site", "made", organization=str(configuration.organization), **addresses)
    journal.close()
    return addresses
