"""Webhooks from the outcome to the merchant's program: once each, retried, replayed, disabled."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from contracts.values import Status
from kit.base import errors
from kit.base.db import Database
from notify.webhook_client import WebhookClient
from notify.webhook_endpoints import domain as rules
from notify.webhook_endpoints import usecases as endpoints
from notify.webhook_endpoints.domain import Endpoint, EventType
from notify.webhook_sending.usecases import WebhookSender
from notify.webhooks import consumer, usecases
from notify.webhooks.domain import DeliveryState
from support.webhook_receiver import Receiver, listening

from .conftest import NOW, ROOT, Wall

pytestmark = pytest.mark.SH14
RING = rules.ring_of((ROOT,))
NO_RING = rules.ring_of(("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as opened:
        yield opened


@pytest_asyncio.fixture
async def sender(hooks: Database, wall: Wall) -> AsyncIterator[WebhookSender]:
    async with WebhookClient(local=True, timeout_s=0.5) as client:
        yield WebhookSender(database=hooks, client=client, wall=wall, ring=RING)


async def _send(sender: WebhookSender) -> None:
    async with asyncio.TaskGroup() as tasks:
        await sender.begin(tasks)


async def _endpoint(
    pool: Database, url: str, wall: Wall, *, merchant: int = 5, **fields: Any
) -> tuple[Endpoint, str]:
    made = Endpoint(
        endpoint=str(uuid.uuid4()),
        merchant=merchant,
        url=url,
        events=fields.get("events", tuple(EventType)),
        enabled=fields.get("enabled", True),
        created_at=wall(),
        changed_at=wall(),
    )
    async with pool.transaction() as tx:
        kept, _, secret = await endpoints.keep(tx, made, RING)
    return kept, secret


async def _hear(pool: Database, make: Any, *outcomes: Any) -> None:
    async with pool.transaction() as tx:
        await consumer.on_ledger_entries(tx, [make.entry_event(one) for one in outcomes])


async def _deliveries(pool: Database, endpoint: Endpoint) -> list[usecases.DeliveryView]:
    async with pool.read() as tx:
        return await usecases.list_deliveries(tx, endpoint, state=None, after=0, limit=200)


async def _kept(pool: Database, endpoint: Endpoint) -> Endpoint:
    async with pool.read() as tx:
        return await endpoints.get_endpoint(tx, endpoint.merchant, endpoint.endpoint)


async def test_an_outcome_comes_once_and_verifies(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, secret = await _endpoint(hooks, receiver.url, wall)
    outcome = samples.outcome(1, merchant=5, answer=msgspec.Raw(b'{"points_earned":3}'))
    other = samples.outcome(1, merchant=6)  # of a merchant without an endpoint
    await _hear(hooks, make, outcome, other)
    await _hear(hooks, make, outcome, outcome)  # read again: a rebalance, a replayed topic
    await _send(sender)
    await _send(sender)
    (body,) = receiver.verified(secret)
    assert body["type"] == "transaction.completed"
    assert body["data"]["answer"] == {"points_earned": 3}
    (delivery,) = await _deliveries(hooks, endpoint)
    assert (delivery.state, delivery.attempts, delivery.http_status) == ("delivered", 1, 204)
    assert delivery.transaction == body["data"]["transaction"]
    assert (await _kept(hooks, endpoint)).delivered_at is not None


async def test_each_endpoint_takes_its_own_types(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    declined, _ = await _endpoint(
        hooks, receiver.url, wall, events=(EventType.TRANSACTION_DECLINED,)
    )
    everything, _ = await _endpoint(hooks, receiver.url, wall)
    stopped, _ = await _endpoint(hooks, receiver.url, wall, enabled=False)
    await _hear(
        hooks,
        make,
        samples.outcome(1, merchant=5),
        samples.outcome(1, merchant=5, status=Status.DECLINED),
    )
    await _send(sender)
    assert len(receiver.received) == 3
    assert len(await _deliveries(hooks, declined)) == 1
    assert len(await _deliveries(hooks, everything)) == 2
    assert await _deliveries(hooks, stopped) == []


async def test_a_failure_is_tried_again_under_the_same_id(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, secret = await _endpoint(hooks, receiver.url, wall)
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    receiver.answers = [
        (500, {}),
        (302, {"location": receiver.url}),  # followed, it would be a second request
        (503, {"retry-after": "3600"}),
    ]
    for status, wait_s in ((500, 6), (302, 62), (503, 3_700)):
        await _send(sender)
        (delivery,) = await _deliveries(hooks, endpoint)
        assert (delivery.state, delivery.http_status) == ("pending", status)
        await _send(sender)  # it is not due yet
        wall.ahead += timedelta(seconds=wait_s)
    await _send(sender)
    (delivery,) = await _deliveries(hooks, endpoint)
    assert (delivery.state, delivery.attempts) == ("delivered", 4)
    assert len(set(receiver.messages())) == 1
    assert len(receiver.messages()) == 4
    first, last = receiver.received[0][0], receiver.received[-1][0]
    assert int(last["webhook-timestamp"]) - int(first["webhook-timestamp"]) >= 3_600
    assert len({body for _, body in receiver.received}) == 1
    assert secret.startswith("whsec_")


async def test_an_endpoint_that_is_gone_is_disabled_at_once(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, _ = await _endpoint(hooks, receiver.url, wall)
    await _hear(hooks, make, samples.outcome(1, merchant=5), samples.outcome(1, merchant=5))
    receiver.answers = [(410, {}), (410, {})]
    await _send(sender)
    kept = await _kept(hooks, endpoint)
    assert (kept.enabled, kept.disabled_reason) == (False, "gone")
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    wall.ahead += timedelta(days=1)
    await _send(sender)
    assert len(receiver.received) == 2
    async with hooks.transaction() as tx:  # enabled again, what waited goes
        again = await endpoints.keep(tx, endpoint, RING)
    assert (again[0].enabled, again[0].disabled_reason) == (True, "")
    await _send(sender)
    assert len(receiver.received) == 4
    assert {one.state for one in await _deliveries(hooks, endpoint)} == {"delivered"}


async def test_the_last_try_ends_a_delivery_and_disables_a_dead_endpoint(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    dead, _ = await _endpoint(hooks, receiver.url, wall, events=(EventType.TRANSACTION_COMPLETED,))
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    receiver.answers = [(500, {})] * 15
    for _ in range(15):
        await _send(sender)
        wall.ahead += timedelta(hours=13)
    (delivery,) = await _deliveries(hooks, dead)
    assert (delivery.state, delivery.attempts, delivery.next_at) == ("failed", 15, None)
    kept = await _kept(hooks, dead)
    assert (kept.enabled, kept.disabled_reason) == (False, "unanswered")


async def test_an_endpoint_that_took_something_meanwhile_stays(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, _ = await _endpoint(hooks, receiver.url, wall)
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    receiver.answers = [(500, {})] * 14
    for _ in range(14):
        await _send(sender)
        wall.ahead += timedelta(hours=13)
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    receiver.answers = [(500, {}), (200, {})]  # the old one fails for good, the new one comes
    await _send(sender)
    states = sorted(one.state for one in await _deliveries(hooks, endpoint))
    assert states in (["delivered", "failed"], ["delivered", "pending"])
    assert (await _kept(hooks, endpoint)).delivered_at is not None


async def test_an_endpoint_that_hangs_holds_up_no_other(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    slow, _ = await _endpoint(hooks, receiver.url, wall)
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    receiver.open_gate.clear()
    async with listening() as quick:
        async with asyncio.TaskGroup() as tasks:
            await sender.begin(tasks)
            while not receiver.received:  # noqa: ASYNC110  the receiver tells nobody
                await asyncio.sleep(0.01)
            fast, _ = await _endpoint(hooks, quick.url, wall, merchant=6)
            await _hear(hooks, make, samples.outcome(1, merchant=6))
            await sender.begin(tasks)
        assert len(quick.received) == 1
    (delivery,) = await _deliveries(hooks, slow)
    assert (delivery.state, delivery.http_status, delivery.error) == ("pending", 0, "timed-out")
    assert [one.state for one in await _deliveries(hooks, fast)] == ["delivered"]


async def test_a_crash_between_claim_and_try_leads_to_another_try(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, _ = await _endpoint(hooks, receiver.url, wall)
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    async with hooks.transaction() as tx:
        (claimed,) = await usecases.claim_due(tx, endpoint.endpoint, now=wall())
    async with hooks.transaction() as tx:  # another process, meanwhile
        assert await usecases.claim_due(tx, endpoint.endpoint, now=wall()) == []
    await _send(sender)
    assert receiver.received == []
    wall.ahead += timedelta(seconds=61)
    await _send(sender)
    assert receiver.messages() == [claimed.message]


async def test_a_replay_sends_again_under_the_old_ids(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, _ = await _endpoint(hooks, receiver.url, wall)
    missed, _ = await _endpoint(hooks, receiver.url, wall, enabled=False)
    await _hear(hooks, make, *(samples.outcome(1, merchant=5) for _ in range(3)))
    await _send(sender)
    before = receiver.messages()
    async with hooks.transaction() as tx:
        period = {"since": NOW, "until": NOW + timedelta(seconds=1), "now": wall()}
        assert await usecases.replay_period(tx, endpoint, **period) == 3
        assert await usecases.replay_period(tx, endpoint, **period) == 3  # already on their way
        assert await usecases.replay_message(tx, endpoint, before[0], wall()) == 1
        earlier = {"since": NOW - timedelta(days=1), "until": NOW, "now": wall()}
        assert await usecases.replay_period(tx, endpoint, **earlier) == 0
        with pytest.raises(usecases.EndpointDisabled):
            await usecases.replay_message(tx, missed, before[0], wall())
        with pytest.raises(errors.NotFound):
            await usecases.replay_message(tx, endpoint, str(uuid.uuid4()), wall())
    await _send(sender)
    assert sorted(receiver.messages()) == sorted(before * 2)
    async with hooks.transaction() as tx:  # enabled later, it has what it missed
        enabled, _, _ = await endpoints.keep(tx, replace(missed, enabled=True), RING)
        assert await usecases.replay_period(tx, enabled, **period) == 3
    await _send(sender)
    assert sorted(receiver.messages()) == sorted(before * 3)


async def test_secrets_overlap_and_end(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, old = await _endpoint(hooks, receiver.url, wall)
    name = str(uuid.uuid4())
    async with hooks.transaction() as tx:
        new = await endpoints.rotate(tx, endpoint, name, overlap_s=3_600, now=wall(), ring=RING)
        again = await endpoints.rotate(tx, endpoint, name, overlap_s=0, now=wall(), ring=RING)
    assert again == ""
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    await _send(sender)
    for secret in (old, new):
        assert len(receiver.verified(secret)) == 1
    wall.ahead += timedelta(seconds=3_601)
    receiver.received.clear()
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    await _send(sender)
    ((headers, _),) = receiver.received
    assert headers["webhook-signature"].count("v1,") == 1


async def test_without_its_key_an_endpoint_waits(
    hooks: Database, receiver: Receiver, sender: WebhookSender, wall: Wall, samples: Any, make: Any
) -> None:
    endpoint, _ = await _endpoint(hooks, receiver.url, wall)
    await _hear(hooks, make, samples.outcome(1, merchant=5))
    sender.ring = NO_RING
    await _send(sender)
    assert receiver.received == []
    (delivery,) = await _deliveries(hooks, endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 0)
    sender.ring = RING
    await _send(sender)
    assert len(receiver.received) == 1


# ------------------------------------------------------------------------------ where it may lead


class Names(AbstractResolver):
    """A resolver that leads every name to the addresses of a test."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=2, proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("10.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::ffff:127.0.0.1",)]
)
async def test_a_name_that_leads_inside_is_refused(
    receiver: Receiver, addresses: tuple[str, ...]
) -> None:
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    client = WebhookClient(local=False, timeout_s=2, resolver=Names(*addresses))
    async with client:
        answer = await client.post(f"http://shop.example:{port}/hook", b"{}", {})
    assert (answer.status, answer.error) == (0, "private-address")
    assert receiver.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "127.1", "localhost"])
async def test_numbers_and_names_of_the_machine_are_refused(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    async with WebhookClient(local=False, timeout_s=2, resolver=ThreadedResolver()) as client:
        answer = await client.post(f"http://{host}:{port}/hook", b"{}", {})
    assert (answer.status, answer.error) == (0, "private-address")
    assert receiver.received == []


async def test_nobody_listens() -> None:
    async with WebhookClient(local=True, timeout_s=2) as client:
        answer = await client.post("http://127.0.0.1:1/hook", b"{}", {})
        assert (answer.status, answer.error) == (0, "no-connection")
        answer = await client.post("https://127.0.0.1:1/hook", b"{}", {})
        assert (answer.status, answer.error) == (0, "no-connection")
