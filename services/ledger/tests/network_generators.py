"""Random stories of several shards: the road's commands among those that cross it."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from contracts.envelope import Envelope
from contracts.ledger import IssueValue, RevokeIssue
from contracts.value import (
    AccountStatus,
    ActivateCard,
    CloseWindow,
    ExchangeValue,
    GrantBudget,
    InstallTerms,
    ReissueCard,
    ReturnValue,
    SendBudget,
    SendValue,
    SetStanding,
    SettlePosition,
    TermsKind,
    TopUpWallet,
)
from contracts.values import NameKind, Unit, name

from . import generators
from .oracle import HoldRecord, SecondModel

NP, MP, CR, GV = Unit.NETWORK_POINTS, Unit.MERCHANT_POINTS, Unit.CREDIT, Unit.GIFT
FROZEN, OPEN, CLOSED = AccountStatus.FROZEN, AccountStatus.OPEN, AccountStatus.CLOSED
ACCOUNTS, CARDS, IDLE = (1000, 1001), (2000, 2001, 2002), 1009


def holds_of(model: SecondModel) -> Callable[[], Mapping[int, HoldRecord]]:
    """Gives a model's holds whenever it is asked."""
    return lambda: model.holds


def time_of(micros: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)


class NetworkStory:
    """models: the model of each shard, to see what there is. road: share of the road's commands."""

    def __init__(self, seed: int, models: Mapping[int, SecondModel], *, road: float = 0.4) -> None:
        self.rng = random.Random(seed)
        self.aside = random.Random(f"aside {seed}")
        self.models = models
        self.road = road
        self.shards = tuple(models)
        self.at = generators.START
        self.count = 0
        self.accounts, self.cards, self.idle = ACCOUNTS, CARDS, IDLE
        self.issued: dict[int, list[IssueValue]] = {shard: [] for shard in models}
        self.roads: dict[int, generators.Story] = {}
        for shard in models:
            story = generators.Story(
                self.rng.random(), accounts=(*ACCOUNTS, CARDS[0]), lots=models[shard].lot_owners,
                holds=holds_of(models[shard]), cards=False,
            )  # fmt: skip
            story.budgets = (None, None, 0, 12)
            self.roads[shard] = story

    def turn(self) -> None:
        """Other accounts take the stage: of those before, more and more are closed."""
        self.accounts = tuple(account + 10 for account in self.accounts)
        self.cards = tuple(card + 10 for card in self.cards)
        self.idle += 10
        for road in self.roads.values():
            road.accounts = (*self.accounts, self.cards[0])

    def one(self) -> tuple[int, Envelope[Any]]:
        """(shard, envelope) of the next command."""
        rng = self.rng
        shard = rng.choice(self.shards)
        if rng.random() < self.road:
            road = self.roads[shard]
            road.at = max(road.at, self.at)
            envelope = road.one()
            self.at = max(self.at, road.at)
            return shard, envelope
        self.at += timedelta(seconds=rng.choice((1, 60, 3600)))
        self.count += 1
        makers = (
            (self.send, 20), (self.exchange, 8), (self.install, 4), (self.issue, 20),
            (self.take_back, 2), (self.activate, 3), (self.reissue, 2), (self.top_up, 2),
            (self.grant, 5), (self.send_budget, 4), (self.stand, 4), (self.stand_party, 4),
            (self.close, 3), (self.settle, 10),
        )  # fmt: skip
        body = rng.choices([m for m, _ in makers], [w for _, w in makers])[0](shard)
        return shard, generators.wrap(body, self.at)

    def arriving(self, shard: int, body: Any) -> tuple[int, Envelope[Any]]:
        """What the ledger itself says next, as it arrives there."""
        self.at += timedelta(seconds=self.rng.choice((1, 1, 3600)))
        if isinstance(body, ReturnValue):
            self.at = max([self.at, *self.dates(shard, body.original)[:1]])
        return shard, generators.wrap(body, self.at)

    def dates(self, shard: int, sent_by: str) -> list[datetime]:
        """When what a command sent ends, where that is soon: a return comes late, perhaps."""
        model = self.models[shard]
        ends = {model.state.lots[number].until for number in model.sent_lots(sent_by)}
        dates = [time_of(until) for until in ends if until is not None]
        return sorted(date for date in dates if date < self.at + timedelta(hours=10))

    def name(self) -> str:
        return name(NameKind.PARTY, 5, f"c{self.count}")

    def account(self) -> int:
        return self.rng.choice((*self.accounts, *self.accounts, *self.cards, self.idle))

    def send(self, shard: int) -> SendValue:
        rng = self.rng
        unit = rng.choice((NP, NP, NP, MP, CR, GV, Unit.RIAL if rng.random() < 0.2 else NP))
        made = SendValue(
            name=self.name(), account=self.account() if rng.random() < 0.98 else 0, member=1,
            unit=unit, amount=rng.choice((1, 30, 200, 800)), to_shard=rng.choice(self.shards),
            to_account=self.account() if rng.random() < 0.95 else 0, to_member=2,
            issuer=rng.choice((5, 6)) if unit is MP else 0,
        )  # fmt: skip
        standings = self.models[made.to_shard].standings().items()
        closed = [n for (is_party, n), is_ in standings if not is_party and is_ == "closed"]
        if closed and self.aside.random() < 0.3:  # it comes back
            made = replace(made, to_account=self.aside.choice(closed))
        return made

    def exchange(self, shard: int) -> ExchangeValue:
        rng = self.rng
        unit, issuer = rng.choice((NP, MP)), rng.choice((5, 5, 5, 6, 8))
        numbers = (1, 10) if unit is MP else (10, 1)
        if rng.random() < 0.08:
            numbers = (1, 9)
        amount = rng.choice((10, 45, 300))
        receives = max(1, amount * numbers[0] // numbers[1] + (rng.random() < 0.05))
        return ExchangeValue(
            name=self.name(), account=self.account(), member=1,
            unit=unit if rng.random() < 0.98 else CR, issuer=issuer, amount=amount,
            receives=receives, rate=str(issuer), version=rng.choice((1, 1, 1, 1, 2)),
            numerator=numbers[0], denominator=numbers[1], fee_bp=rng.choice((0, 150)),
            cost_rial=receives * 100 if unit is MP else 0,
            expires_at=rng.choice((None, self.at + timedelta(hours=9))),
        )  # fmt: skip

    def install(self, shard: int) -> InstallTerms:
        party = self.rng.choice((5, 5, 6, 8))
        return InstallTerms(
            name=self.name(), kind=self.rng.choice((TermsKind.RATE, TermsKind.RATE, TermsKind.FEE)),
            id=str(party), version=self.rng.choice((1, 1, 2)), numerator=1,
            denominator=self.rng.choice((10, 10, 10, 10, 10, 11)),
            accepted_by=self.rng.choice(((1, party), (party, 1), (1, party), (1, 7), (party,))),
        )  # fmt: skip

    def issue(self, shard: int) -> IssueValue:
        rng = self.rng
        unit = rng.choice((NP, NP, MP, MP, GV))
        account = rng.choice(self.cards) if unit is GV and rng.random() < 0.8 else self.account()
        issuer, amount = rng.choice((5, 6)), rng.choice((50, 300, 2000))
        made = IssueValue(
            name=self.name(), account=account, member=1, unit=unit, amount=amount,
            cost_rial=amount * rng.choice((1, 100)), issuer=issuer,
            funder=rng.choice((issuer, issuer, 1)), rule="gift", rule_version=1,
            expires_at=rng.choice((None, None, self.at + timedelta(hours=5))),
            budget=rng.choice((None, None, 0, 12)),
        )  # fmt: skip
        self.issued[shard].append(made)
        return made

    def take_back(self, shard: int) -> RevokeIssue:
        one = self.rng.choice(self.issued[shard] or [None])
        account, issued_by = (one.account, one.name) if one else (1000, "p.5.none")
        return RevokeIssue(name=self.name(), account=account, member=1, issued_by=issued_by)

    def activate(self, shard: int) -> ActivateCard:
        return ActivateCard(
            name=self.name(), account=self.rng.choice((*self.cards, *self.cards, self.accounts[0])),
            issuer=self.rng.choice((5, 6)), amount_rial=self.rng.choice((0, 900)),
            expires_at=self.rng.choice((None, self.at + timedelta(hours=9))),
        )  # fmt: skip

    def reissue(self, shard: int) -> ReissueCard:
        return ReissueCard(
            name=self.name(), account=self.rng.choice((*self.cards, self.accounts[0])),
            to_shard=self.rng.choice(self.shards), to_account=self.rng.choice(self.cards), by="ops",
            reason="lost",
        )  # fmt: skip

    def top_up(self, shard: int) -> TopUpWallet:
        return TopUpWallet(
            name=self.name(), account=self.account(), member=1, amount_rial=400,
            custodian=self.rng.choice((6, 8)), merchant=1,
        )  # fmt: skip

    def grant(self, shard: int) -> GrantBudget:
        return GrantBudget(
            name=self.name(), party=self.rng.choice((1, 5, 6)), campaign=self.rng.choice((0, 12)),
            amount_rial=self.rng.choice((5_000, 150_000, 400_000)),
        )  # fmt: skip

    def send_budget(self, shard: int) -> SendBudget:
        return SendBudget(
            name=self.name(), party=self.rng.choice((1, 5, 6)), campaign=self.rng.choice((0, 12)),
            to_shard=self.rng.choice(self.shards),
            amount_rial=self.rng.choice((0, 0, 10_000, 1_000_000)),
        )  # fmt: skip

    def stand(self, shard: int) -> SetStanding:
        return SetStanding(
            name=self.name(), by="ops", reason="r",
            standing=self.rng.choice((FROZEN, OPEN, OPEN, OPEN, OPEN, CLOSED)),
            account=self.rng.choice((*self.accounts, *self.cards, self.idle, self.idle)),
        )  # fmt: skip

    def stand_party(self, shard: int) -> SetStanding:
        """A party's; now and then one that owes, but has no points out, is to close."""
        standing = self.rng.choice((FROZEN, OPEN, OPEN, OPEN, CLOSED))
        party = self.rng.choice((5, 6, 7, 7, 8, 8, 8, 0))
        balances, lots = self.models[shard].balances(), self.models[shard].state.lots.values()
        owing = {key[0] for key in balances if key[1] == "payable"}
        owing -= {lot.issuer for lot in lots if lot.left}
        if owing and self.aside.random() < 0.1:
            standing, party = CLOSED, self.aside.choice(sorted(owing))
        return SetStanding(name=self.name(), by="ops", reason="r", standing=standing, party=party)

    def close(self, shard: int) -> CloseWindow:
        window = self.last(shard) + 1
        if self.rng.random() < 0.1:
            window += self.rng.choice((-1, 1))
        return CloseWindow(name=self.name(), window=max(window, 1))

    def last(self, shard: int) -> int:
        """The last window closed there."""
        return len(self.models[shard].state.registry.windows)

    def settle(self, shard: int) -> SettlePosition:
        """Somebody who owes, or is owed from an earlier payment, pays; now and then too much."""
        rng, last = self.rng, self.last(shard)
        owing = [(1, 5, 100)] + [
            (owner, other, -amount)
            for (owner, role, _, other), amount in self.models[shard].balances().items()
            if role == "payable"
        ]
        debtor, creditor, rial = rng.choice(owing)
        if rial < 0:
            debtor, creditor, rial = creditor, debtor, -rial
        return SettlePosition(
            name=self.name(),
            window=max(1, rng.choice((last, last, last, last - 1, last - 2, last + 1))),
            debtor=debtor, creditor=creditor,
            amount_rial=max(1, rng.choice((rial, rial, rial // 2, rial + 1, 1))),
        )  # fmt: skip
