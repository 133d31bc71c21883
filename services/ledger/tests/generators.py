"""Random command sequences that go where real ones seldom do: one seed, one story."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import (
    COMMANDS,
    AdvanceClock,
    Award,
    CancelPending,
    ExpireLot,
    IssueValue,
    PostTransaction,
    Redemption,
    RefuseTransaction,
    ReleasePending,
    RevokeIssue,
)
from contracts.pos import Line, RefundLine
from contracts.value import ActivateCard, CaptureHold, SpendValue
from contracts.values import Channel, Kind, NameKind, Reason, Unit, name, till_name

from . import authorisation_generators, value_generators
from .oracle import HoldRecord, SecondModel

Make = Callable[[], Any]  # draws the body of one command
UNITS = (*[Unit.NETWORK_POINTS] * 7, Unit.CREDIT, Unit.MERCHANT_POINTS, Unit.GIFT)
START = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
TYPES = {body: kind for kind, body in COMMANDS.items()}
NO = Reason(code="limit", fa="نه", en="no")


def wrap(
    body: Any,
    at: datetime,
    *,
    fingerprint: str | None = "",
    occurred_at: datetime | None = None,
) -> Envelope[Any]:
    """An envelope as the stage before would send it; the fingerprint follows the body."""
    if fingerprint == "":
        known = isinstance(body, PostTransaction | RefuseTransaction)
        fingerprint = envelopes.fingerprint_of(body) if known else None
    return Envelope(
        id=envelopes.derive_id(body.name, "test"),
        type=TYPES[type(body)],
        key=str(getattr(body, "account", 0)),
        occurred_at=occurred_at or at,
        accepted_at=at,
        fingerprint=fingerprint,
        data=body,
    )


def of_model(seed: int, model: SecondModel) -> "Story":
    """A story that knows the lots and the holds of a model which hears it."""
    story = Story(seed, lots=model.lot_owners, holds=lambda: model.holds)
    story.gifts, story.authorises = 2, 14
    return story


class Story:
    """Commands on one shard: few accounts, few issuers, so that everything meets everything."""

    def __init__(
        self,
        seed: float,
        *,
        accounts: tuple[int, ...] = (1000, 1001, 1002),
        lots: Callable[[], Mapping[int, int]] = dict,
        holds: Callable[[], Mapping[int, HoldRecord]] = dict,
        cards: bool = True,
    ) -> None:
        """lots: owners by lot. holds: by number. cards: whether accounts may hold gift value."""
        self.rng = random.Random(seed)
        self.at = START
        self.accounts = accounts
        self.history: list[Envelope[Any]] = []
        self.count = 0
        self.budgets: tuple[int | None, ...] = ()  # campaigns whose slices pay
        self.authorises = 0  # how often a till reserves value, and how often that ends
        self.gifts = 0  # how often one is taken back past its date
        self.lots = lots
        self.holds = holds
        self.planned: list[Make] = []  # come before any other, the last first
        if cards:
            self.planned += [partial(self.activate, account) for account in accounts]

    def batch(self, size: int) -> list[Envelope[Any]]:
        """The next commands, as envelopes."""
        return [self.one() for _ in range(size)]

    def one(self) -> Envelope[Any]:
        """One command: something new, or an old one again, or an old name with another body."""
        rng = self.rng
        if self.history and rng.random() < 0.08:
            return replace(rng.choice(self.history), accepted_at=self.at)
        if self.history and rng.random() < 0.03:
            return replace(rng.choice(self.history), fingerprint="f" * 32)
        step = rng.choice((1, 1, 60, 3600, 3600, 20_000))
        self.at += timedelta(seconds=step if rng.random() < 0.9 else -5)
        self.count += 1
        makers = (
            (self.purchase, 30), (self.redemption, 22), (self.refund, 18), (self.reversal, 6),
            (self.issue, 4), (self.take_back, 3), (self.review_outcome, 8), (self.expire, 6),
            (self.advance_clock, 2), (self.refusal, 1), (self.replayed, 1), (self.gift, self.gifts),
            *value_generators.makers(self), *authorisation_generators.makers(self, self.authorises),
        )  # fmt: skip
        make = rng.choices([m for m, _ in makers], [w for _, w in makers])[0]
        body = self.planned.pop()() if self.planned else make()
        envelope = wrap(body, self.at, occurred_at=self.at - timedelta(seconds=rng.randrange(60)))
        self.history.append(envelope)
        return envelope

    def name(self) -> str:
        """A name nobody used."""
        return till_name(10_000_017, 1, self.count)

    def post(self, kind: Kind, **fields: Any) -> PostTransaction:
        """A transaction of the road at one of three merchants (number = its party)."""
        merchant = self.rng.choice((5, 6, 7))
        usual: dict[str, Any] = {
            "name": self.name(), "kind": kind, "channel": Channel.TILL, "merchant": merchant,
            "acceptor": merchant, "branch": 1, "terminal": 10_000_017,
            "account": self.rng.choice(self.accounts), "member": 1,
        }  # fmt: skip
        return PostTransaction(**(usual | fields))

    def lines(self) -> tuple[Line, ...]:
        """Up to three lines."""
        return tuple(
            Line(line=n, amount_rial=self.rng.choice((0, 1, 999, 100_000, 345_678)))
            for n in range(1, self.rng.randrange(1, 4))
        )

    def awards(self, lines: tuple[Line, ...]) -> tuple[Award, ...]:
        """Awards by line and for the basket; some alike, some activated or expired early."""
        awards: list[Award] = []
        for line in [0, *(line.line for line in lines)]:
            if self.rng.random() < 0.4:
                continue
            points = self.rng.choice((1, 7, 100, 1000))
            issuer = self.rng.choice((5, 6))
            awards.append(
                Award(
                    line=line,
                    unit=self.rng.choice(UNITS),
                    amount=points,
                    cost_rial=points * 100 - self.rng.choice((0, 0, 1)),
                    issuer=issuer,
                    funder=self.rng.choice((issuer, issuer, 1)),
                    rule=self.rng.choice(("base", "bonus")),
                    rule_version=1,
                    budget=self.rng.choice(self.budgets) if self.budgets else None,
                    expires_at=self.rng.choice(
                        (None, START + timedelta(days=3), self.at + timedelta(hours=5))
                    ),
                    sliding_days=self.rng.choice((0, 0, 0, 2)),
                    available_from=self.rng.choice(
                        (None, None, None, self.at + timedelta(hours=2))
                    ),
                )
            )
        return tuple(awards)

    def purchase(self) -> PostTransaction:
        lines = self.lines()
        if self.rng.random() < 0.03:
            return self.post(Kind.PURCHASE, decline=(NO,))
        hold = self.at + timedelta(hours=72) if self.rng.random() < 0.25 else None
        return self.post(
            Kind.PURCHASE,
            lines=lines,
            amount_rial=sum(line.amount_rial for line in lines) if lines else 50_000,
            awards=self.awards(lines),
            review_due_at=hold,
        )

    def redemption(self) -> PostTransaction:
        points = self.rng.choice((1, 50, 150, 900, 100_000))
        credit = self.rng.choice((0, 0, 0, 500))
        lines = (Line(line=1, amount_rial=600_001), Line(line=2, amount_rial=333))
        own = self.rng.choice((0, 0, 1000))
        dearer = self.count % 2 * points * 8  # what the network makes up for, of a price of 110
        return self.post(
            Kind.REDEMPTION,
            lines=lines,
            amount_rial=600_334,
            awards=self.awards(lines) if self.rng.random() < 0.3 else (),
            redemption=Redemption(
                points=points,
                credit_rial=credit,
                points_value_rial=points * self.rng.choice((100, 90, 110)),
                own_discount_rial=own,
                own_discount_max_rial=self.rng.choice((0, 1000, 10_000)),
                fee_bp=150,
                terms_version=1,
                gift_rial=self.rng.choice((0, 0, 0, 0, 0, 25)),
                network_max_rial=dearer,
            ),
        )

    def undone(self) -> Any:
        """A sale or spend sent before, its body; a refund or a reversal now and then."""
        undoable = (PostTransaction, SpendValue, CaptureHold)
        sales = [e.data for e in self.history if isinstance(e.data, undoable)]
        sales = [sale for sale in sales if not getattr(sale, "replayed", False)]
        if not sales or self.rng.random() < 0.03:
            return self.post(Kind.PURCHASE, name=till_name(10_000_017, 2, self.count))
        return self.rng.choice(sales[-25:])

    def where(self, undone: Any) -> tuple[int, int]:
        """(account, merchant) of what is undone: a capture's are those of its hold."""
        if isinstance(undone, CaptureHold):
            names = {e.data.name: e.data for e in self.history}
            undone = names.get(undone.original, undone)
        return getattr(undone, "account", 0), getattr(undone, "merchant", 0)

    def refund(self) -> PostTransaction:
        sale = self.undone()
        account, merchant = self.where(sale)
        lines, rial = tuple[RefundLine, ...](), 0
        how = self.rng.random()
        if how < 0.5:
            lines = tuple(
                RefundLine(line=line.line, amount_rial=self.part(line.amount_rial))
                for line in getattr(sale, "lines", ())
                if self.rng.random() < 0.7
            )
        if 0.45 < how < 0.75:
            spent = getattr(sale, "spend", None)
            rial = self.part(spent.worth_rial if spent else sale.amount_rial)
        shown = 77 if self.count % 25 == 0 else 0  # somebody of another shard
        return self.post(
            Kind.REFUND,
            original=sale.name,
            account=0 if shown else self.rng.choice((0, account)),
            shown=shown,
            merchant=merchant if self.rng.random() < 0.97 else 99,
            acceptor=merchant,
            amount_rial=rial,
            refund_lines=lines,
            grace_expires_at=self.rng.choice((None, self.at + timedelta(days=1))),
        )

    def part(self, rial: int) -> int:
        """Some of a line, now and then all of it or more."""
        return max(1, self.rng.choice((rial // 3, rial // 2, rial, rial + 1, 1)))

    def reversal(self) -> PostTransaction:
        if self.rng.random() < 0.25:  # before its original, which may come later
            late = self.purchase()
            self.history.append(wrap(late, self.at))
            original = late
        else:
            original = self.undone()
        return self.post(
            Kind.REVERSAL, original=original.name, account=0, merchant=self.where(original)[1],
            name=till_name(10_000_017, 3, self.count),
        )  # fmt: skip

    def issue(self) -> IssueValue:
        account = self.rng.choice(self.accounts)
        return IssueValue(
            name=name(NameKind.ACCOUNT, account, f"gift-{self.count}"), account=account, member=1,
            unit=Unit.CREDIT, amount=700, cost_rial=700, issuer=1, funder=1,
            rule="first-purchase", rule_version=1, expires_at=self.at + timedelta(hours=30),
        )  # fmt: skip

    def gift(self) -> IssueValue:
        """One that is spent, comes back past its date, and is taken back."""
        issued, spent = self.issue(), list[PostTransaction]()

        def spend() -> PostTransaction:
            deal = Redemption(points=0, credit_rial=500, points_value_rial=0, own_discount_rial=0,
                              own_discount_max_rial=0, fee_bp=150, terms_version=1)  # fmt: skip
            spent.append(self.post(Kind.REDEMPTION, account=issued.account, amount_rial=500,
                                   redemption=deal))  # fmt: skip
            return spent[0]

        def back() -> PostTransaction:
            self.at += timedelta(hours=31)
            sold = spent[0]
            return self.post(Kind.REFUND, original=sold.name, account=0, merchant=sold.merchant)

        def taken() -> RevokeIssue:
            return RevokeIssue(
                name=name(NameKind.ACCOUNT, issued.account, f"return-{self.count}"), member=1,
                account=issued.account, issued_by=issued.name,
            )  # fmt: skip

        self.planned += [taken, back, spend]
        return issued

    def take_back(self) -> RevokeIssue:
        issued = [e.data for e in self.history if isinstance(e.data, IssueValue)]
        account = self.rng.choice(self.accounts)
        one = self.rng.choice(issued) if issued else None
        return RevokeIssue(
            name=name(NameKind.ACCOUNT, account, f"return-{self.count}"),
            account=one.account if one else account,
            member=1,
            issued_by=one.name if one else "a.1.nothing",
        )

    def review_outcome(self) -> ReleasePending | CancelPending:
        held = [e.data for e in self.history if getattr(e.data, "review_due_at", None)]
        original = self.rng.choice(held).name if held else self.name()
        outcome = self.rng.choice((ReleasePending, CancelPending))
        return outcome(
            name=name(NameKind.VERDICT, f"case-{self.count}"),
            original=original,
            case_id=f"case-{self.count}",
            reviewer="r",
        )

    def expire(self) -> ExpireLot:
        lots = self.lots()
        held = [lot for one in self.holds().values() if not one.end for lot, _ in one.parts]
        likely = held if held and self.rng.random() < 0.4 else sorted(lots)
        number = self.rng.choice(likely) if lots else 4096
        return ExpireLot(
            name=name(NameKind.EXPIRY, number, str(self.count)),
            account=lots.get(number, 1000),
            lot=number,
        )

    def activate(self, account: int) -> ActivateCard:
        return ActivateCard(
            name=name(NameKind.ACCOUNT, account, "card"), account=account, issuer=5, amount_rial=0
        )

    def advance_clock(self) -> AdvanceClock:
        return AdvanceClock(name=name(NameKind.TICK, self.count))

    def refusal(self) -> RefuseTransaction:
        return RefuseTransaction(name=self.name(), reason=NO, account=self.accounts[0])

    def replayed(self) -> PostTransaction:
        return self.post(Kind.PURCHASE, replayed=True)
