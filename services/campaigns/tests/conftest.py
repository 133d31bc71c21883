"""A migrated database, a transaction that is rolled back, and makers of what fraud says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastapi import FastAPI

from campaigns.awards import usecases as awards
from campaigns.awards.usecases import Caches
from campaigns.main import SERVICE
from campaigns.programmes import usecases as programmes
from campaigns.rules import usecases as rules
from contracts import topics
from contracts.campaigns import RulePublished
from contracts.envelope import Envelope, decode, derive_id
from contracts.fraud import RefusedTransaction, ScreenedTransaction, ScreeningDecision
from contracts.ledger import COMMANDS, Outcome
from contracts.merchants import Programme, Terms
from contracts.pos import Line, PosTransaction
from contracts.values import Channel, Kind, Status
from kit.base import auth
from kit.base.db import Database, Tx
from kit.stream import consumer
from kit.stream.consumer import Event
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock
from support.transactions import rolled_back

SECRET = "the actor secret of these tests"
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)  # 1 Farvardin 1405, Saturday, 11:30 in Tehran
SHARD = 3


@dataclass(frozen=True)
class Make:
    """Values with the usual contents; keywords change them."""

    now: datetime = NOW
    shard: int = SHARD

    def programme(self, **changes: Any) -> Programme:
        given: dict[str, Any] = {
            "merchant": 5,
            "party": 50,
            "version": 1,
            "effective_from": NOW - timedelta(days=400),
            "title_fa": "باشگاه",
            "title_en": "Club",
            "earn_points": 1,
            "earn_per_rial": 10_000,
            "validity_days": 365,
        }
        return Programme(**(given | changes))

    def terms(self, **changes: Any) -> Terms:
        given: dict[str, Any] = {
            "version": 1,
            "effective_from": NOW - timedelta(days=400),
            "price_rial": 500,
            "price_points": 1,
            "fee_bp": 150,
            "grace_days": 30,
        }
        return Terms(**(given | changes))

    def rule(self, **changes: Any) -> RulePublished:
        given: dict[str, Any] = {
            "rule": "nowruz",
            "version": 1,
            "effective_from": NOW - timedelta(days=10),
            "effective_until": NOW + timedelta(days=10),
            "merchants": (),
            "funder": 1,
            "title_fa": "نوروز",
            "title_en": "Nowruz",
            "condition": True,
            "effect": {"fixed": {"points": 100, "per": "basket"}},
        }
        return RulePublished(**(given | changes))

    def lines(self, *amounts: int, category: str = "") -> tuple[Line, ...]:
        return tuple(
            Line(line=i, amount_rial=amount, category=category)
            for i, amount in enumerate(amounts, 1)
        )

    def transaction(self, **changes: Any) -> PosTransaction:
        lines = changes.get("lines", self.lines(700_000, 300_000))
        given: dict[str, Any] = {
            "name": "t.10000017.1.42",
            "kind": Kind.PURCHASE,
            "channel": Channel.TILL,
            "merchant": 5,
            "party": 50,
            "branch": 1,
            "terminal": 10000017,
            "programme_version": 1,
            "terms_version": 1,
            "account": 1000003,
            "member": 7,
            "identifier_id": "i-1",
            "identifier_last4": "1234",
            "amount_rial": sum(line.amount_rial for line in lines),
            "lines": lines,
        }
        return PosTransaction(**(given | changes))

    def screened(self, **changes: Any) -> ScreenedTransaction:
        about = {k: changes.pop(k) for k in list(changes) if k in _SCREENED}
        given: dict[str, Any] = {"decision": ScreeningDecision.ALLOW} | about
        return ScreenedTransaction(transaction=self.transaction(**changes), **given)

    def event(
        self,
        data: ScreenedTransaction | RefusedTransaction,
        *,
        offset: int = 0,
        fingerprint: str | None = "f1",
        correlation: str = "",
        occurred_at: datetime = NOW,
        accepted_at: datetime = NOW,
    ) -> Event:
        refused = isinstance(data, RefusedTransaction)
        kind = "transaction-refused.v1" if refused else "transaction-screened.v1"
        said = Envelope(
            id=derive_id("till", kind, offset),
            type=kind,
            key="1000003",
            occurred_at=occurred_at,
            accepted_at=accepted_at,
            fingerprint=fingerprint,
            data=data,
        )
        headers = (("reply-topic", b"gateway.replies"), ("correlation-id", correlation.encode()))
        return consumer.event(
            topics.FRAUD_SCREENED,
            said,
            partition=SHARD,
            offset=offset,
            headers=headers if correlation else (),
        )

    def garbage(self, raw: bytes = b"{not an envelope") -> Event:
        readable = self.event(self.screened())
        return msgspec.structs.replace(readable, raw=raw, envelope=None, error="malformed")

    def outcome_event(
        self, *, partition: int = SHARD, occurred_at: datetime = NOW, **changes: Any
    ) -> Event:
        given: dict[str, Any] = {
            "sequence": 1,
            "name": "t.10000017.1.42",
            "command": "post-transaction.v1",
            "status": Status.COMPLETED,
            "decided_at": NOW,
            "kind": Kind.PURCHASE,
            "channel": Channel.TILL,
            "merchant": 5,
            "account": 1000003,
            "member": 7,
            "amount_rial": 1_000_000,
        }
        outcome = Outcome(**(given | changes))
        said = Envelope(
            id=derive_id(outcome.name, outcome.command),
            type="outcome-recorded.v1",
            key=str(outcome.account),
            occurred_at=occurred_at,
            accepted_at=outcome.decided_at,
            data=outcome,
        )
        return consumer.event(topics.LEDGER_ENTRIES, said, partition=partition)

    def state_event(self, data: Programme | Terms | RulePublished) -> Event:
        match data:
            case Programme():
                topic, kind = topics.MERCHANTS_PROGRAMMES, "programme-published.v1"
            case Terms():
                topic, kind = topics.MERCHANTS_TERMS, "terms-published.v1"
            case RulePublished():
                topic, kind = topics.CAMPAIGNS_RULES, "rule-published.v1"
        said = Envelope(
            id=derive_id(kind, "x"), type=kind, key="k", occurred_at=NOW, accepted_at=NOW, data=data
        )
        return consumer.event(topic, said)

    def caches(self) -> Caches:
        return Caches(programmes=programmes.ProgrammeCache(), rules=rules.RuleCache())

    def said(self, tx: Tx) -> list[Envelope[Any]]:
        """What left for ledger.commands, decoded as the ledger decodes it; forgets it."""
        taken = [m for m in tx.take_messages() if m.topic == "ledger.commands"]
        assert all(m.partition is not None and m.numbered for m in taken)
        return [decode(m.value or b"", dict(COMMANDS)) for m in taken]


_SCREENED = {"decision", "reasons", "review_due_at", "case_id", "replayed"}


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def now() -> StoppedClock:
    return StoppedClock(NOW)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(fresh_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    database = await Database.open(await fresh_database("campaigns"), size=4)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def tx(pool: Database) -> AsyncIterator[Tx]:
    """Rolled back at the end; what was said in it goes nowhere."""
    async with rolled_back(pool) as tx:
        yield tx


Batch = Callable[..., Awaitable[list[Envelope[Any]]]]


@pytest_asyncio.fixture
async def stocked(tx: Tx, make: Make) -> Caches:
    """Caches with one programme and one version of the terms."""
    await programmes.keep_programmes(tx, [make.programme()])
    await programmes.keep_terms(tx, [make.terms()])
    return make.caches()


@pytest_asyncio.fixture
async def grant(tx: Tx, make: Make, stocked: Caches) -> Batch:
    """`await grant(event, …)`: one poll through the road, and the commands it said."""

    async def run(*batch: Event) -> list[Envelope[Any]]:
        await awards.grant_awards(tx, batch, stocked)
        return make.said(tx)

    return run


@pytest_asyncio.fixture
async def clean(pool: Database) -> AsyncIterator[None]:
    """For tests whose subject commits."""
    yield
    async with pool.transaction() as tx:
        await tx.execute(
            "delete from decisions; delete from live_rules; delete from rule_changes;"
            " delete from programmes; delete from terms; delete from programme_changes;"
            " delete from outbox_messages"
        )


@dataclass(frozen=True)
class Caller:
    """A client of the room's HTTP door that the gateway vouches for."""

    client: httpx.AsyncClient
    app: FastAPI
    roles: tuple[str, ...] = auth.STAFF

    def with_roles(self, *roles: str) -> "Caller":
        return replace(self, roles=roles)

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        signed = Vouched("campaigns", SECRET, self.roles, subject="sara")
        return await self.client.request(method, path, auth=signed, **more)


@pytest_asyncio.fixture
async def caller(pool: Database, now: StoppedClock, make: Make) -> AsyncIterator[Caller]:
    app = services.application(SERVICE, services.opened(SERVICE, pool, now, actor_secret=SECRET))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://campaigns") as client:
        yield Caller(client, app)
