"""Kafka's door of the road: this instance's partition of gateway.replies."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from contracts import topics
from contracts.envelope import Envelope
from contracts.ledger import Reply
from gateway.road.usecases.clock_probe import PROBE
from gateway.road.usecases.pending_replies import PendingReplies
from gateway.settings import Settings
from gateway.tables.usecases import Readiness
from kit.base import errors, telemetry
from kit.base.telemetry import Metric
from kit.stream import kafka
from kit.stream.kafka import Record

log = logging.getLogger(__name__)

POLL_RECORDS: Final = 500  # about 10 ms of the loop
RETRY_S: Final = 0.5

_decode: Final = msgspec.json.Decoder(Envelope[Reply]).decode


@dataclass(slots=True)
class RepliesFeed:
    """Reads this instance's partition of gateway.replies, from its end on."""

    settings: Settings
    pending_replies: PendingReplies
    readiness: Readiness

    async def run(self) -> None:
        """Read for ever; after an outage from the end, as no request waits for older replies."""
        while True:
            try:
                await self._follow()
            except (errors.Unavailable, kafka.OffsetGone) as error:
                log.warning("replies: %s", error)
            self.readiness.replies_assigned = False
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        reader = await kafka.Assigned.open(
            self.settings.kafka_bootstrap,
            client_id="gateway-replies",
            start={(topics.GATEWAY_REPLIES.name, self.settings.reply_partition): None},
            fetch_max_wait_ms=100,
        )
        try:
            self.readiness.replies_assigned = True
            while True:
                records = await reader.poll(max_records=POLL_RECORDS, timeout_ms=500)
                self.on_gateway_replies(records)
                telemetry.gauge(Metric.REPLIES_PENDING, self.pending_replies.count)
        finally:
            await reader.close()

    def on_gateway_replies(self, records: Sequence[Record]) -> None:
        """Hand each reply to the request that waits for it; late ones are counted and dropped."""
        for record in records:
            self._resolve(record)

    def _resolve(self, record: Record) -> None:
        correlation = next((v for k, v in record.headers if k == "correlation-id"), None)
        if correlation is None or correlation == PROBE or record.value is None:
            return
        if not self.pending_replies.is_expected(correlation):
            return
        try:
            answered = _decode(record.value)
        except (ValueError, RecursionError) as error:
            telemetry.count(Metric.ALARMS, "reply-undecodable")
            log.error("a reply does not read: %s", error)
            return
        self.pending_replies.resolve(correlation, answered.data)
