"""Webhooks of disputes: the merchants of both parties are told of each state, once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from contracts import envelope, topics
from contracts.merchants import DisputeChanged
from kit.base.db import Database
from kit.stream import consumer as kit_consumer
from notify.webhook_client import WebhookClient
from notify.webhook_endpoints import domain as rules
from notify.webhook_endpoints import usecases as endpoints
from notify.webhook_endpoints.domain import Endpoint, EventType
from notify.webhook_sending.usecases import WebhookSender
from notify.webhooks import consumer, usecases
from support.webhook_receiver import Receiver, listening

from .conftest import NOW, ROOT, Wall

pytestmark = pytest.mark.SH14
RING = rules.ring_of((ROOT,))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as opened:
        yield opened


@pytest_asyncio.fixture
async def sender(hooks: Database, wall: Wall) -> AsyncIterator[WebhookSender]:
    async with WebhookClient(local=True, timeout_s=0.5) as client:
        yield WebhookSender(database=hooks, client=client, wall=wall, ring=RING)


async def made_endpoint(
    pool: Database, url: str, wall: Wall, *, merchant: int = 5, **fields: Any
) -> tuple[Endpoint, str]:
    made = Endpoint(
        endpoint=str(uuid.uuid4()),
        merchant=merchant,
        url=url,
        events=fields.get("events", tuple(EventType)),
        enabled=True,
        created_at=wall(),
        changed_at=wall(),
    )
    async with pool.transaction() as tx:
        kept, _, secret = await endpoints.keep(tx, made, RING)
    return kept, secret


async def deliveries_of(pool: Database, endpoint: Endpoint) -> list[usecases.DeliveryView]:
    async with pool.read() as tx:
        return await usecases.list_deliveries(tx, endpoint, state=None, after=0, limit=200)


def _dispute_event(changed: DisputeChanged) -> kit_consumer.Event:
    written = envelope.Envelope(
        id=envelope.derive_id(f"{changed.dispute}@{changed.version}", "dispute-changed.v1"),
        type="dispute-changed.v1",
        key=changed.dispute,
        occurred_at=changed.at,
        accepted_at=changed.at,
        data=changed,
    )
    return kit_consumer.event(
        topics.MERCHANTS_DISPUTES, written, partition=0, offset=changed.version
    )


async def test_merchants_of_both_parties_are_told_of_a_dispute_once_each(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall
) -> None:
    opener, secret = await made_endpoint(hooks, receiver.url, wall, merchant=5)
    respondent, _ = await made_endpoint(hooks, "http://127.0.0.1:9/hook", wall, merchant=6)
    unasked, _ = await made_endpoint(
        hooks, receiver.url, wall, merchant=5, events=(EventType.POINTS_RELEASED,)
    )
    changed = DisputeChanged(
        dispute=str(uuid.UUID(int=1)),
        version=1,
        state="open",
        at=NOW,
        window=7,
        opener=2,
        respondent=3,
        amount_rial=40_000,
        reason="duplicate",
        due_at=NOW + timedelta(days=10),
        opener_merchants=(5, 8),  # of which one has no endpoint
    )
    answered = msgspec.structs.replace(
        changed, version=2, state="accepted", due_at=None, respondent_merchants=(6,)
    )
    for batch in ((changed,), (changed, answered), (answered,)):
        async with hooks.transaction() as tx:
            await consumer.on_merchants_disputes(tx, [_dispute_event(one) for one in batch])
    async with asyncio.TaskGroup() as tasks:
        await sender.begin(tasks)
    bodies = receiver.verified(secret)
    assert [body["type"] for body in bodies] == ["dispute.changed"] * 2
    assert bodies[0]["data"] == {
        "merchant": 5,
        "dispute": changed.dispute,
        "version": 1,
        "state": "open",
        "window": 7,
        "opener": 2,
        "respondent": 3,
        "amount_rial": 40_000,
        "reason": "duplicate",
        "due_at": "2026-03-31T08:00:00Z",
        "accepted_rial": None,
        "correction_rial": None,
        "correction_window": None,
    }
    for endpoint, count in ((opener, 2), (respondent, 1), (unasked, 0)):
        deliveries = await deliveries_of(hooks, endpoint)
        assert len(deliveries) == count
        assert {one.transaction for one in deliveries} <= {""}
