"""What the tables of crossing value tell: gifts, rates, exchanges, cards."""

from contracts.ledger import IssueValue
from contracts.value import (
    ActivateCard,
    ExchangeValue,
    InstallTerms,
    ReissueCard,
    SendValue,
    SetStanding,
    TermsKind,
)
from contracts.values import Unit

from .many_shards import ALI, BAKER, CARD, GROCER, HERE, OTHER_CARD, SARA, THERE, ManyShards

NP, MP, CR, GV = Unit.NETWORK_POINTS, Unit.MERCHANT_POINTS, Unit.CREDIT, Unit.GIFT


class TransferExamples(ManyShards):
    """What these tables' commands look like."""

    def issue(self, amount, *, account=ALI, unit=NP, issuer=BAKER, shard=HERE, **fields):
        given = {
            "name": self.name(), "account": account, "member": 1, "unit": unit, "amount": amount,
            "cost_rial": amount * 100, "issuer": issuer, "funder": issuer, "rule": "base",
            "rule_version": 2,
        }  # fmt: skip
        return self.hear(IssueValue(**(given | fields)), shard=shard)

    def send(self, amount, *, unit=NP, to=SARA, to_shard=THERE, shard=HERE, **fields):
        given = {
            "name": self.name(), "account": ALI, "member": 1, "unit": unit, "amount": amount,
            "to_shard": to_shard, "to_account": to, "to_member": 2,
        }  # fmt: skip
        return self.hear(SendValue(**(given | fields)), shard=shard)

    def stand(self, standing, *, account=0, party=0, shard=HERE):
        return self.hear(
            SetStanding(
                name=self.name(), standing=standing, by="ops", reason="r", account=account,
                party=party,
            ),
            shard=shard,
        )  # fmt: skip

    def rate(self, numerator=1, denominator=10, *, accepted_by=(1, BAKER), version=1, ident="5"):
        return self.hear(
            InstallTerms(
                name=self.name(), kind=TermsKind.RATE, id=ident, version=version,
                numerator=numerator, denominator=denominator, accepted_by=accepted_by,
            )
        )  # fmt: skip

    def exchange(self, unit, amount, receives, **fields):
        numbers = (1, 10) if unit is MP else (10, 1)
        given = {
            "name": self.name(), "account": ALI, "member": 1, "unit": unit, "issuer": BAKER,
            "amount": amount, "receives": receives, "rate": "5", "version": 1,
            "numerator": numbers[0], "denominator": numbers[1],
        }  # fmt: skip
        return self.hear(ExchangeValue(**(given | fields)))

    def card(self, amount=0, *, account=CARD, issuer=GROCER, shard=HERE, **fields):
        body = ActivateCard(
            name=self.name(), account=account, issuer=issuer, amount_rial=amount, **fields
        )
        return self.hear(body, shard=shard)

    def reissue(self, *, to=OTHER_CARD, to_shard=THERE):
        return self.hear(
            ReissueCard(
                name=self.name(), account=CARD, to_shard=to_shard, to_account=to, by="ops",
                reason="lost",
            )
        )  # fmt: skip
