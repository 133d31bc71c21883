"""What one shard decides of value beyond a basket: issued, spent, held, adjusted."""

from datetime import timedelta

from contracts.ledger import CancelPending, ExpireLot, IssueValue, ReleasePending, RevokeIssue
from contracts.value import (
    AdjustValue,
    CaptureHold,
    ExtendLot,
    HoldValue,
    RedemptionTerms,
    ReleaseHold,
    SpendValue,
    VoidHold,
)
from contracts.values import Unit

from .one_shard import ACCOUNT, BAKER, GROCER, OneShard


class ValueExamples(OneShard):
    """One shard with all that happens away from a till."""

    def issue(self, amount, *, unit=Unit.NETWORK_POINTS, issuer=BAKER, **fields):
        """A lot at 100 Rial a point; money at its face."""
        if unit is Unit.GIFT:  # which belongs on a card
            self.book.shard(self.shard).registry.cards[ACCOUNT] = issuer
        a_rial = 1 if unit in (Unit.CREDIT, Unit.GIFT) else 100
        given = {
            "name": self.name(), "account": ACCOUNT, "member": 1, "unit": unit, "amount": amount,
            "cost_rial": amount * a_rial, "issuer": issuer, "funder": issuer, "rule": "gift",
            "rule_version": 1,
        }  # fmt: skip
        return self.hear(IssueValue(**(given | fields)))

    def away(self, merchant=GROCER, **spent):
        """A spend away from a till."""
        return self.hear(
            SpendValue(
                name=self.name(), account=ACCOUNT, member=1, acceptor=merchant, merchant=merchant,
                spend=RedemptionTerms(**spent), purpose="reward",
            )
        )  # fmt: skip

    def hold(self, *, merchant=GROCER, hours=1, **held):
        due_at = self.at + timedelta(hours=hours)
        return self.hear(
            HoldValue(
                name=self.name(), account=ACCOUNT, member=1, acceptor=merchant, merchant=merchant,
                due_at=due_at, **held,
            )
        )  # fmt: skip

    def capture(self, hold, **spent):
        return self.hear(
            CaptureHold(
                name=self.name(), original=hold.command.name, spend=RedemptionTerms(**spent)
            )
        )

    def void(self, hold):
        return self.hear(VoidHold(name=self.name(), original=hold.command.name))

    def fall_due(self, hold, account=ACCOUNT):
        return self.hear(ReleaseHold(name=self.name(), account=account, hold=hold.sequence))

    def expire(self, lot):
        return self.hear(ExpireLot(name=self.name(), account=ACCOUNT, lot=lot))

    def take_back(self, issued):
        return self.hear(
            RevokeIssue(name=self.name(), account=ACCOUNT, member=1, issued_by=issued.command.name)
        )

    def verdict(self, made, original):
        return self.hear(
            made(name=self.name(), original=original.command.name, case_id="", reviewer="event")
        )

    def arrives(self, issued):
        return self.verdict(ReleasePending, issued)

    def never_comes(self, issued):
        return self.verdict(CancelPending, issued)

    def extend(self, lot, expires_at, reason="goodwill"):
        return self.hear(
            ExtendLot(
                name=self.name(), account=ACCOUNT, lot=lot, expires_at=expires_at, by="o.1",
                reason=reason,
            )
        )  # fmt: skip

    def adjust(self, amount, *, unit=Unit.NETWORK_POINTS, issuer=BAKER, **fields):
        given = {
            "name": self.name(), "account": ACCOUNT, "member": 1, "unit": unit, "amount": amount,
            "issuer": issuer, "funder": issuer, "proposed_by": "o.1", "approved_by": "o.2",
            "reason": "missing points",
        }  # fmt: skip
        return self.hear(AdjustValue(**(given | fields)))

    def member(self):
        return self.book.member(self.shard, ACCOUNT)

    def lot(self, number):
        return self.member().lots[number]

    def held(self):
        """(remaining, held) of open lots, by number."""
        found = sorted(self.member().lots.items())
        return [(lot.remaining, lot.held) for _, lot in found if lot.remaining]


def first_lot(decision):
    """Number of the lot that a decision opened first."""
    return decision.opened[0].lot


def said(decision):
    return decision.status.value, decision.code
