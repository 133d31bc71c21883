"""Leaves of decided commands, from rows as the posting transaction writes them."""

from ledger.book.facts import value_key
from ledger.log.domain.leaves import Leaf


class Rows:
    """Numbers accounts and counts entries as the ledger does, and gives each decision's leaf."""

    def __init__(self):
        self.accounts = {}  # key -> [account_id, entry_count, balance]

    def leaf(self, decision):
        command = decision.command
        names = [(command.name, command.fingerprint)]
        if decision.marked is not None:
            names.append((decision.marked[0], None))
        accounts, entries = self.book(decision.legs)
        return Leaf(
            command.shard, decision.sequence, decision.decided_at, decision.status,
            decision.code, command.raw, decision.answer,
            decision.marked[1] if decision.marked is not None else None,
            sorted(names, key=lambda row: row[0].encode()), accounts, entries,
            [
                (r.ordinal, r.lot, r.amount, r.cost_rial, r.claim_rial, r.fee_rial,
                 r.original_sequence, r.original_ordinal, r.issuer, r.acceptor, r.merchant, r.kind)
                for r in decision.rows
            ],
            [self.lot(lot) for lot in decision.opened],
            decision.holds, decision.dates, decision.effects.refused_awards,
        )  # fmt: skip

    def book(self, legs):
        opened, entries = [], []
        for line, leg in enumerate(legs):
            key = leg.account
            if key not in self.accounts:
                self.accounts[key] = [len(self.accounts) + 1, 0, 0]
                number = self.accounts[key][0]
                opened.append((number, key.owner, key.counterparty, key.role, key.unit))
            account = self.accounts[key]
            account[1] += 1
            account[2] += leg.amount
            entries.append((line, account[0], account[1], leg.amount, account[2]))
        return opened, entries

    def lot(self, lot):
        account_id = self.accounts[value_key(lot.owner, lot.unit, lot.issuer)][0]
        return (
            lot.lot, account_id, lot.amount, lot.cost_rial, lot.available_from, lot.expires_at,
            lot.born_at, lot.parent or None, lot.issuer, lot.funder, lot.merchant,
            lot.rule_version, lot.unit, lot.rule, lot.origin,
        )  # fmt: skip
