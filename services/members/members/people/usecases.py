"""Keeping people sealed, finding them, and recording their consents."""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from contracts import envelope, keys, topics
from contracts.members import Contact, SealedContact
from kit.base.db import Tx
from kit.stream import outbox
from members import crypto, errors
from members.crypto import Keys
from members.people import domain, store
from members.people.domain import AccountBinding, ConsentAnswers, Kept, NewPerson, Person

HOUSEHOLD_MAX: Final = 200
RESEALED_MAX: Final = 200  # of one run, in one transaction
log = logging.getLogger(__name__)


async def assign_bindings(
    tx: Tx, accounts: Sequence[int | None], *, shards: int
) -> list[AccountBinding | None]:
    """A new member for each, on a new account (None) or on the one named.

    None where the named account does not exist.
    """
    opened = await store.take_account_numbers(tx, sum(a is None for a in accounts))
    fresh = iter(opened)
    known = await store.find_shards(tx, [a for a in accounts if a is not None])
    known |= {account: domain.shard_of_new(account, shards=shards) for account in opened}
    numbers = await store.take_member_numbers(tx, len(accounts))
    bindings: list[AccountBinding | None] = []
    for account, member in zip(accounts, numbers, strict=True):
        chosen = next(fresh) if account is None else account
        bindings.append(AccountBinding(member, chosen, known[chosen]) if chosen in known else None)
    return bindings


def seal_people(people: Sequence[NewPerson], key_set: Keys) -> list[Kept]:
    """Seal each under a fresh key of its own; CPU only, for a thread where there are many."""
    random = secrets.token_bytes(domain.RANDOM_BYTES * len(people))
    size = domain.RANDOM_BYTES
    return [
        domain.keep(new, key_set, random[n * size : (n + 1) * size]) for n, new in enumerate(people)
    ]


def contact_messages(contacts: Sequence[Contact], now: datetime) -> list[outbox.Message]:
    """The messages that publish contacts; CPU only."""
    return [_message(contact, now) for contact in contacts]


async def insert_people(tx: Tx, kept: Sequence[Kept], now: datetime) -> None:
    """Keep new members, their new accounts and consents; the caller publishes them."""
    await store.insert_accounts(tx, [k.new for k in kept if k.new.opens], now)
    await store.insert_members(tx, kept, now)
    await store.insert_first_consents(tx, kept, now)


async def get_shard(tx: Tx, account: int) -> int:
    """The shard of an account. Raises Unknown."""
    shards = await store.find_shards(tx, [account])
    if account not in shards:
        raise errors.Unknown(f"there is no account {account}; a member's page names the account")
    return shards[account]


async def get_person(tx: Tx, member: int) -> Person:
    """The member. Raises Unknown."""
    person = await store.find_person(tx, member)
    if person is None:
        raise errors.Unknown(f"there is no member {member}")
    return person


async def lock_person(tx: Tx, member: int) -> Person:
    """The member, locked until the transaction ends. Raises Unknown."""
    person = await store.lock_person(tx, member)
    if person is None:
        raise errors.Unknown(f"there is no member {member}")
    return person


async def list_household(tx: Tx, account: int) -> list[int]:
    """Members who share an account, in number order."""
    return await store.list_household(tx, account, limit=HOUSEHOLD_MAX)


async def list_households(tx: Tx, accounts: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Members of each account, in number order."""
    households: dict[int, list[int]] = {account: [] for account in accounts}
    limit = HOUSEHOLD_MAX * len(households)
    for account, member in await store.list_households(tx, list(households), limit=limit):
        households[account].append(member)
    return {account: tuple(members) for account, members in households.items()}


async def record_consents(
    tx: Tx, member: int, answers: ConsentAnswers, *, key_set: Keys, now: datetime
) -> Person:
    """Keep a member's answers and publish the contact; a repeat changes nothing.

    Raises Unknown, Differs (the request id recorded something else).
    """
    person = await lock_person(tx, member)
    kept = await store.find_consents(tx, answers.request_id)
    if kept is not None:
        owner, consents = kept
        if owner != member or domain.updated(consents, answers) != consents:
            raise errors.Differs("this request id recorded other consents; make a new UUID")
        return person
    consents = domain.updated(person.consents, answers)
    await store.insert_consents(tx, member, consents, request_id=answers.request_id, now=now)
    known = domain.open_person(person, key_set)
    published = None  # imported history: there is nothing for notify to call
    if known.mobile:
        published = domain.publish(person, known, consents, key_set=key_set)
        outbox.add(tx, [_message(published, now)])
    under = None if published is None else key_set.contacts[0].head
    await store.update_version(tx, member, person.version + 1, under)
    return await get_person(tx, member)


async def record_mobile(
    tx: Tx, person: Person, mobile: str, *, key_set: Keys, now: datetime
) -> None:
    """Keep the mobile (E.164) of a member who had none, and publish the contact.

    person: locked by this transaction.
    """
    known = replace(domain.open_person(person, key_set), mobile=mobile)
    own = domain.own_key(person, key_set)
    sealed = crypto.seal(own, crypto.contact_bytes(known), person.binding.member)
    published = domain.publish(person, known, person.consents, key_set=key_set)
    await store.update_sealed(
        tx, person.binding.member, published.version, sealed, key_set.contacts[0].head
    )
    outbox.add(tx, [_message(published, now)])


async def reseal_people(tx: Tx, *, key_set: Keys, now: datetime) -> tuple[int, int]:
    """Bring members who are under an earlier key under the newest; gives (locked, sealed).

    A member whose data does not open is logged and left as is, and holds up no other.
    """
    people = await store.lock_under(
        tx,
        data_keys=[key.head for key in key_set.data_keys[1:]],
        contacts=[key.head for key in key_set.contacts[1:]],
        limit=RESEALED_MAX,
    )
    done: list[domain.Resealed] = []
    for person in people:
        try:
            done.append(domain.reseal(person, key_set))
        except (crypto.KeyMissing, keys.Unsealable) as error:
            log.error("not sealed anew: %s", error)
    await store.update_resealed(tx, done)
    outbox.add(tx, [_message(one.contact, now) for one in done if one.contact is not None])
    return len(people), len(done)


def _message(contact: Contact, now: datetime) -> outbox.Message:
    key = str(contact.member)
    event = envelope.Envelope(
        id=envelope.derive_id(f"{key}@{contact.version}", "contact-changed.v1"),
        type="contact-changed.v1",
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=contact,
    )
    return outbox.message(topics.MEMBERS_CONTACTS, event, partition=contact.member % PARTITIONS)


PARTITIONS: Final = topics.partitions(topics.MEMBERS_CONTACTS, shards=1, gateways=1)


def open_person(person: Person, key_set: Keys) -> SealedContact:
    """Mobile and name of a member, for those who may see them. Raises KeyMissing, Unsealable."""
    return domain.open_person(person, key_set)
