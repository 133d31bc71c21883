"""The demo's street: tills with their counters, customers with their cards, everything sent."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lab.demo.purchases import Visit
from peyvand import (
    Answer,
    Answered,
    Client,
    Identifier,
    Invalid,
    Pending,
    PeyvandError,
    TillReference,
    Transaction,
    road,
)

CLOCK_TRIES_MAX: Final = 200


@dataclass(slots=True, kw_only=True)
class Customer:
    """A household's account as its last answer left it."""

    household: int
    account: int
    card: Identifier
    available_points: int = 0
    credit_rial: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True, kw_only=True)
class Till:
    """One terminal: it serves one customer at a time and never uses a number twice."""

    merchant: int
    branch: int
    terminal: int
    epoch: int
    client: Client
    used: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def next_name(self) -> TillReference:
        """The name of the next transaction."""
        self.used += 1
        return TillReference(self.terminal, self.epoch, self.used)


@dataclass(slots=True, kw_only=True)
class Sent:
    """One name, what was sent under it, and every answer it got."""

    body: bytes
    inquiry: bool
    till: Till
    answer: Answer | None = None
    answer_body: bytes = b""
    failure: str = ""
    waiting: bool = False


@dataclass(slots=True, kw_only=True)
class Log:
    """Everything that was sent, by name."""

    sent: dict[TillReference, Sent] = field(default_factory=dict[TillReference, Sent])
    resent: int = 0
    resent_before_answer: int = 0
    answered_differently: list[TillReference] = field(default_factory=list[TillReference])
    latencies_s: list[float] = field(default_factory=list[float])
    inquiries: int = 0

    def transactions(self) -> Iterable[Sent]:
        """All but inquiries, which leave no outcome."""
        return (s for s in self.sent.values() if not s.inquiry)


@dataclass(slots=True, kw_only=True)
class Street:
    """Where customers meet tills."""

    tills: dict[tuple[int, int], list[Till]]  # of a merchant's branch
    customers: dict[int, Customer]
    log: Log = field(default_factory=Log)
    stop_measuring: bool = False  # while the gateway is down on purpose

    def till_of(self, visit: Visit) -> Till:
        """The till of the visit's branch where this household always queues."""
        tills = self.tills[visit.merchant, visit.branch]
        return tills[visit.household % len(tills)]

    async def send(
        self, till: Till, request: Transaction, *, twice_at_once: bool = False
    ) -> Answer | None:
        """Send a new name, perhaps twice at once; its answer, None where there was none."""
        inquiry = request.kind.value == "inquiry"
        sent = Sent(body=road.encode(request), inquiry=inquiry, till=till)
        self.log.sent[request.name] = sent
        self.log.inquiries += inquiry
        if not twice_at_once:
            await self._once(request.name, sent)
            return sent.answer
        self.log.resent += 1
        self.log.resent_before_answer += 1
        async with asyncio.TaskGroup() as both:
            both.create_task(self._once(request.name, sent))
            both.create_task(self._once(request.name, sent))
        return sent.answer

    async def again(self, name: TillReference) -> None:
        """Send a name again, byte for byte, long after its answer."""
        self.log.resent += 1
        await self._once(name, self.log.sent[name])

    async def _once(self, name: TillReference, sent: Sent) -> None:
        started = time.perf_counter()
        measured = not self.stop_measuring
        try:
            reply = await self._when_the_clock_has_come(sent)
        except PeyvandError as error:
            sent.failure = sent.failure or str(error)
            return
        if measured and not self.stop_measuring:
            self.log.latencies_s.append(time.perf_counter() - started)
        if isinstance(reply, Pending):
            sent.waiting = sent.answer is None
            return
        if isinstance(reply.answer, Answer):
            self._keep(name, sent, reply.answer, reply.body)

    async def _when_the_clock_has_come(self, sent: Sent) -> Answered | Pending:
        """A till is refused before the road while the gateway has not yet heard the new time."""
        for _ in range(CLOCK_TRIES_MAX):
            try:
                return await sent.till.client.submit_bytes(sent.body, inquiry=sent.inquiry)
            except Invalid as refused:
                if refused.code != "occurred-at-ahead":
                    raise
                await asyncio.sleep(0.005)
        return await sent.till.client.submit_bytes(sent.body, inquiry=sent.inquiry)

    def _keep(self, name: TillReference, sent: Sent, answer: Answer, body: bytes) -> None:
        if sent.answer is None:
            sent.answer, sent.answer_body, sent.waiting, sent.failure = answer, body, False, ""
        elif sent.answer_body != body:
            self.log.answered_differently.append(name)


def note_balance(customer: Customer, answer: Answer | None) -> None:
    """Remember what a customer may spend; only the newest answer counts."""
    if answer is not None and answer.balance is not None:
        customer.available_points = answer.balance.available_points
        customer.credit_rial = answer.balance.credit_rial


def in_force(at: datetime, now: datetime) -> datetime:
    """A till's clock never runs ahead of the cluster's."""
    return min(at, now)
