"""What the network declined leaves windows and days: each message twice, in any order."""

import dataclasses
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.envelope import Envelope
from contracts.ledger import Outcome
from contracts.members import IdentifierKind
from contracts.merchants import Terms
from contracts.pos import PosTransaction
from contracts.values import Channel, Kind, Status
from fraud.main import SERVICE
from fraud.screening import store, usecases
from fraud.screening.domain import decisions, windows
from fraud.screening.usecases import ScreeningState
from fraud.terms import usecases as terms
from kit.base import db
from kit.stream.consumer import Event, event
from support import services

pytestmark = pytest.mark.SH15

Sale = Callable[..., Event]
MOBILE = {"identifier_id": "mobile-1", "identifier_kind": IdentifierKind.MOBILE}
SPEND = {"kind": Kind.REDEMPTION, "terms_version": 1, "amount_rial": 1_999_900}
A, B = 11, 12

NOBODY: Any = object()  # no route and no job is called
OPENED = services.opened(SERVICE, NOBODY, NOBODY, actor_secret="s")


class ScreenedRoad:
    """The road, and the two streams that fraud hears afterwards."""

    def __init__(self, tx: db.Tx, state: ScreeningState) -> None:
        self.tx, self.state = tx, state
        self.sighted: list[Event] = []

    async def screen(self, *records: Event) -> list[tuple[str, list[str]]]:
        """Decisions and codes of one poll."""
        await usecases.screen_transactions(self.tx, self.state, list(records))
        made: list[tuple[str, list[str]]] = []
        for message in self.tx.take_messages():
            assert message.value is not None
            if message.topic == topics.FRAUD_SCREENED.name:
                said = envelope.decode(message.value, dict(topics.FRAUD_SCREENED.events)).data
                made.append((said.decision.value, [r.code for r in said.reasons]))
            elif message.topic == topics.FRAUD_TERMINALS.name:
                heard = envelope.decode(message.value, dict(topics.FRAUD_TERMINALS.events))
                self.sighted.append(event(topics.FRAUD_TERMINALS, heard))
        return made

    async def sight(self) -> None:
        """Let the days hear what the road said; the consumer's offsets give each once."""
        if self.sighted:
            await services.hand_out(SERVICE, OPENED, self.tx, self.sighted)
        self.sighted = []

    async def hear(self, *records: Event, status: Status = Status.DECLINED) -> None:
        """The ledger's outcomes of these, each twice."""
        outcomes = [outcome(_sale(one), one.partition, status) for one in records]
        for batch in (outcomes, outcomes):
            await services.hand_out(SERVICE, OPENED, self.tx, batch)
        assert self.tx.take_messages() == []

    async def kept(self, key: str, shard: int = 5) -> list[list[int]]:
        """Amounts of a key's three series, as the road's next poll will find them."""
        known, gone = await store.find_windows(self.tx, [(shard, key)])
        for at, _, one in gone:
            windows.take_out(known[at], one)
        return [series.amounts for series in known.get((shard, key), windows.empty())]

    async def day(self) -> list[tuple[int, int]]:
        rows = await self.tx.fetch("select * from day_sums where over = 'terminal' order by number")
        return [(int(row["sold_rial"]), int(row["redeemed_rial"])) for row in rows]


def _sale(record: Event) -> PosTransaction:
    assert record.envelope is not None
    data: PosTransaction = record.envelope.data
    return data


def outcome(about: PosTransaction, shard: int, status: Status, **fields: Any) -> Event:
    at = datetime.fromisoformat("2025-06-01T09:00:01+00:00")
    data = Outcome(**{
        "sequence": 1,
        "name": about.name,
        "command": "post-transaction.v1",
        "status": status,
        "decided_at": at,
        "kind": about.kind,
        "channel": about.channel,
        "merchant": about.merchant,
        "terminal": about.terminal,
        "account": about.account,
    } | fields)  # fmt: skip
    said = Envelope(
        id=f"outcome-{about.name}",
        type="outcome-recorded.v1",
        key=str(about.account),
        occurred_at=at,
        accepted_at=at,
        data=data,
    )
    return event(topics.LEDGER_ENTRIES, said, partition=shard)


@pytest.fixture
async def road(tx: db.Tx, state: ScreeningState, now: datetime) -> ScreenedRoad:
    price = Terms(version=1, effective_from=now, price_rial=100, price_points=1, fee_bp=0)
    await terms.keep_terms(tx, [price])
    return ScreenedRoad(tx, state)


ALLOWED = ("allow", [])


async def test_one_impossible_redemption_takes_nothing_of_a_members_day(
    road: ScreenedRoad, sale: Sale
) -> None:
    """19,999 points that are not there, at B by the victim's mobile; then his own 100 at A."""
    typo = sale(1, merchant=B, points=19_999, **SPEND, **MOBILE)
    assert await road.screen(typo) == [ALLOWED]
    own = {"merchant": A, "points": 100, **SPEND, **MOBILE}
    assert (await road.screen(sale(2, after_s=1, **own)))[0][1] == ["mobile-day-redeemed"]
    await road.hear(typo)
    assert await road.screen(sale(3, after_s=2, **own), sale(4, after_s=2, **own)) == [
        ALLOWED,
        ALLOWED,
    ]
    await road.hear(typo)
    assert await road.kept("c.mobile-1") == [[], [10_000, 10_000], []]
    assert await road.kept("a.1000001") == [[], [10_000, 10_000], []]
    assert await road.kept("m.12.mobile-1") == [[], [0], []]  # an attempt
    assert await road.screen(sale(1, merchant=B, points=19_999, **SPEND, **MOBILE)) == [ALLOWED]


async def test_declined_redemptions_at_three_shops_leave_the_account_open(
    road: ScreenedRoad, sale: Sale
) -> None:
    """And still count where they were made: the eighth at one shop is declined there."""
    tries = [sale(n, after_s=n, merchant=B + n % 3, points=1, **SPEND, **MOBILE) for n in range(21)]
    for one in tries:
        assert (await road.screen(one))[0] in (ALLOWED, ("decline", ["account-many-redemptions"]))
    await road.hear(*tries)
    assert await road.screen(sale(50, after_s=30, merchant=A, points=1, **SPEND)) == [ALLOWED]
    eighth = sale(51, after_s=31, merchant=B, points=1, **SPEND, **MOBILE)
    assert await road.screen(eighth) == [("decline", ["card-many-redemptions"])]


async def test_a_basket_declined_for_its_size_is_no_sale_of_the_shop(
    road: ScreenedRoad, sale: Sale
) -> None:
    """It stays an attempt, worth 0 Rial; and takes the day of till and merchant with it."""
    typo = sale(1, amount_rial=2_000_000_000_001)
    assert (await road.screen(typo))[0][0] == "review"
    await road.sight()
    other = {"account": 9, "identifier_id": "card-9"}
    held = await road.screen(sale(2, after_s=1, **other, terminal=10_000_018))
    assert held == [("review", ["merchant-day-sales"])]
    await road.hear(typo)
    await road.sight()
    assert await road.day() == [(0, 0), (100_000, 0)]
    again = [sale(3, after_s=2, amount_rial=50_000), sale(4, after_s=2, **other)]
    assert await road.screen(*again) == [ALLOWED, ALLOWED]
    assert await road.kept("m.7.card-1") == [[0, 50_000], [], []]


async def test_impossible_redemptions_leave_a_day_open(road: ScreenedRoad, sale: Sale) -> None:
    """The outcome may be heard before the name is seen: sums are added and taken in any order."""
    large = {**SPEND, "points": 999_999}
    tries = [sale(n, account=n, identifier_id=f"card-{n}", **large) for n in range(1, 22)]
    await road.screen(*tries)
    await road.hear(*tries)
    await road.sight()
    assert await road.day() == [(0, 0)]
    assert await road.screen(sale(90, after_s=5, points=1, **SPEND)) == [ALLOWED]


async def test_a_sale_whose_reversal_came_first_is_found_when_it_is_decided(
    road: ScreenedRoad, sale: Sale
) -> None:
    """The outcome of its name is heard before the road has seen it."""
    late = sale(1, merchant=B, points=19_999, **SPEND, **MOBILE)
    reversal = _sale(sale(2, merchant=B, kind=Kind.REVERSAL))
    early = outcome(reversal, 5, Status.DECLINED, name=_sale(late).name, kind=None)
    for _ in range(2):
        await services.hand_out(SERVICE, OPENED, road.tx, [early])
    assert await road.screen(late) == [ALLOWED]
    await road.sight()
    own = sale(3, after_s=1, merchant=A, points=100, **SPEND, **MOBILE)
    assert await road.screen(own) == [ALLOWED]
    assert await road.kept("c.mobile-1") == [[], [10_000], []]


async def test_undos_that_were_declined_are_none_and_other_outcomes_take_nothing(
    road: ScreenedRoad, sale: Sale
) -> None:
    back = [sale(n, after_s=n, kind=Kind.REFUND, merchant=n) for n in range(1, 8)]
    await road.screen(*back)
    await road.hear(*back[2:], status=Status.REFUSED)
    await road.hear(*back[:2], status=Status.COMPLETED)
    assert await road.screen(sale(20, after_s=20)) == [ALLOWED]
    undos = (await store.find_windows(road.tx, [(5, "a.1000001")]))[0][5, "a.1000001"][2]
    assert undos.merchants == [1, 2]
    old = sale(30, after_s=30, channel=Channel.HISTORY)
    await road.screen(old)
    await road.hear(old)
    assert await road.kept("ha.1000001") == [[100_000], [], []]


@dataclasses.dataclass
class _Try:
    record: Event
    decision: str
    gone: bool = False


async def test_windows_are_those_of_what_happened_or_is_still_open(
    road: ScreenedRoad, sale: Sale, now: datetime
) -> None:
    """Random polls, outcomes late and twice, against windows made of the rest alone."""
    drawn = random.Random(20)
    tries: list[_Try] = []
    for n in range(60):
        poll = [
            sale(
                n * 10 + i,
                after_s=n * 60,
                merchant=drawn.choice((A, B)),
                account=drawn.choice((1, 2)),
                identifier_id=drawn.choice(("x", "y")),
                kind=drawn.choice((Kind.PURCHASE, Kind.REDEMPTION, Kind.REFUND)),
                amount_rial=drawn.choice((5, 5, 700_000_000)),
            )
            for i in range(drawn.randint(1, 4))
        ]
        decisions_made = await road.screen(*poll)
        tries += [_Try(one, said[0]) for one, said in zip(poll, decisions_made, strict=True)]
        heard = [one for one in tries if not one.gone and drawn.random() < 0.2]
        for one in heard:
            one.gone = True
        again = [one for one in tries if one.gone and drawn.random() < 0.1]
        await road.hear(*[one.record for one in (*heard, *again)])
    assert {one.decision for one in tries if one.gone} == {"allow", "review", "decline"}
    model: dict[decisions.Key, windows.Windows] = {}
    for one in tries:
        about = _sale(one.record)
        keys = decisions.keys_of(5, about)
        of_network = one.decision == "allow" and not one.gone
        declined = one.gone or one.decision == "decline"
        for key in (*(keys[:2] if of_network else ()), keys[2]):
            if key is not None:
                known = model.setdefault(key, windows.empty())
                amount = 0 if declined and key == keys[2] else about.amount_rial
                at = int(one.record.envelope.accepted_at.timestamp()) * windows.SECOND  # type: ignore[union-attr]
                which = decisions.series_of(about.kind)
                windows.insert(known, which, at, amount, about.merchant)
    found, open_ = await store.find_windows(road.tx, list(model))
    for key, _, gone in open_:
        windows.take_out(found[key], gone)
    assert {k: _sorted(w) for k, w in found.items()} == {k: _sorted(w) for k, w in model.items()}


def _sorted(known: windows.Windows) -> list[list[tuple[int, int, int]]]:
    return [sorted(zip(s.ats, s.amounts, s.merchants, strict=True)) for s in known]
