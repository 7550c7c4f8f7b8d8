"""A certificate authority for one test: it signs a server and a client, and whatever else a test wants of it."""

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)
_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass
class Authority:
    """Writes PEM files into a folder; keys are 0600."""

    folder: Path
    name: str = "authority"
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        now = datetime.now(UTC)
        builder = _builder(self.name, self.name, self.key, now - _DAY, now + _DAY)
        self.certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
            self.key, hashes.SHA256()
        )
        self.path = self._write(f"{self.name}.pem", self.certificate.public_bytes(Encoding.PEM), 0o644)

    def issue(self, name: str, usage: str, *, address: str = "127.0.0.1", ends: timedelta = _DAY) -> tuple[Path, Path]:
        """Return the paths of a certificate and its key; it ends so long from now."""
        key, ends_at = generate_private_key(SECP256R1()), datetime.now(UTC) + ends
        builder = _builder(name, self.name, key, ends_at - 2 * _DAY, ends_at)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = (
            builder.add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage([_USAGES[usage]]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        certificate = self._write(f"{name}.pem", made.public_bytes(Encoding.PEM), 0o644)
        return certificate, self._write(f"{name}.key", secret, 0o600)

    def _write(self, name: str, content: bytes, mode: int) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(mode)
        return path


def _builder(
    subject: str, issuer: str, key: EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
