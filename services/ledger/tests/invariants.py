"""What holds of every book by itself, whatever the commands were."""

from collections import Counter

from kit.base.db import Database
from ledger.book.facts import AccountKey, value_key
from ledger.log.domain import chunks, leaves, merkle
from ledger.posting.decide.batch_state import BatchState


def check_sums(book: BatchState, shard: int) -> None:
    """Units sum to zero, nobody is owed by a member, and lots make up the accounts of value."""
    balances = book.shard(shard).registry.balances
    sums: Counter[str] = Counter()
    for key, amount in balances.items():
        sums[key.unit] += amount
        assert key.role != "debt" or amount <= 0
    assert not any(sums.values())
    lots: Counter[AccountKey] = Counter()
    for (its, owner), member in book.members.items():
        if its == shard:
            for lot in member.lots.values():
                lots[value_key(owner, lot.unit, lot.issuer)] += lot.remaining
    for key, remaining in lots.items():
        assert remaining == balances.get(key, 0)


async def check_book(database: Database, shard: int) -> None:
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
