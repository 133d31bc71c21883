"""The shopping itself: acts become transactions, the cluster's time moves on as they come."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from lab.demo import cast
from lab.demo.plan import Act, Deed
from lab.demo.street import Customer, Street, Till, note_balance
from peyvand import Answer, Redeem, RefundLine, TillReference, models, requests

STEP: Final = timedelta(hours=2)
STEPS_AT_ONCE: Final = 10
AT_ONCE_MAX: Final = 96
POINTS_MIN: Final = 100


@dataclass(slots=True, kw_only=True)
class Shopping:
    """Runs acts in time order; sold: what each act's transaction was named and answered."""

    street: Street
    acts: Sequence[Act]
    set_clock: Callable[[datetime], Awaitable[None]]
    progress: Callable[[int, datetime], None]
    sold: dict[int, tuple[TillReference, Answer]] = field(
        default_factory=dict[int, tuple[TillReference, Answer]]
    )
    later: list[TillReference] = field(default_factory=list[TillReference])
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_MAX))

    async def run(self, first: int, last: int) -> None:
        """Play acts[first:last]; returns when all of them are answered.

        Time moves on by steps, and never past people who are still at a till: a step begins once
        everybody of STEPS_AT_ONCE steps ago has been served.
        """
        now = datetime.min.replace(tzinfo=UTC)
        steps: deque[list[asyncio.Task[None]]] = deque([[]])
        async with asyncio.TaskGroup() as crowd:
            for index in range(first, last):
                act = self.acts[index]
                if act.at > now:
                    now = act.at + STEP
                    if len(steps) == STEPS_AT_ONCE:
                        await asyncio.gather(*steps.popleft())
                    steps.append([])
                    await self.set_clock(now)
                steps[-1].append(crowd.create_task(self._act(index, act)))
                self.progress(index + 1, act.at)

    async def _act(self, index: int, act: Act) -> None:
        till = self.street.till_of(act.visit)
        customer = self.street.customers[act.visit.household]
        # who waits for a till or for its own last purchase takes no room on the road
        async with till.turn, customer.turn, self.room:
            match act.deed:
                case Deed.BUY | Deed.STOLEN:
                    await self._buy(index, act, till, customer)
                case Deed.PAY_WITH_POINTS:
                    await self._pay_with_points(index, act, till, customer)
                case Deed.RETURN:
                    await self._return(act, till, customer)
                case Deed.TIME_OUT:
                    await self._time_out(act, till, customer)
                case Deed.NEVER_ARRIVED:
                    await self._never_arrived(act, till, customer)

    async def _buy(self, index: int, act: Act, till: Till, customer: Customer) -> None:
        if act.asks_first:
            await self._ask(act, till, customer)
        request = requests.purchase(
            till.next_name(),
            customer.card,
            amount_rial=act.visit.amount_rial,
            occurred_at=act.at,
            lines=act.visit.lines,
        )
        await self._send(index, act, till, customer, request)

    async def _pay_with_points(self, index: int, act: Act, till: Till, customer: Customer) -> None:
        """Pay a share of the basket with points and credit; with too little of them, buy."""
        merchant = cast.BY_NUMBER[act.visit.merchant]
        share = act.visit.amount_rial * merchant.share_bp // 10_000 * 10 // 11
        credit = min(customer.credit_rial, share)
        price = cast.TERMS["price_rial"]
        points = min(customer.available_points, (share - credit) // price)
        if points < POINTS_MIN:
            await self._buy(index, act, till, customer)
            return
        request = requests.redemption(
            till.next_name(),
            customer.card,
            Redeem(points=points, credit_rial=credit),
            amount_rial=act.visit.amount_rial,
            occurred_at=act.at,
        )
        await self._send(index, act, till, customer, request)

    async def _send(
        self, index: int, act: Act, till: Till, customer: Customer, request: models.Transaction
    ) -> None:
        answer = await self.street.send(till, request, twice_at_once=act.twice_at_once)
        note_balance(customer, answer)
        if answer is not None:
            self.sold[index] = (request.name, answer)
        if act.again_later:
            self.later.append(request.name)

    async def _ask(self, act: Act, till: Till, customer: Customer) -> None:
        request = requests.inquiry(
            till.next_name(),
            customer.card,
            amount_rial=act.visit.amount_rial,
            occurred_at=act.at,
        )
        await self.street.send(till, request)

    async def _return(self, act: Act, till: Till, customer: Customer) -> None:
        """Bring goods back, whole or by line; what was never sold cannot come back."""
        if act.of not in self.sold or self.sold[act.of][1].status == "declined":
            return
        _, answer = self.sold[act.of]
        lines = [
            RefundLine(line=line.line, amount_rial=line.amount_rial)
            for line in act.visit.lines
            if line.line in act.lines and answer.kind is models.Kind.PURCHASE
        ]
        request = requests.refund(
            till.next_name(),
            models.Original(id=answer.id),
            occurred_at=act.at,
            lines=lines,
        )
        note_balance(customer, await self.street.send(till, request))

    async def _time_out(self, act: Act, till: Till, customer: Customer) -> None:
        """The till gave up on the answer: it reverses by the name, then sells again."""
        name = till.next_name()
        request = requests.purchase(
            name,
            customer.card,
            amount_rial=act.visit.amount_rial,
            occurred_at=act.at,
            lines=act.visit.lines,
        )
        await self.street.send(till, request)
        await self._reverse(name, act, till, customer)

    async def _never_arrived(self, act: Act, till: Till, customer: Customer) -> None:
        """A sale is reversed before it arrives; when it does, it is declined."""
        name = till.next_name()
        await self._reverse(name, act, till, customer)
        late = requests.purchase(
            name,
            customer.card,
            amount_rial=act.visit.amount_rial,
            occurred_at=act.at,
            lines=act.visit.lines,
        )
        await self.street.send(till, late)

    async def _reverse(self, name: TillReference, act: Act, till: Till, customer: Customer) -> None:
        request = requests.reversal(
            till.next_name(),
            models.original_named(name, act.at),
            occurred_at=act.at,
            identifier=customer.card,
        )
        note_balance(customer, await self.street.send(till, request))
