"""The SMS lane: rows out of the queue, to the provider outside any transaction, and back.

A row is `sending` from before the call until its end is known. Whatever comes between (a time-out,
a crash, half a batch), the next run asks the provider by local id before it sends anything again.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from contracts.keys import Ring
from kit import telemetry
from kit.clock import Clock
from kit.db import Database
from kit.telemetry import Metric
from notify import clients, settings, store
from notify.clients import Handover, Provider, Refused, Report, Silent, Trouble
from notify.domain import contacts as sealing
from notify.domain import messages
from notify.domain.messages import State
from notify.store import Change, Claimed

log = logging.getLogger(__name__)


class CrashPoint(Enum):
    """Where a test may end a run as a crash would."""

    AFTER_CLAIM = "after claim"
    AFTER_SEND = "after send"


def no_crash(point: CrashPoint) -> None:
    """What runs in production."""
    del point


@dataclass(kw_only=True)
class Lane:
    """One lane to one provider, run by one elected process; it pauses where the provider fails.

    wall: the time of the provider's horizons; clock: the house's, which decides what expires.
    """

    database: Database
    provider: Provider
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
        done = 0
        try:
            rounds = (
                settings.RUN_MESSAGES_MAX // settings.BATCH_MAX if await self._has_work() else 0
            )
            if rounds:
                await self._settle_sending()
                await self._tell_locked()
            for _ in range(rounds):
                claimed = await self._claim()
                done += await self._hand_over(claimed)
                if len(claimed) < settings.BATCH_MAX:
                    break
        except (Refused, Silent) as trouble:
            self._pause(trouble)
        else:
            self.failures = 0
        return done

    async def _has_work(self) -> bool:
        async with self.database.read() as tx:
            return await store.has_queued_or_sending(tx)

    async def _settle_sending(self) -> None:
        """Find out what became of rows whose hand-over has no known end, before anything else."""
        for _ in range(settings.RUN_MESSAGES_MAX // settings.BATCH_MAX):
            async with self.database.read() as tx:
                rows = await store.list_sending(tx, limit=settings.BATCH_MAX)
            if not rows:
                return
            reports = await self.provider.find_local([message_id for message_id, _ in rows])
            wall = self.wall()
            known: list[tuple[int, Report]] = []
            gone: list[int] = []
            unsent: list[int] = []
            for (message_id, since), report in zip(rows, reports, strict=True):
                if report.provider_id and report.status != 100:
                    known.append((message_id, report))
                elif wall - since > settings.LOCAL_HORIZON:
                    gone.append(message_id)  # it may have been sent: silence is better than twice
                else:
                    unsent.append(message_id)
            await self._record(known)
            async with self.database.transaction() as tx:
                changes = [Change(message_id=i, reason="provider-forgot") for i in gone]
                befores = messages.befores(State.UNKNOWN)
                await store.update_moved(tx, State.UNKNOWN, changes, befores=befores, wall=wall)
                await store.update_requeued(tx, unsent)

    async def _claim(self) -> list[Claimed]:
        async with self.database.transaction() as tx:
            return await store.claim_queued(
                tx,
                now=self.clock.now(),
                wall=self.wall(),
                limit=settings.BATCH_MAX,
                beginnings=sealing.beginnings(self.ring),
            )

    async def _tell_locked(self) -> None:
        """Say which keys are missing; the messages stay queued until they come, or time is over."""
        async with self.database.read() as tx:
            found = await store.count_locked(tx, beginnings=sealing.beginnings(self.ring))
        for beginning, waiting in found.items():
            telemetry.count(Metric.ALARMS, "contact-key-missing")
            log.error(
                "key %s is missing in PEYVAND_CONTACT_KEYS: %d messages wait for it",
                sealing.key_id(beginning),
                waiting,
            )

    async def _hand_over(self, claimed: Sequence[Claimed]) -> int:
        ready: list[Handover] = []
        for row in claimed:
            mobile = await self._mobile(row)
            if mobile is not None:
                ready.append(Handover(row.message_id, mobile, row.text))
        if ready:
            self.crash(CrashPoint.AFTER_CLAIM)
            await self._send(ready)
        return len(ready)

    async def _mobile(self, row: Claimed) -> str | None:
        if row.sealed is None:
            await self._end(row.message_id, State.NO_CONTACT, "erased")
            return None
        try:
            return sealing.unseal(row.sealed, member=row.member, ring=self.ring).mobile
        except sealing.Unreadable as error:
            log.error("a message cannot be sent: %s", error)
            await self._end(row.message_id, State.FAILED, "contact-unreadable")
            return None

    async def _send(self, batch: Sequence[Handover]) -> None:
        """One call; a call refused for its content is halved until the bad one stands alone."""
        started = time.monotonic()
        try:
            reports = await self.provider.send(batch)
        except Refused as refused:
            if refused.trouble is not Trouble.CONTENT:
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
        pairs = zip((one.local_id for one in batch), reports, strict=True)
        await self._record(list(pairs))

    async def _record(self, reports: Sequence[tuple[int, Report]]) -> None:
        """Write down what the provider said of rows that were sending."""
        by_state: defaultdict[State, list[Change]] = defaultdict(list)
        for message_id, report in reports:
            state = messages.from_provider(report.status) or State.ACCEPTED
            by_state[state].append(
                Change(
                    message_id=message_id,
                    provider_id=report.provider_id,
                    cost_rial=report.cost_rial,
                )
            )
        async with self.database.transaction() as tx:
            for state, changes in by_state.items():
                await store.update_moved(
                    tx, state, changes, befores=messages.befores(state), wall=self.wall()
                )
        for state, changes in by_state.items():
            telemetry.count(Metric.MESSAGES_SENT, "sms", state.value, by=len(changes))

    async def _end(self, message_id: int, state: State, reason: str) -> None:
        change = Change(message_id=message_id, reason=reason)
        async with self.database.transaction() as tx:
            await store.update_moved(
                tx, state, [change], befores=messages.befores(state), wall=self.wall()
            )
        telemetry.count(Metric.MESSAGES_SENT, "sms", state.value)

    def _pause(self, trouble: Refused | Silent) -> None:
        pause_s = min(settings.PAUSE_MAX_S, settings.PAUSE_FIRST_S * 2**self.failures)
        self.failures = min(self.failures + 1, 16)
        self.resume_at_s = time.monotonic() + pause_s
        log.warning("the lane pauses %.1f s: %s", pause_s, trouble)
        if isinstance(trouble, Refused) and trouble.trouble is clients.Trouble.ACCOUNT:
            telemetry.count(Metric.ALARMS, "sms-account")
