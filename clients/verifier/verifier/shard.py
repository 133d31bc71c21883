"""One shard from its first leaf to its last: all passes that need no other shard, in one stream."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from verifier import expected_rows, registries, review
from verifier.books import Book
from verifier.checkpoints import Checkpoint
from verifier.findings import Findings, Spot
from verifier.history_lookup import Past, hold_of
from verifier.hold_rows import HoldRows
from verifier.leaves import Leaf
from verifier.log import Log, Window
from verifier.lots import LotRows
from verifier.model import decide
from verifier.model.computation import DONE
from verifier.model.decode import Command, decode_command
from verifier.model.originals import sliding_of
from verifier.names import Names
from verifier.rows import Comparison, Stream
from verifier.state import LOTS_PER_SEQUENCE, State
from verifier.tables import (
    ACCOUNTS,
    CONSUMPTIONS,
    ENTRIES,
    HOLDS,
    LOT_DATES,
    LOTS,
    NODES,
    ORIGINALS,
    OUTCOMES,
    SENDS,
    SHARDS,
    Table,
)

Row = tuple[Any, ...]
_KEYS = {  # tables whose rows are in the leaves, with the columns that name a row
    ENTRIES: ("sequence", "line"),
    CONSUMPTIONS: ("sequence", "ordinal"),
    OUTCOMES: ("sequence", "name"),
    LOT_DATES: ("sequence", "lot"),
    SENDS: ("sequence", "owner"),
}
_RE_DERIVED = ("outcomes", "entries", "accounts", "lots", "holds")


@dataclass
class Shard:
    """The audit's result for one shard."""

    shard: int
    findings: Findings
    leaves: int = 0
    entries: int = 0
    isolated: int = 0  # records that the ledger refused because the database did
    sums: dict[str, int] = field(default_factory=dict[str, int])  # of all balances, by unit
    transit: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    sent_commands: dict[str, Any] = field(default_factory=dict[str, Any])  # to shards, by name
    arrived: dict[str, tuple[int, Any, bool]] = field(
        default_factory=dict[str, tuple[int, Any, bool]]
    )  # sequence, content, whether it moved anything


class Half(Enum):
    """The passes over a shard that one process takes; both halves together equal the whole.

    Where there are more cores than shards, a second process computes all outcomes. The first
    follows the rows of usual commands, reviews the few others, and compares the tables.
    """

    WHOLE = "whole"
    ROWS = "rows"  # all but outcomes
    OUTCOMES = "outcomes"


Watch = Callable[[int], None]  # called now and then with the number of checked leaves of the shard


class Audit:
    """The passes over one shard."""

    def __init__(
        self,
        book: Book,
        shard: int,
        folder: Path,
        checkpoints: list[Checkpoint],
        half: Half = Half.WHOLE,
    ) -> None:
        """folder: for names, on disk. checkpoints: of this shard, signatures checked."""
        self.half = half
        self.findings = findings = Findings(shard)
        elsewhere = Findings(shard)  # findings of the other half
        self.noted = review.Two(
            elsewhere if half is Half.ROWS else findings,
            elsewhere if half is Half.OUTCOMES else findings,
        )
        self.judge = review.follow if half is Half.ROWS else review.review
        self.result = Shard(shard, findings)
        self.shard = shard
        self.book = book
        self.checkpoints = checkpoints
        self.state = State(shard)
        sizes = {checkpoint.size for checkpoint in checkpoints}
        self.log = Log(shard, self.noted.rows, None if half is Half.OUTCOMES else sizes)
        self.names = Names(folder, shard)
        self.past = Past(book, shard, self.names)
        self.onward: dict[int, tuple[int, int]] = {}  # of this window
        self.streams = {table: Stream(book, table, shard, findings) for table in _KEYS}
        self.comparisons = {
            table: Comparison(table, keys, findings) for table, keys in _KEYS.items()
        }
        holds = Stream(book, HOLDS, shard, findings)
        self.hold_rows = HoldRows(self.state, holds, findings)
        self.lot_rows = LotRows(self.state, Stream(book, LOTS, shard, findings), findings)

    async def run(self, watch: Watch) -> Shard:
        """Take all the passes."""
        async for window in self.log.windows(self.book):
            await self._window(window)
            watch(self.result.leaves)
        if self.half is Half.OUTCOMES:
            return self.result
        await self._ends()
        await self._close_log()
        self.names.put_down()
        for account in self.state.accounts:
            unit = account.key[2]
            self.result.sums[unit] = self.result.sums.get(unit, 0) + account.balance
            if account.key[1] == "transit":
                kin = (unit, account.key[3])
                self.result.transit[kin] = self.result.transit.get(kin, 0) + account.balance
        return self.result

    # -------------------------------------------------------------------------------------- leaves

    async def _window(self, window: Window) -> None:
        leaves = window.leaves
        if not leaves:
            return
        commands = [decode_command(leaf.head[5]) for leaf in leaves]
        if window.whole:
            await self._look_back(leaves, commands)
            for leaf, command in zip(leaves, commands, strict=True):
                self._review(leaf, command)
        else:
            for check in _RE_DERIVED:
                findings = self.noted.outcomes if check == "outcomes" else self.noted.rows
                findings.stop(check, self.state.sequence + 1, "leaves before it cannot be read")
        self.names.add(
            [(name, leaf.head[1]) for leaf in leaves for name, _ in leaf.rows.get("names", ())]
        )
        if self.half is not Half.OUTCOMES:
            await self._tables(leaves, commands)
        if window.whole:
            self.lot_rows.release(self.state.drop_emptied())

    def _review(self, leaf: Leaf, command: Command | None) -> None:
        for name, content in self.judge(self.state, leaf, command, self.past.find, self.noted):
            self.result.sent_commands[name] = content
            if name == f"r.{self.shard}.{leaf.head[1]}" and len(content) > expected_rows.OF_BUDGET:
                self.onward[leaf.head[1]] = (content[5], content[0])
        arrival = decide.arrival_of(self.shard, command)
        if arrival is not None:
            moved = leaf.head[3] in DONE
            self.result.arrived[arrival[0]] = (leaf.head[1], arrival[1], moved)
        if "holds" in leaf.rows and self.half is not Half.OUTCOMES:
            self.hold_rows.note(leaf)
        self.past.answered(leaf, command)
        self.result.leaves += 1
        self.result.isolated += leaf.head[4] == review.ISOLATED

    async def _look_back(self, leaves: list[Leaf], commands: list[Command | None]) -> None:
        """Fetch what the window's commands name: earlier leaves, and dropped lots."""
        self.past.begin()
        targets = {decide.target_of(command) for command in commands} - {""}
        lots = decide.named_lots(commands)
        if not targets and not lots:
            return
        own = {
            command.name: (leaf, command)
            for leaf, command in zip(leaves, commands, strict=True)
            if command
        }
        known = await self.past.look_up(targets)
        held = {hold_of(*leaf_and_command) for leaf_and_command in known} - {""}
        await self.past.look_up(held - targets)
        known += [own[target] for target in targets if target in own]
        for leaf, _ in known:
            lots |= {row[0] for row in leaf.rows.get("lots", ())}
            lots |= {row[1] for row in leaf.rows.get("consumptions", ())}
        first = leaves[0].head[1]
        gone = {
            lot for lot in lots if lot not in self.state.lots and lot // LOTS_PER_SEQUENCE < first
        }
        await self.past.fetch(lot // LOTS_PER_SEQUENCE for lot in gone)
        for lot in gone:
            leaf = self.past.leaf(lot // LOTS_PER_SEQUENCE)
            for row in leaf.rows.get("lots", ()) if leaf is not None else ():
                if row[0] == lot and leaf is not None:
                    self.lot_rows.recall(row, sliding_of(leaf, decode_command(leaf.head[5]), lot))

    # -------------------------------------------------------------------------------------- tables

    async def _tables(self, leaves: list[Leaf], commands: list[Command | None]) -> None:
        last = leaves[-1].head[1]
        for table, written, rows in (
            (OUTCOMES, expected_rows.written_outcomes, expected_rows.outcomes),
            (CONSUMPTIONS, expected_rows.written_consumptions, expected_rows.consumptions),
        ):
            if not await self.streams[table].agrees(written(self.shard, leaves)):
                await self._compare(table, last, rows(self.shard, leaves))
        entries = expected_rows.entries(self.shard, leaves)
        self.result.entries += len(entries)
        await self._compare(ENTRIES, last, entries)
        await self._compare(LOT_DATES, last, expected_rows.dates(self.shard, leaves))
        await self._compare(
            SENDS, last, expected_rows.sends(self.shard, leaves, commands, self.onward)
        )
        self.onward.clear()
        await self.lot_rows.births(leaves, last)
        await self.hold_rows.window(last)

    async def _compare(self, table: Table, last: int, rows: list[Row]) -> None:
        self.comparisons[table].check(await self.streams[table].take(last), rows)

    async def _ends(self) -> None:
        """Check rows that no leaf has, and tables that only the end of the log explains."""
        for table, stream in self.streams.items():
            left = await stream.take(None)
            if table is OUTCOMES and left:
                self._breaks_off(max(row[0] for row in left))
            self.comparisons[table].check(left, [])
        for stream in (self.lot_rows.stream, self.hold_rows.stream):
            comparison = Comparison(stream.table, (stream.table.order,), self.findings)
            comparison.check(await stream.take(None), [])
        if not self.log.whole:
            return
        self.lot_rows.finish()
        self.hold_rows.finish()
        for table, keys, rows in registries.rows(self.state):
            await self._whole(table, keys, rows)
        state, shard = self.state, self.shard
        await self._whole(
            ACCOUNTS,
            ("account_id",),
            (
                (
                    shard, a.number, a.count, a.key[3], a.key[0], a.balance, a.key[1], a.key[2],
                )
                for a in state.accounts
            ),
        )  # fmt: skip
        await self._whole(
            ORIGINALS,
            ("name",),
            (
                (
                    shard, p.sequence, p.total, sum(p.refunded), p.full, p.reversed, p.refunded,
                    name, p.verdict,
                )
                for name, p in sorted(state.progress.items(), key=_bytes_of_name)
            ),
        )  # fmt: skip

    def _breaks_off(self, last: int) -> None:
        """Note names that no leaf answers, after the last one."""
        size = self.log.next - 1
        if last > size:
            self.findings.add(
                Spot("leaves", "leaves", size + 1, f"first {size + 1}"),
                f"leaves: the log ends at {size}, names were answered up to {last}: leaves are"
                " missing",
            )

    async def _whole(self, table: Any, keys: tuple[str, ...], rows: Iterable[Row]) -> None:
        stream = Stream(self.book, table, self.shard, self.findings)
        await Comparison(table, keys, self.findings).check_all(stream, rows)

    # ----------------------------------------------------------------------------------------- log

    async def _close_log(self) -> None:
        """Check the log's own rows, and its signed checkpoints."""
        log, state, shard = self.log, self.state, self.shard
        for checkpoint in self.checkpoints:
            self._signed(checkpoint)
        if not log.hashed:
            self.findings.stop("leaves", state.sequence + 1, "the tree is broken off there")
            return
        nodes = [
            (shard, height, number, digest)
            for (height, number), digest in sorted(log.tree.noted.items())
        ]
        await self._whole(NODES, ("level", "number"), nodes)
        if log.whole:
            registry = state.registry
            row = (
                shard, log.tree.size, log.decided_at, len(state.accounts), bool(registry.standings),
                len(registry.windows), log.tree.peaks(),
            )  # fmt: skip
            await self._whole(SHARDS, ("shard",), [row])

    def _signed(self, checkpoint: Checkpoint) -> None:
        root = self.log.roots.get(checkpoint.size)
        if not self.log.hashed:
            return
        if root is None:
            text = (
                f"a checkpoint was signed over {checkpoint.size} leaves,"
                f" the log has {self.log.tree.size}"
            )
        elif root != checkpoint.root:
            text = (
                f"the root of the first {checkpoint.size} leaves is {root.hex()},"
                f" the checkpoint says {checkpoint.root.hex()}"
            )
        else:
            return
        self.findings.add(Spot("checkpoints", "leaves", checkpoint.size), text)


def _bytes_of_name(item: tuple[str, Any]) -> bytes:
    return item[0].encode()
