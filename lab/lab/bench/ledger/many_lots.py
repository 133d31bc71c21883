"""What a till pays for an account that strangers filled with small lots: 0, 500, 2,000 of them."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import Award, Inquire, Offer, PostTransaction, Redemption
from contracts.topics import LEDGER_COMMANDS
from contracts.values import Channel, Kind, Reason, Unit, till_name
from kit.base.migrate import migrate
from kit.stream import consumer
from kit.stream.consumer import Event
from lab.bench.ledger.ours import Ours
from lab.bench.ledger.place import ROOM, Place
from lab.bench.ledger.records import SHARD, time_of
from lab.bench.ledger.workloads import START_MS, Workload
from lab.bench.meter import median
from ledger import main

LOTS: Final = (0, 500, 2_000)
KINDS: Final = ("inquiry", "purchase", "redemption", "decline", "refund")
ROUNDS: Final = 60
_FILLERS: Final = 8  # accounts of others, whose lots lie between
_POINTS, _RIAL = 10, 100  # of a small lot; a point's cost
_DAYS: Final = 400
_SPENT: Final = 25
_BASKET: Final = 10_000_000  # of the redemption that a Rial at a time is refunded of
_TERMINAL: Final = 10_000_001
_PARTY: Final = 5
_TYPES: Final[dict[type, str]] = {kind: text for text, kind in LEDGER_COMMANDS.events.items()}
_BORN: Final = time_of(START_MS)


async def measure(place: Place, *, rounds: int = ROUNDS) -> dict[str, Any]:
    """CPU milliseconds of one command a poll, ledger and its server together; ratios to none.

    By kind and lots, medians. Every round has each kind once for each account, forwards and
    backwards in turn.
    """
    mold = await place.mold("many_lots", lambda name: _fill(place, name))
    took: dict[tuple[str, int], list[float]] = {}
    async with place.copy(mold) as database:
        till = await _Till.open(place.dsn(database, ROOM))
        for number in range(rounds):
            order = [(kind, lots) for kind in KINDS for lots in LOTS]
            for kind, lots in order if number % 2 else reversed(order):
                took.setdefault((kind, lots), []).append(await till.ask(kind, lots))
        await till.side.close()
    medians = {kind: {lots: median(took[kind, lots]) * 1e3 for lots in LOTS} for kind in KINDS}
    return {
        kind: {str(lots): round(ms, 2) for lots, ms in row.items()}
        | {f"{lots} to none": round(row[lots] / row[0], 2) for lots in LOTS[1:]}
        for kind, row in medians.items()
    }


async def _fill(place: Place, database: str) -> None:
    await migrate(place.dsn(database, f"{ROOM}_owner"), main.MIGRATIONS)
    till = await _Till.open(place.dsn(database, ROOM))
    waiting: list[Any] = []
    for number in range(max(LOTS)):
        others = [(10_000 + place, number) for place in range(_FILLERS)]
        sizes = [lots for lots in LOTS if number < lots or not number]
        own = [(of(lots), number) for of in (_account, _refunded) for lots in sizes]
        waiting += [till.purchase(account, day=n % _DAYS) for account, n in (*own, *others)]
        if len(waiting) >= 500:
            await till.post(waiting)
            waiting = []
    await till.post([*waiting, *(till.purchase(_account(n), points=10**9) for n in LOTS)])
    await till.post([till.spent(lots) for lots in LOTS])
    await till.side.close()


def _account(lots: int) -> int:
    return 1_000 + lots


def _refunded(lots: int) -> int:
    """An account whose lots one redemption took all of."""
    return 5_000 + lots


class _Till:
    """Makes commands under names of its own and posts them."""

    def __init__(self, side: Ours) -> None:
        self.side = side
        self._next = self._offset = side.sequence  # of the topic; of names
        self._at = _BORN + timedelta(seconds=self._offset)

    @classmethod
    async def open(cls, dsn: str) -> "_Till":
        return cls(await Ours.open(dsn, Workload.W1))

    async def ask(self, kind: str, lots: int) -> float:
        """CPU seconds that one command took, alone in its poll."""
        account = _account(lots)
        body: Any
        match kind:
            case "inquiry":
                body = _inquiry(account)
            case "purchase":
                body = self.purchase(account, day=1)
            case "redemption":
                body = self.redemption(account)
            case "refund":
                body = self.refund(lots)
            case _:
                no = Reason(code="no", fa="نه", en="no")
                body = self.redemption(account, decline=(no,))
        events = [self._event(body)]
        began = self._cpu_s()
        await self.side.post(events)
        return self._cpu_s() - began

    def _cpu_s(self) -> float:
        backend = Path(f"/proc/{self.side.backend}/schedstat").read_text().split()[0]
        return time.process_time() + int(backend) / 1e9

    async def post(self, bodies: Sequence[Any]) -> None:
        if bodies:
            await self.side.post([self._event(body) for body in bodies])

    def purchase(self, account: int, *, day: int = _DAYS, points: int = _POINTS) -> PostTransaction:
        self._offset += 1
        award = Award(
            line=0,
            unit=Unit.NETWORK_POINTS,
            amount=points,
            cost_rial=points * _RIAL,
            issuer=_PARTY,
            funder=_PARTY,
            rule="base",
            rule_version=1,
            expires_at=_BORN + timedelta(days=day + 30),
        )
        return self._transaction(Kind.PURCHASE, account, awards=(award,))

    def spent(self, lots: int) -> PostTransaction:
        """Of all the small lots of an account."""
        name = till_name(_TERMINAL, 3, lots + 1)
        points = max(lots, 1) * _POINTS
        return self.redemption(_refunded(lots), points=points, name=name, amount_rial=_BASKET)

    def refund(self, lots: int) -> PostTransaction:
        """A Rial of what was spent."""
        self._offset += 1
        original = till_name(_TERMINAL, 3, lots + 1)
        return self._transaction(Kind.REFUND, _refunded(lots), original=original, amount_rial=1)

    def redemption(self, account: int, *, points: int = _SPENT, **fields: Any) -> PostTransaction:
        self._offset += 1
        terms = Redemption(
            points=points,
            credit_rial=0,
            points_value_rial=points * _RIAL,
            own_discount_rial=0,
            own_discount_max_rial=0,
            fee_bp=100,
            terms_version=1,
        )
        return self._transaction(Kind.REDEMPTION, account, redemption=terms, **fields)

    def _transaction(self, kind: Kind, account: int, **fields: Any) -> PostTransaction:
        common: dict[str, Any] = {"name": till_name(_TERMINAL, 1, self._offset)}
        common |= {"amount_rial": 1_000_000} | fields
        return PostTransaction(
            kind=kind,
            channel=Channel.TILL,
            merchant=_PARTY,
            acceptor=_PARTY,
            branch=1,
            terminal=_TERMINAL,
            account=account,
            member=account,
            **common,
        )

    def _event(self, body: Any) -> Event:
        self._at += timedelta(milliseconds=10)
        offset, self._next = self._next, self._next + 1
        envelope = Envelope(
            id=envelopes.derive_id(body.name, "many lots"),
            type=_TYPES[type(body)],
            key=str(body.account),
            occurred_at=self._at,
            accepted_at=self._at,
            fingerprint=envelopes.fingerprint_of([body.name]),
            data=body,
        )
        return consumer.event(
            LEDGER_COMMANDS,
            envelope,
            partition=SHARD,
            offset=offset,
            headers=(
                ("reply-topic", b"gateway.replies"),
                ("reply-partition", b"0"),
                ("correlation-id", b"%016x" % offset),
            ),
        )


def _inquiry(account: int) -> Inquire:
    return Inquire(
        name=till_name(_TERMINAL, 2, 1),
        account=account,
        amount_rial=100_000,
        merchant=_PARTY,
        acceptor=_PARTY,
        would_earn_points=0,
        offer=Offer(price_rial=_RIAL, price_points=1),
    )
