"""Queueing events, keeping what tries led to, and sending again what is asked for."""

import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.ledger import Outcome
from contracts.merchants import DisputeChanged
from kit.base import clock, errors
from kit.base.db import Record, Tx
from notify import settings
from notify.webhook_endpoints import usecases as endpoints
from notify.webhook_endpoints.domain import DisabledReason, Endpoint
from notify.webhooks import domain, store
from notify.webhooks.domain import Answer, DeliveryState, DueDelivery, WebhookEvent


class EndpointDisabled(errors.Conflict):
    """Nothing is sent to an endpoint that is disabled."""

    code = "endpoint-disabled"
    fa = "این نشانی غیرفعال است؛ نخست آن را فعال کنید."


class TooManyEvents(errors.Invalid):
    """More events than one replay sends."""

    code = "too-many-events"
    fa = "رویدادهای این بازه بیش از سقف است؛ بازهٔ کوتاه‌تری بنویسید."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """A delivery. message: its webhook-id. http_status 0: no answer, for the reason in error.

    next_at: of the next try, None where none is to come.
    """

    id: int
    message: str
    type: str
    transaction: str
    decided_at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    last_at: datetime | None
    http_status: int
    error: str


async def queue_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> int:
    """Queue the events of (shard, outcome), each once for ever; gives how many are new.

    Events of a merchant whose endpoints are all disabled are kept, for a replay.
    """
    typed = [
        (shard, one, kind) for shard, one in outcomes if (kind := domain.type_of(one)) is not None
    ]
    if not typed:
        return 0
    of_merchant = await _list_endpoints(tx, {one.merchant for _, one, _ in typed})
    events = [
        domain.event_of(shard, one, kind)
        for shard, one, kind in typed
        if one.merchant in of_merchant
    ]
    return await _queue(tx, events, of_merchant) if events else 0


async def queue_disputes(tx: Tx, changes: Sequence[DisputeChanged]) -> int:
    """Queue what merchants of both parties are told of disputes, each once; how many are new."""
    events = [event for one in changes for event in domain.dispute_events(one)]
    of_merchant = await _list_endpoints(tx, {event.merchant for event in events})
    heard = [event for event in events if event.merchant in of_merchant]
    return await _queue(tx, heard, of_merchant) if heard else 0


async def _list_endpoints(tx: Tx, merchants: set[int]) -> defaultdict[int, list[Endpoint]]:
    of_merchant: defaultdict[int, list[Endpoint]] = defaultdict(list)
    for endpoint in await endpoints.list_of_merchants(tx, sorted(merchants)):
        of_merchant[endpoint.merchant].append(endpoint)
    return of_merchant


async def _queue(
    tx: Tx, events: Sequence[WebhookEvent], of_merchant: dict[int, list[Endpoint]]
) -> int:
    ids = await store.insert_events(tx, events)
    deliveries = [
        (endpoint.endpoint, ids[event.message])
        for event in events
        if event.message in ids
        for endpoint in of_merchant[event.merchant]
        if endpoint.enabled and event.type in endpoint.events
    ]
    if deliveries:
        await store.insert_deliveries(tx, deliveries, now=clock.wall())
    return len(ids)


async def send_test(tx: Tx, endpoint: Endpoint, test: str, now: datetime) -> DeliveryView:
    """Queue an event that says its id alone; the same id again adds none.

    Raises EndpointDisabled, Differs.
    """
    _refuse_disabled(endpoint)
    event = domain.trial_event(endpoint.merchant, endpoint.endpoint, test, now)
    ids = await store.insert_events(tx, [event])
    if ids:
        await store.insert_deliveries(tx, [(endpoint.endpoint, ids[event.message])], now=now)
    row = await store.find_delivery(tx, endpoint.endpoint, event.message)
    if row is None:
        raise endpoints.Differs("another endpoint was tested under this id; make a new UUID")
    return _view(row)


class KeyReused(errors.Invalid):
    """An Idempotency-Key that named another replay."""

    code = "idempotency-key-reused"
    fa = "این Idempotency-Key درخواست دیگری را نام می‌برد؛ کلید تازه‌ای بسازید."


class ReplayUnderWay(errors.Conflict):
    """A replay of this name is being carried out."""

    code = "request-under-way"
    fa = "همین درخواست هم‌اکنون انجام می‌شود؛ کمی بعد دوباره بفرستید."


async def replay_once(
    tx: Tx,
    endpoint: Endpoint,
    name: tuple[str, bytes],
    replay: Callable[[], Awaitable[int]],
    now: datetime,
) -> int:
    """Carry out a replay that its caller named; its repeat within a day has the first one's answer.

    name: Idempotency-Key, and a digest of what is asked. Answer and deliveries are of one
    transaction; a refusal keeps nothing, so that the same name may come again. Raises KeyReused,
    and what replay raises. refuse_concurrent comes first.
    """
    key, asked = name
    await store.delete_replays(tx, endpoint.endpoint, before=now - domain.REPLAY_NAMED)
    kept = await store.find_replay(tx, endpoint.endpoint, key)
    if kept is not None:
        if kept[0] != asked:
            raise KeyReused("this Idempotency-Key named another request; make a new one")
        return kept[1]
    events = await replay()
    await store.insert_replay(tx, endpoint.endpoint, key, asked, events=events, now=now)
    return events


async def refuse_concurrent(tx: Tx, endpoint: uuid.UUID, key: str) -> None:
    """Raise ReplayUnderWay while another transaction carries out the replay of this name.

    Before the endpoint is locked: behind that lock the second would only wait.
    """
    if not await store.try_lock_replay(tx, str(endpoint), key):
        raise ReplayUnderWay("the same request is being carried out; send it again in a moment")


async def replay_message(tx: Tx, endpoint: Endpoint, message: str, now: datetime) -> int:
    """Send one event again, also one that the endpoint was never sent; gives how many: 1.

    Raises NotFound, EndpointDisabled.
    """
    _refuse_disabled(endpoint)
    event = await store.find_event(tx, endpoint.merchant, message)
    if event is None:
        raise errors.NotFound("this merchant has no such event; list the deliveries")
    return await _again(tx, endpoint, [event], now)


async def replay_period(
    tx: Tx, endpoint: Endpoint, *, since: datetime, until: datetime, now: datetime
) -> int:
    """Send again what was decided from since to before until, of the endpoint's types.

    Gives how many events. Raises EndpointDisabled, TooManyEvents.
    """
    _refuse_disabled(endpoint)
    limit = settings.REPLAY_EVENTS_MAX
    events = await store.list_events(
        tx, endpoint.merchant, endpoint.events, since=since, until=until, limit=limit + 1
    )
    if len(events) > limit:
        raise TooManyEvents(f"a replay sends {limit} events at most; shorten the period")
    return await _again(tx, endpoint, events, now)


async def _again(tx: Tx, endpoint: Endpoint, events: Sequence[int], now: datetime) -> int:
    await store.update_again(tx, endpoint.endpoint, events, now=now)
    pairs = [(endpoint.endpoint, event) for event in events]
    await store.insert_deliveries(tx, pairs, now=now)
    return len(events)


def _refuse_disabled(endpoint: Endpoint) -> None:
    if not endpoint.enabled:
        raise EndpointDisabled("the endpoint is disabled; enable it first")


async def list_deliveries(
    tx: Tx, endpoint: Endpoint, *, state: DeliveryState | None, after: int, limit: int
) -> list[DeliveryView]:
    """Deliveries of an endpoint in the order in which they were queued."""
    rows = await store.list_deliveries(tx, endpoint.endpoint, state=state, after=after, limit=limit)
    return [_view(row) for row in rows]


# --------------------------------------------------------------------------------------- delivering


async def list_due_endpoints(
    tx: Tx, *, now: datetime, without: Sequence[str], limit: int
) -> list[str]:
    """Enabled endpoints with something due, but for those that are being served."""
    return await store.list_due_endpoints(tx, now=now, without=without, limit=limit)


async def claim_due(tx: Tx, endpoint: str, *, now: datetime) -> list[DueDelivery]:
    """Begin the next tries of an endpoint; a crash leads to another try after the lease."""
    return await store.claim_due(
        tx,
        endpoint,
        now=now,
        lease_until=now + domain.LEASE,
        limit=settings.WEBHOOK_BATCH_MAX,
    )


async def record_answer(
    tx: Tx, endpoint: str, due: DueDelivery, answer: Answer, *, now: datetime
) -> DisabledReason | None:
    """Keep what a try led to; gives why the endpoint was disabled by it, if it was.

    410 disables at once. The last try of a delivery disables an endpoint that took nothing since
    the delivery's first.
    """
    if answer.delivered:
        await store.update_answered(tx, due.delivery, DeliveryState.DELIVERED, answer, now)
        await endpoints.note_delivered(tx, endpoint, now)
        return None
    next_at = domain.next_try(due, answer, now)
    state = DeliveryState.FAILED if next_at is None else DeliveryState.PENDING
    await store.update_answered(tx, due.delivery, state, answer, next_at or now)
    if answer.status == domain.GONE:
        reason, since = DisabledReason.GONE, now
    elif next_at is None:
        reason, since = DisabledReason.UNANSWERED, due.first_at
    else:
        return None
    stopped = await endpoints.disable(tx, endpoint, reason, since=since, now=now)
    return reason if stopped else None


def _view(row: Record) -> DeliveryView:
    state = DeliveryState(row["state"])
    return DeliveryView(
        id=row["id"],
        message=row["message"],
        type=row["type"],
        transaction=domain.transaction_of(row["cause"]),
        decided_at=row["decided_at"],
        state=state,
        attempts=row["attempts"],
        next_at=row["next_at"] if state is DeliveryState.PENDING else None,
        last_at=row["last_at"],
        http_status=row["http_status"],
        error=row["error"],
    )
