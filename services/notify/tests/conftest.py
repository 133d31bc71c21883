"""A migrated database, the application on it, and a simulated provider that really listens."""

import asyncio
import base64
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
import uvicorn

from contracts import keys
from contracts.envelope import Envelope
from contracts.ledger import LotIssued, LotMoved, Outcome
from contracts.members import Contact, HoldingChanged, SealedContact
from contracts.merchants import Merchant
from contracts.topics import (
    LEDGER_ENTRIES,
    MEMBERS_CONTACTS,
    MEMBERS_NOTICES,
    MERCHANTS_MERCHANTS,
    Topic,
)
from contracts.values import Channel, Kind, Status, Unit
from kit.base import auth, clock
from kit.base.db import Database, Tx
from kit.stream import consumer
from notify.contacts import domain as contacts
from notify.main import SERVICE
from notify.receipts.usecases import DeliveryPoller, receipt_buffer
from notify.sending.usecases import SmsSender
from notify.sms_provider import SmsProvider
from notify.titles import consumer as titles
from simulators.sms import app as simulator
from simulators.sms.exchange import Exchange
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock
from support.transactions import rolled_back

SECRET = "the actor secret of these tests"
API_KEY = "4B65793A"
ROOT = base64.b64encode(bytes(range(32))).decode()
RING = contacts.ring_of([ROOT])
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
PRICE = 1_180


@dataclass
class Wall:
    """Wall time that is put ahead by hand."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return clock.wall() + self.ahead


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(fresh_database: Callable[[str], Awaitable[str]]) -> str:
    return await fresh_database("notify")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(dsn, size=4)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(dsn: str, owner_dsn: Callable[[str], str]) -> AsyncIterator[Database]:
    opened = await Database.open(owner_dsn(dsn), size=1)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def pool(database: Database, owner: Database) -> AsyncIterator[Database]:
    """The database, emptied behind the test."""
    yield database
    async with owner.transaction() as tx:
        await tx.execute("delete from messages; delete from contacts")


@pytest_asyncio.fixture
async def hooks(database: Database, owner: Database, make: "Make") -> AsyncIterator[Database]:
    """The database with merchants 5 and 6, emptied of webhooks behind the test."""
    async with database.transaction() as tx:
        merchants = [
            Merchant(merchant=number, version=1, party=number, title_fa="نان", title_en="Bread")
            for number in (5, 6)
        ]
        await titles.on_merchants_merchants(tx, [make.merchant_event(one) for one in merchants])
    yield database
    async with owner.transaction() as tx:
        await tx.execute(
            "delete from webhook_replays; delete from webhook_deliveries;"
            " delete from webhook_events;"
            " delete from webhook_secrets; delete from webhook_endpoints; delete from titles"
        )


@pytest_asyncio.fixture
async def tx(database: Database) -> AsyncIterator[Tx]:
    async with rolled_back(database) as tx:
        yield tx


@pytest.fixture
def at() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def wall() -> Wall:
    return Wall()


# ---------------------------------------------------------------------------------------- samples


def sealed_for(member: int, mobile: str, *, ring: keys.Ring = RING) -> str:
    plain = msgspec.json.encode(SealedContact(mobile=mobile, name="نام"))
    nonce = member.to_bytes(12, "big")
    return base64.b64encode(keys.seal(ring[0], nonce, plain, member)).decode()


def mobile_of(member: int) -> str:
    return f"+9891{member:08d}"


@dataclass
class Samples:
    """Contacts and outcomes with numbers of their own; a field that a test leaves out is plain."""

    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def contact(self, member: int, **fields: Any) -> Contact:
        plain = {
            "member": member,
            "version": 1,
            "account": 1_000_000 + member,
            "sealed": sealed_for(member, mobile_of(member)),
            "receipts": True,
        }
        return Contact(**plain | fields)

    def outcome(self, member: int, kind: Kind = Kind.PURCHASE, **fields: Any) -> Outcome:
        sequence = next(self.numbers)
        plain: dict[str, Any] = {
            "sequence": sequence,
            "name": f"t.7.1.{sequence}",
            "command": "post-transaction.v1",
            "status": Status.COMPLETED,
            "decided_at": NOW,
            "kind": kind,
            "channel": Channel.TILL,
            "account": 1_000_000 + member,
            "member": member,
            "amount_rial": 1_500_000,
            "balance_points": 120,
        }
        return Outcome(**plain | fields)

    def first_purchase(self, member: int, **fields: Any) -> Outcome:
        plain: dict[str, Any] = {
            "command": "issue-value.v1",
            "kind": None,
            "channel": None,
            "amount_rial": 0,
            "name": f"a.{1_000_000 + member}.first-purchase",
            "purpose": "first-purchase",
            "lots": (lot(500_000, Unit.CREDIT),),
        }
        return self.outcome(member, **plain | fields)


def lot(amount: int, unit: Unit = Unit.NETWORK_POINTS) -> LotIssued:
    return LotIssued(
        lot=1,
        unit=unit,
        amount=amount,
        cost_rial=amount,
        issuer=5,
        funder=5,
        rule="base",
        available_from=NOW,
    )


def move(movement: str, amount: int, unit: Unit = Unit.NETWORK_POINTS) -> LotMoved:
    return LotMoved(lot=1, movement=movement, unit=unit, amount=amount, cost_rial=0, issuer=5)


def event_of(topic: Topic, kind: str, key: str, data: Any, partition: int = 3) -> consumer.Event:
    envelope = Envelope(id="1", type=kind, key=key, occurred_at=NOW, accepted_at=NOW, data=data)
    return consumer.event(topic, envelope, partition=partition)


@pytest.fixture
def samples() -> Samples:
    return Samples()


class Make:
    """The functions above, and events, for tests."""

    def __init__(self) -> None:
        self.sealed = sealed_for
        self.lot = lot
        self.move = move
        self.mobile = mobile_of

    def contact_event(self, contact: Contact) -> consumer.Event:
        return event_of(MEMBERS_CONTACTS, "contact-changed.v1", str(contact.member), contact)

    def entry_event(self, outcome: Outcome) -> consumer.Event:
        return event_of(LEDGER_ENTRIES, "outcome-recorded.v1", str(outcome.account), outcome)

    def merchant_event(self, merchant: Merchant) -> consumer.Event:
        key = f"{merchant.merchant}@{merchant.version}"
        return event_of(MERCHANTS_MERCHANTS, "merchant-changed.v1", key, merchant, 0)

    def notice_event(self, notice: HoldingChanged) -> consumer.Event:
        return event_of(MEMBERS_NOTICES, "holding-changed.v1", str(notice.member), notice)

    def tombstone(self, member: int) -> consumer.Event:
        return consumer.Event(
            topic=MEMBERS_CONTACTS.name,
            partition=0,
            offset=0,
            at=NOW,
            headers={},
            key=str(member).encode(),
            raw=b"",
            envelope=None,
        )


@pytest.fixture
def make() -> Make:
    return Make()


# --------------------------------------------------------------------------------------- provider


@dataclass
class Simulator:
    """A provider that listens."""

    exchange: Exchange
    url: str

    async def until(self, counter: str, count: int) -> None:
        async with asyncio.timeout(10):
            while getattr(self.exchange.counters, counter) < count:  # noqa: ASYNC110  a plain number
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def provider_side() -> AsyncIterator[Simulator]:
    exchange = Exchange()
    exchange.controls.delivery_delay_s = 0.02
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        simulator.build(exchange, API_KEY),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
            await asyncio.sleep(0.01)
        yield Simulator(exchange, f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def provider(provider_side: Simulator) -> AsyncIterator[SmsProvider]:
    opened = SmsProvider(url=provider_side.url, key=API_KEY, sender="10008663", timeout_s=0.5)
    async with opened:
        yield opened


@pytest.fixture
def sender(pool: Database, provider: SmsProvider, at: StoppedClock, wall: Wall) -> SmsSender:
    return SmsSender(database=pool, provider=provider, clock=at, wall=wall, ring=RING)


@pytest.fixture
def poller(pool: Database, provider: SmsProvider, wall: Wall) -> DeliveryPoller:
    return DeliveryPoller(database=pool, provider=provider, wall=wall)


# -------------------------------------------------------------------------------------------- api


class Client:
    """Calls the application as the gateway and the provider do."""

    secret = "callback-secret"

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, *, roles: tuple[str, ...] = auth.STAFF) -> httpx.Response:
        return await self.http.get(path, auth=Vouched("notify", SECRET, roles))

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        roles: tuple[str, ...] = auth.STAFF,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        vouched = Vouched("notify", SECRET, roles)
        return await self.http.request(method, path, json=body, auth=vouched, headers=headers)


@pytest_asyncio.fixture
async def client(pool: Database) -> AsyncIterator[Client]:
    resources = services.opened(
        SERVICE,
        pool,
        clock.SystemClock(),
        actor_secret=SECRET,
        contact_keys=(ROOT,),
        callback_secret=Client.secret,
        webhook_local=False,
    )
    app = services.application(SERVICE, resources)
    buffer = resources.shared(receipt_buffer)
    transport = httpx.ASGITransport(app=app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://notify") as http,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(buffer.run())
        yield Client(http)
        running.cancel()
