"""The gateway's clock compared with the broker's, by the broker's stamp of a probe record."""

from datetime import datetime
from typing import Final

from contracts import topics
from gateway.settings import Settings
from gateway.tables.usecases import Readiness
from kit.base import clock
from kit.stream import kafka, outbox

PROBE: Final = b"probe"


async def measure_clock(settings: Settings, producer: kafka.Producer, readiness: Readiness) -> None:
    """Send a probe to this instance's own reply partition and compare the broker's stamp.

    Only where that topic keeps the broker's time; transactions' acknowledgements are compared too.
    """
    if settings.sandbox or not topics.GATEWAY_REPLIES.append_time:
        return
    probe = outbox.Message(
        topics.GATEWAY_REPLIES.name,
        settings.reply_partition,
        PROBE,
        PROBE,
        (("correlation-id", PROBE),),
    )
    before: datetime = clock.wall()
    ack = await producer.send_one(probe, deadline_s=5.0)
    readiness.note_append(before, ack.appended_at, clock.wall())
