"""Rules and values of people, accounts, consents and contacts."""

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from contracts import keys
from contracts.keys import Key
from contracts.members import Contact, SealedContact
from members import crypto
from members.crypto import Keys


@dataclass(frozen=True, slots=True)
class AccountBinding:
    """The account whose value a member shares, and that account's shard."""

    member: int
    account: int
    shard: int


@dataclass(frozen=True, slots=True)
class Consents:
    """A person's consents, and the version of the wording that the person read."""

    terms: bool
    receipts: bool
    marketing: bool
    wording: str


@dataclass(frozen=True, slots=True)
class ConsentAnswers:
    """A member's later answers about consents, under the caller's id."""

    request_id: uuid.UUID
    receipts: bool
    marketing: bool
    wording: str


@dataclass(frozen=True, slots=True)
class Person:
    """A member as kept: account, sealed data, newest consents."""

    binding: AccountBinding
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

    binding: AccountBinding
    opens: bool
    contact: SealedContact
    consents: Consents
    locale: str
    party: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A new member sealed: the rows to write and the contact to publish.

    published_under: head of the key of that contact, None where none is published.
    """

    new: NewPerson
    wrapped_key: bytes
    sealed: bytes
    contact: Contact
    published_under: bytes | None


@dataclass(frozen=True, slots=True)
class Resealed:
    """A member under the newest keys, to be written. contact: to be published, if any."""

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


def keep(new: NewPerson, key_set: Keys, random: bytes) -> Kept:
    """Seal a new member. random: RANDOM_BYTES fresh bytes, used for nothing else."""
    cuts = [keys.KEY_BYTES + n * keys.NONCE_BYTES for n in range(NONCES + 1)]
    nonces = [random[a:b] for a, b in pairwise(cuts)]
    raw_key = random[: keys.KEY_BYTES]
    own = keys.derive(raw_key, crypto.OWN_CONTACT)
    member = new.binding.member
    content = crypto.contact_bytes(new.contact)
    published = keys.seal(key_set.contacts[0], nonces[2], content, member)
    return Kept(
        new=new,
        wrapped_key=keys.seal(key_set.data_keys[0], nonces[0], raw_key, member),
        sealed=keys.seal(own, nonces[1], content, member),
        contact=contact(new.binding, 1, new.consents, locale=new.locale, sealed=published),
        published_under=key_set.contacts[0].head if new.contact.mobile else None,
    )


def contact(
    binding: AccountBinding, version: int, consents: Consents, *, locale: str, sealed: bytes
) -> Contact:
    """The contact of a member for notify. sealed: under the contact key."""
    return Contact(
        member=binding.member,
        version=version,
        account=binding.account,
        sealed=base64.b64encode(sealed).decode(),
        locale=locale,
        receipts=consents.receipts,
        marketing=consents.marketing,
    )


def open_person(person: Person, key_set: Keys) -> SealedContact:
    """Mobile and name of a member. Raises KeyMissing, Unsealable."""
    own = own_key(person, key_set)
    return crypto.contact_of(keys.unseal((own,), person.sealed, person.binding.member))


def own_key(person: Person, key_set: Keys) -> Key:
    """The key of a person's own contact. Raises KeyMissing, Unsealable."""
    member = person.binding.member
    return crypto.own_key(key_set, person.wrapped_key, member, crypto.OWN_CONTACT)


def publish(person: Person, known: SealedContact, consents: Consents, *, key_set: Keys) -> Contact:
    """The next version of a member's contact, sealed under the newest key."""
    sealed = crypto.seal(key_set.contacts[0], crypto.contact_bytes(known), person.binding.member)
    version = person.version + 1
    return contact(person.binding, version, consents, locale=person.locale, sealed=sealed)


def reseal(person: Person, key_set: Keys) -> Resealed:
    """A member with the data key wrapped, and the contact published, under the newest keys.

    Raises KeyMissing, Unsealable.
    """
    member = person.binding.member
    raw_key = crypto.data_key(key_set, person.wrapped_key, member)
    known = open_person(person, key_set)
    published = publish(person, known, person.consents, key_set=key_set) if known.mobile else None
    return Resealed(
        member=member,
        version=person.version if published is None else published.version,
        wrapped_key=crypto.seal(key_set.data_keys[0], raw_key, member),
        published_under=None if published is None else key_set.contacts[0].head,
        contact=published,
    )


def updated(consents: Consents, answers: ConsentAnswers) -> Consents:
    """Consents after later answers; terms, once accepted, stay."""
    return Consents(consents.terms, answers.receipts, answers.marketing, answers.wording)
