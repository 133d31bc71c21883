"""Certificates for tests: a CA of one's own, and what it signs for this machine."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A CA whose files are in a folder: ca.pem, and of each name signed name.pem and name.key."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(folder.name)
        made = self._signed(self.name, self.key, None)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str) -> tuple[str, str]:
        """Files of a certificate of 127.0.0.1 and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(_name(name), key, ipaddress.ip_address("127.0.0.1"))
        cert, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(cert), str(secret)

    def server(self) -> ssl.SSLContext:
        """The context of a server that this CA signed for."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*self.sign("server"))
        return made

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        address: ipaddress.IPv4Address | ipaddress.IPv6Address | None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), True)
        )
        if address is not None:
            named = x509.SubjectAlternativeName([x509.IPAddress(address)])
            built = built.add_extension(named, False)
        return built.sign(self.key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
