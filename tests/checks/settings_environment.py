"""An environment in which settings can be read without any service: nothing in it is a secret of anybody."""

import os
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def set_environment(settings: str) -> None:
    """Set every variable that `settings` asks for; the addresses lead nowhere."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": settings,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "OIDC_PRIVATE_KEY": pem,
        "DATABASE_URL": "postgres://nobody@/nothing?host=/nonexistent",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "CACHE_URL": "redis://127.0.0.1:1/1",
        "ALLOWED_HOSTS": "consilium.example",
    }
