"""Sealing of personal data: the keys of the service, and each person's own key."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from contracts import keys
from contracts import members as contract
from contracts.keys import Key, Ring
from contracts.members import SealedContact
from kit.base import errors

# purposes of keys: those of the service's own roots, and those of a person's data key
OF_DATA_KEYS: Final = "data keys"
OF_REQUESTS: Final = "requests of enrolment"
OWN_CONTACT: Final = "a person's contact"
OWN_QR: Final = "the text of a person's QR code"


class KeyMissing(errors.Unavailable):
    """Sealed under a key that the service does not have; other data is not concerned."""

    code = "sealing-key-missing"
    fa = "کلید این دادهٔ شخصی به سامانه داده نشده است؛ گردانندهٔ شبکه باید آن را برگرداند."


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the service by purpose, the newest of each first; the newest seals, all open.

    data_keys wraps people's own keys and requests marks enrolments: nobody else has these.
    contacts: what notify opens. identifiers: digests, which the gateway makes too.
    """

    data_keys: Ring
    requests: Ring
    contacts: Ring
    identifiers: Ring


def key_set(
    member_keys: Sequence[str], contact_keys: Sequence[str], identifier_keys: Sequence[str]
) -> Keys:
    """Keys out of the settings of these names. Raises ValueError that says what is wrong.

    A root in two of the settings would open to another service what is this service's alone.
    """
    roots = [root for ring in (member_keys, contact_keys, identifier_keys) for root in set(ring)]
    if len(set(roots)) < len(roots):
        raise ValueError("one key is in two of the settings; make one for each")
    own = "PEYVAND_MEMBER_KEYS"
    return Keys(
        keys.ring(member_keys, OF_DATA_KEYS, setting=own),
        keys.ring(member_keys, OF_REQUESTS, setting=own),
        keys.ring(contact_keys, contract.OF_CONTACTS, setting="PEYVAND_CONTACT_KEYS"),
        keys.ring(identifier_keys, contract.OF_IDENTIFIERS, setting="PEYVAND_IDENTIFIER_KEYS"),
    )


def seal(key: Key, content: bytes, member: int) -> bytes:
    """Seal as `contracts.keys.seal` does, under a fresh nonce."""
    return keys.seal(key, secrets.token_bytes(keys.NONCE_BYTES), content, member)


def data_key(key_set: Keys, wrapped: bytes, member: int) -> bytes:
    """A person's own root. Raises KeyMissing, Unsealable."""
    try:
        return keys.unseal(key_set.data_keys, wrapped, member)
    except keys.MissingKey as error:
        raise KeyMissing(f"member {member}: {error}, in PEYVAND_MEMBER_KEYS") from error


def own_key(key_set: Keys, wrapped: bytes, member: int, purpose: str) -> Key:
    """A person's own key of a purpose. Raises KeyMissing, Unsealable."""
    return keys.derive(data_key(key_set, wrapped, member), purpose)


_decoder: Final = msgspec.json.Decoder(SealedContact)
_encoder: Final = msgspec.json.Encoder()


def contact_bytes(contact: SealedContact) -> bytes:
    """The JSON that is sealed."""
    return _encoder.encode(contact)


def contact_of(content: bytes) -> SealedContact:
    """The contact that was sealed."""
    return _decoder.decode(content)
