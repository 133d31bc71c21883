"""What the tables of the registry tell: budgets, sales, standings, windows."""

from contracts.ledger import (
    Award,
    IssueValue,
    PostTransaction,
    Redemption,
)
from contracts.pos import Line, RefundLine
from contracts.value import (
    CloseWindow,
    GrantBudget,
    SendBudget,
    SetStanding,
    SettlePosition,
)
from contracts.values import Channel, Kind, Unit

from .many_shards import ALI, BAKER, GROCER, HERE, THERE, ManyShards

NP, CR = Unit.NETWORK_POINTS, Unit.CREDIT
SPRING = 12


class NetworkExamples(ManyShards):
    """What these tables' commands look like."""

    def grant(self, rial, *, party=BAKER, campaign=SPRING, shard=HERE):
        body = GrantBudget(name=self.name(), party=party, campaign=campaign, amount_rial=rial)
        return self.hear(body, shard=shard)

    def pass_on(self, rial=0, *, to_shard=THERE, shard=HERE):
        body = SendBudget(
            name=self.name(), party=BAKER, campaign=SPRING, to_shard=to_shard, amount_rial=rial
        )
        return self.hear(body, shard=shard)

    def left(self, shard=HERE, *, party=BAKER, campaign=SPRING):
        balances = self.book.shard(shard).registry.balances
        return sum(
            amount for key, amount in balances.items()
            if (key.owner, key.role, key.counterparty) == (party, "budget", campaign)
        )  # fmt: skip

    def issue(self, points, *, budget=None, account=ALI, shard=HERE, **fields):
        given = {
            "name": self.name(), "account": account, "member": 1, "unit": NP, "amount": points,
            "cost_rial": points * 100, "issuer": BAKER, "funder": BAKER, "rule": "base",
            "rule_version": 1, "budget": budget,
        }  # fmt: skip
        return self.hear(IssueValue(**(given | fields)), shard=shard)

    def buy(self, *awards, lines=((0, 1_000_000),), **fields):
        given = {
            "name": f"t.10000017.1.{self.count}", "kind": Kind.PURCHASE, "channel": Channel.TILL,
            "merchant": BAKER, "acceptor": BAKER, "branch": 1, "terminal": 10000017,
            "account": ALI, "member": 1, "amount_rial": sum(rial for _, rial in lines),
            "awards": awards,
            "lines": tuple(Line(line=n, amount_rial=rial) for n, rial in lines if n),
        }  # fmt: skip
        self.count += 1
        return self.hear(PostTransaction(**(given | fields)))

    def spend(self, points, *, acceptor=GROCER, **fields):
        terms = Redemption(
            points=points, credit_rial=0, points_value_rial=points * 100, own_discount_rial=0,
            own_discount_max_rial=0, fee_bp=100, terms_version=1,
        )  # fmt: skip
        return self.buy(
            kind=Kind.REDEMPTION, merchant=acceptor, acceptor=acceptor, redemption=terms, **fields
        )

    def undo(self, original, *lines, kind=Kind.REFUND):
        body = original.command.body
        return self.buy(
            kind=kind, original=body.name, merchant=body.merchant, acceptor=body.acceptor,
            account=0, lines=(),
            refund_lines=tuple(RefundLine(line=n, amount_rial=rial) for n, rial in lines),
        )  # fmt: skip

    def stand(self, standing, *, account=0, party=0):
        return self.hear(
            SetStanding(
                name=self.name(), standing=standing, by="ops", reason="r", account=account,
                party=party,
            )
        )  # fmt: skip

    def close(self, window):
        return self.hear(CloseWindow(name=f"w.{window}.{self.name()}", window=window))

    def settle(self, window, debtor, creditor, rial):
        return self.hear(
            SettlePosition(
                name=self.name(), window=window, debtor=debtor, creditor=creditor, amount_rial=rial
            )
        )


def award(points, *, issuer=BAKER, funder=BAKER, line=0, budget: int | None = SPRING, **fields):
    return Award(
        line=line, unit=NP, amount=points, cost_rial=points * 100, issuer=issuer, funder=funder,
        rule="spring", rule_version=1, budget=budget, **fields,
    )  # fmt: skip
