"""All the SQL of people, accounts and consents."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from members.people.domain import AccountBinding, Consents, Kept, NewPerson, Person, Resealed

_ACCOUNTS: Final = ("account", "shard", "party", "opened_at")
_MEMBERS: Final = (
    "member",
    "account",
    "version",
    "wrapped_key",
    "sealed",
    "locale",
    "enrolled_at",
    "published_under",
)
_CONSENTS: Final = ("member", "given_at", "wording", "terms", "receipts", "marketing")


async def take_member_numbers(tx: Tx, count: int) -> list[int]:
    """That many numbers of members, never given before."""
    rows = await tx.fetch(
        "select nextval('member_numbers') as number from generate_series(1, $1)", count
    )
    return [row["number"] for row in rows]


async def take_account_numbers(tx: Tx, count: int) -> list[int]:
    """That many numbers of accounts, never given before."""
    rows = await tx.fetch(
        "select nextval('account_numbers') as number from generate_series(1, $1)", count
    )
    return [row["number"] for row in rows]


async def insert_accounts(tx: Tx, new: Sequence[NewPerson], now: datetime) -> None:
    """Open accounts, each on the shard of its binding, under whose key it is opened."""
    rows = [(one.binding.account, one.binding.shard, one.party, now) for one in new]
    await tx.copy("accounts", _ACCOUNTS, rows)


async def insert_members(tx: Tx, kept: Sequence[Kept], now: datetime) -> None:
    """Add members, sealed."""
    rows = [
        (
            k.new.binding.member,
            k.new.binding.account,
            k.contact.version,
            k.wrapped_key,
            k.sealed,
            k.new.locale,
            now,
            k.published_under,
        )
        for k in kept
    ]
    await tx.copy("members", _MEMBERS, rows)


async def insert_first_consents(tx: Tx, kept: Sequence[Kept], now: datetime) -> None:
    """Add what new members agreed to."""
    rows = [
        (
            k.new.binding.member,
            now,
            k.new.consents.wording,
            k.new.consents.terms,
            k.new.consents.receipts,
            k.new.consents.marketing,
        )
        for k in kept
    ]
    await tx.copy("consents", _CONSENTS, rows)


async def insert_consents(
    tx: Tx, member: int, consents: Consents, *, request_id: uuid.UUID, now: datetime
) -> None:
    """Add what a member agreed to when asked again."""
    await tx.execute(
        "insert into consents (member, given_at, wording, terms, receipts, marketing, request_id)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        member,
        now,
        consents.wording,
        consents.terms,
        consents.receipts,
        consents.marketing,
        request_id,
    )


async def find_consents(tx: Tx, request_id: uuid.UUID) -> tuple[int, Consents] | None:
    """Member and consents that a request recorded, or None."""
    row = await tx.fetchrow(
        "select member, wording, terms, receipts, marketing from consents where request_id = $1",
        request_id,
    )
    return None if row is None else (row["member"], _consents(row))


async def update_version(tx: Tx, member: int, version: int, under: bytes | None) -> None:
    """Write the version of the contact that is published, and the head of its key."""
    await tx.execute(
        "update members set version = $2, published_under = $3 where member = $1",
        member,
        version,
        under,
    )


async def update_sealed(tx: Tx, member: int, version: int, sealed: bytes, under: bytes) -> None:
    """Write a member's own data anew, the version published, and the head of its key."""
    await tx.execute(
        "update members set version = $2, sealed = $3, published_under = $4 where member = $1",
        member,
        version,
        sealed,
        under,
    )


async def lock_under(
    tx: Tx, *, data_keys: Sequence[bytes], contacts: Sequence[bytes], limit: int
) -> list[Person]:
    """Members whose data key is wrapped, or contact published, under keys of these heads.

    Locked; whoever is being changed is passed over.
    """
    rows = await tx.fetch(
        _PERSON + " where substring(m.wrapped_key from 1 for 6) = any($1::bytea[])"
        " or m.published_under = any($2::bytea[])"
        " limit $3 for no key update of m skip locked",
        list(data_keys),
        list(contacts),
        limit,
    )
    return [_person(row) for row in rows]


async def update_resealed(tx: Tx, done: Sequence[Resealed]) -> None:
    """Write members who were sealed anew."""
    await tx.execute(
        "update members m set version = u.version, wrapped_key = u.wrapped_key,"
        " published_under = u.published_under"
        " from unnest($1::bigint[], $2::int[], $3::bytea[], $4::bytea[])"
        " as u (member, version, wrapped_key, published_under) where m.member = u.member",
        [one.member for one in done],
        [one.version for one in done],
        [one.wrapped_key for one in done],
        [one.published_under for one in done],
    )


_PERSON: Final = (
    "select m.member, m.account, a.shard, m.version, m.wrapped_key, m.sealed, m.locale,"
    " m.enrolled_at, c.given_at, c.wording, c.terms, c.receipts, c.marketing"
    " from members m join accounts a using (account)"
    " join lateral (select given_at, wording, terms, receipts, marketing from consents"
    " where member = m.member order by given_at desc limit 1) c on true"
)


async def find_person(tx: Tx, member: int) -> Person | None:
    """The member, or None."""
    row = await tx.fetchrow(_PERSON + " where m.member = $1", member)
    return None if row is None else _person(row)


async def lock_person(tx: Tx, member: int) -> Person | None:
    """The member, locked until the transaction ends, or None."""
    row = await tx.fetchrow(_PERSON + " where m.member = $1 for no key update of m", member)
    return None if row is None else _person(row)


async def find_shards(tx: Tx, accounts: Sequence[int]) -> dict[int, int]:
    """Shard of each account that exists."""
    rows = await tx.fetch(
        "select account, shard from accounts where account = any($1::bigint[])", accounts
    )
    return {row["account"]: row["shard"] for row in rows}


async def list_household(tx: Tx, account: int, *, limit: int) -> list[int]:
    """Members of an account, in number order."""
    rows = await tx.fetch(
        "select member from members where account = $1 order by member limit $2", account, limit
    )
    return [row["member"] for row in rows]


async def list_households(tx: Tx, accounts: Sequence[int], *, limit: int) -> list[tuple[int, int]]:
    """Account and member of everybody on these accounts, in number order."""
    rows = await tx.fetch(
        "select account, member from members where account = any($1::bigint[])"
        " order by account, member limit $2",
        accounts,
        limit,
    )
    return [(row["account"], row["member"]) for row in rows]


def _person(row: Record) -> Person:
    return Person(
        binding=AccountBinding(row["member"], row["account"], row["shard"]),
        version=row["version"],
        wrapped_key=row["wrapped_key"],
        sealed=row["sealed"],
        locale=row["locale"],
        enrolled_at=row["enrolled_at"],
        consents=_consents(row),
        consented_at=row["given_at"],
    )


def _consents(row: Record) -> Consents:
    return Consents(row["terms"], row["receipts"], row["marketing"], row["wording"])
