"""A driver on PostgreSQL: posts batches, reads answers and whole tables."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, LiteralString

import msgspec

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import Outcome, Reply
from contracts.topics import LEDGER_COMMANDS, LEDGER_ENTRIES
from kit.base.db import Database
from kit.base.message import Message
from kit.stream import consumer
from ledger.log.domain import chunks, leaves
from ledger.posting import usecases

TABLES: Final[tuple[tuple[LiteralString, LiteralString, LiteralString], ...]] = (
    (
        "shards",
        "shard, last_sequence, decided_at, account_count, peaks, has_standings, window_closed",
        "shard",
    ),
    ("accounts", "account_id, owner, role, unit, counterparty, balance, entry_count", "account_id"),
    ("outcomes", "name, fingerprint, sequence", "name"),
    (
        "entries",
        "sequence, line, account_id, account_sequence, amount, balance",
        "sequence, line",
    ),
    (
        "consumptions",
        "sequence, ordinal, lot, what, amount, cost_rial, claim_rial, fee_rial, issuer, acceptor,"
        " merchant, original_sequence, original_ordinal",
        "sequence, ordinal",
    ),
    (
        "lots",
        "lot, account_id, unit, amount, cost_rial, remaining, cost_left, held, lapsed, open,"
        " issuer, funder, rule, rule_version, origin, available_from, expires_at, born_at, parent,"
        " merchant, sliding_days",
        "lot",
    ),
    ("holds", "hold, owner, name, due_at, lots, amounts, resolution, resolved_by", "hold"),
    ("standings", "is_party, number, standing, sequence", "is_party, number"),
    (
        "terms",
        "kind, id, version, numerator, denominator, accepted_by, sequence",
        "kind, id, version",
    ),
    ("cards", "account, issuer, sequence", "account"),
    ("windows", "closed, sequence", "closed"),
    ("positions", "debtor, creditor, closed, reached_rial", "debtor, creditor, closed"),
    ("settlements", "debtor, creditor, settled_rial, closed, sequence", "debtor, creditor"),
    (
        "originals",
        "name, sequence, total_rial, refunded_rial, refunded, is_full, is_reversed, verdict",
        "name",
    ),
)
REPLY = (("reply-topic", b"gateway.replies"), ("reply-partition", b"2"))


def events(
    shard: int,
    batch: Iterable[Envelope[Any]],
    *,
    headers: Sequence[tuple[str, bytes]] = (),
    first: int = 0,
) -> list[consumer.Event]:
    """Records as kit hands them over; each asks for a reply under its place in the batch."""
    return [
        consumer.event(
            LEDGER_COMMANDS,
            envelope,
            partition=shard,
            offset=first + place,
            headers=(*REPLY, ("correlation-id", str(place).encode()), *headers),
        )
        for place, envelope in enumerate(batch)
    ]


def undecodable(shard: int, raw: bytes) -> consumer.Event:
    """A record that is no command."""
    return consumer.Event(
        topic=LEDGER_COMMANDS.name,
        partition=shard,
        offset=0,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        headers=dict((*REPLY, ("correlation-id", b"0"))),
        key=b"",
        raw=raw,
        envelope=None,
        error="malformed",
    )


async def post(database: Database, batch: Sequence[consumer.Event]) -> list[Message]:
    """Post records in a transaction; gives the messages to be sent."""
    async with database.transaction() as tx:
        await usecases.post_batch(tx, batch)
        return tx.take_messages()


def replies(messages: Iterable[Message]) -> dict[int, tuple[int, bytes]]:
    """{correlation id: (http status, body bytes)}."""
    found: dict[int, tuple[int, bytes]] = {}
    for message in messages:
        if message.topic == "gateway.replies":
            reply = envelopes.decode(message.value or b"", {"transaction-answered.v1": Reply}).data
            found[int(message.key)] = (reply.http_status, bytes(reply.body))
    return found


def answers(messages: Iterable[Message]) -> list[Any]:
    """Bodies of the replies in order, as objects."""
    found = replies(messages)
    return [msgspec.json.decode(found[place][1]) for place in sorted(found)]


def outcomes(messages: Iterable[Message]) -> list[Outcome]:
    """Outcomes that the other services hear."""
    return [
        envelopes.decode(message.value or b"", {"outcome-recorded.v1": Outcome}).data
        for message in messages
        if message.topic == LEDGER_ENTRIES.name
    ]


async def tables(database: Database, shard: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a shard, table by table."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    async with database.read() as tx:
        for table, columns, order in TABLES:
            rows = await tx.fetch(
                f"select {columns} from {table} where shard = $1 order by {order}", shard
            )
            found[table] = [tuple(row) for row in rows]
        packed = await tx.fetch(
            "select first, count, packed from leaves where shard = $1 order by first", shard
        )
    sealed = [leaves.decode(raw) for row in packed for raw in chunks.unpack(row["packed"])]
    assert sum(row["count"] for row in packed) == len(sealed)
    found["leaves"] = [
        (x.sequence, x.decided_at, x.status, x.code, x.command, x.answer, x.marked) for x in sealed
    ]
    found["holds of leaves"] = [(x.sequence, x.holds, x.dates) for x in sealed]
    found["shards"] = [row[1:] for row in found["shards"]]
    return found


async def balances_of(database: Database, shard: int) -> dict[tuple[Any, ...], int]:
    """Accounts that are not zero, by natural key."""
    async with database.read() as tx:
        rows = await tx.fetch(
            "select owner, role, unit, counterparty, balance from accounts where shard = $1", shard
        )
    return {tuple(row)[:4]: row["balance"] for row in rows if row["balance"]}
