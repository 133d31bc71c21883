"""Rules that all nouns of the room share: errors, seats, text as it is stored, sealing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from contracts import keys
from contracts import members as contract
from contracts.keys import Key, Ring
from contracts.members import SealedContact
from contracts.text import clean_text
from kit.base import errors

# ----------------------------------------------------------------------------------------- errors


class Differs(errors.Invalid):
    """The caller's id is taken by something else."""

    code = "already-exists-differently"
    fa = "درخواست دیگری با همین شناسه ثبت شده است؛ شناسهٔ تازه‌ای بسازید."


class Unknown(errors.NotFound):
    """A member, account or identifier that does not exist."""


# ----------------------------------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Seat:
    """A member's place: the account whose value it shares, and that account's shard."""

    member: int
    account: int
    shard: int


# ------------------------------------------------------------------------------------------- text

NAME_LENGTH_MAX: Final = 100


def clean_name(text: str) -> str:
    """A name, or the version of a wording, as it is kept; may be empty.

    Raises ValueError as `contracts.text.clean_text` does, and on over 100 characters.
    """
    cleaned = clean_text(text)
    if len(cleaned) > NAME_LENGTH_MAX:
        raise ValueError(f"must have at most {NAME_LENGTH_MAX} characters")
    return cleaned


# ---------------------------------------------------------------------------------------- sealing

# purposes of keys: those of the room's own roots, and those of a person's data key
OF_DATA_KEYS: Final = "data keys"
OF_REQUESTS: Final = "requests of enrolment"
OWN_CONTACT: Final = "a person's contact"
OWN_QR: Final = "the text of a person's QR code"


class KeyMissing(errors.Unavailable):
    """Sealed under a key that the room was not given; others are not concerned."""

    code = "sealing-key-missing"
    fa = "کلید این دادهٔ شخصی به سامانه داده نشده است؛ گردانندهٔ شبکه باید آن را برگرداند."


@dataclass(frozen=True, slots=True)
class Vault:
    """The keys of the room by purpose, the newest of each first; the newest seals, all open.

    data_keys wraps people's own keys and requests marks enrolments: nobody else has these.
    contacts: what notify opens. identifiers: digests, which the gateway makes too.
    """

    data_keys: Ring
    requests: Ring
    contacts: Ring
    identifiers: Ring


def vault(
    member_keys: Sequence[str], contact_keys: Sequence[str], identifier_keys: Sequence[str]
) -> Vault:
    """Keys out of the settings of these names. Raises ValueError that says what is wrong.

    A root in two of the settings would open to another room what is this room's alone.
    """
    roots = [root for given in (member_keys, contact_keys, identifier_keys) for root in set(given)]
    if len(set(roots)) < len(roots):
        raise ValueError("one key is in two of the settings; make one for each")
    own = "PEYVAND_MEMBER_KEYS"
    return Vault(
        keys.ring(member_keys, OF_DATA_KEYS, setting=own),
        keys.ring(member_keys, OF_REQUESTS, setting=own),
        keys.ring(contact_keys, contract.OF_CONTACTS, setting="PEYVAND_CONTACT_KEYS"),
        keys.ring(identifier_keys, contract.OF_IDENTIFIERS, setting="PEYVAND_IDENTIFIER_KEYS"),
    )


def seal(key: Key, content: bytes, member: int) -> bytes:
    """What `contracts.keys.seal` says, under a fresh nonce."""
    return keys.seal(key, secrets.token_bytes(keys.NONCE_BYTES), content, member)


def data_key(vault: Vault, wrapped: bytes, member: int) -> bytes:
    """A person's own root. Raises KeyMissing, Unsealable."""
    try:
        return keys.unseal(vault.data_keys, wrapped, member)
    except keys.MissingKey as error:
        raise KeyMissing(f"member {member}: {error}, in PEYVAND_MEMBER_KEYS") from error


def own_key(vault: Vault, wrapped: bytes, member: int, purpose: str) -> Key:
    """A person's own key of a purpose. Raises KeyMissing, Unsealable."""
    return keys.derive(data_key(vault, wrapped, member), purpose)


_decoder: Final = msgspec.json.Decoder(SealedContact)
_encoder: Final = msgspec.json.Encoder()


def contact_bytes(contact: SealedContact) -> bytes:
    """JSON of what is sealed."""
    return _encoder.encode(contact)


def contact_of(content: bytes) -> SealedContact:
    """What was sealed."""
    return _decoder.decode(content)
