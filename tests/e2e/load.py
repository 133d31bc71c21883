"""Load from tills that never give up: every request is sent again until it is answered."""

import asyncio
import itertools
import random
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from peyvand import (
    Answer,
    Answered,
    Identifier,
    Line,
    Options,
    Original,
    PeyvandError,
    Redeem,
    RefundLine,
    Retry,
    TillReference,
    Timeouts,
    Transaction,
    member_import,
    models,
    original_named,
    requests,
    road,
)
from peyvand.administration import ImportedLine

from .participants import PRICE_RIAL, TRANSIENT, Participants, Till, answer_of, now

TILLS = 8
MEMBERS = 900
PAUSE_S = 0.12
STUBBORN = Options(
    timeouts=Timeouts(connect_s=1.0, request_s=5.0),
    retry=Retry(attempts_max=400, wait_first_s=0.1, wait_max_s=0.5),
    connections_max=8,
)


@dataclass(slots=True)
class Asked:
    """One name: the bytes that were sent under it, and the first answer that came."""

    till: Till
    request: Transaction
    body: bytes
    first: bytes = b""
    differently: bool = False
    failure: str = ""

    @property
    def answer(self) -> Answer:
        """The first answer, read."""
        return msgspec.json.decode(self.first, type=Answer)


@dataclass(slots=True, kw_only=True)
class Load:
    """Tills at work until they are stopped; nobody buys more often than fraud lets pass."""

    participants: Participants
    tills: Sequence[Till]
    members: Iterator[Identifier]
    asked: dict[TillReference, Asked] = field(default_factory=dict[TillReference, Asked])
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _work: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _dice: random.Random = field(default_factory=lambda: random.Random(11))

    @classmethod
    async def open(cls, participants: Participants) -> "Load":
        """Tills of two merchants, and members by the hundred who join at once."""
        shops = [
            await participants.shop("grocer"),
            await participants.shop("baker", redeem_max_share_bp=5_000),
        ]
        tills = [await participants.till(shops[i % 2], options=STUBBORN) for i in range(TILLS)]
        mobiles = [f"092{secrets.randbelow(10**8):08d}" for _ in range(MEMBERS)]
        lines = [
            member_import.line_of(ImportedLine(mobile=m, name="علی", consents=_consents(i)))
            for i, m in enumerate(mobiles)
        ]
        report = await member_import.import_members(participants.operator, enumerate(lines, 1))
        assert not report.bad
        return cls(
            participants=participants,
            tills=tills,
            members=itertools.cycle([models.mobile(m) for m in mobiles]),
        )

    def start(self) -> None:
        """Let the tills work, beside whatever else the loop does."""
        self._work = [asyncio.create_task(self._work_at(till)) for till in self.tills]

    async def stop(self) -> None:
        """Let every till end with an answer to all that it asked."""
        self._stop.set()
        await asyncio.gather(*self._work)

    @property
    def answered(self) -> list[Asked]:
        """What has its first answer."""
        return [one for one in self.asked.values() if one.first]

    async def again(self, one: Asked) -> None:
        """Send the same bytes until they are answered; the first answer is kept."""
        while True:
            try:
                heard = await one.till.client.submit_bytes(one.body)
            except TRANSIENT:
                continue
            except PeyvandError as refused:
                one.failure = str(refused)
                return
            if isinstance(heard, Answered):
                one.first = one.first or heard.body
                one.differently |= heard.body != one.first
                return

    async def _work_at(self, till: Till) -> None:
        mine, held = list[Asked](), list[Asked]()
        while not self._stop.is_set():
            began = time.monotonic()
            one = self._next(till, mine, held)
            self.asked[one.request.name] = one
            await self.again(one)
            if self._dice.random() < 0.1:
                await self.again(one)
            if one.first and one.request.kind in (models.Kind.PURCHASE, models.Kind.AUTHORISATION):
                (held if one.request.kind is models.Kind.AUTHORISATION else mine).append(one)
            await asyncio.sleep(max(0.0, PAUSE_S - (time.monotonic() - began)))

    def _next(self, till: Till, mine: list[Asked], held: list[Asked]) -> Asked:
        chance = self._dice.random()
        if chance < 0.08 and mine:
            request = self._refund(till, mine.pop(self._dice.randrange(len(mine))))
        elif chance < 0.12 and mine:
            request = self._reversal(till, mine.pop(self._dice.randrange(len(mine))))
        elif chance < 0.17 and mine:
            request = self._authorisation(till, self._dice.choice(mine))
        elif chance < 0.22 and held:
            request = self._end(till, held.pop(self._dice.randrange(len(held))))
        elif chance < 0.32 and mine:
            request = self._redemption(till, self._dice.choice(mine))
        else:
            request = self._purchase(till)
        return Asked(till, request, road.encode(request))

    def _purchase(self, till: Till) -> Transaction:
        amounts = [self._dice.randrange(1, 90) * 10_000 for _ in range(self._dice.randrange(1, 4))]
        lines = [Line(line=i, amount_rial=amount) for i, amount in enumerate(amounts, 1)]
        return requests.purchase(
            till.name(),
            next(self.members),
            amount_rial=sum(amounts),
            occurred_at=now(),
            lines=lines,
        )

    def _redemption(self, till: Till, sold: Asked) -> Transaction:
        points = self._dice.randrange(1, 12)
        who = sold.request.identifier
        assert who is not None
        return requests.redemption(
            till.name(),
            who,
            Redeem(points=points),
            amount_rial=points * PRICE_RIAL * 3,
            occurred_at=now(),
        )

    def _authorisation(self, till: Till, sold: Asked) -> Transaction:
        points = self._dice.randrange(1, 12)
        who = sold.request.identifier
        assert who is not None
        return requests.authorisation(
            till.name(), who, Redeem(points=points), amount_rial=points * PRICE_RIAL * 3,
            occurred_at=now(),
        )  # fmt: skip

    def _end(self, till: Till, held: Asked) -> Transaction:
        """A capture, mostly; else what was reserved is freed, by a void or a reversal."""
        chance, original = self._dice.random(), Original(id=held.answer.id)
        if chance < 0.6:
            return requests.capture(
                till.name(), original, amount_rial=held.request.amount_rial, occurred_at=now()
            )
        if chance < 0.8:
            return requests.void(till.name(), original, occurred_at=now())
        return self._reversal(till, held)

    def _refund(self, till: Till, sold: Asked) -> Transaction:
        first = sold.request.lines[0]
        lines = [RefundLine(line=first.line, amount_rial=first.amount_rial // 2)]
        part = lines if self._dice.random() < 0.5 else []
        original = Original(id=sold.answer.id)
        return requests.refund(till.name(), original, occurred_at=now(), lines=part)

    def _reversal(self, till: Till, sold: Asked) -> Transaction:
        sale = sold.request
        return requests.reversal(
            till.name(),
            original_named(sale.name, sale.occurred_at),
            occurred_at=now(),
            identifier=sale.identifier,
        )


async def until_answered(till: Till, request: Transaction) -> Answer:
    """Send a request again and again until it is answered."""
    while True:
        try:
            heard = await till.client.submit(request)
        except TRANSIENT:
            continue
        if isinstance(heard, Answered):
            return answer_of(heard)


def _consents(index: int) -> dict[str, Any]:
    return {"terms": True, "receipts": index % 10 == 0}
