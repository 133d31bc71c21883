"""kit.run: a room as a process: ready, drained on SIGTERM, stopped by an alarm."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial

import httpx

from cluster.servers import Servers
from kit.base import probe
from kit.stream.kafka import Producer
from kit.stream.outbox import Message

from .conftest import Make, child, ended, until


async def test_a_room_serves_and_drains(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    with child(stage) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.inner_port}") as http:

            async def ready() -> bool:
                try:
                    answer = await http.get("/health/ready")
                except httpx.TransportError:
                    return False
                return answer.status_code == 200

            await until(ready, 120)
            await stage.feed(producer, range(40))
            await stage.wrote(40)
            shown = (await http.get("/metrics")).text
            assert f'peyvand_batch_events_count{{consumer="{stage.group}"}}' in shown
            assert "peyvand_rss_bytes" in shown
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0
    await stage.check(40)
    assert await stage.rows("select id from outbox_batches") == []


async def test_an_alarm_ends_the_process_with_one(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await producer.send([stage.said(0, stream=b"f/w/1/0", n=b"1")])
    await producer.send([stage.said(4, stream=b"f/w/1/0", n=b"3")])
    with child(stage) as process:
        assert await ended(process) == 1
    await asyncio.sleep(0)
    assert await producer.send_one(Message(stage.source.name, 1, b"k", b"v"))


async def test_readiness_tells_that_a_server_behind_is_gone_and_back(
    new_stage: Make, servers: Servers
) -> None:
    """Newcomer 16: all programs were ready 18 s after Kafka and 3 s after PostgreSQL died."""
    assert probe.STALE_S + probe.EVERY_S <= 3
    stage = await new_stage()
    with child(stage) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.inner_port}") as http:

            async def lacks() -> set[str] | None:
                try:
                    checks = (await http.get("/health/ready")).json()["checks"]
                except httpx.TransportError:
                    return None
                return {name for name, holds in checks.items() if not holds}

            async def whole() -> bool:
                return await lacks() == set()

            await until(whole, 90)
            for name, pause, resume in (
                ("kafka", servers.pause_kafka, servers.resume_kafka),
                ("database", servers.pause_postgres, servers.resume_postgres),
            ):
                pause()
                try:
                    await until(partial(_lacks, lacks, name), 60)
                finally:
                    resume()
                await until(whole, 90)
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0


async def _lacks(lacks: Callable[[], Awaitable[set[str] | None]], name: str) -> bool:
    return name in (await lacks() or ())
