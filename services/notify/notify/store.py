"""All the SQL of notify."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from contracts.members import Contact
from contracts.merchants import Merchant
from kit import local
from kit.db import Record, Tx
from notify.domain.facts import Facts
from notify.domain.messages import CONSENTED, Draft, State, Written
from notify.domain.texts import Template

CONTACTS: Final = local.Table(
    name="contacts",
    columns={
        "member": "bigint",
        "version": "int",
        "account": "bigint",
        "sealed": "text",
        "locale": "text",
        "receipts": "boolean",
        "marketing": "boolean",
    },
    key=("member",),
    version="version",
)


MERCHANTS: Final = local.Table(
    name="merchants",
    columns={
        "merchant": "int",
        "version": "int",
        "title_fa": "text",
        "title_en": "text",
        "party": "int",
    },
    key=("merchant",),
    version="version",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A row that is being handed over. sealed None: the contact was erased meanwhile."""

    message_id: int
    member: int
    text: str
    sealed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was learnt of one message. provider_id, cost_rial 0: nothing new about these."""

    message_id: int
    provider_id: int = 0
    cost_rial: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row that waited, and the contact that has come."""

    message_id: int
    draft: Draft
    contact: Contact


# --------------------------------------------------------------------------------------- contacts


async def upsert_contacts(tx: Tx, contacts: Sequence[Contact]) -> int:
    """Keep the newest version of each; gives how many were newer."""
    rows: list[Mapping[str, Any]] = [msgspec.structs.asdict(contact) for contact in contacts]
    return await local.upsert(tx, CONTACTS, rows)


async def delete_contacts(tx: Tx, members: Sequence[int]) -> None:
    """Forget members who were erased."""
    await tx.execute("delete from contacts where member = any($1::bigint[])", sorted(members))


async def find_contacts(
    tx: Tx, *, members: Sequence[int], accounts: Sequence[int]
) -> dict[int, Contact]:
    """Contacts of these members and of everybody on these accounts, by member."""
    rows = await tx.fetch(
        "select member, version, account, sealed, locale, receipts, marketing from contacts"
        " where member = any($1::bigint[])"
        " union select member, version, account, sealed, locale, receipts, marketing from contacts"
        " where account = any($2::bigint[])",
        list(members),
        list(accounts),
    )
    return {row["member"]: Contact(**dict(row)) for row in rows}


# ------------------------------------------------------------------------------------------ shops


async def upsert_merchants(tx: Tx, merchants: Sequence[Merchant]) -> int:
    """Keep the newest titles of each merchant; gives how many were newer."""
    rows: list[Mapping[str, Any]] = [
        {name: getattr(merchant, name) for name in MERCHANTS.columns} for merchant in merchants
    ]
    return await local.upsert(tx, MERCHANTS, rows)


async def find_titles(tx: Tx, merchants: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Persian and English titles of these merchants, of those that are known."""
    rows = await tx.fetch(
        "select merchant, title_fa, title_en from merchants where merchant = any($1::int[])",
        list(merchants),
    )
    return {row["merchant"]: (row["title_fa"], row["title_en"]) for row in rows}


async def find_titles_of_parties(tx: Tx, parties: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Titles of each party's first merchant, of those that have one."""
    rows = await tx.fetch(
        "select distinct on (party) party, title_fa, title_en from merchants"
        " where party = any($1::int[]) order by party, merchant",
        list(parties),
    )
    return {row["party"]: (row["title_fa"], row["title_en"]) for row in rows}


# --------------------------------------------------------------------------------------- messages


async def insert_messages(tx: Tx, rows: Sequence[Written], *, part_price_rial: int) -> int:
    """Write rows whose (cause, template) is new; gives how many were. Sizes come from the text."""
    await local.will_number(tx, "messages")
    done = await tx.execute(
        "insert into messages (member, account, template, cause, facts, locale, text, parts,"
        " price_rial, state, decided_at, expires_at)"
        " select u.member, u.account, u.template, u.cause, u.facts::jsonb, u.locale, u.text,"
        " u.parts, u.parts * $12::bigint, u.state, u.decided_at, u.expires_at"
        " from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],"
        " $7::text[], $8::int[], $9::text[], $10::timestamptz[], $11::timestamptz[]) as u"
        " (member, account, template, cause, facts, locale, text, parts, state, decided_at,"
        " expires_at) on conflict (cause, template) do nothing",
        [row.member for row in rows],
        [row.draft.account for row in rows],
        [row.draft.template for row in rows],
        [row.draft.cause for row in rows],
        [msgspec.json.encode(row.draft.facts).decode() for row in rows],
        [row.locale for row in rows],
        [row.text for row in rows],
        [row.parts for row in rows],
        [row.state for row in rows],
        [row.draft.decided_at for row in rows],
        [row.draft.expires_at for row in rows],
        part_price_rial,
    )
    return int(done.rpartition(" ")[2])


async def lock_arrived(tx: Tx, *, limit: int) -> list[Record]:
    """Rows that wait for a contact which is there now, oldest first; see waiting_of."""
    return await tx.fetch(
        "select m.id, m.template, m.cause, m.facts::text as facts, m.decided_at, m.expires_at,"
        " m.member as named, m.account as owner, c.member, c.version, c.account, c.sealed,"
        " c.locale, c.receipts, c.marketing"
        " from messages m join contacts c on c.member = coalesce(nullif(m.member, 0),"
        " (select min(o.member) from contacts o where o.account = m.account))"
        " where m.state = 'waiting' order by m.id limit $1 for no key update of m",
        limit,
    )


async def update_addressed(tx: Tx, rows: Mapping[int, Written], *, part_price_rial: int) -> None:
    """Give rows that waited their member, text and next state; by id."""
    ids = sorted(rows)
    await tx.execute(
        "update messages m set member = u.member, locale = u.locale, text = u.text,"
        " parts = u.parts, price_rial = u.parts * $7::bigint, state = u.state"
        " from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::text[])"
        " as u (id, member, locale, text, parts, state) where m.id = u.id and m.state = 'waiting'",
        ids,
        [rows[i].member for i in ids],
        [rows[i].locale for i in ids],
        [rows[i].text for i in ids],
        [rows[i].parts for i in ids],
        [rows[i].state for i in ids],
        part_price_rial,
    )


async def update_unreadable(tx: Tx, ids: Sequence[int]) -> None:
    """End rows that waited and that nobody can read any more."""
    sql = "update messages set state = 'failed', reason = 'unreadable' where id = any($1::bigint[])"
    await tx.execute(sql, sorted(ids))


async def update_expired(tx: Tx, *, now: datetime, limit: int) -> int:
    """End rows whose time is over: expired, or no-contact for those that waited for one."""
    done = await tx.execute(
        "update messages set state = case state when 'waiting' then 'no-contact' else 'expired' end"
        " where id in (select id from messages where state in ('waiting', 'queued')"
        " and expires_at <= $1 order by id limit $2)",
        now,
        limit,
    )
    return int(done.rpartition(" ")[2])


async def claim_queued(
    tx: Tx, *, now: datetime, wall: datetime, limit: int, beginnings: Sequence[str]
) -> list[Claimed]:
    """Take queued rows that have not expired for handing over, oldest first.

    beginnings: of contacts that can be opened; whose contact begins otherwise stays queued.
    """
    rows = await tx.fetch(
        "update messages m set state = 'sending', sending_at = $2, attempts = attempts + 1"
        " from (select m.id from messages m left join contacts c using (member)"
        " where m.state = 'queued' and m.expires_at > $1"
        " and (c.sealed is null or left(c.sealed, 8) = any($4::text[]))"
        " order by m.id limit $3 for no key update of m) q"
        " where m.id = q.id returning m.id, m.member, m.text",
        now,
        wall,
        limit,
        list(beginnings),
    )
    return await _with_contacts(tx, rows)


async def count_locked(tx: Tx, *, beginnings: Sequence[str]) -> dict[str, int]:
    """How many queued rows wait for a key, by what their contact begins with."""
    rows = await tx.fetch(
        "select left(c.sealed, 8) as beginning, count(*) as found"
        " from messages m join contacts c using (member)"
        " where m.state = 'queued' and left(c.sealed, 8) <> all($1::text[]) group by beginning",
        list(beginnings),
    )
    return {row["beginning"]: row["found"] for row in rows}


async def has_queued_or_sending(tx: Tx) -> bool:
    """Whether the lane has anything to do: it mostly has not, and asks twice a second."""
    return await tx.fetchval(
        "select exists (select from messages where state = 'queued')"
        " or exists (select from messages where state = 'sending')"
    )


async def list_sending(tx: Tx, *, limit: int) -> list[tuple[int, datetime]]:
    """(id, begin of the hand-over) of rows whose hand-over has no known end, oldest first."""
    rows = await tx.fetch(
        "select id, sending_at from messages where state = 'sending' order by id limit $1", limit
    )
    return [(row["id"], row["sending_at"]) for row in rows]


async def update_requeued(tx: Tx, ids: Sequence[int]) -> None:
    """Put rows that certainly did not leave back into the queue."""
    await tx.execute(
        "update messages set state = 'queued' where id = any($1::bigint[]) and state = 'sending'",
        sorted(ids),
    )


async def update_moved(
    tx: Tx, state: State, changes: Sequence[Change], *, befores: Sequence[State], wall: datetime
) -> int:
    """Bring messages to a state from one of befores, by their id; gives how many moved."""
    rows = sorted(changes, key=lambda change: change.message_id)
    done = await tx.execute(
        "update messages m set state = $5, reason = case u.reason when '' then m.reason"
        " else u.reason end, provider_id = coalesce(nullif(u.provider_id, 0), m.provider_id),"
        " cost_rial = greatest(u.cost_rial, m.cost_rial),"
        " accepted_at = coalesce(m.accepted_at,"
        " case when u.provider_id > 0 then $7::timestamptz end)"
        " from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])"
        " as u (id, provider_id, cost_rial, reason)"
        " where m.id = u.id and m.state = any($6::text[])",
        [row.message_id for row in rows],
        [row.provider_id for row in rows],
        [row.cost_rial for row in rows],
        [row.reason for row in rows],
        state,
        list(befores),
        wall,
    )
    return int(done.rpartition(" ")[2])


async def update_reported(
    tx: Tx, state: State, provider_ids: Sequence[int], *, befores: Sequence[State]
) -> int:
    """Bring messages to a state from one of befores, by the provider's id."""
    done = await tx.execute(
        "update messages set state = $2 where provider_id = any($1::bigint[])"
        " and state = any($3::text[])",
        sorted(provider_ids),
        state,
        list(befores),
    )
    return int(done.rpartition(" ")[2])


async def find_provider_ids(tx: Tx, provider_ids: Sequence[int]) -> set[int]:
    """Which of the provider's ids belong to our messages."""
    rows = await tx.fetch(
        "select provider_id from messages where provider_id = any($1::bigint[])",
        list(provider_ids),
    )
    return {row["provider_id"] for row in rows}


async def claim_under_way(
    tx: Tx, *, accepted_before: datetime, asked_before: datetime, wall: datetime, limit: int
) -> list[tuple[int, int, datetime]]:
    """(id, provider's id, accepted at) of messages to ask about, longest unasked first."""
    rows = await tx.fetch(
        "update messages m set asked_at = $3 from (select id from messages"
        " where state in ('accepted', 'sent') and accepted_at <= $1"
        " and (asked_at is null or asked_at <= $2)"
        " order by asked_at nulls first, id limit $4 for no key update) q"
        " where m.id = q.id returning m.id, m.provider_id, m.accepted_at",
        accepted_before,
        asked_before,
        wall,
        limit,
    )
    return [(row["id"], row["provider_id"], row["accepted_at"]) for row in rows]


# ---------------------------------------------------------------------------------------- reading


async def list_messages(tx: Tx, *, member: int | None, after: int, limit: int) -> list[Record]:
    """Messages with an id above `after`, in order; none commits later that a page should have."""
    await local.all_numbered(tx, "messages")
    columns = (
        "select m.id, m.member, m.account, m.template, m.cause, m.locale, m.text, m.parts,"
        " m.price_rial, m.cost_rial, m.state, m.reason, m.attempts, m.provider_id, m.decided_at,"
        " m.expires_at, c.sealed from messages m left join contacts c on c.member = m.member"
    )
    if member is None:
        return await tx.fetch(columns + " where m.id > $1 order by m.id limit $2", after, limit)
    return await tx.fetch(
        columns + " where m.member = $3 and m.id > $1 order by m.id limit $2",
        after,
        limit,
        member,
    )


async def count_messages(tx: Tx) -> dict[str, int]:
    """How many messages are in each state. Reads the whole table: for reports, not for panels."""
    rows = await tx.fetch("select state, count(*) as found from messages group by state")
    return {row["state"]: row["found"] for row in rows}


async def _with_contacts(tx: Tx, rows: Sequence[Record]) -> list[Claimed]:
    contacts = await tx.fetch(
        "select member, sealed from contacts where member = any($1::bigint[])",
        [row["member"] for row in rows],
    )
    sealed = {row["member"]: row["sealed"] for row in contacts}
    return [
        Claimed(
            message_id=row["id"],
            member=row["member"],
            text=row["text"],
            sealed=sealed.get(row["member"]),
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]


def waiting_of(row: Record) -> Waiting:
    """A row of lock_arrived. Raises ValueError where its template or facts do not read any more."""
    template = Template(row["template"])
    draft = Draft(
        template=template,
        cause=row["cause"],
        member=row["named"],
        account=row["owner"],
        facts=msgspec.json.decode(row["facts"], type=Facts),
        decided_at=row["decided_at"],
        expires_at=row["expires_at"],
        consented=template in CONSENTED,
    )
    names = [field.name for field in msgspec.structs.fields(Contact)]
    return Waiting(message_id=row["id"], draft=draft, contact=Contact(**{n: row[n] for n in names}))
