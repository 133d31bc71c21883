"""Delivery reports: the provider's callbacks, many to a commit, and polling the provider."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kit.base import errors
from kit.base.db import Database
from kit.room import Resources
from notify import settings
from notify.sms_provider import DeliveryReport, NoAnswer, Refused, SmsProvider
from notify.sms_queue import usecases as sms_queue
from notify.sms_queue.domain import UndeliveredMessage

log = logging.getLogger(__name__)

BUFFERED_MAX: Final = 10_000
COMMIT_MAX: Final = 500
POLLS_MAX: Final = 20  # calls in one run of the poller

Buffered = tuple[DeliveryReport, asyncio.Future[bool]]


class ReceiptBuffer:
    """Buffers callbacks and writes all that have come by then in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._buffered: asyncio.Queue[Buffered] = asyncio.Queue(BUFFERED_MAX)

    async def record(self, report: DeliveryReport) -> bool:
        """Write one report down; True once it is committed, False for a message not ours.

        Raises Unavailable when the buffer is full: the provider calls again.
        """
        committed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._buffered.put_nowait((report, committed))
        except asyncio.QueueFull:
            raise errors.Unavailable("too many receipts at once; call again") from None
        return await committed

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            batch = [await self._buffered.get()]
            while len(batch) < COMMIT_MAX and not self._buffered.empty():
                batch.append(self._buffered.get_nowait())
            await self._commit(batch)

    async def _commit(self, batch: Sequence[Buffered]) -> None:
        try:
            async with self._database.transaction() as tx:
                ours = await sms_queue.record_delivery(tx, [report for report, _ in batch])
        except errors.Problem as problem:
            for _, committed in batch:
                if not committed.done():
                    committed.set_exception(problem)
            return
        for report, committed in batch:
            if not committed.done():
                committed.set_result(report.provider_id in ours)


def receipt_buffer(opened: Resources) -> ReceiptBuffer:
    """The buffer of this process; `opened.shared(receipt_buffer)` makes it once."""
    return ReceiptBuffer(opened.database)


@dataclass(frozen=True, kw_only=True)
class DeliveryPoller:
    """Polls the messages for which no callback has reported the end. wall: the provider's time."""

    database: Database
    provider: SmsProvider
    wall: Callable[[], datetime]

    async def run(self) -> int:
        """One run; gives how many messages were polled. Never raises for the provider."""
        polled = 0
        for _ in range(POLLS_MAX):
            wall = self.wall()
            async with self.database.transaction() as tx:
                messages = await sms_queue.claim_undelivered(tx, wall=wall)
            if messages and not await self._poll(messages, wall):
                return polled
            polled += len(messages)
            if len(messages) < settings.POLL_IDS_MAX:
                return polled
        return polled

    async def _poll(self, messages: Sequence[UndeliveredMessage], wall: datetime) -> bool:
        try:
            reports = await self.provider.status([message.provider_id for message in messages])
        except (Refused, NoAnswer) as failure:
            log.warning("polling deliveries: %s", failure)
            return False
        async with self.database.transaction() as tx:
            await sms_queue.record_poll(tx, messages, reports, wall=wall)
        return True
