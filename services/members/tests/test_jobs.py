from datetime import datetime

from contracts import envelope, topics
from contracts.merchants import Heartbeat
from kit.base.db import Tx
from kit.stream import heartbeat


async def test_every_partition_of_the_identifiers_hears_a_heartbeat(tx: Tx, now: datetime) -> None:
    heartbeat.beat(tx, "members", now=now)
    assert [m.partition for m in tx.messages] == [0, 1, 2, 3]
    assert {m.topic for m in tx.messages} == {"members.identifiers"}
    assert [m.key for m in tx.messages] == [b"heartbeat@%d" % n for n in range(4)]
    types = dict(topics.MEMBERS_IDENTIFIERS.events)
    for message in tx.messages:
        event = envelope.decode(message.value or b"", types)
        assert event.data == Heartbeat(room="members", at=now)


def test_every_topic_that_has_heartbeats_gets_them() -> None:
    owned = {t.name for t in topics.TOPICS if t.owner == "members" and "heartbeat.v1" in t.events}
    assert {t.name for t in heartbeat.beating("members")} == owned
