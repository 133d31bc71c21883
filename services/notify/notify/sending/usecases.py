"""Handing queued messages over to the provider, outside any transaction.

A message is `sending` from before the call until its end is known. Whatever comes between (a
time-out, a crash, half a batch), the next run queries the provider by local id before it sends
anything again.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from contracts.keys import Ring
from kit.base import telemetry
from kit.base.clock import Clock
from kit.base.db import Database
from kit.base.telemetry import Metric
from notify import settings
from notify.contacts import usecases as contacts
from notify.contacts.domain import Unreadable
from notify.sms_provider import (
    STATUS_UNKNOWN,
    DeliveryReport,
    NoAnswer,
    OutgoingSms,
    RefusalKind,
    Refused,
    SmsProvider,
)
from notify.sms_queue import usecases as sms_queue
from notify.sms_queue.domain import State
from notify.sms_queue.usecases import ClaimedMessage

log = logging.getLogger(__name__)


class CrashPoint(Enum):
    """Where a test may end a run as a crash would."""

    AFTER_CLAIM = "after claim"
    AFTER_SEND = "after send"


def no_crash(point: CrashPoint) -> None:
    """What runs in production."""
    del point


@dataclass(kw_only=True)
class SmsSender:
    """Sends to one provider, in one elected process; it pauses while the provider fails.

    wall: the time of the provider's horizons; clock: the platform's, which decides what expires.
    """

    database: Database
    provider: SmsProvider
    clock: Clock
    wall: Callable[[], datetime]
    ring: Ring
    crash: Callable[[CrashPoint], None] = no_crash
    failures: int = field(default=0, init=False)
    resume_at_s: float = field(default=0.0, init=False)

    async def run(self) -> int:
        """Send what is queued; gives how many were handed over. Never raises for the provider."""
        if time.monotonic() < self.resume_at_s:
            return 0
        handed_over = 0
        try:
            if await self._prepare():
                for _ in range(settings.RUN_MESSAGES_MAX // settings.BATCH_MAX):
                    claimed = await self._claim()
                    handed_over += await self._hand_over(claimed)
                    if len(claimed) < settings.BATCH_MAX:
                        break
        except (Refused, NoAnswer) as failure:
            self._pause(failure)
        else:
            self.failures = 0
        return handed_over

    async def _prepare(self) -> bool:
        """Settle what the last run left open; False where there is nothing to send."""
        async with self.database.read() as tx:
            if not await sms_queue.has_unsent(tx):
                return False
        await self._settle_sending()
        await self._report_missing_keys()
        return True

    async def _claim(self) -> list[ClaimedMessage]:
        async with self.database.transaction() as tx:
            return await sms_queue.claim_queued(
                tx, now=self.clock.now(), wall=self.wall(), ring=self.ring
            )

    async def _settle_sending(self) -> None:
        """Query the provider about messages whose hand-over has no known end, before sending."""
        for _ in range(settings.RUN_MESSAGES_MAX // settings.BATCH_MAX):
            async with self.database.read() as tx:
                rows = await sms_queue.list_sending(tx)
            if not rows:
                return
            reports = await self.provider.status_by_local_id([message_id for message_id, _ in rows])
            wall = self.wall()
            known: list[tuple[int, DeliveryReport]] = []
            forgotten: list[int] = []
            unsent: list[int] = []
            for (message_id, since), report in zip(rows, reports, strict=True):
                if report.provider_id and report.status != STATUS_UNKNOWN:
                    known.append((message_id, report))
                elif wall - since > settings.LOCAL_HORIZON:
                    forgotten.append(message_id)  # it may have been sent, and must not be twice
                else:
                    unsent.append(message_id)
            await self._record(known)
            async with self.database.transaction() as tx:
                await sms_queue.forget_messages(tx, forgotten, wall=wall)
                await sms_queue.requeue(tx, unsent)

    async def _report_missing_keys(self) -> None:
        """Raise an alarm for each missing key; its messages stay queued until they expire."""
        async with self.database.read() as tx:
            by_key = await sms_queue.count_without_key(tx, self.ring)
        for key_id, queued in by_key.items():
            telemetry.count(Metric.ALARMS, "contact-key-missing")
            log.error(
                "key %s is missing in PEYVAND_CONTACT_KEYS: %d messages wait for it",
                key_id,
                queued,
            )

    async def _hand_over(self, claimed: Sequence[ClaimedMessage]) -> int:
        batch: list[OutgoingSms] = []
        for message in claimed:
            mobile = await self._mobile(message)
            if mobile is not None:
                batch.append(OutgoingSms(message.message_id, mobile, message.text))
        if batch:
            self.crash(CrashPoint.AFTER_CLAIM)
            await self._send(batch)
        return len(batch)

    async def _mobile(self, message: ClaimedMessage) -> str | None:
        if message.sealed is None:
            await self._end(message.message_id, State.NO_CONTACT, "erased")
            return None
        try:
            return contacts.open_mobile(message.sealed, member=message.member, ring=self.ring)
        except Unreadable as error:
            log.error("a message cannot be sent: %s", error)
            await self._end(message.message_id, State.FAILED, "contact-unreadable")
            return None

    async def _send(self, batch: Sequence[OutgoingSms]) -> None:
        """One call; one that is refused for its content is halved until the bad SMS is alone."""
        started = time.monotonic()
        try:
            reports = await self.provider.send(batch)
        except Refused as refused:
            if refused.kind is not RefusalKind.CONTENT:
                raise
            if len(batch) == 1:
                log.error("message %d: %s", batch[0].local_id, refused)
                await self._end(batch[0].local_id, State.FAILED, f"provider-{refused.code}")
                return
            half = len(batch) // 2
            await self._send(batch[:half])
            await self._send(batch[half:])
            return
        finally:
            telemetry.observe(Metric.PROVIDER_SECONDS, time.monotonic() - started, "sms")
        self.crash(CrashPoint.AFTER_SEND)
        pairs = zip((sms.local_id for sms in batch), reports, strict=True)
        await self._record(list(pairs))

    async def _record(self, reports: Sequence[tuple[int, DeliveryReport]]) -> None:
        async with self.database.transaction() as tx:
            counts = await sms_queue.record_sent(tx, reports, wall=self.wall())
        for state, messages in counts.items():
            telemetry.count(Metric.MESSAGES_SENT, "sms", state.value, by=messages)

    async def _end(self, message_id: int, state: State, reason: str) -> None:
        async with self.database.transaction() as tx:
            await sms_queue.end_message(tx, message_id, state, reason=reason, wall=self.wall())
        telemetry.count(Metric.MESSAGES_SENT, "sms", state.value)

    def _pause(self, failure: Refused | NoAnswer) -> None:
        pause_s = min(settings.PAUSE_MAX_S, settings.PAUSE_FIRST_S * 2**self.failures)
        self.failures = min(self.failures + 1, 16)
        self.resume_at_s = time.monotonic() + pause_s
        log.warning("sending pauses %.1f s: %s", pause_s, failure)
        if isinstance(failure, Refused) and failure.kind is RefusalKind.ACCOUNT:
            telemetry.count(Metric.ALARMS, "sms-account")
