"""Sends a transaction onto the road; a request ends in an answer, a 202 or outcome unknown."""

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import msgspec

from contracts import topics, values
from contracts.envelope import Envelope
from contracts.keys import Ring
from contracts.ledger import Reply
from contracts.pos import PosTransaction
from contracts.values import Kind
from gateway import problems
from gateway.access.usecases import Quotas, quotas_of
from gateway.problems import Code
from gateway.road.domain.unsold_identifiers import UnsoldIdentifiers
from gateway.road.usecases.pending_replies import PendingReplies
from gateway.settings import Settings
from gateway.tables.usecases import (
    Lookups,
    Readiness,
    identifier_keys_of,
    lookups_of,
    readiness_of,
)
from kit.base import clock, errors, telemetry
from kit.base.telemetry import Metric, Span
from kit.room import Resources
from kit.stream import kafka, outbox

STATUS_URL: Final = "/v1/transactions/"
Future = asyncio.Future[Reply | None]


class Accepted(msgspec.Struct, frozen=True):
    """Body of a 202: the transaction stands and will be answered."""

    id: str
    status: str
    status_url: str
    retry_after_ms: int


@dataclass(frozen=True, slots=True)
class HttpResult:
    """The HTTP answer of a request. retry_after_s: 0 where a retry does not help."""

    status: int
    body: bytes
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """What submitting a transaction needs, put together once for a process."""

    settings: Settings
    identifier_keys: Ring
    lookups: Lookups
    pending_replies: PendingReplies
    readiness: Readiness
    quotas: Quotas
    unsold_identifiers: UnsoldIdentifiers
    producer: kafka.Producer
    clock: clock.Clock


def road_of(opened: Resources) -> Road:
    """The road of this process; `opened.shared(road_of)` makes it once."""
    settings: Settings = opened.settings
    return Road(
        settings=settings,
        identifier_keys=opened.shared(identifier_keys_of),
        lookups=opened.shared(lookups_of),
        pending_replies=PendingReplies(settings.pending_max),
        readiness=opened.shared(readiness_of),
        quotas=opened.shared(quotas_of),
        unsold_identifiers=UnsoldIdentifiers(
            settings.identifiers_unsold_max, settings.identifiers_window_s
        ),
        producer=opened.producer,
        clock=opened.clock,
    )


def _ignore(reply: Reply | None) -> None:
    del reply


@dataclass(frozen=True, slots=True)
class Submitter:
    """The caller whose quota a transaction takes, and its limit of transactions without a reply.

    on_reply: called with the reply; or with None for a 202, and again when the reply comes.
    """

    quota_key: Hashable
    pending_max: int
    on_reply: Callable[[Reply | None], None] = _ignore


async def send(
    road: Road,
    submitted: Envelope[PosTransaction],
    shard: int,
    submitter: Submitter,
    span: Span,
) -> HttpResult:
    """Produce to the shard's partition and wait: the answer, 202, or outcome unknown."""
    transaction = submitted.data
    began = time.monotonic()
    budget_s = road.settings.pos_budget_ms / 1000
    correlation, future = road.pending_replies.register(submitter.quota_key, submitter.pending_max)
    try:
        message = outbox.message(
            topics.POS_TRANSACTIONS,
            submitted,
            partition=shard,
            headers=_headers(road, correlation, transaction.kind, budget_s, span),
        )
        wall = clock.wall
        before = wall()
        ack = await road.producer.send_one(message, deadline_s=budget_s)
        road.readiness.note_append(before, ack.appended_at, wall())
        reply = await _reply(future, began + budget_s - time.monotonic())
        submitter.on_reply(reply)
        if reply is None:
            road.pending_replies.on_late_reply(correlation, submitter.on_reply)
    except errors.SendUnknown as error:
        telemetry.count(Metric.OUTCOMES, transaction.kind.value, "unknown")
        raise problems.refusal(Code.OUTCOME_UNKNOWN) from error
    finally:
        road.pending_replies.discard(correlation, submitter.quota_key)
    return _result(road, values.public_id(shard, transaction.name), transaction.kind, reply)


def _headers(
    road: Road, correlation: bytes, kind: Kind, budget_s: float, span: Span
) -> outbox.Headers:
    headers = (
        ("reply-topic", topics.GATEWAY_REPLIES.name.encode()),
        ("reply-partition", b"%d" % road.settings.reply_partition),
        ("correlation-id", correlation),
        telemetry.inject(span),
    )
    if kind is not Kind.INQUIRY:
        return headers  # a posted transaction is never dropped because nobody waits any more
    until = clock.wall() + timedelta(seconds=budget_s)
    return (*headers, ("deadline", b"%d" % int(until.timestamp() * 1000)))


async def _reply(future: Future, left_s: float) -> Reply | None:
    """The reply, or None once the budget is spent."""
    if future.done():
        return future.result()
    timer = future.get_loop().call_later(max(left_s, 0.0), _give_up, future)
    try:
        return await future
    finally:
        timer.cancel()


def _give_up(future: Future) -> None:
    if not future.done():
        future.set_result(None)


def _result(road: Road, public_id: str, kind: Kind, reply: Reply | None) -> HttpResult:
    if reply is not None:
        telemetry.count(Metric.OUTCOMES, kind.value, "answered")
        return HttpResult(reply.http_status, bytes(reply.body))
    if kind is Kind.INQUIRY:
        telemetry.count(Metric.OUTCOMES, kind.value, "unanswered")
        raise problems.refusal(Code.INQUIRY_UNANSWERED)
    telemetry.count(Metric.OUTCOMES, kind.value, "accepted")
    return accepted(public_id, "accepted", road.settings.retry_after_ms)


def accepted(public_id: str, status: str, retry_after_ms: int) -> HttpResult:
    """A 202: the transaction was accepted, or is not known yet; ask for its status."""
    body = Accepted(public_id, status, STATUS_URL + quote(public_id, safe=""), retry_after_ms)
    return HttpResult(202, msgspec.json.encode(body), max(1, retry_after_ms // 1000))
