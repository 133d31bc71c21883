"""The load generator, a process of its own: commands on stdin, outcomes on stdout, JSON lines.

Open loop: every request has a time at which it is due, fixed before the step begins, and its
latency runs from there, whenever it could be sent.
"""

import asyncio
import gc
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import msgspec
import uvloop

from lab.bench import meter
from lab.bench.road import load
from lab.bench.road.load import Act, Open, Outcome, Progress, Step
from lab.bench.road.shoppers import Sending, Shoppers
from peyvand import Answer, Pending, PeyvandError

TELL_EVERY_S: Final = 0.5
FOUND: Final = "original-of-another-merchant"  # what a look-up is to hear
_command: Final = msgspec.json.Decoder(Open | Step).decode
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Run:
    """One step being run."""

    shoppers: Shoppers
    step: Step
    began_s: float
    flying: int = 0
    sent: int = 0
    unsent: int = 0
    completed: int = 0
    waiting: int = 0
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    latencies_ms: list[float] = field(default_factory=list[float])
    late_ms: list[float] = field(default_factory=list[float])
    answers: Counter[str] = field(default_factory=Counter[str])
    acts: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[str] = field(default_factory=Counter[str])

    async def offer(self, due_s: list[float], acts: list[Act]) -> None:
        """Send everything at its time, or as soon as there is a place."""
        async with asyncio.TaskGroup() as crowd:
            for index, (due, act) in enumerate(zip(due_s, acts, strict=True)):
                at = self.began_s + due
                while self.flying >= self.step.in_flight_max:
                    self.freed.clear()
                    await self.freed.wait()
                wait_s = at - time.perf_counter()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                    self.late_ms.append((time.perf_counter() - at) * 1_000)
                elif not self.step.count and -wait_s > self._left_s(due):
                    self.unsent = len(due_s) - index
                    break
                self.flying += 1
                self.sent += 1
                crowd.create_task(self._one(at, self.shoppers.next(act)))

    def _left_s(self, due: float) -> float:
        """How long after its time an arrival may still be sent: until the step's end."""
        return self.step.seconds - due

    async def _one(self, due_s: float, sending: Sending) -> None:
        self.acts[sending.act] += 1
        try:
            reply = await self.shoppers.clients[sending.till].submit_bytes(sending.body)
        except PeyvandError as error:
            if sending.act is Act.LOOK_UP and getattr(error, "code", "") == FOUND:
                self.completed += 1
                return
            self.failed[getattr(error, "code", "") or type(error).__name__] += 1
            return
        finally:
            self.flying -= 1
            self.freed.set()
        if isinstance(reply, Pending):
            self.waiting += 1
            return
        self.completed += 1
        self.latencies_ms.append((time.perf_counter() - due_s) * 1_000)
        if isinstance(reply.answer, Answer):
            self.answers[reply.answer.status] += 1
            self.shoppers.hear(sending, reply.answer)

    def outcome(self, seconds: float, cpu_s: float) -> Outcome:
        """What was measured."""
        ordered = sorted(self.latencies_ms)
        p50, p95, p99, most = (meter.quantile(ordered, q) for q in (0.5, 0.95, 0.99, 1.0))
        return Outcome(
            world=self.step.world,
            rate_per_s=self.step.rate_per_s,
            seconds=seconds,
            completed=self.completed,
            waiting=self.waiting,
            unsent=self.unsent,
            answers=dict(self.answers),
            acts=dict(self.acts),
            failed=dict(self.failed),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            max_ms=most,
            late_ms_p99=meter.quantile(sorted(self.late_ms), 0.99),
            cpu_s=cpu_s,
        )


async def run_step(shoppers: Shoppers, step: Step) -> Outcome:
    """Run one step; tells on stdout how far it is."""
    rng = random.Random(step.seed)
    due_s = load.arrivals(step, rng)
    acts = load.draw(len(due_s), step.mix, rng)
    gc.collect()
    gc.freeze()
    cpu_s = time.process_time()
    run = Run(shoppers, step, time.perf_counter())
    telling = asyncio.ensure_future(_tell(run))
    try:
        await run.offer(due_s, acts)
    finally:
        telling.cancel()
    return run.outcome(time.perf_counter() - run.began_s, time.process_time() - cpu_s)


async def _tell(run: Run) -> None:
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        _write(Progress(run.sent))


def _write(report: Progress | Outcome) -> None:
    sys.stdout.buffer.write(_encode(report) + b"\n")
    sys.stdout.buffer.flush()


async def main() -> None:
    """Obey commands until stdin ends."""
    gc.set_threshold(50_000, 20, 20)
    worlds: dict[str, Shoppers] = {}
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        match _command(line):
            case Open() as opened:
                worlds[opened.world] = Shoppers.open(
                    opened.url, opened.tills, opened.members, opened.seed
                )
                _write(Progress(0))
            case step:
                _write(await run_step(worlds[step.world], step))
    for shoppers in worlds.values():
        await shoppers.close()


if __name__ == "__main__":
    uvloop.run(main())
