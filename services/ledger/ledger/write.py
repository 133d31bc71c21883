"""Puts a batch's decisions down: rows planned and checked in memory, then one statement a table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from contracts.values import Unit
from kit.db import Tx
from ledger.decide.book import Book, Decision
from ledger.domain.book import AccountKey, Lot, Original, Role
from ledger.domain.errors import InvariantBroken
from ledger.read import AccountRow, Reading
from ledger.store import booking, posting

MemberRows = dict[tuple[int, int, str, str, int], AccountRow]


class _Account:
    """One account while its batch is planned."""

    __slots__ = ("account_id", "balance", "before", "entry_count", "key", "shard")

    def __init__(self, shard: int, key: AccountKey, stored: AccountRow | None) -> None:
        self.shard = shard
        self.key = key
        self.account_id = stored.account_id if stored is not None else 0
        self.balance = stored.balance if stored is not None else 0
        self.before = stored.entry_count if stored is not None else 0
        self.entry_count = self.before


class _Plan:
    """Rows of a batch, by table."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[int, AccountKey], _Account] = {}
        self.entries: list[tuple[int, ...]] = []
        self.lots: dict[tuple[int, int], Lot] = {}  # last state
        self.opened: dict[tuple[int, int], Lot] = {}


async def write(tx: Tx, reading: Reading, decisions: Sequence[Decision]) -> None:
    """Book the decisions. Raises InvariantBroken before anything wrong could be committed."""
    if not decisions:
        return
    plan = _Plan()
    await _load_accounts(tx, plan, reading, decisions)
    _plan_entries(plan, reading.book, decisions)
    _plan_lots(plan, decisions)
    _check(plan, reading.book, decisions)
    await booking.insert_book(
        tx,
        outcomes=_outcomes(decisions),
        bodies=[_body(decision) for decision in decisions],
        entries=plan.entries,
        consumptions=[_consumption(d, row) for d in decisions for row in d.rows],
        lots=_opened_lots(plan),
    )
    await _write_state(tx, plan, reading.book, decisions)
    await _write_originals(tx, reading.book, decisions)


async def _load_accounts(
    tx: Tx, plan: _Plan, reading: Reading, decisions: Sequence[Decision]
) -> None:
    """Find every touched account; members' rows are at hand already."""
    asked: list[tuple[int, AccountKey]] = []
    for decision in decisions:
        shard = decision.command.shard
        for leg in decision.legs:
            key = leg.account
            if (shard, key) in plan.accounts:
                continue
            row = None
            if key.role is Role.VALUE or key.role is Role.DEBT:
                row = reading.accounts.get((shard, key.owner, key.role, key.unit, key.counterparty))
            else:
                asked.append((shard, key))
            plan.accounts[shard, key] = _Account(shard, key, row)
    if asked:
        for row in await posting.list_accounts(tx, asked):
            place: int = row["place"]
            shard, key = asked[place - 1]
            stored = AccountRow(row["account_id"], row["balance"], row["entry_count"])
            plan.accounts[shard, key] = _Account(shard, key, stored)


def _plan_entries(plan: _Plan, book: Book, decisions: Sequence[Decision]) -> None:
    accounts, entries = plan.accounts, plan.entries
    for decision in decisions:
        shard, sequence = decision.command.shard, decision.sequence
        for line, leg in enumerate(decision.legs):
            account = accounts[shard, leg.account]
            if not account.account_id:  # numbered in order of first use: a replay gives the same
                state = book.shards[shard]
                state.account_count += 1
                account.account_id = state.account_count
            account.entry_count += 1
            account.balance += leg.amount
            entries.append(
                (
                    sequence, leg.amount, account.balance, account.account_id,
                    account.entry_count, shard, line,
                )
            )  # fmt: skip


def _plan_lots(plan: _Plan, decisions: Sequence[Decision]) -> None:
    for decision in decisions:
        shard = decision.command.shard
        for lot in decision.opened:
            plan.opened[shard, lot.lot] = lot
            plan.lots[shard, lot.lot] = lot
        for lot in decision.changed:
            plan.lots[shard, lot.lot] = lot


# ------------------------------------------------------------------------------------------ check


def _check(plan: _Plan, book: Book, decisions: Sequence[Decision]) -> None:
    """What must hold before commit (ledger reference 2, assert before commit)."""
    sums: dict[Unit, int] = {}
    next_of: dict[int, int] = {}
    for decision in decisions:
        shard = decision.command.shard
        expected = next_of.get(shard, decision.sequence)
        if decision.sequence != expected:
            raise InvariantBroken(f"shard {shard}: sequence {decision.sequence}, not {expected}")
        next_of[shard] = expected + 1
        for leg in decision.legs:
            unit = leg.account.unit
            sums[unit] = sums.get(unit, 0) + leg.amount
    if any(sums.values()):
        raise InvariantBroken(f"entries off zero: {sums}")
    for shard, number in next_of.items():
        if book.shards[shard].last_sequence != number - 1:
            raise InvariantBroken(f"shard {shard}: last sequence is not {number - 1}")
    for (shard, key), account in plan.accounts.items():
        if key.role is Role.VALUE:
            _check_value(book, shard, key, account.balance)
        elif key.role is Role.DEBT:
            debt = book.member(shard, key.owner).debts.get((key.unit, key.counterparty), 0)
            _check_equal(shard, key, account.balance, debt)


def _check_value(book: Book, shard: int, key: AccountKey, balance: int) -> None:
    held = 0
    for lot in book.member(shard, key.owner).lots.values():
        if lot.unit is key.unit:
            held += lot.remaining
    _check_equal(shard, key, balance, held)


def _check_equal(shard: int, key: AccountKey, balance: int, state: int) -> None:
    if balance != state:
        raise InvariantBroken(f"shard {shard}, {key}: balance {balance}, but state says {state}")


# ------------------------------------------------------------------------------------------- rows


async def _write_state(tx: Tx, plan: _Plan, book: Book, decisions: Sequence[Decision]) -> None:
    touched = sorted(plan.accounts.values(), key=lambda a: (a.shard, a.account_id))
    moved = [account for account in touched if account.before]
    changed = sorted(key for key in plan.lots if key not in plan.opened)
    shards = [book.shards[shard] for shard in sorted({d.command.shard for d in decisions})]
    found = await booking.update_state(
        tx,
        opened=[
            (
                a.shard, a.account_id, a.entry_count, a.key.counterparty, a.key.owner, a.balance,
                a.key.role, a.key.unit,
            )
            for a in touched if not a.before
        ],
        moved=[(a.shard, a.account_id, a.before, a.entry_count, a.balance) for a in moved],
        lots=[_changed_lot(key[0], plan.lots[key]) for key in changed],
        shards=[(s.shard, s.last_sequence, s.decided_at, s.account_count) for s in shards],
    )  # fmt: skip
    if found[0] != len(moved):
        raise InvariantBroken(f"{found[0]} of {len(moved)} accounts were as read")
    if found[1] != len(changed):
        raise InvariantBroken("a lot that changed has no state")


def _numbers(plan: _Plan) -> Callable[[int, Lot], int]:
    def number_of(shard: int, lot: Lot) -> int:
        return plan.accounts[shard, AccountKey(lot.owner, Role.VALUE, lot.unit, 0)].account_id

    return number_of


def _opened_lots(plan: _Plan) -> list[tuple[Any, ...]]:
    number_of = _numbers(plan)
    return [
        _lot(shard, lot, plan.lots[shard, number], number_of)
        for (shard, number), lot in plan.opened.items()
    ]


def _lot(shard: int, lot: Lot, last: Lot, number_of: Callable[[int, Lot], int]) -> tuple[Any, ...]:
    """A lot as it was born, then its state at the end of the batch."""
    return (
        lot.lot, lot.amount, lot.cost_rial, lot.available_from, lot.expires_at, lot.born_at,
        lot.parent or None, number_of(shard, lot), lot.issuer, lot.funder, lot.merchant,
        lot.rule_version, shard, lot.unit, lot.rule, lot.origin,
        last.remaining, last.cost_left, last.lapsed, last.remaining > 0, last.available_from,
    )  # fmt: skip


def _changed_lot(shard: int, lot: Lot) -> tuple[int, int, int, int, int, datetime]:
    return (shard, lot.lot, lot.remaining, lot.cost_left, lot.lapsed, lot.available_from)


def _outcomes(decisions: Sequence[Decision]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for decision in decisions:
        command = decision.command
        rows.append((decision.sequence, command.shard, command.name, command.fingerprint))
        if decision.marked is not None:
            rows.append((decision.sequence, command.shard, decision.marked[0], None))
    return rows


def _body(decision: Decision) -> tuple[Any, ...]:
    return (
        decision.sequence, decision.decided_at, decision.command.shard, decision.status,
        decision.code, decision.command.raw, decision.answer,
        decision.marked[1] if decision.marked is not None else None,
    )  # fmt: skip


def _consumption(decision: Decision, row: Any) -> tuple[Any, ...]:
    return (
        decision.sequence, row.lot, row.amount, row.cost_rial, row.claim_rial, row.fee_rial,
        row.original_sequence, row.issuer, row.acceptor, row.merchant, decision.command.shard,
        row.ordinal, row.original_ordinal, row.what,
    )  # fmt: skip


async def _write_originals(tx: Tx, book: Book, decisions: Sequence[Decision]) -> None:
    touched = {
        (decision.command.shard, decision.progress[0])
        for decision in decisions
        if decision.progress is not None
    }
    if touched:
        rows = [_original(key, book.originals[key]) for key in sorted(touched)]
        await posting.upsert_originals(tx, rows)


def _original(key: tuple[int, str], original: Original) -> tuple[Any, ...]:
    progress = original.progress
    refunded = "{" + ",".join(map(str, progress.refunded)) + "}"
    return (
        key[0], key[1], original.sequence, original.total_rial, sum(progress.refunded), refunded,
        progress.full, progress.reversed, progress.verdict,
    )  # fmt: skip
