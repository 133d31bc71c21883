"""Kafka behind a thin port: the only package that imports aiokafka."""

from kit.stream.kafka import aiokafka_patches
from kit.stream.kafka.admin import cluster_id, committed, end_offsets, ensure_topics
from kit.stream.kafka.producer import Ack, Place, Producer, partition_of
from kit.stream.kafka.readers import LAG_RECORDS, LIVE_RECORDS, Assigned, OffsetGone, Reader, Record
from kit.stream.kafka.security import secure

__all__ = [
    "LAG_RECORDS", "LIVE_RECORDS", "Ack", "Assigned", "OffsetGone", "Place", "Producer", "Reader",
    "Record", "cluster_id", "committed", "end_offsets", "ensure_topics", "partition_of", "secure",
]  # fmt: skip

aiokafka_patches.mend()
