"""The whole audit: one process a core over the shards, then the checks over all shards."""

import asyncio
import gc
import json
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from typing import Any, NamedTuple

from verifier import network, signed
from verifier.books import Book, Unreadable
from verifier.checkpoints import Checkpoint
from verifier.database import Database
from verifier.findings import Findings
from verifier.folder import Folder
from verifier.sent_twice import SentTwice
from verifier.shard import Audit, Half, Shard

Progress = Callable[[int, int], None]  # leaves checked, leaves in all
_LOOK_S = 0.2


@dataclass(frozen=True)
class Source:
    """Where the book is: a database, or a folder.

    snapshot: the database snapshot that all connections read. filled: tables and shards with rows
    in it.
    """

    dsn: str = ""
    folder: str = ""
    snapshot: str = ""
    filled: frozenset[tuple[str, int]] | None = None

    async def open(self) -> Book:
        """Open the book. Raises Unreadable."""
        if self.folder:
            return Folder(Path(self.folder))
        return await Database.open(self.dsn, self.snapshot, self.filled)


@dataclass
class Report:
    """The result of an audit."""

    findings: Findings = field(default_factory=Findings)
    sent_twice: SentTwice = field(default_factory=SentTwice)
    seconds: float = 0.0
    entries: int = 0
    leaves: int = 0
    isolated: int = 0
    on_their_way: int = 0  # the ledger's own commands that are sent and not yet received
    shards: int = 0
    checkpoints: int = 0

    def as_json(self) -> dict[str, Any]:
        """The report's file."""
        return {
            "ok": self.findings.count == 0,
            "entries": self.entries,
            "seconds": round(self.seconds, 3),
            "entries_per_s": round(self.entries / self.seconds) if self.seconds else 0,
            "leaves": self.leaves,
            "minutes_per_million_leaves": (
                round(self.seconds / 60 * 1_000_000 / self.leaves, 3) if self.leaves else 0
            ),
            "shards": self.shards,
            "checkpoints": self.checkpoints,
            "refused_by_the_ledger_itself": self.isolated,
            "on_their_way": self.on_their_way,
            "names_answered_in_more_than_one_shard_count": self.sent_twice.count,
            "names_answered_in_more_than_one_shard": [
                sent.as_json() for sent in self.sent_twice.listed
            ],
            "findings_count": self.findings.count,
            "findings_by_check": self.findings.by_check,
            "findings": [finding.as_json() for finding in self.findings.listed],
        }

    def write(self, path: Path) -> None:
        """Write the report's file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.as_json(), ensure_ascii=False, indent=1)
        path.write_text(f"{text}\n", "utf-8")


def audit(
    source: Source,
    *,
    keys: signed.Keys,
    checkpoints: Path | None,
    cores: int,
    progress: Progress,
) -> Report:
    """Check a book. Raises Unreadable, OSError where it cannot be read at all."""
    report, began = Report(), time.monotonic()
    published: dict[int, list[Checkpoint]] = {}
    if checkpoints is not None:
        published = signed.load(checkpoints, keys, report.findings)
        report.checkpoints = sum(map(len, published.values()))
    with tempfile.TemporaryDirectory(prefix="verifier-") as folder:
        asyncio.run(_audit(source, report, _Plan(published, Path(folder), cores, progress)))
    report.seconds = time.monotonic() - began
    return report


@dataclass(frozen=True)
class _Plan:
    published: dict[int, list[Checkpoint]]
    folder: Path
    cores: int
    progress: Progress


async def _audit(source: Source, report: Report, plan: _Plan) -> None:
    book = await source.open()
    try:
        counts = await book.counts()
        sizes = {shard: 0 for of_table in counts.values() for shard in of_table}
        sizes |= dict.fromkeys(plan.published, 0) | counts["leaves"]
        seen = source
        if isinstance(book, Database):
            filled = frozenset(
                (name, shard) for name, of_table in counts.items() for shard in of_table
            )
            seen = Source(dsn=source.dsn, snapshot=book.snapshot, filled=filled)
        results = await _all_shards(seen, sizes, plan)
        for result in sorted(results, key=lambda result: result.shard):
            report.findings.take(result.findings)
            report.entries += result.entries
            report.leaves += result.leaves
            report.isolated += result.isolated
        report.shards = len(sizes)
        report.sent_twice = await network.check_names(book, plan.folder, report.findings)
        network.check_sums(results, report.findings)
        report.on_their_way = network.check_crossings(results, report.findings)
    finally:
        await book.close()


async def _all_shards(source: Source, sizes: dict[int, int], plan: _Plan) -> list[Shard]:
    """The results of all shards; the largest shard is first, so that no core ends with a large one.

    Gives one result a shard; the findings of its second half are in it.
    """
    order = sorted(sizes, key=lambda shard: (-sizes[shard], shard))
    total = sum(sizes.values())
    context = multiprocessing.get_context("spawn")
    done: SynchronizedArray[int] = context.Array("q", len(order) or 1)
    full = [shard for shard in order if sizes[shard]]
    jobs = [
        _Job(shard, place, plan.folder, plan.published.get(shard, []))
        for place, shard in enumerate(order)
    ]
    if len(full) < plan.cores and plan.cores > 1:
        jobs = [*_halves(jobs[: len(full)], plan.folder), *jobs[len(full) :]]
    if plan.cores == 1:
        return [
            shard
            async for shard in _alone(
                _Worker(source, done), jobs, lambda: plan.progress(_total(done), total)
            )
        ]
    with context.Pool(min(plan.cores, len(jobs) or 1), _prepare, (source, done)) as pool:
        waiting = pool.map_async(_run, jobs, chunksize=1)
        while not waiting.ready():
            await asyncio.sleep(_LOOK_S)
            plan.progress(_total(done), total)
        plan.progress(_total(done), total)
        return _joined(waiting.get())


async def _alone(
    worker: "_Worker", jobs: list["_Job"], recorded: Callable[[], None]
) -> AsyncIterator[Shard]:
    """The results of shard after shard in this process."""
    collecting = gc.isenabled()
    gc.disable()  # as in _prepare
    try:
        for job in jobs:
            yield await worker.audit(job)
            recorded()
    finally:
        if collecting:
            gc.enable()
        await worker.close()


def _total(done: "SynchronizedArray[int]") -> int:
    return sum(done.get_obj())


class _Job(NamedTuple):
    shard: int
    place: int  # place in the progress of all
    folder: Path
    checkpoints: list[Checkpoint]
    half: Half = Half.WHOLE


def _halves(jobs: list[_Job], folder: Path) -> Iterator[_Job]:
    apart = folder / "outcomes"  # the second half has names of its own
    apart.mkdir()
    for job in jobs:
        yield job._replace(half=Half.ROWS)
        yield job._replace(half=Half.OUTCOMES, folder=apart)


def _joined(halves: list[Shard]) -> list[Shard]:
    joined: dict[int, Shard] = {}
    for half in halves:
        first = joined.setdefault(half.shard, half)
        if first is not half:  # the rows come first
            first.findings.take(half.findings)
    return list(joined.values())


class _Worker:
    """Audits shard after shard over one connection to the book."""

    def __init__(self, source: Source, done: "SynchronizedArray[int]") -> None:
        self.source = source
        self.done = done
        self.book: Book | None = None

    async def audit(self, job: _Job) -> Shard:
        """All passes over one shard."""
        if self.book is None:
            self.book = await self.source.open()

        def reached(leaves: int) -> None:
            if job.half is not Half.OUTCOMES:
                self.done[job.place] = leaves

        passes = Audit(self.book, job.shard, job.folder, job.checkpoints, job.half)
        return await passes.run(reached)

    async def close(self) -> None:
        """Close the book."""
        if self.book is not None:
            await self.book.close()


_here: list[tuple[asyncio.Runner, _Worker]] = []  # of a process


def _prepare(source: Source, done: "SynchronizedArray[int]") -> None:
    gc.disable()  # millions of long-lived values, few cycles: collecting costs a third of the time
    _here[:] = [(asyncio.Runner(), _Worker(source, done))]


def _run(job: _Job) -> Shard:
    runner, worker = _here[0]
    return runner.run(worker.audit(job))


__all__ = ["Report", "Source", "Unreadable", "audit"]
