"""A member's sealed contact, opened for as long as a message needs it."""

import base64
import binascii
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.members import SealedContact

NONCE_BYTES: Final = 12


class Unreadable(Exception):
    """Sealed under another key, for another member, or damaged."""


def key_of(text: str) -> bytes:
    """The 32 bytes of a base64 key. Raises ValueError on any other length."""
    key = base64.b64decode(text, validate=True)
    if len(key) != 32:
        raise ValueError("the contact key is 32 bytes in base64")
    return key


def unseal(sealed: str, *, member: int, key: bytes) -> SealedContact:
    """Open base64 of nonce and AES-256-GCM, bound to the member's number. Raises Unreadable."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        opened = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], str(member).encode())
        return msgspec.json.decode(opened, type=SealedContact)
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise Unreadable(f"contact of member {member}") from error


def masked(mobile: str) -> str:
    """A number as a panel may show it: 0912***4567."""
    national = "0" + mobile[3:] if mobile.startswith("+98") else mobile
    return f"{national[:4]}***{national[-4:]}"
