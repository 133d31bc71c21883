"""The secrets of one local house, made at random once and kept in its folder."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# who may do what at the gateway: the three people of a local house
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "operator": ("operator", "history"),
    "reviewer": ("reviewer",),
    "auditor": ("operator", "reviewer"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys that processes share, and the secrets of the house's operators by name."""

    actor_secret: str
    identifier_key: str
    contact_key: str  # AES-256, base64
    sms_api_key: str
    callback_secret: str
    operators: dict[str, str]

    def operator_key(self, name: str) -> str:
        """What the operator sends as a bearer token."""
        return f"pvo_{name}_{self.operators[name]}"

    def operator_list(self) -> str:
        """The gateway's list: name, roles and the SHA-256 of the secret; never the secret."""
        entries: list[str] = []
        for name, roles in OPERATORS.items():
            digest = hashlib.sha256(self.operators[name].encode()).hexdigest()
            entries.append(f"{name}:{'+'.join(roles)}:{digest}")
        return ",".join(entries)


def credentials(folder: Path) -> Credentials:
    """The folder's secrets, made the first time."""
    path = folder / "credentials.json"
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    made = Credentials(
        actor_secret=secrets.token_hex(32),
        identifier_key=secrets.token_hex(32),
        contact_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        sms_api_key=secrets.token_hex(32),
        callback_secret=secrets.token_urlsafe(24),
        operators={name: secrets.token_urlsafe(32) for name in OPERATORS},
    )
    _keep(path, (json.dumps(asdict(made), indent=1) + "\n").encode())
    return made


def checkpoint_key(folder: Path) -> Path:
    """The file of the key that signs the ledger's checkpoints (Ed25519), made the first time."""
    path = folder / "checkpoint-key.pem"
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        _keep(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def _keep(path: Path, content: bytes) -> None:
    """Write a secret that only its owner may read; whoever finds the file finds all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.rename(path)
