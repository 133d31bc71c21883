"""A member's sealed contact, opened for as long as a message needs it."""

import base64
import binascii
from collections.abc import Sequence

import msgspec

from contracts import keys
from contracts.keys import Ring
from contracts.members import OF_CONTACTS, SealedContact


class Unreadable(Exception):
    """A contact is damaged, is another member's, or needs a key that is not here."""


def ring_of(roots: Sequence[str]) -> Ring:
    """The keys that open contacts. Raises ValueError."""
    return keys.ring(roots, OF_CONTACTS, setting="PEYVAND_CONTACT_KEYS")


def key_heads(ring: Ring) -> list[str]:
    """The first eight characters of a sealed contact that one of the keys opens: base64."""
    return [base64.b64encode(key.head).decode() for key in ring]


def key_id(head: str) -> str:
    """The key's id in hex, read from such a head; the text itself where it is not one."""
    try:
        return base64.b64decode(head, validate=True)[1:].hex()
    except ValueError:
        return repr(head)


def unseal(sealed: str, *, member: int, ring: Ring) -> SealedContact:
    """Open base64 of what members sealed. Raises Unreadable."""
    try:
        opened = keys.unseal(ring, base64.b64decode(sealed, validate=True), member)
        return msgspec.json.decode(opened, type=SealedContact)
    except (binascii.Error, ValueError) as error:
        raise Unreadable(f"contact of member {member}: {error}") from error


def mask(mobile: str) -> str:
    """A mobile number as a panel may show it: 0912***4567."""
    national = "0" + mobile[3:] if mobile.startswith("+98") else mobile
    return f"{national[:4]}***{national[-4:]}"
