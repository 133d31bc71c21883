"""One flood, a process of its own: many connections of this machine, each asking again and again.

Told on the command line as JSON (Flood), tells on stdout as JSON (Flooded). Bounded in connections
and time; it asks 127.0.0.1 and nobody else.
"""

import asyncio
import itertools
import re
import sys
from collections import Counter
from contextlib import suppress
from typing import Final

import msgspec
import uvloop

from lab.bench.road.shoppers import mobile_of

HOST: Final = "127.0.0.1"
CONNECTIONS_MAX: Final = 2_000
SECONDS_MAX: Final = 60.0
NUMBER: Final = b"@NUMBER@"  # replaced by a number that is each request's own
MEMBER: Final = b"@MEMBER@"  # by the mobile of one of MEMBERS members, in turn
MEMBERS: Final = 2_000
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Flood(msgspec.Struct, frozen=True):
    """What is asked: head and body of a request. head None: connections that say nothing."""

    port: int
    connections: int
    seconds: float
    head: str | None
    body: str = ""
    first_number: int = 1
    first_member: int = 0


class Flooded(msgspec.Struct, frozen=True):
    """How often each status was heard; 0: the connection was closed instead."""

    statuses: dict[str, int]


def request_of(flood: Flood, number: int) -> bytes:
    """The bytes of one request."""
    member = mobile_of(flood.first_member + number % MEMBERS).encode()
    body = flood.body.encode().replace(NUMBER, b"%d" % number).replace(MEMBER, member)
    head = (flood.head or "").encode().replace(NUMBER, b"%d" % number)
    length = b"content-length: %d\r\n" % len(body) if body else b""
    return head + b"\r\nhost: flood\r\n" + length + b"\r\n" + body


async def run(flood: Flood) -> Flooded:
    """Flood for so long."""
    statuses: Counter[str] = Counter()
    numbers = itertools.count(flood.first_number)
    crowd = min(flood.connections, CONNECTIONS_MAX)
    asking = [asyncio.ensure_future(_ask(flood, numbers, statuses)) for _ in range(crowd)]
    await asyncio.sleep(min(flood.seconds, SECONDS_MAX))
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return Flooded(dict(statuses))


async def _ask(flood: Flood, numbers: "itertools.count[int]", statuses: Counter[str]) -> None:
    while True:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(HOST, flood.port)
            if flood.head is None:
                await reader.read()
                statuses["0"] += 1
                continue
            while True:
                writer.write(request_of(flood, next(numbers)))
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                if length is not None:
                    await reader.readexactly(int(length[1]))
                statuses[head[9:12].decode()] += 1
                if b"connection: close" in head:
                    break
        except (OSError, asyncio.IncompleteReadError):
            statuses["0"] += 1
            await asyncio.sleep(0.01)
        finally:
            if writer is not None:
                with suppress(OSError):
                    writer.close()


if __name__ == "__main__":
    order = msgspec.json.decode(sys.argv[1], type=Flood)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(order))) + b"\n")
