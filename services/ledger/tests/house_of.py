"""What tests do with a ledger: send batches, hear answers, look at whole tables."""

from datetime import UTC, datetime

import msgspec

from contracts import envelope as envelopes
from contracts.ledger import Outcome, Reply
from contracts.topics import LEDGER_COMMANDS, LEDGER_ENTRIES
from kit.stream import consumer
from ledger.log.domain import chunks, leaves, merkle
from ledger.posting import usecases

from . import holding

TABLES = (
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


def events(shard, batch, *, headers=(), first=0):
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


def undecodable(shard, raw):
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


async def post(database, batch):
    """Post records in a transaction; gives what was said."""
    async with database.transaction() as tx:
        await usecases.post_batch(tx, batch)
        return tx.take_messages()


def replies(said):
    """{correlation id: (http status, body bytes)}."""
    found = {}
    for message in said:
        if message.topic == "gateway.replies":
            reply = envelopes.decode(message.value, {"transaction-answered.v1": Reply}).data
            found[int(message.key)] = (reply.http_status, bytes(reply.body))
    return found


def answers(said):
    """Bodies of the replies in order, as objects."""
    found = replies(said)
    return [msgspec.json.decode(found[place][1]) for place in sorted(found)]


def outcomes(said):
    """What the house heard."""
    return [
        envelopes.decode(message.value, {"outcome-recorded.v1": Outcome}).data
        for message in said
        if message.topic == LEDGER_ENTRIES.name
    ]


async def tables(database, shard):
    """Every row of a shard, table by table."""
    found = {}
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


async def balances_of(database, shard):
    """Accounts that are not zero, by natural key."""
    async with database.read() as tx:
        rows = await tx.fetch(
            "select owner, role, unit, counterparty, balance from accounts where shard = $1", shard
        )
    return {tuple(row)[:4]: row["balance"] for row in rows if row["balance"]}


async def check_book(database, shard):
    """The book adds up by itself: from entries and consumptions alone."""
    async with database.read() as tx:
        off = await tx.fetch(
            "select a.account_id from accounts a left join entries e using (shard, account_id)"
            " where shard = $1 group by shard, a.account_id, a.balance, a.entry_count"
            " having a.balance <> sum(e.amount) or a.entry_count <> count(*)"
            " or a.entry_count <> max(e.account_sequence)", shard,
        )  # fmt: skip
        assert not off
        wrong = await tx.fetch(
            "select s.lot from lots s left join consumptions c"
            " using (shard, lot) where shard = $1 group by shard, s.lot, s.amount, s.cost_rial,"
            " s.parent, s.remaining, s.cost_left having"
            " case when s.parent is null then s.amount else 0 end + coalesce(sum(case when c.what"
            " in ('restored', 'arrived') then c.amount else -c.amount end), 0)"
            " <> s.remaining or"
            " case when s.parent is null then s.cost_rial else 0 end + coalesce(sum(case when"
            " c.what in ('restored', 'arrived') then c.cost_rial else -c.cost_rial end), 0)"
            " <> s.cost_left", shard,
        )  # fmt: skip
        assert not wrong
        state = await tx.fetchrow("select last_sequence, peaks from shards where shard = $1", shard)
        packed = await tx.fetch("select packed from leaves where shard = $1 order by first", shard)
    raw = [leaf for row in packed for leaf in chunks.unpack(row["packed"])]
    assert [leaves.decode(leaf).sequence for leaf in raw] == list(range(1, len(raw) + 1))
    if state is not None:
        grown = merkle.grow(merkle.EMPTY, merkle.leaf_hashes(raw)).frontier
        assert grown == merkle.frontier(state["last_sequence"], state["peaks"])


async def compare_state(database, shard, plain):
    """Lots, with what is held of them and their dates, and holds are what a model says."""
    found = await tables(database, shard)
    assert {row[0]: (*row[5:8], row[15], row[16]) for row in found["lots"]} == {
        n: (
            lot["left"], lot["cost"], holding.held(plain, n, booked=True), lot["from"],
            lot["until"],
        )
        for n, lot in plain.lots.items()
    }  # fmt: skip
    assert {
        row[0]: (*row[1:4], list(zip(*row[4:6], strict=True)), row[6], row[7] or 0)
        for row in found["holds"]
    } == {
        n: (hold["account"], hold["name"], hold["due"], hold["parts"], hold["end"], hold["by"])
        for n, hold in plain.holds.items()
    }
