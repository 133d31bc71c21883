"""The Kafka door: the golden messages of every topic heard, each poll twice; the wiring itself."""

from pathlib import Path
from typing import Any

import pytest

from campaigns.main import PARTS, SERVICE
from contracts import envelope, topics
from contracts.ledger import COMMANDS
from kit.stream import consumer
from kit.stream.consumer import Poison
from support import services

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
HEARD = [t for t in topics.TOPICS if "campaigns" in t.consumers]
TABLES = ("decisions", "programmes", "terms", "live_rules", "first_purchases")


def golden(topic: topics.Topic) -> list[consumer.Event]:
    texts = [path.read_bytes() for path in sorted((EXAMPLES / topic.name).glob("*.json"))]
    said = [envelope.decode(text, dict(topic.events)) for text in texts]
    return [consumer.event(topic, s, partition=1, offset=i) for i, s in enumerate(said)]


async def rows(tx: Any) -> list[list[str]]:
    """Every row of every table: what counts shows a second count."""
    return [
        sorted(str(tuple(row.values())) for row in await tx.fetch(f"select * from {table}"))
        for table in TABLES
    ]


@pytest.mark.parametrize("topic", HEARD, ids=[t.name for t in HEARD])
async def test_golden_messages_pass_and_a_second_poll_changes_nothing(
    tx: Any, pool: Any, make: Any, topic: topics.Topic
) -> None:
    subscriptions = [s for s in _wired(pool, make) if s.topic is topic]  # one of each part
    batch = golden(topic)
    assert batch
    for subscription in subscriptions:
        await subscription.handle(tx, batch)
    first, kept = _commands(tx), await rows(tx)
    for subscription in subscriptions:
        await subscription.handle(tx, batch)
    again = _commands(tx)
    assert await rows(tx) == kept
    if topic is topics.FRAUD_SCREENED:
        assert again == first
        assert len(first) == len(batch)
    else:
        assert again == []  # nothing is commanded twice


def _wired(pool: Any, make: Any) -> list[consumer.Subscription]:
    opened = services.opened(SERVICE, pool, make.now, actor_secret="s")
    return [heard for part in PARTS for heard in part(opened).hears]


def _commands(tx: Any) -> list[bytes]:
    messages = tx.take_messages()
    for message in messages:
        if message.topic == topics.LEDGER_COMMANDS.name:
            envelope.decode(message.value or b"", dict(COMMANDS))
            assert message.partition == 1
    return [m.value for m in messages if m.topic == topics.LEDGER_COMMANDS.name]


async def test_the_wiring_hears_exactly_what_the_table_of_topics_says(pool: Any, make: Any) -> None:
    wired = _wired(pool, make)
    assert {s.topic.name for s in wired} == {t.name for t in HEARD}
    (road,) = [s for s in wired if s.topic is topics.FRAUD_SCREENED]
    # on the road nothing is dropped in silence, and the road is a consumer of its own
    assert road.poison is Poison.PASS
    assert road.dependencies_missing is not None
    assert road.refuse is not None
