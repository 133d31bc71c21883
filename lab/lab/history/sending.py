"""Baskets on the road: in time order, a bounded number at once, each member's one after another."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lab.history.baskets import Basket
from lab.history.problems import Problems
from lab.history.versions import Version, in_force
from lab.observe.requests import Sent
from peyvand import (
    Answer,
    Answered,
    BadReply,
    Follow,
    Forbidden,
    HistoricPurchase,
    Identifier,
    Operator,
    OutcomeUnknown,
    Pending,
    Problem,
    Unauthorized,
    Unavailable,
)

AT_ONCE: Final = 48
QUEUED_MAX: Final = 16  # baskets that wait for one member's turn while the others go on
SILENT_MAX: Final = 2 * AT_ONCE  # answers missing in a row: then the platform is gone

PATIENT: Final = Follow(rounds_max=24)  # two minutes: nobody waits at a till
BORDER: Final = timedelta(days=2)  # what expires so close to now may be booked later

Tick = Callable[[datetime], None]


class PlatformGone(Exception):
    """Nothing is answered any more; what was sent stands, and the rest can be sent again."""


@dataclass(slots=True, kw_only=True)
class Sending:
    """Sends baskets and keeps count of what became of them.

    numbers, programmes: of merchants, by the file's text. began: the time before the first; an
    older stamp is of an earlier import. points_past: of new purchases, already past their date.
    """

    operator: Operator
    numbers: Mapping[str, int]
    programmes: Mapping[str, Sequence[Version]]
    terms: Sequence[Version]
    problems: Problems
    began: datetime
    tick: Tick
    sent: Sent = field(default_factory=Sent)
    known_before: int = 0
    points_earned: int = 0
    points_past: int = 0
    earned_nothing: Counter[str] = field(default_factory=Counter[str])
    refused: int = 0
    refused_rows: int = 0
    _silent: int = 0

    async def run(self, baskets: Iterator[Basket]) -> None:
        """Send all; returns when each has its end. Raises PlatformGone, and a refused key."""
        started = time.monotonic()
        lanes = [asyncio.Queue[Basket | None](QUEUED_MAX) for _ in range(AT_ONCE)]
        try:
            async with asyncio.TaskGroup() as workers:
                for lane in lanes:
                    workers.create_task(self._send_lane(lane))
                for basket in baskets:
                    await lanes[zlib.crc32(basket.member.encode()) % AT_ONCE].put(basket)
                for lane in lanes:
                    await lane.put(None)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            self.sent.seconds = time.monotonic() - started

    async def _send_lane(self, lane: asyncio.Queue[Basket | None]) -> None:
        while (basket := await lane.get()) is not None:
            await self._send(basket)
            self.tick(basket.at)

    async def _send(self, basket: Basket) -> None:
        started = time.perf_counter()
        try:
            purchase = self._purchase(basket)
            reply = await self.operator.post_history(purchase, follow=PATIENT)
        except (Unauthorized, Forbidden):
            raise
        except (OutcomeUnknown, Unavailable, BadReply) as unknown:
            self._note_silence(str(unknown))
        except Problem as refusal:
            self._note_refusal(basket, refusal)
        else:
            self._silent = 0
            self.sent.latencies_s.append(time.perf_counter() - started)
            self._note(basket, reply)

    def _purchase(self, basket: Basket) -> HistoricPurchase:
        programme = in_force(self.programmes.get(basket.merchant, ()), basket.at)
        terms = in_force(self.terms, basket.at)
        return HistoricPurchase(
            merchant=self.numbers[basket.merchant],
            transaction=basket.transaction,
            identifier=Identifier(external=basket.member),
            occurred_at=basket.at,
            amount_rial=basket.amount_rial,
            lines=basket.lines,
            terminal=basket.terminal,
            programme_version=programme.number if programme else 0,
            terms_version=terms.number if terms else 0,
        )

    def _note(self, basket: Basket, reply: Answered | Pending) -> None:
        if isinstance(reply, Pending) or not isinstance(reply.answer, Answer):
            self.sent.ends["pending"] += 1
            return
        answer = reply.answer
        if not reply.followed:
            self.sent.resent += reply.attempts - 1
        if answer.status.value == "refused":
            self.sent.ends["failed"] += 1
            self.sent.failures[answer.code] += 1
            return
        self.sent.ends[answer.status.value] += 1
        known = answer.accepted_at < self.began
        self.known_before += known
        self.points_earned += answer.points_earned
        programme = in_force(self.programmes.get(basket.merchant, ()), basket.at)
        lives = programme.valid_for if programme else None
        if not known and lives is not None and basket.at + lives < self.began - BORDER:
            self.points_past += answer.points_earned
        if not answer.points_earned:
            self.earned_nothing.update({why_nothing(answer)})

    def _note_refusal(self, basket: Basket, refusal: Problem) -> None:
        """The file's fault, not the platform's: nothing was posted, and it is said by line."""
        self._silent = 0
        self.refused += 1
        self.refused_rows += len(basket.rows)
        of = (basket.merchant, basket.transaction)
        self.problems.add(basket.rows, refusal.code, refusal.detail, fa=refusal.fa, of=of)

    def _note_silence(self, error_text: str) -> None:
        self.sent.ends["failed"] += 1
        self.sent.failures["outcome unknown"] += 1
        self._silent += 1
        if self._silent > SILENT_MAX:
            raise PlatformGone(error_text)


def why_nothing(answer: Answer) -> str:
    """The code of the reason why a purchase earned nothing."""
    codes = [line.reason.code for line in answer.lines if line.reason]
    return codes[0] if codes else answer.code or answer.status.value
