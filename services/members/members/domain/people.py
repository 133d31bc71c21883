"""Rules and values of people, accounts, consents and contacts."""

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from contracts.members import Contact, SealedContact
from members.domain import words
from members.domain.words import Vault


@dataclass(frozen=True, slots=True)
class Consents:
    """What a person agreed to, and the version of the wording that was shown."""

    terms: bool
    receipts: bool
    marketing: bool
    wording: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member answered when asked again, under the caller's id."""

    request_id: uuid.UUID
    receipts: bool
    marketing: bool
    wording: str


@dataclass(frozen=True, slots=True)
class Person:
    """A member as kept: seat, sealed data, newest consents."""

    seat: words.Seat
    version: int
    wrapped_key: bytes
    sealed: bytes
    locale: str
    enrolled_at: datetime
    consents: Consents
    consented_at: datetime


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A member about to be kept; opens: the account is new with it."""

    seat: words.Seat
    opens: bool
    contact: SealedContact
    consents: Consents
    locale: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A new member sealed: the rows to write and the contact to say."""

    new: NewPerson
    wrapped_key: bytes
    sealed: bytes
    contact: Contact


NONCES = 3  # of one person: data key, own data, contact for notify
RANDOM_BYTES = words.KEY_BYTES + NONCES * words.NONCE_BYTES


def shard_of_new(account: int, *, shards: int) -> int:
    """Shard of an account that is being opened; written down, and never computed again."""
    return account % shards


def keep(new: NewPerson, vault: Vault, random: bytes) -> Kept:
    """Seal a new member. random: RANDOM_BYTES fresh bytes, used for nothing else."""
    cuts = [words.KEY_BYTES + n * words.NONCE_BYTES for n in range(NONCES + 1)]
    nonces = [random[a:b] for a, b in pairwise(cuts)]
    raw_key = random[: words.KEY_BYTES]
    member = new.seat.member
    content = words.contact_bytes(new.contact)
    published = words.seal(vault.contacts, nonces[2], content, member)
    return Kept(
        new=new,
        wrapped_key=words.seal(vault.master, nonces[0], raw_key, member),
        sealed=words.seal(words.cipher(raw_key), nonces[1], content, member),
        contact=contact(new.seat, 1, new.consents, locale=new.locale, sealed=published),
    )


def contact(
    seat: words.Seat, version: int, consents: Consents, *, locale: str, sealed: bytes
) -> Contact:
    """What notify needs to know of a member. sealed: under the contact key."""
    return Contact(
        member=seat.member,
        version=version,
        account=seat.account,
        sealed=base64.b64encode(sealed).decode(),
        locale=locale,
        receipts=consents.receipts,
        marketing=consents.marketing,
    )


def open_person(person: Person, vault: Vault) -> SealedContact:
    """Mobile and name of a member. Raises Unsealable."""
    key = words.data_key(vault.master, person.wrapped_key, person.seat.member)
    return words.contact_of(words.unseal(key, person.sealed, person.seat.member))


def answered(consents: Consents, asked: Asked) -> Consents:
    """Consents after someone was asked again; terms, once accepted, stay."""
    return Consents(consents.terms, asked.receipts, asked.marketing, asked.wording)
