"""W1 on a book that is full: millions of entries and accounts before the clock starts."""

import itertools
from dataclasses import dataclass
from typing import Any, Final

from lab.bench.ledger import ours, runs, workloads
from lab.bench.ledger.ours import Ours
from lab.bench.ledger.place import ROOM
from lab.bench.ledger.rounds import COMMANDS, Rounds
from lab.bench.ledger.runs import How
from lab.bench.ledger.workloads import Size, Workload
from lab.bench.meter import median

ACCOUNTS: Final = 1_000_000
ENTRIES: Final = 10_000_000
_BATCH: Final = 1_000
_HISTORY, _RUNS = 2, 10  # epochs of the tills: of what came before, and of each run


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is there before: members, entries; commands of each run, drawn from all members."""

    accounts: int = ACCOUNTS
    entries: int = ENTRIES
    commands: int = 100_000
    batch: int = 100
    pairs: int = 2

    @classmethod
    def of(cls, accounts: int) -> "Load":
        """Ten entries an account, and so few commands that the book stays what it is."""
        return cls(accounts=accounts, entries=10 * accounts, commands=accounts // 10)


async def measure(rounds: Rounds, load: Load) -> dict[str, Any]:
    """W1 on an empty book and on a full one in turn; the full one grows from pair to pair.

    Every member's first lot is a command of two entries, and so is each command of the history:
    W1's own mix, posted in batches of 1,000.
    """
    place, size = rounds.place, Size(load.commands, load.accounts)
    written = workloads.write(Workload.W1, size, COMMANDS)

    async def fill(database: str) -> None:
        rounds.tell(f"{load.accounts:,} members get their first lots")
        owner, runner = place.dsn(database, f"{ROOM}_owner"), place.dsn(database, ROOM)
        await ours.fill(owner, runner, Workload.W1, size)
        rounds.tell(f"their history up to {load.entries:,} entries")
        await _post_history(runner, Size(load.entries // 2 - load.accounts, load.accounts))

    mold = await place.mold("loaded", fill)
    empty: list[float] = []
    full: list[float] = []
    for number in range(load.pairs):
        row = await rounds.run_ours(Workload.W1, load.batch, audited=False)
        empty.append(row["per_s"] or 0)
        side = await Ours.open(place.dsn(mold, ROOM), Workload.W1, epoch=_RUNS + number)
        try:
            drawn = runs.source(written.path, load.batch)
            warm_up = load.commands // 10
            run = await runs.measure(place, side, drawn, How(batch=load.batch, warm_up=warm_up))
        finally:
            await side.close()
        full.append(run.per_s)
        rounds.tell(f"full book {run.per_s:.0f}/s, empty {empty[-1]}/s")
    async with place.superuser(mold) as connection:
        entries = await connection.fetchval("select count(*) from entries")
        accounts = await connection.fetchval("select count(*) from accounts")
    return {
        "entries": entries,
        "accounts": accounts,
        "batch": load.batch,
        "empty_per_s": round(median(empty)),
        "full_per_s": round(median(full)),
        "ratio": round(median([b / a for a, b in zip(empty, full, strict=True) if a]), 3),
    }


async def _post_history(dsn: str, size: Size) -> None:
    side = await Ours.open(dsn, Workload.W1, epoch=_HISTORY)
    try:
        commands = workloads.generate(Workload.W1, size)
        while batch := list(itertools.islice(commands, _BATCH)):
            await side.post(side.prepare(batch))
    finally:
        await side.close()
