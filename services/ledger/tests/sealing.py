"""Leaves of decided commands, from rows as the posting transaction writes them."""

from collections.abc import Iterable
from typing import Any

from ledger.book.facts import AccountKey, Leg, Lot, value_key
from ledger.log.domain import leaves
from ledger.log.domain.leaves import Leaf
from ledger.posting.decide.batch_state import Posting


class Rows:
    """Numbers accounts and counts entries as the ledger does, and gives each decision's leaf."""

    def __init__(self) -> None:
        self.accounts: dict[AccountKey, list[int]] = {}  # key -> [account_id, entry_count, balance]

    def leaf(self, decision: Posting) -> Leaf:
        command = decision.command
        names: list[tuple[str, bytes | None]] = [(command.name, command.fingerprint)]
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

    def book(self, legs: Iterable[Leg]) -> tuple[list[Any], list[Any]]:
        opened, entries = list[Any](), list[Any]()
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

    def lot(self, lot: Lot) -> Any:
        account_id = self.accounts[value_key(lot.owner, lot.unit, lot.issuer)][0]
        return (
            lot.lot, account_id, lot.amount, lot.cost_rial, lot.available_from, lot.expires_at,
            lot.born_at, lot.parent or None, lot.issuer, lot.funder, lot.merchant,
            lot.rule_version, lot.unit, lot.rule, lot.origin,
        )  # fmt: skip


def leaves_of(decisions: Iterable[Posting]) -> list[bytes]:
    """The log of a shard, from its first decision on."""
    rows = Rows()
    return [leaves.encode(rows.leaf(decision)) for decision in decisions]
