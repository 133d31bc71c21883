"""The leaf of a decision: the record, the answer, and its rows in the book."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.book.facts import AccountKey, Lot, LotMovement, value_key
from ledger.log.domain import leaves
from ledger.log.domain.leaves import Leaf
from ledger.posting.decide.batch_state import Posting


class Posted(NamedTuple):
    """A decision with what booking gave it: account numbers and running balances."""

    decision: Posting
    accounts: Sequence[leaves.AccountRow]  # used first here
    entries: Sequence[leaves.EntryRow]


def leaf_of(posted: Posted, number_of: dict[tuple[int, AccountKey], int]) -> Leaf:
    """The leaf of a decision. number_of: of members' value accounts that opened lots."""
    decision = posted.decision
    command, shard = decision.command, decision.command.shard
    names = [(command.name, command.fingerprint)]
    marked = None
    if decision.marked is not None:
        names.append((decision.marked[0], None))
        names.sort(key=_bytes_of_name)
        marked = decision.marked[1]
    return Leaf(
        shard, decision.sequence, decision.decided_at, decision.status, decision.code,
        command.raw, decision.answer, marked, names, posted.accounts, posted.entries,
        [consumption_of(row) for row in decision.rows],
        [_lot(lot, number_of[shard, value_key(lot.owner, lot.unit, lot.issuer)])
         for lot in decision.opened],
        decision.holds, decision.dates, decision.effects.refused_awards,
    )  # fmt: skip


def _bytes_of_name(row: leaves.NameRow) -> bytes:
    return row[0].encode()


def consumption_of(row: LotMovement) -> leaves.ConsumptionRow:
    """A movement of a lot as a row of the leaf."""
    return (
        row.ordinal, row.lot, row.amount, row.cost_rial, row.claim_rial, row.fee_rial,
        row.original_sequence, row.original_ordinal, row.issuer, row.acceptor, row.merchant,
        row.kind,
    )  # fmt: skip


def _lot(lot: Lot, account_id: int) -> leaves.LotRow:
    return (
        lot.lot, account_id, lot.amount, lot.cost_rial, lot.available_from, lot.expires_at,
        lot.born_at, lot.parent or None, lot.issuer, lot.funder, lot.merchant, lot.rule_version,
        lot.unit, lot.rule, lot.origin,
    )  # fmt: skip
