"""W6: commands one at a time, from produced to reply consumed; and the latency they are held to."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from contracts import topics
from kit.stream import kafka
from kit.stream.kafka import Producer
from kit.stream.outbox import Message
from lab.bench.ledger.road import Replies
from lab.bench.ledger.workloads import SEED
from lab.bench.meter import quantile

PLAIN: Final = replace(
    topics.LEDGER_COMMANDS,
    name="bench.plain",
    consumers=(),
    spread=topics.Spread.ONE,
    numbered=False,
)
CALLERS: Final = (1, 16, 64)
SHARES: Final = (0.5, 0.7, 0.9)  # of the peak
ANSWER_WAIT_S: Final = 30.0

Send = Callable[[Message], Awaitable[object]]


async def closed_loop(
    replies: Replies, producer: Producer, messages: Iterator[Message], callers: int, seconds: float
) -> dict[str, Any]:
    """So many callers, each with one command at a time, for some seconds."""
    took: list[float] = []
    started = time.perf_counter()

    async def call() -> None:
        while (began := time.perf_counter()) - started < seconds:
            message = next(messages, None)
            if message is None:
                return
            took.append(await _answered(replies, producer, message) - began)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(call())
    elapsed = time.perf_counter() - started
    return {"callers": callers, "per_s": round(len(took) / elapsed, 1), **latencies(took)}


async def open_loop(
    replies: Replies, producer: Producer, messages: Sequence[Message], per_s: float
) -> dict[str, Any]:
    """Commands at a rate as strangers send them, each timed from when it was due."""
    rng = random.Random(SEED)
    took: list[float] = []
    due = started = time.perf_counter()

    async def call(message: Message, due: float) -> None:
        took.append(await _answered(replies, producer, message) - due)

    async with asyncio.TaskGroup() as tasks:
        for message in messages:
            due += rng.expovariate(per_s)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(call(message, due))
    elapsed = time.perf_counter() - started
    return {"offered_per_s": round(per_s, 1), "per_s": round(len(took) / elapsed, 1)} | latencies(
        took
    )


async def _answered(replies: Replies, producer: Producer, message: Message) -> float:
    answer = replies.expect(message)
    await producer.send_one(message, deadline_s=ANSWER_WAIT_S)
    async with asyncio.timeout(ANSWER_WAIT_S):
        return await answer


def plain(messages: Sequence[Message]) -> Iterator[Message]:
    """The same bytes for a topic that nobody works on: what is consumed is what was produced."""
    for number, message in enumerate(messages):
        key = b"%016x" % number
        yield Message(PLAIN.name, 0, key, message.value)


async def ensure_plain(bootstrap: str) -> None:
    """The topic of produce to consumed, as durable as ledger.commands."""
    await kafka.ensure_topics(bootstrap, [PLAIN], shards=1)


def latencies(took: Sequence[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    if not took:
        return {"p50_ms": 0.0, "p99_ms": 0.0, "p99_9_ms": 0.0}
    took = sorted(took)
    return {
        "p50_ms": round(quantile(took, 0.5) * 1e3, 2),
        "p99_ms": round(quantile(took, 0.99) * 1e3, 2),
        "p99_9_ms": round(quantile(took, 0.999) * 1e3, 2),
    }
