"""All the SQL of events and deliveries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from kit.stream import local_tables
from notify.webhooks.domain import Answer, DeliveryState, DueDelivery, WebhookEvent

_DELIVERY: Final = (
    "select d.id, d.event, e.message::text, e.type, e.cause, e.decided_at, d.state, d.attempts,"
    " d.next_at, d.last_at, d.http_status, d.error"
    " from webhook_deliveries d join webhook_events e on e.id = d.event"
)


async def insert_events(tx: Tx, events: Sequence[WebhookEvent]) -> dict[str, int]:
    """Write events whose (cause, type) is new; gives their ids by message."""
    rows = await tx.fetch(
        "insert into webhook_events (message, merchant, type, cause, body, decided_at)"
        " select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[],"
        " $6::timestamptz[]) on conflict (cause, type) do nothing returning id, message::text",
        [event.message for event in events],
        [event.merchant for event in events],
        [event.type for event in events],
        [event.cause for event in events],
        [event.body for event in events],
        [event.decided_at for event in events],
    )
    return {row["message"]: row["id"] for row in rows}


async def insert_deliveries(
    tx: Tx, deliveries: Sequence[tuple[str, int]], *, now: datetime
) -> None:
    """Have events go to endpoints, each (endpoint, event)."""
    await local_tables.will_number(tx, "webhook_deliveries")
    await tx.execute(
        "insert into webhook_deliveries (endpoint, event, next_at)"
        " select u.endpoint, u.event, $3 from unnest($1::uuid[], $2::bigint[])"
        " as u (endpoint, event) order by u.event on conflict (endpoint, event) do nothing",
        [endpoint for endpoint, _ in deliveries],
        [event for _, event in deliveries],
        now,
    )


async def list_due_endpoints(
    tx: Tx, *, now: datetime, without: Sequence[str], limit: int
) -> list[str]:
    """Enabled endpoints with something due, whose oldest is due longest first."""
    rows = await tx.fetch(
        "select p.endpoint::text from webhook_endpoints p cross join lateral"
        " (select d.next_at from webhook_deliveries d where d.endpoint = p.endpoint"
        "  and d.state = 'pending' and d.next_at <= $1 order by d.next_at, d.id limit 1) d"
        " where p.enabled and p.endpoint <> all($2::uuid[]) order by d.next_at limit $3",
        now,
        list(without),
        limit,
    )
    return [row["endpoint"] for row in rows]


async def claim_due(
    tx: Tx, endpoint: str, *, now: datetime, lease_until: datetime, limit: int
) -> list[DueDelivery]:
    """Begin tries of what is due, oldest first; nobody else begins them before lease_until."""
    rows = await tx.fetch(
        "update webhook_deliveries d set attempts = d.attempts + 1, next_at = $3, last_at = $2,"
        " first_at = coalesce(d.first_at, $2)"
        " from (select id from webhook_deliveries where endpoint = $1 and state = 'pending'"
        "  and next_at <= $2 order by next_at, id limit $4 for update skip locked) q,"
        " webhook_events e where d.id = q.id and e.id = d.event"
        " returning d.id as delivery, e.message::text, e.body, d.attempts, d.first_at",
        endpoint,
        now,
        lease_until,
        limit,
    )
    return sorted((DueDelivery(**dict(row)) for row in rows), key=lambda due: due.delivery)


async def update_answered(
    tx: Tx, delivery: int, state: DeliveryState, answer: Answer, next_at: datetime
) -> None:
    """Keep what a try led to, unless the delivery ended meanwhile."""
    await tx.execute(
        "update webhook_deliveries set state = $2, http_status = $3, error = $4, next_at = $5"
        " where id = $1 and state = 'pending'",
        delivery,
        state,
        answer.status,
        answer.error,
        next_at,
    )


async def list_deliveries(
    tx: Tx, endpoint: str, *, state: DeliveryState | None, after: int, limit: int
) -> list[Record]:
    """Deliveries of an endpoint with an id above `after`, in order, of one state or all."""
    await local_tables.all_numbered(tx, "webhook_deliveries")
    return await tx.fetch(
        _DELIVERY + " where d.endpoint = $1 and d.id > $2 and ($3::text is null or d.state = $3)"
        " order by d.id limit $4",
        endpoint,
        after,
        state,
        limit,
    )


async def find_delivery(tx: Tx, endpoint: str, message: str) -> Record | None:
    """The delivery of an event to an endpoint, by the event's message id."""
    return await tx.fetchrow(
        _DELIVERY + " where d.endpoint = $1 and e.message = $2", endpoint, message
    )


async def find_event(tx: Tx, merchant: int, message: str) -> int | None:
    """The id of a merchant's event, by its message id."""
    event: int | None = await tx.fetchval(
        "select id from webhook_events where merchant = $1 and message = $2", merchant, message
    )
    return event


async def list_events(
    tx: Tx, merchant: int, types: Sequence[str], *, since: datetime, until: datetime, limit: int
) -> list[int]:
    """Ids of a merchant's events of these types that were decided from since to before until."""
    rows = await tx.fetch(
        "select id from webhook_events where merchant = $1 and type = any($2::text[])"
        " and decided_at >= $3 and decided_at < $4 order by decided_at, id limit $5",
        merchant,
        list(types),
        since,
        until,
        limit,
    )
    return [row["id"] for row in rows]


async def update_again(tx: Tx, endpoint: str, events: Sequence[int], *, now: datetime) -> None:
    """Have events go to an endpoint once more, those that are not on their way."""
    await tx.execute(
        "update webhook_deliveries set state = 'pending', attempts = 0, next_at = $3,"
        " first_at = null, http_status = 0, error = ''"
        " where endpoint = $1 and event = any($2::bigint[]) and state <> 'pending'",
        endpoint,
        list(events),
        now,
    )


async def try_lock_replay(tx: Tx, endpoint: str, key: str) -> bool:
    """Whether nobody else carries out the replay of this name now; held until the end of tx."""
    return bool(
        await tx.fetchval(
            "select pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"replay {endpoint} {key}"
        )
    )


async def delete_replays(tx: Tx, endpoint: str, *, before: datetime) -> None:
    """Forget an endpoint's named replays from before a time."""
    await tx.execute(
        "delete from webhook_replays where endpoint = $1 and asked_at <= $2", endpoint, before
    )


async def find_replay(tx: Tx, endpoint: str, key: str) -> tuple[bytes, int] | None:
    """What a named replay asked for, as a digest, and how many events it sent."""
    row = await tx.fetchrow(
        "select asked, events from webhook_replays where endpoint = $1 and key = $2", endpoint, key
    )
    return None if row is None else (row["asked"], row["events"])


async def insert_replay(
    tx: Tx, endpoint: str, key: str, asked: bytes, *, events: int, now: datetime
) -> None:
    """Keep a named replay and its answer."""
    await tx.execute(
        "insert into webhook_replays (endpoint, key, asked, events, asked_at)"
        " values ($1, $2, $3, $4, $5)",
        *(endpoint, key, asked, events, now),
    )
