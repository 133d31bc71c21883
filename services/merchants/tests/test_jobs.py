from datetime import datetime, timedelta

from contracts import envelope, merchants, topics
from kit.base.db import Tx
from kit.stream import heartbeat


async def test_each_state_topic_hears_a_heartbeat_on_every_partition(tx: Tx, now: datetime) -> None:
    heartbeat.beat(tx, "merchants", now=now)
    assert [(m.topic, m.partition) for m in tx.messages] == [
        ("merchants.terminals", 0),
        ("merchants.merchants", 0),
        ("merchants.programmes", 0),
        ("merchants.terms", 0),
    ]
    for message, topic in zip(tx.messages, heartbeat.beating("merchants"), strict=True):
        message_envelope = envelope.decode(message.value or b"", dict(topic.events))
        assert message_envelope.data == merchants.Heartbeat(room="merchants", at=now)


async def test_a_later_beat_replaces_the_earlier_under_compaction(tx: Tx, now: datetime) -> None:
    heartbeat.beat(tx, "merchants", now=now)
    heartbeat.beat(tx, "merchants", now=now + timedelta(seconds=5))
    topics_published = len(heartbeat.beating("merchants"))
    first, second = tx.messages[:topics_published], tx.messages[topics_published:]
    assert [m.key for m in first] == [m.key for m in second]
    assert all(a.value != b.value for a, b in zip(first, second, strict=True))


def test_every_state_topic_of_the_room_beats() -> None:
    owned = {t.name for t in topics.TOPICS if t.owner == "merchants" and t.compacted}
    assert {t.name for t in heartbeat.beating("merchants")} == owned
