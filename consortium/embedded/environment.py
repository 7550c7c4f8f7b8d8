"""What each program is told: addresses and only the secrets that its role needs."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from consortium.embedded.accounts import Account
from consortium.embedded.anvil import DEVELOPMENT_CHAIN_ID
from consortium.embedded.credentials import Credentials, write_secret
from consortium.embedded.layout import Layout
from consortium.embedded.tied import INSTANCE_VARIABLE

ROLES = ("app", "system", "owner")


def base_environment(layout: Layout) -> dict[str, str]:
    """What every child gets: a path, a mark to find it by, no variable of ours from outside."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    return kept | {
        INSTANCE_VARIABLE: str(layout.root),
        "HOME": str(layout.platform),
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The hospitals' models are small: threads of the linear algebra only get in each other's way.
        "OPENBLAS_NUM_THREADS": "1",
    }


@dataclass(frozen=True)
class Addresses:
    """Where the services answer: embedded, or named in the environment."""

    database: dict[str, str]
    broker: str
    cache: str
    chain: str
    public: str = "http://127.0.0.1:8000"
    chain_id: int = DEVELOPMENT_CHAIN_ID


def platform_environment(layout: Layout, credentials: Credentials, addresses: Addresses, role: str) -> dict[str, str]:
    """The platform's variables for one database role (`app`, `system` or `owner`)."""
    return {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "consortium.settings.development"),
        "SECRET_KEY": credentials.secret("secret-key"),
        "OIDC_PRIVATE_KEY_FILE": str(layout.platform / "oidc.pem"),
        "DATABASE_URL": addresses.database[role],
        "CONSILIUM_DATABASE_ROLE": role,
        "CELERY_BROKER_URL": addresses.broker,
        "CACHE_URL": addresses.cache,
        "CHAIN_RPC_URL": addresses.chain,
        "CHAIN_ID": str(addresses.chain_id),
        "RELAY_KEY_FILE": str(layout.platform / "relay.json"),
        "LOG_KEY_FILE": str(layout.platform / "log.key"),
        "PLATFORM_FOLDER": str(layout.platform),
        "PUBLIC_URL": addresses.public,
        "STATIC_ROOT": str(layout.root / "static"),
    }


def write_environment_files(layout: Layout, credentials: Credentials, addresses: Addresses) -> None:
    """Leave the variables where `manage.py` finds them, one file a role, readable by who started the instance."""
    for role in ROLES:
        values = platform_environment(layout, credentials, addresses, role)
        text = "".join(f"{name}={value}\n" for name, value in values.items() if name != "CONSILIUM_DATABASE_ROLE")
        write_secret(layout.root / "environment" / f"{role}.env", text)


def ensure_oidc_key(path: Path, account: Account) -> None:
    """Make the key that signs the API's tokens, once."""
    if path.exists():
        return
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    write_secret(path, pem, account)
