"""Broker and database broken under a stage: unknown sends, rebuilt producers, outages."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from aiokafka import errors as kafka_errors
from aiokafka.producer.transaction_manager import PidAndEpoch
from aiokafka.protocol.metadata import MetadataRequest

from cluster import postgres_server
from cluster import servers as cluster_servers
from cluster.servers import Servers
from kit.base import errors, migrate
from kit.stream.kafka import Producer

from .conftest import Stage, running, stage_on


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broken(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Servers]:
    """Servers that the tests of this module may break."""
    folder: Path = tmp_path_factory.mktemp("broken")
    made = await asyncio.to_thread(cluster_servers.start_servers, folder)
    await asyncio.to_thread(made.create_databases, "test")
    await migrate.migrate(made.dsn("test", "test_owner"), None)
    yield made
    await asyncio.to_thread(made.stop)
    await asyncio.to_thread(postgres_server.remove, folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own(broken: Servers) -> AsyncGenerator[Producer]:
    """A producer of the servers that break."""
    made = await Producer.open(broken.bootstrap, client_id="faults")
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(broken: Servers) -> Stage:
    """A stage on those servers, all sharing one database."""
    owner = broken.dsn("test", "test_owner")
    return await stage_on(broken.bootstrap, broken.dsn("test", "test"), owner)


def inner(producer: Producer) -> Any:
    """aiokafka's own producer, whose sequence numbers a fault would have spent."""
    return producer._inner


def spent_sequence(producer: Producer, stage: Stage) -> None:
    """As after a batch that failed with its sequence number taken."""
    numbers = inner(producer)._txn_manager._sequence_numbers
    for place in list(numbers):
        numbers[place] += 10


def fenced_epoch(producer: Producer, stage: Stage) -> None:
    """As after the broker has seen a later epoch of this producer id."""
    manager = inner(producer)._txn_manager
    manager._pid_and_epoch = PidAndEpoch(manager.producer_id, manager.producer_epoch - 1)


@pytest.mark.parametrize("spoil", [spent_sequence, fenced_epoch])
async def test_a_spoilt_producer_is_rebuilt_and_the_same_is_sent_again(
    stage: Stage, own: Producer, spoil: Callable[[Producer, Stage], None]
) -> None:
    await stage.feed(own, range(8))
    before = inner(own)
    if spoil is fenced_epoch:
        manager = before._txn_manager
        manager._pid_and_epoch = PidAndEpoch(manager.producer_id, manager.producer_epoch + 1)
        manager._sequence_numbers.clear()
        await stage.feed(own, range(8, 16))
    spoil(own, stage)
    await stage.feed(own, range(16, 24))
    assert inner(own) is not before
    keys = sorted({int(r.key or b"") for r in await stage.records(stage.source)})
    assert keys[-8:] == list(range(16, 24))
    ack = await own.send_one(stage.said(24))
    assert (ack.partition, ack.offset) == (0, len(keys) // 4)


async def test_a_send_past_its_deadline_is_unknown_and_arrives_once(
    broken: Servers, stage: Stage, own: Producer
) -> None:
    """The broker hangs under a sender; what was on its way then arrives, once.

    Nothing else may be on its way: behind a batch that is not yet sent a later record is never
    queued, and past its deadline it is let go, which is unknown too but does not arrive.
    """
    async with running(stage, own):
        await stage.feed(own, range(8))
        await stage.wrote(8)
        await stage.published(8)
        await asyncio.to_thread(broken.pause_kafka)
        try:
            began = time.monotonic()
            with pytest.raises(errors.SendUnknown):
                await own.send([stage.said(n) for n in range(8, 16)], deadline_s=1)
            assert time.monotonic() - began < 1.5
            with pytest.raises(errors.SendUnknown):
                await own.send_one(stage.said(16), deadline_s=0.5)
        finally:
            await asyncio.to_thread(broken.resume_kafka)
        await stage.wrote(17, 30)
        await stage.feed(own, range(17, 20))
        await stage.wrote(20, 30)
    await stage.check(20)


async def test_a_broker_that_hangs_past_the_deadline_gets_the_batch_again(
    broken: Servers, stage: Stage, own: Producer
) -> None:
    async with running(stage, own):
        await stage.feed(own, range(8))
        await stage.wrote(8)
        await stage.feed(own, range(8, 12))
        await stage.wrote(12)
        await asyncio.to_thread(broken.pause_kafka)
        await asyncio.sleep(7)
        await asyncio.to_thread(broken.resume_kafka)
        await stage.feed(own, range(12, 40))
        await stage.wrote(40, 30)
    await stage.check(40)


async def test_the_broker_is_killed_and_comes_back(
    broken: Servers, stage: Stage, own: Producer
) -> None:
    async with running(stage, own):
        await stage.feed(own, range(20))
        await stage.wrote(20)
        await asyncio.to_thread(broken.kill_kafka)
        await asyncio.to_thread(broken.start_kafka)
        left = [stage.said(n) for n in range(20, 40)]
        for _ in range(10):
            try:
                await own.send(left)
                break
            except errors.SendUnknown:
                continue
        await stage.wrote(40, 40)
    assert set(await stage.effects()) == set(range(40))
    onward = await stage.onward()
    assert {n for numbers in onward.values() for n in numbers} == set(range(40))


async def test_the_database_is_killed_and_comes_back(
    broken: Servers, stage: Stage, own: Producer
) -> None:
    async with running(stage, own):
        await stage.feed(own, range(20))
        await stage.wrote(20)
        await asyncio.to_thread(broken.kill_postgres)
        await stage.feed(own, range(20, 40))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(broken.start_postgres)
        await stage.wrote(40, 30)
    await stage.check(40)


def test_a_transport_closed_under_a_request_is_a_lost_connection(servers: Servers) -> None:
    """uvloop's own error would end the task that keeps the metadata, and with it the group."""

    async def lose() -> None:
        producer = await Producer.open(servers.bootstrap, client_id="closed")
        try:
            client = inner(producer).client
            (broker,) = client.cluster.brokers()
            connection = await client._get_conn(broker.nodeId)
            connection._writer.transport.abort()
            await asyncio.sleep(0)  # closed now, and the connection has not heard of it
            with pytest.raises(kafka_errors.KafkaConnectionError):
                await connection.send(MetadataRequest([]))
            async with asyncio.timeout(10):
                assert await client.force_metadata_update()
        finally:
            await producer.close()

    uvloop.run(lose())
