"""What fraud's tests share: a database, a transaction undone at the end, and a till."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from contracts import topics
from contracts.envelope import Envelope, fingerprint_of
from contracts.fraud import ScreenedTransaction
from contracts.members import IdentifierKind
from contracts.pos import PosTransaction
from contracts.values import Channel, Kind, till_name
from fraud.screening.domain.decisions import Limits
from fraud.screening.usecases import ScreeningState
from kit.base import db
from kit.stream.consumer import Event, event
from support.transactions import rolled_back

NOW = datetime(2025, 6, 1, 9, 0, tzinfo=UTC)
TABLES = (
    "alerts",
    "names_seen",
    "cases",
    "requests",
    "withdrawals",
    "windows",
    "decisions",
    "day_sums",
    "terms",
    "outbox_messages",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(fresh_database: Callable[[str], Awaitable[str]]) -> str:
    return await fresh_database("fraud")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(dsn: str) -> AsyncIterator[db.Database]:
    opened = await db.Database.open(dsn, size=4)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(dsn: str, owner_dsn: Callable[[str], str]) -> AsyncIterator[Any]:
    """A session of the role that owns the tables."""
    connection = await db.connect(owner_dsn(dsn))
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tx(database: db.Database) -> AsyncIterator[db.Tx]:
    async with rolled_back(database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def committed(owner: Any) -> AsyncIterator[None]:
    """For tests whose work commits: tables are empty again afterwards."""
    yield
    for table in TABLES:
        await owner.execute(f"delete from {table}")
    await owner.execute("delete from rule_versions where author <> 'platform'")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def state() -> ScreeningState:
    return ScreeningState(Limits())


Sale = Callable[..., Event]


@pytest.fixture
def sale() -> Sale:
    """A record of pos.transactions: sale(sequence, after_s=..., **fields of PosTransaction)."""

    def record(
        sequence: int,
        *,
        after_s: float = 0,
        shard: int = 5,
        occurred_at: datetime | None = None,
        accepted_at: datetime | None = None,
        headers: tuple[tuple[str, bytes], ...] = (),
        envelope_id: str = "",
        **fields: Any,
    ) -> Event:
        given = {
            "name": till_name(10_000_017, 1, sequence),
            "kind": Kind.PURCHASE,
            "channel": Channel.TILL,
            "merchant": 7,
            "party": 7,
            "branch": 1,
            "terminal": 10_000_017,
            "account": 1_000_001,
            "member": 1,
            "identifier_id": "card-1",
            "identifier_kind": IdentifierKind.CARD,
            "amount_rial": 100_000,
        } | fields
        transaction = PosTransaction(**given)
        at = accepted_at or NOW + timedelta(seconds=after_s)
        said = Envelope(
            id=envelope_id or f"submitted-{sequence}",
            type="transaction-submitted.v1",
            key=str(transaction.account),
            occurred_at=occurred_at or at,
            accepted_at=at,
            fingerprint=fingerprint_of(fields | {"sequence": sequence}),
            data=transaction,
        )
        return event(
            topics.POS_TRANSACTIONS, said, partition=shard, offset=sequence, headers=headers
        )

    return record


Heard = Callable[[db.Tx], list[Envelope[Any]]]


@pytest.fixture
def screened() -> Heard:
    """What a transaction has said on fraud.screened, taken out of it."""

    def taken(tx: db.Tx) -> list[Envelope[Any]]:
        return [
            _decoded(message.value)
            for message in tx.take_messages()
            if message.topic == topics.FRAUD_SCREENED.name
        ]

    return taken


def _decoded(value: bytes | None) -> Envelope[Any]:
    from contracts import envelope

    assert value is not None
    said = envelope.decode(value, dict(topics.FRAUD_SCREENED.events))
    assert isinstance(said.data, ScreenedTransaction) or said.type == "transaction-refused.v1"
    return said
