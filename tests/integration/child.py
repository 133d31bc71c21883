"""A stage of its own process: killed or paused at a crash point by the tests, or run by kit.run."""

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.envelope import Envelope
from contracts.topics import Spread, Topic
from kit import run
from kit.base import settings, web
from kit.base.db import Tx
from kit.room import Part, Resources, Service
from kit.stream import outbox
from kit.stream.consumer import CrashPoint, Event, Subscription
from kit.stream.publish import Crash

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

    room: settings.ServiceSettings
    source: str
    sink: str
    group: str
    point: str = ""
    hits: int = 1
    pause: bool = False


def crash_of(options: Options) -> Crash:
    """Ends or pauses the process at its point."""
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

    return crash


def main() -> None:
    """Read the options from the command line and run as a service of one part."""
    options = msgspec.json.decode(os.environ["CHILD"], type=Options)
    os.environ |= {
        f"PEYVAND_{k.upper()}": ",".join(v) if isinstance(v, tuple) else str(v)
        for k, v in msgspec.structs.asdict(options.room).items()
    }
    service, _, group = options.group.partition("-")
    heard = Subscription(topic=topic(options.source), handle=passing_on(topic(options.sink)))

    def part(_: Resources) -> Part:
        return Part(name="notes", group=group, hears=(heard,))

    run.main(
        Service(
            name=service,
            settings=settings.ServiceSettings,
            parts=(part,),
            application=lambda *_: web.app("child"),
            crash=crash_of(options),
        )
    )


if __name__ == "__main__":
    main()
