"""The rounds: yardstick, ledger, ledger, yardstick; every workload beside W1 of the same round."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from cluster import paths
from kit.base import telemetry
from lab.bench import meter
from lab.bench.ledger import checks, ours, profile, records, runs, sizes, workloads, yardstick
from lab.bench.ledger.model import Model
from lab.bench.ledger.ours import Ours
from lab.bench.ledger.place import ROOM, Place
from lab.bench.ledger.runs import How, Run
from lab.bench.ledger.workloads import Command, Kind, Size, Workload, Written
from lab.bench.ledger.yardstick import Yardstick
from lab.bench.report import FOLDER

COMMANDS: Final = FOLDER / "commands"
YARDSTICK: Final = "yardstick"
_MOLDS: Final = {Workload.W3: "w3", Workload.W7: "w7"}  # all others start as W1
_AUDIT_S: Final = 900
_GIST: Final = 160


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured. seconds: of posting that a run takes at most."""

    commands: int = 200_000
    warm_up: int = 10_000
    members: int = workloads.MEMBERS
    commands_a_day: int = workloads.COMMANDS_A_DAY
    rounds: int = 2
    batches: tuple[int, ...] = (100, 1_000)
    seconds: float = 30.0
    audited: bool = True  # by the outside auditor too, in the first round
    selected: tuple[Workload, ...] = (
        Workload.W1, Workload.W2, Workload.W3, Workload.W4, Workload.W5, Workload.W7,
    )  # fmt: skip

    @property
    def size(self) -> Size:
        """Of each workload's command file."""
        return Size(self.commands + self.warm_up, self.members, self.commands_a_day)


@dataclass(slots=True)
class Rounds:
    """What is measured, and what was measured so far."""

    place: Place
    plan: Plan
    tell: Callable[[str], None]
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    files: dict[Workload, Written] = field(default_factory=dict[Workload, Written])
    born_s: dict[str, float] = field(default_factory=dict[str, float])

    async def all(self) -> None:
        """Every round at every batch size."""
        for batch, number in itertools.product(self.plan.batches, range(self.plan.rounds)):
            await self.round(number, batch)

    async def round(self, number: int, batch: int) -> None:
        """The yardstick and each workload, on fresh copies of the same books.

        Every other round goes backwards: a machine that slows down as it works favours nobody.
        """
        audited = self.plan.audited and number == 0
        order = [None, *self.plan.selected]
        for workload in reversed(order) if number % 2 else order:
            if workload is None:
                row = await self.run_yardstick(batch)
            else:
                row = await self.run_ours(workload, batch, audited=audited)
            self._keep(number, row)

    def _keep(self, number: int, row: dict[str, Any]) -> None:
        row = {"round": number, **row, "load_average": round(os.getloadavg()[0], 1)}
        self.rows.append(row)
        rate = f"{row['per_s']:>7}/s" if row["per_s"] else "does not count: " + row["wrong"]
        self.tell(f"[dim]{number + 1}[/] {row['workload']:<10}batch {row['batch']:<5}{rate}")

    # ---------------------------------------------------------------------------------- molds

    def file(self, workload: Workload) -> Written:
        """The workload's command file, written when first asked for."""
        source = Workload.W1 if workload is Workload.W6 else workload
        if source not in self.files:
            self.files[source] = workloads.write(source, self.plan.size, COMMANDS)
        return self.files[source]

    async def mold(self, workload: Workload) -> str:
        """The ledger's database before the first command of a workload."""
        name = _MOLDS.get(workload, "w1")

        async def fill(database: str) -> None:
            self.tell(f"{self.plan.members} members get their first lots ({name})")
            owner = self.place.dsn(database, f"{ROOM}_owner")
            runner = self.place.dsn(database, ROOM)
            self.born_s[name] = await ours.fill(owner, runner, workload, self.plan.size)

        return await self.place.mold(name, fill)

    async def bare_mold(self) -> str:
        """The yardstick's database before the first command of W1."""

        async def fill(database: str) -> None:
            await yardstick.fill(self.place.dsn(database), Workload.W1, self.plan.size)

        return await self.place.mold("bare", fill)

    # ----------------------------------------------------------------------------------- runs

    async def run_yardstick(self, batch: int, *, seconds: float = 0.0) -> dict[str, Any]:
        """W1 by bare double entry. Raises RuntimeError where its book is wrong."""
        async with self.place.copy(await self.bare_mold()) as database:
            before = await sizes.bytes_of(self.place, database)
            side = await Yardstick.open(self.place.dsn(database))
            try:
                drawn = self._source(self.file(Workload.W1).path, batch)
                run = await runs.measure(self.place, side, drawn, self._how(batch, seconds))
            finally:
                await side.close()
            await yardstick.check(self.place.dsn(database), run.drawn)
            after = await sizes.bytes_of(self.place, database, checkpoint=True)
        grown = sizes.grown(before, after, run.drawn)
        return {"workload": YARDSTICK, **run.as_row(), "wrong": "", "bytes": grown}

    async def run_ours(
        self, workload: Workload, batch: int, *, audited: bool, seconds: float = 0.0
    ) -> dict[str, Any]:
        """A workload by the ledger; without a speed where its book is wrong."""
        path = self.file(workload).path
        async with self.place.copy(await self.mold(workload)) as database:
            before = await sizes.bytes_of(self.place, database)
            side = await Ours.open(self.place.dsn(database, ROOM), workload)
            days = Days(side)
            born, conflicts = side.sequence, _conflicts()
            try:
                drawn = self._source(path, batch)
                how = self._how(batch, seconds)
                how = msgspec.structs.replace(how, after_slice=days.pass_by)
                run = await runs.measure(self.place, side, drawn, how)
            finally:
                await side.close()
            after = await sizes.bytes_of(self.place, database, checkpoint=True)
            row = {"workload": str(workload), **run.as_row(), **days.as_row()}
            row["bytes"] = sizes.grown(before, after, run.drawn)
            row |= await self._judged(database, workload, run, born, _conflicts() - conflicts)
            if audited and not row["wrong"]:
                row |= audited_row(self.place.dsn(database), f"{workload}-{batch}")
        if row["wrong"]:
            row["per_s"] = None
        return row

    def _how(self, batch: int, seconds: float) -> How:
        warm_up = self.plan.warm_up if batch >= runs.SMALL else self.plan.warm_up // 10
        return How(batch=batch, warm_up=warm_up, seconds=seconds or self.plan.seconds)

    def _thirds(self, file: Written, batch: int) -> list[Iterator[list[Command]]]:
        """A command file in three parts, to be drawn one after another."""
        length = max(batch, min(runs.SLICE, file.lines // 6))
        drawn = runs.source(file.path, batch, length=length)
        return [itertools.islice(drawn, file.lines // length // 3) for _ in range(3)]

    def _source(self, path: Path, batch: int) -> Iterator[list[Command]]:
        length = min(runs.SLICE, self.plan.commands_a_day)
        return runs.source(path, batch, length=length)

    async def _judged(
        self, database: str, workload: Workload, run: Run, born: int, conflicts: int
    ) -> dict[str, Any]:
        """What the run's check counted, and what is wrong."""
        model = Model.of(workload, self.plan.size)
        model.apply(itertools.islice(workloads.read(self.file(workload).path), run.drawn))
        try:
            counted = await checks.check(self.place, database, model, born=born)
        except checks.CheckFailed as failed:
            return {"wrong": str(failed)}
        if conflicts != model.conflicting:
            return {"wrong": f"{conflicts} answers of 422, not {model.conflicting}"}
        return {"wrong": "", "counted": counted}

    async def profiled(self, batch: int, seconds: float) -> dict[str, Any]:
        """Where the time of W1 goes."""
        async with self.place.copy(await self.mold(Workload.W1)) as database:
            side = await Ours.open(self.place.dsn(database, ROOM), Workload.W1)
            try:
                parts = self._thirds(self.file(Workload.W1), batch)
                taken = await profile.take(self.place, side, parts, batch, seconds=seconds)
            finally:
                await side.close()
        return profile.as_rows(taken)


@dataclass(slots=True)
class Days:
    """Days that pass in W7: after a tick, what is due is swept, timed apart."""

    side: Ours
    swept: int = 0
    seconds: float = 0.0

    async def pass_by(self, commands: Sequence[Command]) -> None:
        """Sweep where the slice ended with a tick."""
        if commands[-1].kind is Kind.TICK:
            now = records.time_of(commands[-1].at)
            swept, seconds = await meter.timed(self.side.sweep(now))
            self.swept += swept
            self.seconds += seconds

    def as_row(self) -> dict[str, Any]:
        """For the report; nothing where no day passed."""
        if not self.seconds:
            return {}
        return {"swept_lots": self.swept, "swept_per_s": round(self.swept / self.seconds)}


def _conflicts() -> int:
    """Answers of 422 that this process has counted."""
    total = 0.0
    for family in telemetry.REGISTRY.collect():
        for sample in family.samples:
            if sample.labels.get("outcome") == "conflicting":
                total += sample.value
    return int(total)


def audited_row(dsn: str, name: str) -> dict[str, Any]:
    """The outside auditor's word on a book; wrong says what it found."""
    if find_spec("verifier.__main__") is None:
        return {}
    report = FOLDER / "audits" / f"{name}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "verifier", "audit", "--dsn", dsn, "--report", str(report)],
        cwd=paths.PROJECT,
        capture_output=True,
        text=True,
        timeout=_AUDIT_S,
        check=False,
    )
    if done.returncode != 0:
        report.with_suffix(".txt").write_text(done.stderr)
        return {"wrong": f"the audit says: {_gist(done.stderr)}"}
    audit = msgspec.json.decode(Path(report).read_bytes())
    return {"audit": {key: audit[key] for key in ("ok", "entries", "seconds", "entries_per_s")}}


def _gist(text: str) -> str:
    """How many findings, and the first of them."""
    lines = [line for line in text.strip().splitlines() if line] or ["nothing"]
    first = next((line for line in lines if line.startswith("- ")), "")
    return f"{lines[-1]}{first and '; first: '}{first.removeprefix('- ')[:_GIST]}"
