"""What the cluster asks of the two servers: the only user here of their clients, untyped both."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

READY_TOPIC = "cluster.ready"
CONNECT_S = 15
REFUSALS: tuple[type[Exception], ...] = (
    KafkaError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)


class Connection(Protocol):
    """The part of a connection to PostgreSQL that set-up uses."""

    async def execute(self, query: str, /, *args: object) -> str:
        """Run a statement."""
        ...

    async def fetch(self, query: str, /, *args: object) -> Sequence[Mapping[str, Any]]:
        """The rows of a query."""
        ...

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """The first column of the first row, or None."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


async def connect(dsn: str) -> Connection:
    """One connection to a database; the caller closes it."""
    return await asyncpg.connect(dsn, timeout=CONNECT_S)


async def ask(dsn: str) -> None:
    """Have a query answered."""
    connection = await connect(dsn)
    try:
        await connection.fetchval("select 1")
    finally:
        await connection.close()


async def databases(dsn: str) -> set[str]:
    """The names of a server's databases."""
    connection = await connect(dsn)
    try:
        return {row["datname"] for row in await connection.fetch("select datname from pg_database")}
    finally:
        await connection.close()


async def carry_record(bootstrap: str) -> None:
    """Produce a record and consume the same."""
    await _create_topic(bootstrap)
    token = secrets.token_bytes(16)
    offset = await _produce(bootstrap, token)
    if await _consume(bootstrap, offset) != token:
        raise OSError("the broker gave another record back")


async def committed_offsets(bootstrap: str) -> dict[str, dict[tuple[str, int], int]]:
    """What every group has committed to the broker, by group, topic and partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    try:
        await admin.start()
        groups = [group[0] for group in await admin.list_consumer_groups()]
        by_group: dict[str, dict[tuple[str, int], int]] = {}
        for group in sorted(groups):
            offsets = await admin.list_consumer_group_offsets(group)
            by_group[group] = {
                (place.topic, place.partition): meta.offset
                for place, meta in offsets.items()
                if meta.offset >= 0
            }
        return by_group
    finally:
        await admin.close()


async def _create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    try:
        await admin.start()
        settings = {"retention.ms": "60000", "segment.bytes": "1048576"}
        topic = NewTopic(
            READY_TOPIC, num_partitions=1, replication_factor=1, topic_configs=settings
        )
        await admin.create_topics([topic])
    except TopicAlreadyExistsError:
        pass
    finally:
        await admin.close()


async def _produce(bootstrap: str, token: bytes) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=5000)
    try:
        await producer.start()
        acknowledged = await producer.send_and_wait(READY_TOPIC, token, partition=0)
    finally:
        await producer.stop()
    return int(acknowledged.offset)


async def _consume(bootstrap: str, offset: int) -> bytes | None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        partition = TopicPartition(READY_TOPIC, 0)
        consumer.assign([partition])
        consumer.seek(partition, offset)
        record = await consumer.getone()
    finally:
        await consumer.stop()
    return record.value
