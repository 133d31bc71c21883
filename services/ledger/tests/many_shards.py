"""Several shards in memory: what one ledger shard says next, another hears, late and twice."""

from datetime import timedelta

from contracts import envelope as envelopes
from contracts.values import NameKind, name
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState

from . import generators

BAKER, GROCER, FLORIST, NETWORK = 5, 6, 7, 1
HERE, THERE = 3, 4
ALI, SARA, CARD, OTHER_CARD = 1000001, 1000002, 2000001, 2000002
WHO = {
    ALI: "ali", SARA: "sara", CARD: "card", OTHER_CARD: "other card", BAKER: "baker",
    GROCER: "grocer", FLORIST: "florist", NETWORK: "network",
}  # fmt: skip


class ManyShards:
    """Commands of any shard, each a minute later; says is what the ledger has yet to hear."""

    def __init__(self):
        self.book = BatchState()
        self.at = generators.START
        self.count = 0
        self.says = []
        self.decided = []

    def later(self, **span):
        self.at += timedelta(**span)
        return self.at

    def name(self):
        self.count += 1
        return name(NameKind.PARTY, BAKER, f"c{self.count}")

    def hear(self, body, *, shard=HERE):
        """The decision of one command; None where it was known."""
        self.later(minutes=1)
        said = generators.wrap(body, self.at)
        command = records.command_from(shard, envelopes.encode(said))
        decision = commands.decide_one(self.book, command).decision
        if decision is not None:
            self.says += decision.sends
            self.decided.append(decision)
        return decision

    def deliver(self):
        """All that the ledger says next, each message twice, until nothing is left to say."""
        told = []
        while self.says:
            shard, body = self.says.pop(0)
            told.append(self.hear(body, shard=shard))
            assert self.hear(body, shard=shard) is None
        return told

    def lots(self, account, *, shard=HERE):
        """(unit, issuer, remaining, cost_left) of open lots, by number."""
        member = self.book.member(shard, account)
        return [
            (lot.unit.value, lot.issuer, lot.remaining, lot.cost_left)
            for _, lot in sorted(member.lots.items()) if lot.remaining
        ]  # fmt: skip

    def balance(self, *key):
        """(owner, role, unit, counterparty) summed over the shards."""
        return sum(
            amount
            for state in self.book.shards.values()
            for account, amount in state.registry.balances.items()
            if tuple(account) == key
        )

    def in_transit(self):
        """Transit accounts that are not zero, summed over the shards."""
        sums = {}
        for state in self.book.shards.values():
            for account, amount in state.registry.balances.items():
                if account.role == "transit":
                    key = (account.unit.value, account.counterparty)
                    sums[key] = sums.get(key, 0) + amount
        return {key: amount for key, amount in sums.items() if amount}


def page(decision):
    """Entries as an accountant writes them: who, account, unit, towards whom, amount."""
    return [
        (
            WHO[leg.account.owner], leg.account.role.value, leg.account.unit.value,
            WHO.get(leg.account.counterparty, leg.account.counterparty or ""), leg.amount,
        )
        for leg in decision.legs
    ]  # fmt: skip
