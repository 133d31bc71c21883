"""A replay from the file to the figures, chapter by chapter."""

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.progress import Progress, TaskID

from lab.history import reading, value
from lab.history.baskets import Baskets, Tally
from lab.history.partners import Partners
from lab.history.problems import Problems
from lab.history.sending import AT_ONCE, Sending
from lab.history.value import Value
from lab.observe import requests
from peyvand import Operator, Options, Retry, Timeouts

SWEEP_PATIENCE_S: Final = 90.0  # without one point more that is booked as expired
POLL_S: Final = 2.0  # the whole book is added up for each answer
BAR_EVERY: Final = 50
PATIENT: Final = Options(
    timeouts=Timeouts(request_s=15.0),
    retry=Retry(attempts_max=40, wait_max_s=1.0),
    connections_max=AT_ONCE * 2,
)


@dataclass(slots=True, kw_only=True)
class Replay:
    """One run over one file. said: what a person is told besides the figures."""

    file: Path
    enrol: bool
    baskets: Baskets
    problems: Problems
    counts: Counter[str] = field(default_factory=Counter[str])
    tally: Tally = field(default_factory=lambda: Tally(0, 0, 0, 0))
    sentences: list[str] = field(default_factory=list[str])
    bars: Progress = field(default_factory=Progress)

    def read(self, bars: Progress) -> None:
        """Read the whole file. Raises BadFile; the platform has not been touched by then."""
        self.bars = bars
        size_bytes = self.file.stat().st_size if self.file.exists() else 0
        bar = self._bar(f"reading {self.file.name}", size_bytes, "0 rows")

        def tell(read_bytes: int, rows: int) -> None:
            self.bars.update(bar, completed=read_bytes, note=f"{rows:,} rows")

        self.counts = reading.read_file(self.file, self.baskets, self.problems, tell=tell)
        self._say_of_file()

    async def play(self, operator: Operator, bars: Progress) -> dict[str, Any]:
        """Send everything that can be sent and see what became of it; the report's figures."""
        self.bars = bars
        partners = await self._partners(operator)
        self.baskets.tell_left_out(self.problems)
        self.tally = self.baskets.tally()
        before = value.expired(await value.value(operator))
        sending = await self._send(operator, partners)
        of_all = await self._swept(operator, before, sending.points_past)
        figures = requests.figures(sending.sent)
        figures["value"] = of_all
        figures["messages"] = await operator.message_counts()
        figures["rows"] = self._rows(sending)
        figures["replay"] = {
            "file": self.file.name,
            "known_before": sending.known_before,
            "points_earned": sending.points_earned,
            "earned_nothing": dict(sending.earned_nothing),
            "enrolled": asdict(partners.enrolled),
        }
        figures["problems"] = {"counts": dict(self.problems.counts), "listed": self.problems.listed}
        self._say_of_run(figures)
        return figures

    # ------------------------------------------------------------------------------- chapters

    async def _partners(self, operator: Operator) -> Partners:
        merchants, members = len(self.baskets.merchants()), self.baskets.customers()
        verb = "taken in" if self.enrol else "looked up"
        bar = self._bar(f"merchants and members {verb}", 2 * merchants + members)
        partners = Partners(
            operator=operator,
            enrol=self.enrol,
            tick=lambda more: self.bars.advance(bar, more),
        )
        await partners.resolve(self.baskets)
        self.bars.update(bar, completed=max(2 * merchants + members, 1))
        return partners

    async def _send(self, operator: Operator, partners: Partners) -> Sending:
        bar = self._bar("purchases on the road", self.tally.sendable)
        done = 0

        def tick(at: datetime) -> None:
            nonlocal done
            done += 1
            if done % BAR_EVERY == 0 or done == self.tally.sendable:
                self.bars.update(bar, completed=done, note=f"{at:%Y-%m-%d}")

        sending = Sending(
            operator=operator,
            numbers=partners.numbers,
            programmes=partners.programmes,
            terms=partners.terms,
            problems=self.problems,
            began=datetime.now(UTC),
            tick=tick,
        )
        await sending.run(self.baskets.in_time_order())
        self.bars.update(bar, completed=max(self.tally.sendable, 1))
        return sending

    async def _swept(self, operator: Operator, before: int, past: int) -> Value:
        """All value, once the points that were past their date when they came are booked so."""
        bar = self._bar("points past their date are booked", past)
        most, patient_until = 0, time.monotonic() + SWEEP_PATIENCE_S
        while True:
            total = await value.value(operator)
            booked = value.expired(total) - before
            self.bars.update(bar, completed=max(0, min(booked, past)))
            if booked >= past:
                self.bars.update(bar, completed=max(past, 1))
                return total
            if booked > most:
                most, patient_until = booked, time.monotonic() + SWEEP_PATIENCE_S
            if time.monotonic() > patient_until:
                self.sentences.append(
                    f"{past - booked:,} points past their date are not booked so yet"
                )
                return total
            await asyncio.sleep(POLL_S)

    # --------------------------------------------------------------------------------- saying

    def _rows(self, sending: Sending) -> dict[str, int]:
        """Every row of the file is one of bad, zero, repeated, left_out, refused and sent."""
        counts, tally = self.counts, self.tally
        return {
            **{word: counts[word] for word in ("read", "bad", "zero", "repeated")},
            "left_out": tally.left_out_rows,
            "refused": sending.refused_rows,
            "sent": tally.sendable_rows - sending.refused_rows,
            "transactions": tally.sendable + tally.left_out,
            "transactions_left_out": tally.left_out,
            "transactions_refused": sending.refused,
            "zoneless": counts["zoneless"],
            "alike": counts["alike"],
        }

    def _say_of_file(self) -> None:
        counts = self.counts
        ignored = [name[7:] for name in counts if name.startswith("column ")]
        if ignored:
            self.sentences.append(f"columns that were not looked at: {', '.join(ignored)}")
        if counts["zoneless"]:
            self.sentences.append(f"{counts['zoneless']:,} times had no zone: taken as Tehran's")
        if counts["alike"]:
            self.sentences.append(
                f"{counts['alike']:,} rows are like another of their transaction and have no line"
                " number: each counts as a line"
            )

    def _say_of_run(self, figures: dict[str, Any]) -> None:
        ran, sent = figures["replay"], figures["transactions"]["sent"]
        nothing = sum(ran["earned_nothing"].values())
        if nothing:
            why = ", ".join(f"{code} {n:,}" for code, n in ran["earned_nothing"].items())
            self.sentences.append(f"{nothing:,} purchases earned nothing: {why}")
        if sent and ran["known_before"] == sent:
            self.sentences.append(
                f"all {sent:,} purchases were known from an earlier import and got their first"
                " answers again: nothing was posted"
            )
        elif ran["known_before"]:
            self.sentences.append(
                f"{ran['known_before']:,} purchases were known from an earlier import: nothing"
                " happened twice"
            )

    def _bar(self, text: str, total: int, note: str = "") -> TaskID:
        return self.bars.add_task(text, total=max(total, 1), note=note)
