"""Who shops at the bench: tills in turn, members in turn, and what they bring back or send again.

Members take turns evenly, so that the fraud rules see ordinary shopping and let it pass.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lab.bench.road.load import Act, Till
from peyvand import (
    Answer,
    Client,
    Line,
    Options,
    Original,
    Redeem,
    Retry,
    TillReference,
    Timeouts,
    models,
    requests,
    road,
)

MOBILE_FIRST: Final = 9_130_000_000
BASKETS: Final = 512
CATEGORIES: Final = ("grocery", "dairy", "bakery", "cleaning", "produce")
REDEEM_POINTS: Final = 20
REDEEM_BASKET_RIAL: Final = 400_000
REMEMBERED_MAX: Final = 20_000
ONCE: Final = Options(
    connections_max=64,
    timeouts=Timeouts(request_s=10.0),
    retry=Retry(attempts_max=3, wait_first_s=0.02),
)


def mobile_of(member: int) -> str:
    """The mobile number of the bench's n-th member, from 0."""
    return f"0{MOBILE_FIRST + member}"


@dataclass(slots=True)
class Sale:
    """A completed purchase that may come back."""

    till: int
    id: str


@dataclass(slots=True)
class Sending:
    """One request on its way. member -1: not of this member's turn."""

    act: Act
    till: int
    body: bytes
    member: int = -1


@dataclass(slots=True)
class Shoppers:
    """One road's tills and members as the generator sees them."""

    clients: Sequence[Client]
    tills: Sequence[Till]
    members: Sequence[int]
    rng: random.Random
    baskets: Sequence[tuple[int, tuple[Line, ...]]]
    used: list[int]
    turn: int = 0
    sold: deque[Sale] = field(default_factory=lambda: deque(maxlen=REMEMBERED_MAX))
    rich: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED_MAX))
    answered: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=1_000))

    @classmethod
    def open(cls, url: str, tills: Sequence[Till], members: int, seed: int) -> "Shoppers":
        """Connect nothing yet; the order of members is drawn once."""
        rng = random.Random(seed)
        order = list(range(members))
        rng.shuffle(order)
        return cls(
            clients=[Client(url, till.key, options=ONCE, follow=road.NOT) for till in tills],
            tills=tills,
            members=order,
            rng=rng,
            baskets=[_basket(rng) for _ in range(BASKETS)],
            used=[0] * len(tills),
        )

    async def close(self) -> None:
        """Close every connection."""
        for client in self.clients:
            await client.close()

    def next(self, act: Act) -> Sending:
        """The next request; a purchase where there is nothing yet to redeem, refund or resend."""
        match act:
            case Act.REDEMPTION if self.rich:
                return self._redemption(self.rich.popleft())
            case Act.REFUND if self.sold:
                return self._refund(self.sold.popleft())
            case Act.RESEND if self.answered:
                till, body = self.answered.popleft()
                return Sending(Act.RESEND, till, body)
            case Act.LOOK_UP:
                return self._look_up()
            case _:
                return self._purchase()

    def hear(self, sent: Sending, answer: Answer) -> None:
        """Remember what an answer makes possible."""
        if sent.act is Act.RESEND:
            return
        self.answered.append((sent.till, sent.body))
        if answer.status is not models.Status.COMPLETED:
            return
        if sent.act is Act.PURCHASE:
            self.sold.append(Sale(sent.till, answer.id))
        balance = answer.balance
        if sent.member >= 0 and balance is not None and balance.available_points > REDEEM_POINTS:
            self.rich.append(sent.member)

    def _purchase(self) -> Sending:
        member = self.members[self.turn % len(self.members)]
        amount, lines = self.baskets[self.turn % BASKETS]
        till = self.turn % len(self.tills)
        self.turn += 1
        request = requests.purchase(
            self._name(till),
            models.mobile(mobile_of(member)),
            amount_rial=amount,
            occurred_at=datetime.now(UTC),
            lines=lines,
        )
        return Sending(Act.PURCHASE, till, road.encode(request), member)

    def _redemption(self, member: int) -> Sending:
        till = self.rng.randrange(len(self.tills))
        request = requests.redemption(
            self._name(till),
            models.mobile(mobile_of(member)),
            Redeem(points=REDEEM_POINTS),
            amount_rial=REDEEM_BASKET_RIAL,
            occurred_at=datetime.now(UTC),
        )
        return Sending(Act.REDEMPTION, till, road.encode(request))

    def _refund(self, sale: Sale) -> Sending:
        request = requests.refund(
            self._name(sale.till), Original(id=sale.id), occurred_at=datetime.now(UTC)
        )
        return Sending(Act.REFUND, sale.till, road.encode(request))

    def _look_up(self) -> Sending:
        """A refund at one merchant of what another sold: refused, but the member is looked up."""
        till, now = self.rng.randrange(len(self.tills)), datetime.now(UTC)
        neighbour = self.tills[(till + 1) % len(self.tills)]
        member = self.rng.randrange(len(self.members))
        request = requests.refund(
            self._name(till),
            models.original_named(TillReference(neighbour.terminal, neighbour.epoch, 1), now),
            occurred_at=now,
            identifier=models.mobile(mobile_of(member)),
        )
        return Sending(Act.LOOK_UP, till, road.encode(request))

    def _name(self, till: int) -> TillReference:
        self.used[till] += 1
        return TillReference(self.tills[till].terminal, self.tills[till].epoch, self.used[till])


def _basket(rng: random.Random) -> tuple[int, tuple[Line, ...]]:
    lines = tuple(
        Line(
            line=number,
            amount_rial=rng.randrange(50, 600) * 1_000,
            quantity=rng.randint(1, 4),
            sku=f"{rng.randrange(10**6):06d}",
            category=rng.choice(CATEGORIES),
        )
        for number in range(1, rng.choice((2, 3, 3, 4)) + 1)
    )
    return sum(line.amount_rial for line in lines), lines
