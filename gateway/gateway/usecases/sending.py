"""Onto the road, and the three ends of a request: answer, 202, outcome unknown."""

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
from gateway.domain import limits, problems
from gateway.domain.problems import Code
from gateway.settings import Settings
from gateway.usecases.guard import Guard
from gateway.usecases.lookups import Lookups
from gateway.usecases.shares import Shares
from gateway.usecases.waiting import Waiting
from kit import clock, errors, kafka, outbox, telemetry
from kit.telemetry import Metric, Span

STATUS_URL: Final = "/v1/transactions/"
Future = asyncio.Future[Reply | None]


class Accepted(msgspec.Struct, frozen=True):
    """Body of a 202: the transaction stands and will be answered."""

    id: str
    status: str
    status_url: str
    retry_after_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request ended: the HTTP answer. retry_after_s: 0 where asking again gains nothing."""

    status: int
    body: bytes
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """What sending needs, put together once by main."""

    settings: Settings
    identifiers: Ring
    lookups: Lookups
    waiting: Waiting
    guard: Guard
    shares: Shares
    shown: limits.Shown
    producer: kafka.Producer
    clock: clock.Clock


def _nothing(reply: Reply | None) -> None:
    del reply


@dataclass(frozen=True, slots=True)
class Share:
    """Whose place on the road a transaction takes, and how many he may have.

    settle: told the reply, or None for a 202 and then the reply when it comes.
    """

    whose: Hashable
    most: int
    settle: Callable[[Reply | None], None] = _nothing


async def send(
    road_: Road,
    said: Envelope[PosTransaction],
    shard: int,
    share: Share,
    span: Span,
) -> Ended:
    """Produce to the shard's partition and wait: the answer, 202, or outcome unknown."""
    sent = said.data
    began = time.monotonic()
    budget_s = road_.settings.pos_budget_ms / 1000
    correlation, future = road_.waiting.enter(share.whose, share.most)
    try:
        message = outbox.message(
            topics.POS_TRANSACTIONS,
            said,
            partition=shard,
            headers=_headers(road_, correlation, sent.kind, budget_s, span),
        )
        wall = clock.wall
        before = wall()
        ack = await road_.producer.send_one(message, deadline_s=budget_s)
        road_.guard.note_append(before, ack.appended_at, wall())
        reply = await _reply(future, began + budget_s - time.monotonic())
        share.settle(reply)
        if reply is None:
            road_.waiting.follow(correlation, share.settle)
    except errors.SendUnknown as error:
        telemetry.count(Metric.OUTCOMES, sent.kind.value, "unknown")
        raise problems.refusal(Code.OUTCOME_UNKNOWN) from error
    finally:
        road_.waiting.leave(correlation, share.whose)
    return _ended(road_, values.public_id(shard, sent.name), sent.kind, reply)


def _headers(
    road_: Road, correlation: bytes, kind: Kind, budget_s: float, span: Span
) -> outbox.Headers:
    headers = (
        ("reply-topic", topics.GATEWAY_REPLIES.name.encode()),
        ("reply-partition", b"%d" % road_.settings.reply_partition),
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


def _ended(road_: Road, public_id: str, kind: Kind, reply: Reply | None) -> Ended:
    if reply is not None:
        telemetry.count(Metric.OUTCOMES, kind.value, "answered")
        return Ended(reply.http_status, bytes(reply.body))
    if kind is Kind.INQUIRY:
        telemetry.count(Metric.OUTCOMES, kind.value, "unanswered")
        raise problems.refusal(Code.INQUIRY_UNANSWERED)
    telemetry.count(Metric.OUTCOMES, kind.value, "accepted")
    return accepted(public_id, "accepted", road_.settings.retry_after_ms)


def accepted(public_id: str, status: str, retry_after_ms: int) -> Ended:
    """A 202: it stands, or is not yet known; ask again."""
    body = Accepted(public_id, status, STATUS_URL + quote(public_id, safe=""), retry_after_ms)
    return Ended(202, msgspec.json.encode(body), max(1, retry_after_ms // 1000))
