"""Rules and values of people, accounts, consents and contacts."""

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from contracts import keys
from contracts.keys import Key
from contracts.members import Contact, SealedContact
from members import crypto as words
from members.crypto import Vault


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
    """A member about to be kept; opens: the account is new with it, opened under party.

    party: 0 where neither the key nor a reference names one.
    """

    seat: words.Seat
    opens: bool
    contact: SealedContact
    consents: Consents
    locale: str
    party: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A new member sealed: the rows to write and the contact to say.

    published_under: head of the key of that contact, None where there is none to say.
    """

    new: NewPerson
    wrapped_key: bytes
    sealed: bytes
    contact: Contact
    published_under: bytes | None


@dataclass(frozen=True, slots=True)
class Resealed:
    """A member under the newest keys: what is written. contact: what is said, if anything."""

    member: int
    version: int
    wrapped_key: bytes
    published_under: bytes | None
    contact: Contact | None


NONCES = 3  # of one person: data key, own data, contact for notify
RANDOM_BYTES = keys.KEY_BYTES + NONCES * keys.NONCE_BYTES


def shard_of_new(account: int, *, shards: int) -> int:
    """Shard of an account that is being opened; written down, and never computed again."""
    return account % shards


def keep(new: NewPerson, vault: Vault, random: bytes) -> Kept:
    """Seal a new member. random: RANDOM_BYTES fresh bytes, used for nothing else."""
    cuts = [keys.KEY_BYTES + n * keys.NONCE_BYTES for n in range(NONCES + 1)]
    nonces = [random[a:b] for a, b in pairwise(cuts)]
    raw_key = random[: keys.KEY_BYTES]
    own = keys.derive(raw_key, words.OWN_CONTACT)
    member = new.seat.member
    content = words.contact_bytes(new.contact)
    published = keys.seal(vault.contacts[0], nonces[2], content, member)
    return Kept(
        new=new,
        wrapped_key=keys.seal(vault.data_keys[0], nonces[0], raw_key, member),
        sealed=keys.seal(own, nonces[1], content, member),
        contact=contact(new.seat, 1, new.consents, locale=new.locale, sealed=published),
        published_under=vault.contacts[0].head if new.contact.mobile else None,
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
    """Mobile and name of a member. Raises KeyMissing, Unsealable."""
    own = own_key(person, vault)
    return words.contact_of(keys.unseal((own,), person.sealed, person.seat.member))


def own_key(person: Person, vault: Vault) -> Key:
    """The key of a person's own contact. Raises KeyMissing, Unsealable."""
    member = person.seat.member
    return words.own_key(vault, person.wrapped_key, member, words.OWN_CONTACT)


def publish(person: Person, known: SealedContact, consents: Consents, *, vault: Vault) -> Contact:
    """The next version of a member's contact, sealed under the newest key."""
    sealed = words.seal(vault.contacts[0], words.contact_bytes(known), person.seat.member)
    version = person.version + 1
    return contact(person.seat, version, consents, locale=person.locale, sealed=sealed)


def reseal(person: Person, vault: Vault) -> Resealed:
    """A member with the data key wrapped, and the contact published, under the newest keys.

    Raises KeyMissing, Unsealable.
    """
    member = person.seat.member
    raw_key = words.data_key(vault, person.wrapped_key, member)
    known = open_person(person, vault)
    said = publish(person, known, person.consents, vault=vault) if known.mobile else None
    return Resealed(
        member=member,
        version=person.version if said is None else said.version,
        wrapped_key=words.seal(vault.data_keys[0], raw_key, member),
        published_under=None if said is None else vault.contacts[0].head,
        contact=said,
    )


def answered(consents: Consents, asked: Asked) -> Consents:
    """Consents after someone was asked again; terms, once accepted, stay."""
    return Consents(consents.terms, asked.receipts, asked.marketing, asked.wording)
