"""Worked examples: one account, few merchants, amounts an accountant can follow."""

from datetime import timedelta

from contracts import envelope as envelopes
from contracts.ledger import Award, Inquire, Offer, PostTransaction, Redemption
from contracts.pos import Line, RefundLine
from contracts.values import Channel, Kind, Unit, till_name
from ledger.log.domain import records
from ledger.posting.decide import commands, inquiry
from ledger.posting.decide.batch_state import BatchState, Posting

from . import generators

ACCOUNT = 1000001
BAKER, GROCER, FLORIST, NETWORK = 5, 6, 7, 1


def award(points, *, issuer=BAKER, funder=0, line=0, **fields):
    """Points at 100 Rial each."""
    given = {
        "line": line, "unit": Unit.NETWORK_POINTS, "amount": points, "cost_rial": points * 100,
        "issuer": issuer, "funder": funder or issuer, "rule": "base", "rule_version": 1,
    }  # fmt: skip
    return Award(**(given | fields))


def terms(points, *, credit=0, value=None, own=0, own_max=0, fee_bp=100, network_max=0):
    """A redemption's terms; a point is worth 100 Rial unless value says otherwise."""
    return Redemption(
        points=points, credit_rial=credit, own_discount_rial=own, own_discount_max_rial=own_max,
        points_value_rial=points * 100 if value is None else value, fee_bp=fee_bp, terms_version=1,
        network_max_rial=network_max,
    )  # fmt: skip


class OneShard:
    """Commands one after another, each a minute later; gives each decision."""

    def __init__(self, shard=3):
        self.book = BatchState()
        self.shard = shard
        self.at = generators.START
        self.count = 0
        self.told = []

    def later(self, **span):
        self.at += timedelta(**span)
        return self.at

    def name(self):
        self.count += 1
        return till_name(10000017, 1, self.count)

    def transaction(self, kind, merchant, **fields):
        given = {
            "name": self.name(), "kind": kind, "channel": Channel.TILL, "merchant": merchant,
            "acceptor": merchant, "branch": 1, "terminal": 10000017, "account": ACCOUNT,
            "member": 1, "amount_rial": 1_000_000,
        }  # fmt: skip
        return PostTransaction(**(given | fields))

    def envelope(self, body, **fields):
        self.later(minutes=1)
        return generators.wrap(body, self.at, **fields)

    def tell(self, body, **fields):
        """The result of one command."""
        said = self.envelope(body, **fields)
        self.told.append(said)
        command = records.command_from(self.shard, envelopes.encode(said))
        return commands.decide_one(self.book, command)

    def ask(self, amount_rial=1_000_000, effort=None, **fields):
        """The preview that an inquiry hears now; nothing passes, not even time."""
        given = {
            "name": "t.9.9.9", "account": ACCOUNT, "member": 1, "merchant": GROCER,
            "acceptor": GROCER, "amount_rial": amount_rial, "would_earn_points": 0,
            "offer": Offer(price_rial=100, price_points=1, fee_bp=100),
        }  # fmt: skip
        said = generators.wrap(Inquire(**(given | fields)), self.at)
        command = records.command_from(self.shard, envelopes.encode(said))
        return inquiry.preview(self.book, command, effort or inquiry.Effort())

    def hear(self, body, **fields) -> Posting:
        """The decision of one command that was not known before."""
        decision = self.tell(body, **fields).decision
        assert decision is not None
        return decision

    def buy(self, *awards, merchant=BAKER, lines=(), **fields):
        lines = tuple(Line(line=n, amount_rial=rial) for n, rial in lines)
        if lines:
            fields.setdefault("amount_rial", sum(line.amount_rial for line in lines))
        return self.hear(
            self.transaction(Kind.PURCHASE, merchant, awards=awards, lines=lines, **fields)
        )

    def spend(self, points, *, merchant=GROCER, lines=(), amount=1_000_000, **given):
        lines = tuple(Line(line=n, amount_rial=rial) for n, rial in lines)
        return self.hear(
            self.transaction(
                Kind.REDEMPTION, merchant, redemption=terms(points, **given), lines=lines,
                amount_rial=sum(line.amount_rial for line in lines) or amount,
            )
        )  # fmt: skip

    def refund(self, original, *lines, **fields):
        body = original.command.body
        given = {
            "original": body.name, "amount_rial": 0,
            "refund_lines": tuple(RefundLine(line=n, amount_rial=rial) for n, rial in lines),
        }  # fmt: skip
        return self.hear(self.transaction(Kind.REFUND, body.merchant, **(given | fields)))

    def reverse(self, original_name, *, merchant=BAKER):
        return self.hear(
            self.transaction(
                Kind.REVERSAL, merchant, original=original_name, account=0, amount_rial=0
            )
        )

    def lots(self):
        """(issuer, remaining) of open lots, by number."""
        member = self.book.member(self.shard, ACCOUNT)
        return [(x.issuer, x.remaining) for _, x in sorted(member.lots.items()) if x.remaining]

    def debts(self):
        """{issuer: owed points}."""
        member = self.book.member(self.shard, ACCOUNT)
        return {issuer: -owed for (_, issuer), owed in member.debts.items()}


WHO = {ACCOUNT: "member", BAKER: "baker", GROCER: "grocer", FLORIST: "florist", NETWORK: "network"}


def page(decision):
    """Entries as an accountant writes them: who, account, unit, towards whom, amount."""
    return [
        (
            WHO[leg.account.owner], leg.account.role.value, leg.account.unit.value,
            WHO.get(leg.account.counterparty, ""), leg.amount,
        )
        for leg in decision.legs
    ]  # fmt: skip
