"""Whether a run's book is right: counts, sums, running balances, lots; without it, no speed."""

from collections import Counter
from typing import Any, Final

from lab.bench.ledger.model import Model
from lab.bench.ledger.place import Place
from lab.bench.ledger.workloads import Workload
from ledger.log.domain import chunks, leaves

_DONE: Final = ("completed", "held")
_CHUNKS: Final = 2_000


class CheckFailed(Exception):
    """The book of a run is not what its commands make; the text lists how."""


async def check(place: Place, database: str, model: Model, *, born: int) -> dict[str, Any]:
    """Compare the book with the model. born: sequence numbers before the run.

    Gives what was counted. Raises CheckFailed.
    """
    async with place.superuser(database) as connection:
        counts = {
            name: int(await connection.fetchval(query) or 0) for name, query in _COUNTS.items()
        }
        rows = await connection.fetch(_BALANCES)
        statuses = await _statuses(connection, born)
        ends = await _ends_of_holds(connection, model)
    wrong = ends + [f"{name}: {counts[name]}" for name in _NONE if counts[name]]
    numbers = born + model.fresh + model.swept
    wrong += _differ("sequence numbers", counts["last_sequence"], numbers)
    wrong += _differ("names", counts["names"], numbers)
    done = sum(statuses[status] for status in _DONE)
    wrong += _differ("accepted", done, model.posted + model.swept)
    wrong += _differ("refused", statuses.total() - done, model.refused)
    wrong += _members("balance", {row["owner"]: row["balance"] for row in rows}, model.balances())
    wrong += _members("held", {r["owner"]: r["held"] for r in rows if r["held"]}, model.held())
    if wrong:
        raise CheckFailed("; ".join(wrong))
    return {
        "sequence_numbers": numbers,
        "entries": counts["entries"],
        "refused": model.refused,
        "repeated": model.repeated,
        "conflicting": model.conflicting,
        "swept": model.swept,
        "holds_open": len(model.holds),
    }


async def _statuses(connection: Any, born: int) -> Counter[str]:
    """What became of the run's sequence numbers, from the leaves."""
    statuses: Counter[str] = Counter()
    first = born
    while True:
        rows = await connection.fetch(
            "select first, count, packed from leaves where first + count > $1 order by first"
            " limit $2", first + 1, _CHUNKS,
        )  # fmt: skip
        if not rows:
            return statuses
        for row in rows:
            for raw in chunks.unpack(row["packed"]):
                leaf = leaves.decode(raw)
                if leaf.sequence > born:
                    statuses[leaf.status] += 1
        first = rows[-1]["first"] + rows[-1]["count"] - 1


async def _ends_of_holds(connection: Any, model: Model) -> list[str]:
    """How each hold ended: once, or not yet."""
    if model.workload is not Workload.W4:
        return []
    rows = await connection.fetch("select resolution, count(*) from holds group by resolution")
    actual = {row["resolution"]: int(row["count"]) for row in rows}
    expected = {
        "": len(model.holds),
        "captured": model.captured,
        "voided": model.voided,
        "due": model.fell_due,
    }
    return [
        wrong
        for end, count in expected.items()
        for wrong in _differ(f"holds {end or 'standing'}", actual.get(end, 0), count)
    ]


def _differ(label: str, actual: int, expected: int) -> list[str]:
    return [] if actual == expected else [f"{label}: {actual}, not {expected}"]


def _members(label: str, actual: dict[int, int], expected: dict[int, int]) -> list[str]:
    off = [
        member
        for member in actual.keys() | expected.keys()
        if actual.get(member, 0) != expected.get(member, 0)
    ]
    if not off:
        return []
    member = min(off)
    detail = f"{member} has {actual.get(member, 0)}, not {expected.get(member, 0)}"
    return [f"{label} of {len(off)} members is off: {detail}"]


_COUNTS: Final = {
    "last_sequence": "select sum(last_sequence) from shards",
    "names": "select count(*) from outcomes",
    "entries": "select count(*) from entries",
    "units_off_zero": (
        "select count(*) from (select a.unit from entries e join accounts a using (shard,"
        " account_id) group by a.unit having sum(e.amount) <> 0) u"
    ),
    "running_balances_off": (
        "select count(*) from (select e.balance - sum(e.amount) over w as off,"
        " e.account_sequence - row_number() over w as gap from entries e"
        " window w as (partition by e.shard, e.account_id order by e.account_sequence)) e"
        " where off <> 0 or gap <> 0"
    ),
    "accounts_off_their_entries": (
        "select count(*) from accounts a left join (select shard, account_id,"
        " sum(amount) as balance, count(*) as entries from entries group by 1, 2) e"
        " using (shard, account_id)"
        " where a.balance is distinct from e.balance or a.entry_count is distinct from e.entries"
    ),
    "accounts_off_their_lots": (
        "select count(*) from accounts a left join (select shard, account_id,"
        " sum(remaining) as remaining from lots group by 1, 2) l using (shard, account_id)"
        " where a.role = 'value' and a.balance <> coalesce(l.remaining, 0)"
    ),
    "lots_beyond_their_bounds": (
        "select count(*) from lots where not (0 <= held and held <= remaining)"
    ),
}
_NONE: Final = (
    "units_off_zero",
    "running_balances_off",
    "accounts_off_their_entries",
    "accounts_off_their_lots",
    "lots_beyond_their_bounds",
)
_BALANCES: Final = """
select a.owner, sum(a.balance)::bigint as balance, coalesce(sum(l.held), 0)::bigint as held
from accounts a left join (select shard, account_id, sum(held) as held from lots group by 1, 2) l
    using (shard, account_id)
where a.role = 'value' group by a.owner
"""
