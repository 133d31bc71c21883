"""Rules that all nouns of the room share: errors, seats, text as it is stored, sealing."""

from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.members import SealedContact
from contracts.text import clean_text
from kit import errors

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

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Unsealable(Exception):
    """Sealed bytes that this key does not open: another key, another person, or changed."""


@dataclass(frozen=True, slots=True)
class Vault:
    """The keys of the room. master wraps data keys; contacts seals what notify reads."""

    master: AESGCM
    contacts: AESGCM
    identifier_key: bytes


def vault(contact_key: bytes, member_key: bytes, identifier_key: bytes) -> Vault:
    """Keys made ready.

    Raises ValueError when a key has not 32 bytes, or notify's would open the data keys too.
    """
    if len(contact_key) != KEY_BYTES or len(member_key) != KEY_BYTES:
        raise ValueError("an AES-256 key has 32 bytes, in base64")
    if contact_key == member_key:
        raise ValueError("the two keys are one; notify has the first and must not have the second")
    return Vault(AESGCM(member_key), AESGCM(contact_key), identifier_key)


def seal(key: AESGCM, nonce: bytes, content: bytes, member: int) -> bytes:
    """nonce (12 bytes, never used twice), then AES-256-GCM bound to the member's number."""
    return nonce + key.encrypt(nonce, content, str(member).encode())


def unseal(key: AESGCM, sealed: bytes, member: int) -> bytes:
    """What seal sealed. Raises Unsealable."""
    try:
        nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return key.decrypt(nonce, content, str(member).encode())
    except (InvalidTag, ValueError) as error:
        raise Unsealable(f"personal data of member {member} does not open") from error


def cipher(raw_key: bytes) -> AESGCM:
    """AES-256-GCM under a key of 32 bytes."""
    return AESGCM(raw_key)


def data_key(master: AESGCM, wrapped: bytes, member: int) -> AESGCM:
    """A person's own key. Raises Unsealable."""
    return AESGCM(unseal(master, wrapped, member))


_decoder: Final = msgspec.json.Decoder(SealedContact)
_encoder: Final = msgspec.json.Encoder()


def contact_bytes(contact: SealedContact) -> bytes:
    """JSON of what is sealed."""
    return _encoder.encode(contact)


def contact_of(content: bytes) -> SealedContact:
    """What was sealed."""
    return _decoder.decode(content)
