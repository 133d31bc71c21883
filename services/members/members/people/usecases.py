"""What is done with people: keeping new ones, finding them, asking them again."""

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
from members import crypto as words
from members.crypto import Seat, Vault
from members.people import domain, store
from members.people.domain import Asked, Kept, NewPerson, Person

HOUSEHOLD_MAX: Final = 200
RESEALED_MAX: Final = 200  # of one run, in one transaction
log = logging.getLogger(__name__)


async def take_seats(tx: Tx, accounts: Sequence[int | None], *, shards: int) -> list[Seat | None]:
    """A seat for each: a new member, of a new account (None) or of the one named.

    None where the account that was named does not exist.
    """
    opened = await store.take_account_numbers(tx, sum(a is None for a in accounts))
    fresh = iter(opened)
    known = await store.find_shards(tx, [a for a in accounts if a is not None])
    known |= {account: domain.shard_of_new(account, shards=shards) for account in opened}
    numbers = await store.take_member_numbers(tx, len(accounts))
    seats: list[Seat | None] = []
    for account, member in zip(accounts, numbers, strict=True):
        chosen = next(fresh) if account is None else account
        seats.append(Seat(member, chosen, known[chosen]) if chosen in known else None)
    return seats


def seal_people(people: Sequence[NewPerson], vault: Vault) -> list[Kept]:
    """Seal each under a fresh key of its own; CPU only, for a thread where there are many."""
    random = secrets.token_bytes(domain.RANDOM_BYTES * len(people))
    size = domain.RANDOM_BYTES
    return [
        domain.keep(new, vault, random[n * size : (n + 1) * size]) for n, new in enumerate(people)
    ]


def contact_messages(contacts: Sequence[Contact], now: datetime) -> list[outbox.Message]:
    """The messages that tell notify of contacts; CPU only."""
    return [_message(contact, now) for contact in contacts]


async def insert_people(tx: Tx, kept: Sequence[Kept], now: datetime) -> None:
    """Keep new members, their new accounts and consents; what they say is added by the caller."""
    await store.insert_accounts(tx, [k.new for k in kept if k.new.opens], now)
    await store.insert_members(tx, kept, now)
    await store.insert_first_consents(tx, kept, now)


async def get_shard(tx: Tx, account: int) -> int:
    """The shard of an account. Raises Unknown."""
    found = await store.find_shards(tx, [account])
    if account not in found:
        raise words.Unknown(f"there is no account {account}; a member's page names the account")
    return found[account]


async def get_person(tx: Tx, member: int) -> Person:
    """The member. Raises Unknown."""
    found = await store.find_person(tx, member)
    if found is None:
        raise words.Unknown(f"there is no member {member}")
    return found


async def lock_person(tx: Tx, member: int) -> Person:
    """The member, locked until the transaction ends. Raises Unknown."""
    found = await store.lock_person(tx, member)
    if found is None:
        raise words.Unknown(f"there is no member {member}")
    return found


async def list_household(tx: Tx, account: int) -> list[int]:
    """Members who share an account, in number order."""
    return await store.list_household(tx, account, limit=HOUSEHOLD_MAX)


async def list_households(tx: Tx, accounts: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Members of each account, in number order."""
    found: dict[int, list[int]] = {account: [] for account in accounts}
    limit = HOUSEHOLD_MAX * len(found)
    for account, member in await store.list_households(tx, list(found), limit=limit):
        found[account].append(member)
    return {account: tuple(members) for account, members in found.items()}


async def record_consents(
    tx: Tx, member: int, asked: Asked, *, vault: Vault, now: datetime
) -> Person:
    """Keep what a member answered and tell notify; a repeat changes nothing.

    Raises Unknown, Differs (the request id recorded something else).
    """
    person = await lock_person(tx, member)
    kept = await store.find_consents(tx, asked.request_id)
    if kept is not None:
        owner, consents = kept
        if owner != member or domain.answered(consents, asked) != consents:
            raise words.Differs("this request id recorded other consents; make a new UUID")
        return person
    consents = domain.answered(person.consents, asked)
    await store.insert_consents(tx, member, consents, request_id=asked.request_id, now=now)
    known = domain.open_person(person, vault)
    said = None  # imported history: there is nothing for notify to call
    if known.mobile:
        said = domain.publish(person, known, consents, vault=vault)
        outbox.add(tx, [_message(said, now)])
    under = None if said is None else vault.contacts[0].head
    await store.update_version(tx, member, person.version + 1, under)
    return await get_person(tx, member)


async def record_mobile(
    tx: Tx, person: Person, mobile: str, *, vault: Vault, now: datetime
) -> None:
    """Keep the mobile (E.164) of a member who had none, and tell notify of the person.

    person: locked by this transaction.
    """
    known = replace(domain.open_person(person, vault), mobile=mobile)
    own = domain.own_key(person, vault)
    sealed = words.seal(own, words.contact_bytes(known), person.seat.member)
    said = domain.publish(person, known, person.consents, vault=vault)
    await store.update_sealed(tx, person.seat.member, said.version, sealed, vault.contacts[0].head)
    outbox.add(tx, [_message(said, now)])


async def reseal_people(tx: Tx, *, vault: Vault, now: datetime) -> tuple[int, int]:
    """Bring members who are under an earlier key under the newest; gives (found, done).

    Who does not open is left as he is, told in the log, and keeps nobody else waiting.
    """
    found = await store.lock_under(
        tx,
        data_keys=[key.head for key in vault.data_keys[1:]],
        contacts=[key.head for key in vault.contacts[1:]],
        limit=RESEALED_MAX,
    )
    done: list[domain.Resealed] = []
    for person in found:
        try:
            done.append(domain.reseal(person, vault))
        except (words.KeyMissing, keys.Unsealable) as error:
            log.error("not sealed anew: %s", error)
    await store.update_resealed(tx, done)
    outbox.add(tx, [_message(one.contact, now) for one in done if one.contact is not None])
    return len(found), len(done)


def _message(contact: Contact, now: datetime) -> outbox.Message:
    key = str(contact.member)
    said = envelope.Envelope(
        id=envelope.follow(f"{key}@{contact.version}", "contact-changed.v1"),
        type="contact-changed.v1",
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=contact,
    )
    return outbox.message(topics.MEMBERS_CONTACTS, said, partition=contact.member % PARTITIONS)


PARTITIONS: Final = topics.partitions(topics.MEMBERS_CONTACTS, shards=1, gateways=1)


def open_person(person: Person, vault: Vault) -> SealedContact:
    """Mobile and name of a member, for those who may see them. Raises KeyMissing, Unsealable."""
    return domain.open_person(person, vault)
