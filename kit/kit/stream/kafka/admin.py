"""Topics made from the table in contracts, and what a cluster says of itself."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportPrivateUsage=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# ruff: noqa: TID251 - this package alone imports aiokafka, which carries no types

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts import topics as contract
from contracts.topics import Topic
from kit.base import errors
from kit.stream.kafka.producer import Place
from kit.stream.kafka.security import OPTIONS


async def ensure_topics(
    bootstrap: str, topics: Sequence[Topic], *, shards: int, gateways: int = 1, replication: int = 1
) -> list[str]:
    """Create the topics that are missing; gives their names. Raises Unavailable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **OPTIONS)
    try:
        await admin.start()
        there = set(await admin.list_topics())
        new = [t for t in topics if t.name not in there]
        if new:
            answer: Any = await admin.create_topics(
                [_new_topic(t, shards, gateways, replication) for t in new]
            )
            for name, code, text in (e[:3] for e in answer.topic_errors):
                if code not in (0, 36):  # 36: somebody else was quicker
                    raise errors.Unavailable(f"topic {name} not created: {code} {text}")
        return [t.name for t in new]
    finally:
        await admin.close()


def _new_topic(topic: Topic, shards: int, gateways: int, replication: int) -> Any:
    options = {"cleanup.policy": "compact" if topic.compacted else "delete"}
    if not topic.compacted:
        keep = -1 if topic.retention_ms is None else topic.retention_ms
        options["retention.ms"] = str(keep)
    if topic.append_time:
        options["message.timestamp.type"] = "LogAppendTime"
    if topic.durable and replication == 1:
        options["flush.messages"] = "1"  # one node must survive a power cut
    if replication > 2:
        options["min.insync.replicas"] = "2"
    count = contract.partitions(topic, shards=shards, gateways=gateways)
    return NewTopic(topic.name, count, replication, topic_configs=options)


async def end_offsets(bootstrap: str, topics: Sequence[str]) -> dict[Place, int]:
    """Next offset of every partition of topics."""
    inner = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **OPTIONS)
    try:
        await inner.start()
        places: list[Any] = []
        for topic in topics:
            await inner._client._wait_on_metadata(topic)
            places += [TopicPartition(topic, p) for p in inner.partitions_for_topic(topic) or ()]
        offsets = await inner.end_offsets(places)
        return {(p.topic, p.partition): offset for p, offset in offsets.items()}
    finally:
        await inner.stop()


async def committed(bootstrap: str, group: str) -> dict[Place, int]:
    """The advisory offsets of a group, as lag graphs see them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **OPTIONS)
    try:
        await admin.start()
        offsets = await admin.list_consumer_group_offsets(group)
        return {(p.topic, p.partition): meta.offset for p, meta in offsets.items()}
    finally:
        await admin.close()


async def cluster_id(bootstrap: str) -> str:
    """The cluster's own id; offsets of one cluster mean nothing in another."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **OPTIONS)
    try:
        await admin.start()
        return str((await admin.describe_cluster())["cluster_id"])
    except kafka_errors.KafkaError as error:
        raise errors.Unavailable(f"broker: {error}") from error
    finally:
        await admin.close()
