"""A stage of its own process: killed or paused at a crash point by the tests, or run by kit.run."""

import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.envelope import Envelope
from contracts.topics import Spread, Topic
from kit import outbox, run, settings, web
from kit.consumer import Consumer, CrashPoint, Event, Subscription
from kit.db import Database, Tx
from kit.kafka import Producer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Noted(msgspec.Struct, frozen=True):
    """`noted.v1`: what the test's stages say to one another."""

    number: int
    text: str = ""


def topic(name: str, **changes: Any) -> Topic:
    """A topic of the test: four partitions, numbered, unless told otherwise."""
    given: dict[str, Any] = {
        "name": name,
        "owner": "test",
        "key": "number",
        "spread": Spread.FOUR,
        "events": {"noted.v1": Noted},
        "consumers": (),
        "numbered": True,
    }
    return Topic(**{**given, **changes})


def note(number: int, text: str = "") -> Envelope[Noted]:
    """An envelope whose id and key are the number."""
    return Envelope(
        id=str(number),
        type="noted.v1",
        key=str(number),
        occurred_at=NOW,
        accepted_at=NOW,
        data=Noted(number, text),
    )


def passing_on(sink: Topic) -> Callable[[Tx, Sequence[Event]], Awaitable[None]]:
    """A handler with one row and one message onward for each event that decodes."""

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        read = [e for e in batch if e.envelope is not None]
        await tx.copy("effects", ["number", "text"], [(e.data.number, e.data.text) for e in read])
        said = [
            outbox.message(sink, note(e.data.number), partition=e.partition, headers=e.onward)
            for e in read
        ]
        outbox.add(tx, said)

    return handle


class Options(msgspec.Struct):
    """What a test tells its child."""

    room: settings.Room
    source: str
    sink: str
    group: str
    point: str = ""
    hits: int = 1
    pause: bool = False


def consumer_of(options: Options, database: Database, producer: Producer) -> Consumer:
    """The child's consumer, with its crash."""
    left = options.hits

    def crash(point: CrashPoint) -> None:
        nonlocal left
        if point.name != options.point:
            return
        left -= 1
        if left == 0 and options.pause:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif left == 0:
            os._exit(9)

    handle = passing_on(topic(options.sink))
    return Consumer(
        options.group,
        [Subscription(topic=topic(options.source), handle=handle)],
        database,
        producer,
        options.room,
        crash=crash,
    )


def main() -> None:
    """Read the options from the command line and run as a room."""
    options = msgspec.json.decode(os.environ["CHILD"], type=Options)
    os.environ |= {
        f"PEYVAND_{k.upper()}": ",".join(v) if isinstance(v, tuple) else str(v)
        for k, v in msgspec.structs.asdict(options.room).items()
    }

    @asynccontextmanager
    async def build(parts: run.Parts) -> AsyncGenerator[run.App]:
        yield run.App(
            asgi=web.app("child"),
            consumers=[consumer_of(options, parts.database, parts.producer)],
        )

    run.main(run.Main(room="test", settings=settings.Room, build=build))


if __name__ == "__main__":
    main()
