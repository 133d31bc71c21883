"""All the SQL of the queue.

It writes `messages` alone. Three statements join `contacts` to select rows by their contact: the
queue may be longer than can be read at once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kit.base.db import Record, Tx
from kit.stream import local_tables
from notify.sms_queue.domain import (
    RECEIPTS,
    Draft,
    QueuedMessage,
    State,
    StateChange,
    UndeliveredMessage,
)
from notify.templates.domain.facts import Facts
from notify.templates.domain.texts import Template


async def insert_messages(tx: Tx, rows: Sequence[QueuedMessage], *, segment_price_rial: int) -> int:
    """Write rows whose (cause, template) is new; gives how many were."""
    await local_tables.will_number(tx, "messages")
    done = await tx.execute(
        "insert into messages (member, account, template, cause, facts, locale, text, segments,"
        " price_rial, state, decided_at, expires_at)"
        " select u.member, u.account, u.template, u.cause, u.facts::jsonb, u.locale, u.text,"
        " u.segments, u.segments * $12::bigint, u.state, u.decided_at, u.expires_at"
        " from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],"
        " $7::text[], $8::int[], $9::text[], $10::timestamptz[], $11::timestamptz[]) as u"
        " (member, account, template, cause, facts, locale, text, segments, state, decided_at,"
        " expires_at) on conflict (cause, template) do nothing",
        [row.member for row in rows],
        [row.draft.account for row in rows],
        [row.draft.template for row in rows],
        [row.draft.cause for row in rows],
        [msgspec.json.encode(row.draft.facts).decode() for row in rows],
        [row.locale for row in rows],
        [row.text for row in rows],
        [row.segments for row in rows],
        [row.state for row in rows],
        [row.draft.decided_at for row in rows],
        [row.draft.expires_at for row in rows],
        segment_price_rial,
    )
    return int(done.rpartition(" ")[2])


async def lock_addressable(tx: Tx, *, limit: int) -> list[Record]:
    """Rows that wait for a contact which is there now, oldest first; see draft_of."""
    return await tx.fetch(
        "select m.id, m.template, m.cause, m.facts::text as facts, m.decided_at, m.expires_at,"
        " m.member, m.account, c.member as recipient"
        " from messages m join contacts c on c.member = coalesce(nullif(m.member, 0),"
        " (select min(o.member) from contacts o where o.account = m.account))"
        " where m.state = 'waiting' order by m.id limit $1 for no key update of m",
        limit,
    )


async def update_addressed(
    tx: Tx, rows: Mapping[int, QueuedMessage], *, segment_price_rial: int
) -> None:
    """Write member, text and next state of rows that waited, by id."""
    ids = sorted(rows)
    await tx.execute(
        "update messages m set member = u.member, locale = u.locale, text = u.text,"
        " segments = u.segments, price_rial = u.segments * $7::bigint, state = u.state"
        " from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::text[])"
        " as u (id, member, locale, text, segments, state)"
        " where m.id = u.id and m.state = 'waiting'",
        ids,
        [rows[i].member for i in ids],
        [rows[i].locale for i in ids],
        [rows[i].text for i in ids],
        [rows[i].segments for i in ids],
        [rows[i].state for i in ids],
        segment_price_rial,
    )


async def update_unreadable(tx: Tx, ids: Sequence[int]) -> None:
    """End rows that waited and cannot be decoded any more."""
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
    tx: Tx, *, now: datetime, wall: datetime, limit: int, key_heads: Sequence[str]
) -> list[Record]:
    """Move queued rows that have not expired to `sending`, oldest first: id, member, text.

    key_heads: of keys that are here; a row whose contact is sealed under another stays queued.
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
        list(key_heads),
    )
    return sorted(rows, key=lambda row: row["id"])


async def count_without_key(tx: Tx, *, key_heads: Sequence[str]) -> dict[str, int]:
    """The number of queued rows whose contact needs a key that is not here, by the key's head."""
    rows = await tx.fetch(
        "select left(c.sealed, 8) as head, count(*) as queued"
        " from messages m join contacts c using (member)"
        " where m.state = 'queued' and left(c.sealed, 8) <> all($1::text[]) group by head",
        list(key_heads),
    )
    return {row["head"]: row["queued"] for row in rows}


async def has_queued_or_sending(tx: Tx) -> bool:
    """Whether there is anything to send: mostly there is not, and this runs twice a second."""
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


async def update_states(
    tx: Tx,
    state: State,
    changes: Sequence[StateChange],
    *,
    predecessors: Sequence[State],
    wall: datetime,
) -> int:
    """Bring messages from one of predecessors to a state, by their id; gives how many moved."""
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
        list(predecessors),
        wall,
    )
    return int(done.rpartition(" ")[2])


async def update_reported(
    tx: Tx, state: State, provider_ids: Sequence[int], *, predecessors: Sequence[State]
) -> int:
    """Bring messages from one of predecessors to a state, by the provider's id."""
    done = await tx.execute(
        "update messages set state = $2 where provider_id = any($1::bigint[])"
        " and state = any($3::text[])",
        sorted(provider_ids),
        state,
        list(predecessors),
    )
    return int(done.rpartition(" ")[2])


async def find_provider_ids(tx: Tx, provider_ids: Sequence[int]) -> set[int]:
    """Which of the provider's ids belong to our messages."""
    rows = await tx.fetch(
        "select provider_id from messages where provider_id = any($1::bigint[])",
        list(provider_ids),
    )
    return {row["provider_id"] for row in rows}


async def claim_undelivered(
    tx: Tx, *, accepted_before: datetime, polled_before: datetime, wall: datetime, limit: int
) -> list[UndeliveredMessage]:
    """Messages to poll the delivery of, those first that were polled longest ago."""
    rows = await tx.fetch(
        "update messages m set polled_at = $3 from (select id from messages"
        " where state in ('accepted', 'sent') and accepted_at <= $1"
        " and (polled_at is null or polled_at <= $2)"
        " order by polled_at nulls first, id limit $4 for no key update) q"
        " where m.id = q.id returning m.id, m.provider_id, m.accepted_at",
        accepted_before,
        polled_before,
        wall,
        limit,
    )
    return [UndeliveredMessage(row["id"], row["provider_id"], row["accepted_at"]) for row in rows]


async def list_messages(tx: Tx, *, member: int | None, after: int, limit: int) -> list[Record]:
    """Messages with an id above `after`, in order; none that belongs in a page commits later."""
    await local_tables.all_numbered(tx, "messages")
    columns = (
        "select id, member, account, template, cause, locale, text, segments, price_rial,"
        " cost_rial, state, reason, attempts, provider_id, decided_at, expires_at from messages"
    )
    if member is None:
        return await tx.fetch(columns + " where id > $1 order by id limit $2", after, limit)
    return await tx.fetch(
        columns + " where member = $3 and id > $1 order by id limit $2", after, limit, member
    )


async def count_messages(tx: Tx) -> dict[str, int]:
    """How many messages are in each state. Reads the whole table: for reports, not for panels."""
    rows = await tx.fetch("select state, count(*) as messages from messages group by state")
    return {row["state"]: row["messages"] for row in rows}


def draft_of(row: Record) -> Draft:
    """The draft in a row of lock_addressable. Raises ValueError where it cannot be decoded."""
    template = Template(row["template"])
    return Draft(
        template=template,
        cause=row["cause"],
        member=row["member"],
        account=row["account"],
        facts=msgspec.json.decode(row["facts"], type=Facts),
        decided_at=row["decided_at"],
        expires_at=row["expires_at"],
        needs_consent=template in RECEIPTS,
    )
