"""Named keys: one for each purpose out of a root; sealing and stamping with them.

Every sealed text and every stamp begins with its key's head: one byte of version, five of the id
of the root that the key comes from. So a reader knows which key to take, and which one it lacks
(findings S20).
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = b"\x01"
ID_BYTES: Final = 5  # a head is 6 bytes, which are exactly 8 letters of base64
HEAD_BYTES: Final = 1 + ID_BYTES
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Key:
    """A key of one purpose. head: the first bytes of all it seals or stamps; secret: 32 bytes."""

    head: bytes
    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """How people name it: hex of the root's id, the same for every purpose of one root."""
        return self.head[1:].hex()


Ring = tuple[Key, ...]  # of one purpose: the first one seals and stamps, every one opens


class MissingKey(ValueError):
    """Sealed or stamped with a key that the ring lacks; names it. The bytes themselves are good."""

    def __init__(self, head: bytes, ring: Ring) -> None:
        self.key_id = head[1:].hex()
        detail = (
            f"key {self.key_id} is missing (here: {names(ring)}); give it again, after the newest"
        )
        super().__init__(detail if head[:1] == VERSION else f"form {head[:1].hex()} is not known")


class Unsealable(ValueError):
    """Sealed for another person or purpose, cut short, or changed."""


def ring(roots: Sequence[str], purpose: str, *, setting: str) -> Ring:
    """Keys of a purpose. roots: 32 bytes in base64 each, the newest first, as a setting has them.

    Raises ValueError that names the setting and no key.
    """
    try:
        raw = [base64.b64decode(text, validate=True) for text in roots]
    except ValueError as error:
        raise ValueError(f"{setting}: not base64 ({error})") from error
    if not raw or any(len(root) != KEY_BYTES for root in raw):
        raise ValueError(f"{setting}: keys of 32 bytes each, in base64, the newest first")
    if len(set(raw)) < len(raw):
        raise ValueError(f"{setting}: one key is there twice")
    return tuple(derive(root, purpose) for root in raw)


def derive(root: bytes, purpose: str) -> Key:
    """The key of a purpose, and the root's id: HKDF-SHA-256 (RFC 5869), one block each."""
    extracted = hmac.digest(b"peyvand keys", root, "sha256")
    key_id = hmac.digest(extracted, b"id\x01", "sha256")[:ID_BYTES]
    secret = hmac.digest(extracted, b"for " + purpose.encode() + b"\x01", "sha256")
    return Key(VERSION + key_id, secret)


def names(keys: Ring) -> str:
    """Ids of a ring for a log: the first one seals, all open."""
    return ", ".join(key.key_id for key in keys)


def find(keys: Ring, product: bytes) -> Key:
    """The key that sealed or stamped these bytes, by their head. Raises MissingKey."""
    for key in keys:
        if product.startswith(key.head):
            return key
    raise MissingKey(product[:HEAD_BYTES], keys)


def seal(key: Key, nonce: bytes, content: bytes, member: int) -> bytes:
    """head, nonce (12 bytes, never used twice), AES-256-GCM bound to head and member's number."""
    bound = key.head + b"%d" % member
    return key.head + nonce + AESGCM(key.secret).encrypt(nonce, content, bound)


def unseal(keys: Ring, sealed: bytes, member: int) -> bytes:
    """The content that `seal` sealed under one of the keys. Raises MissingKey, Unsealable."""
    key = find(keys, sealed)
    nonce, content = (
        sealed[HEAD_BYTES : HEAD_BYTES + NONCE_BYTES],
        sealed[HEAD_BYTES:][NONCE_BYTES:],
    )
    try:
        return AESGCM(key.secret).decrypt(nonce, content, key.head + b"%d" % member)
    except (InvalidTag, ValueError) as error:
        raise Unsealable(f"personal data of member {member} does not open") from error


def stamp(key: Key, content: bytes) -> bytes:
    """head, then HMAC-SHA-256: the same for the same content under the same key."""
    return key.head + hmac.digest(key.secret, content, "sha256")
