"""The secrets of one local cluster, made at random once and kept in its folder."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True, slots=True)
class Operator:
    """A person of a local cluster: roles at the gateway (kit.auth.Role), and the same in words."""

    roles: tuple[str, ...]
    may: str


OPERATORS: Mapping[str, Operator] = {
    "operator": Operator(
        ("partners", "terminals", "money", "enrol", "support", "rules", "history", "users"),
        "administers: parties, merchants, terminals, programmes, terms, members, rules, history,"
        " users",
    ),
    "treasurer": Operator(
        ("money",), "a second person for what moves money: approves merchants who apply"
    ),
    "reviewer": Operator(("reviewer",), "decides the cases that fraud holds for review"),
    "auditor": Operator(
        ("auditor",), "reads the book, its proofs, positions, cases and the trail; writes nothing"
    ),
}


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """key: the whole of what is sent as a bearer token. may: what it is for, in words."""

    key: str
    may: str

    @property
    def secret(self) -> str:
        """The part that the gateway knows by its SHA-256."""
        return self.key.split("_", 2)[2]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys that processes share, and the whole keys of the cluster's operators by name."""

    actor_secret: str  # the gateway's own; each room is given what follows from it
    # of each the newest first, parted by commas; 32 bytes in base64 (contracts.keys)
    identifier_keys: str  # of members and the gateway
    contact_keys: str  # of members and notify
    member_keys: str  # of members alone
    identity_keys: str  # of identity alone
    sms_api_key: str
    callback_secret: str
    operators: dict[str, OperatorKey]

    def operator_key(self, name: str) -> str:
        """What the operator sends as a bearer token."""
        return self.operators[name].key

    def operator_list(self) -> str:
        """The gateway's list: name, roles and the SHA-256 of the secret; never the secret."""
        entries: list[str] = []
        for name, operator in OPERATORS.items():
            digest = hashlib.sha256(self.operators[name].secret.encode()).hexdigest()
            entries.append(f"{name}:{'+'.join(operator.roles)}:{digest}")
        return ",".join(entries)


def credentials(folder: Path) -> Credentials:
    """The folder's secrets, made the first time. Raises ValueError for a cluster of before."""
    path = folder / "credentials.json"
    if path.exists():
        kept = json.loads(path.read_text())
        if "member_keys" not in kept:
            raise ValueError(
                f"{path} is of before keys had names: make this cluster anew (make clean)"
            )
        if "identity_keys" not in kept:  # of before people signed in: the service is new to it
            kept["identity_keys"] = _root()
            _keep(path, (json.dumps(kept, indent=1) + "\n").encode())
        keys = {name: OperatorKey(**fields) for name, fields in kept.pop("operators").items()}
        known = Credentials(**kept, operators=_new_keys() | keys)
        if known.operators != keys:  # an operator that the cluster did not have when it was made
            _keep_credentials(path, known)
        return known
    created = Credentials(
        actor_secret=secrets.token_hex(32),
        identifier_keys=_root(),
        contact_keys=_root(),
        member_keys=_root(),
        identity_keys=_root(),
        sms_api_key=secrets.token_hex(32),
        callback_secret=secrets.token_urlsafe(24),
        operators=_new_keys(),
    )
    _keep_credentials(path, created)
    return created


def checkpoint_key(folder: Path) -> Path:
    """The file of the key that signs the ledger's checkpoints (Ed25519), made the first time."""
    path = folder / "checkpoint-key.pem"
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        _keep(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def _new_keys() -> dict[str, OperatorKey]:
    return {
        name: OperatorKey(f"pvo_{name}_{secrets.token_urlsafe(32)}", operator.may)
        for name, operator in OPERATORS.items()
    }


def _keep_credentials(path: Path, kept: Credentials) -> None:
    _keep(path, (json.dumps(asdict(kept), indent=1) + "\n").encode())


def _root() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _keep(path: Path, content: bytes) -> None:
    """Write a secret that only its owner may read; whoever finds the file finds all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.rename(path)
