"""Writes a batch's decisions: rows planned and checked in memory, then one statement a table."""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from contracts.value import ReceiveValue
from contracts.values import Unit
from kit.base.db import Tx
from ledger.book import lots
from ledger.book.errors import InvariantBroken
from ledger.book.facts import AccountKey, Lot, LotMovement, PriorPosting, Role, value_key
from ledger.log.domain import leaves, log_append
from ledger.log.domain.leaves import EntryRow
from ledger.log.domain.log_append import Appended
from ledger.posting.decide.batch_state import BatchState, Posting
from ledger.posting.read.batch_read import AccountRow, Reading
from ledger.posting.store import booking, state
from ledger.posting.write import leaf_rows, registry_write, reservations
from ledger.posting.write.leaf_rows import Posted
from ledger.tables import lots as lots_table

_T = TypeVar("_T")


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
    """Rows of a batch, by table, and the accounts and entries of each decision's leaf."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[int, AccountKey], _Account] = {}
        self.posted: list[Posted] = []
        self.lots: dict[tuple[int, int], Lot] = {}  # last state
        self.opened: dict[tuple[int, int], Lot] = {}
        self.waiting: set[tuple[int, int]] = set()  # opened while pending


async def write(
    tx: Tx, reading: Reading, decisions: Sequence[Posting], meanwhile: Iterable[None] = ()
) -> None:
    """Book the decisions and seal them. Raises InvariantBroken before anything wrong could commit.

    meanwhile: other work of the caller, in steps. The database works between them.
    """
    if not decisions:
        for _ in meanwhile:
            pass
        return
    plan = _Plan()
    await _load_accounts(tx, plan, reading, decisions)
    _plan_entries(plan, reading.book, decisions)
    _plan_lots(plan, decisions)
    _check(plan, reading.book, decisions)
    reservations.check(reading.book, decisions)
    sealed: asyncio.Future[Sequence[Appended]] = asyncio.Future()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_book(tx, plan, reading.book, decisions, sealed))
            steps = _append_to_logs(reading.book, plan)
            sealed.set_result(
                [appended for appended in await _in_steps(steps) if appended is not None]
            )
            await _in_steps(meanwhile)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    await _write_originals(tx, reading.book, decisions)
    changed = [decision for decision in decisions if decision.change is not None]
    if changed:
        await registry_write.write(tx, changed)


def _append_to_logs(book: BatchState, plan: _Plan) -> Iterator[Appended | None]:
    """Append the postings to the logs of their shards; peaks move on."""
    numbers = _numbers(plan)
    by_shard: dict[int, list[Posted]] = {}
    for posted in plan.posted:
        by_shard.setdefault(posted.decision.command.shard, []).append(posted)
    for shard, group in by_shard.items():
        state = book.shards[shard]
        leaves_of = (leaf_rows.leaf_of(posted, numbers) for posted in group)
        for appended in log_append.append(state.peaks, leaves_of):
            if appended is not None:
                state.peaks = appended.peaks
            yield appended


async def _in_steps(steps: Iterable[_T]) -> list[_T]:
    """Compute step by step, and let the database's answers through before each."""
    done: list[_T] = []
    await asyncio.sleep(0)
    for step in steps:
        done.append(step)
        await asyncio.sleep(0)
    return done


async def _book(
    tx: Tx,
    plan: _Plan,
    book: BatchState,
    decisions: Sequence[Posting],
    sealed: Awaitable[Sequence[Appended]],
) -> None:
    await booking.insert_book(
        tx,
        outcomes=_outcomes(decisions),
        entries=_entries(plan.posted),
        consumptions=[_consumption(d, row) for d in decisions for row in d.rows],
        lots=_opened_lots(plan),
    )
    special = reservations.touched(decisions)
    await _write_state(tx, plan, special)
    if special:
        lots = {key: plan.lots[key] for key in special if key not in plan.opened}
        await reservations.write(tx, lots, decisions)
    await booking.insert_history(
        tx,
        dates=[_dates(decision, row) for decision in decisions for row in decision.dates],
        sends=[row for decision in decisions for row in _sends(decision)],
    )
    await _write_log(tx, book, await sealed)


async def _write_log(tx: Tx, book: BatchState, appended: Sequence[Appended]) -> None:
    """The log's rows and each shard's last sequence: the last rows of the batch."""
    shards = [book.shards[number] for number in sorted({part.shard for part in appended})]
    await booking.append_log(
        tx,
        chunks=[
            (chunk.first, decided_at, shard, chunk.leaves, chunk.digest, chunk.packed)
            for shard, chunk, decided_at, _, _ in appended
        ],
        nodes=[node for part in appended for node in part.nodes],
        shards=[(s.shard, s.last_sequence, s.decided_at, s.account_count, s.peaks) for s in shards],
    )


async def _load_accounts(
    tx: Tx, plan: _Plan, reading: Reading, decisions: Sequence[Posting]
) -> None:
    """Find every touched account; members' rows are at hand already."""
    missing: list[tuple[int, AccountKey]] = []
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
                missing.append((shard, key))
            plan.accounts[shard, key] = _Account(shard, key, row)
    if missing:
        for row in await state.list_accounts(tx, missing):
            place: int = row["place"]
            shard, key = missing[place - 1]
            stored = AccountRow(row["account_id"], row["balance"], row["entry_count"])
            plan.accounts[shard, key] = _Account(shard, key, stored)


def _plan_entries(plan: _Plan, book: BatchState, decisions: Sequence[Posting]) -> None:
    accounts, posted = plan.accounts, plan.posted
    for decision in decisions:
        shard = decision.command.shard
        entries: list[EntryRow] = []
        opened: list[leaves.AccountRow] = []
        for line, leg in enumerate(decision.legs):
            account = accounts[shard, leg.account]
            if not account.account_id:  # in order of first use, as a replay does
                state = book.shards[shard]
                state.account_count += 1
                account.account_id = state.account_count
                opened.append(_sealed_account(account))
            account.entry_count += 1
            account.balance += leg.amount
            entries.append(
                (line, account.account_id, account.entry_count, leg.amount, account.balance)
            )
        posted.append(Posted(decision, opened, entries))


def _sealed_account(account: _Account) -> leaves.AccountRow:
    key = account.key
    return (account.account_id, key.owner, key.counterparty, key.role, key.unit)


def _plan_lots(plan: _Plan, decisions: Sequence[Posting]) -> None:
    for decision in decisions:
        shard = decision.command.shard
        for lot in decision.opened:
            plan.opened[shard, lot.lot] = lot
            if lots.pending(lot, decision.decided_at):
                plan.waiting.add((shard, lot.lot))
            plan.lots[shard, lot.lot] = lot
        for lot in decision.changed:
            plan.lots[shard, lot.lot] = lot


# ------------------------------------------------------------------------------------------ check


def _check(plan: _Plan, book: BatchState, decisions: Sequence[Posting]) -> None:
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


def _check_value(book: BatchState, shard: int, key: AccountKey, balance: int) -> None:
    total = 0
    own = key.unit is Unit.MERCHANT_POINTS  # of one issuer an account
    member = book.member(shard, key.owner)
    for lot in member.lots.values():
        if lot.unit is key.unit and (not own or lot.issuer == key.counterparty):
            total += lot.remaining
    if member.rest and (unread := member.rest.get((key.unit, key.counterparty))) is not None:
        total += unread.total
    _check_equal(shard, key, balance, total)


def _check_equal(shard: int, key: AccountKey, balance: int, state: int) -> None:
    if balance != state:
        raise InvariantBroken(f"shard {shard}, {key}: balance {balance}, but state says {state}")


# ------------------------------------------------------------------------------------------- rows


async def _write_state(tx: Tx, plan: _Plan, special: Collection[tuple[int, int]]) -> None:
    touched = sorted(plan.accounts.values(), key=_place)
    moved = [account for account in touched if account.before]
    changed = sorted(key for key in plan.lots if key not in plan.opened and key not in special)
    matched = await booking.update_state(
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
    )  # fmt: skip
    if matched[0] != len(moved):
        raise InvariantBroken(f"{matched[0]} of {len(moved)} accounts were as read")
    if matched[1] != len(changed):
        raise InvariantBroken("a lot that changed has no state")


def _place(account: _Account) -> tuple[int, int]:
    return account.shard, account.account_id


def _entries(posted: Sequence[Posted]) -> list[tuple[int, ...]]:
    return [
        (booked.decision.sequence, booked.decision.command.shard, *entry)
        for booked in posted
        for entry in booked.entries
    ]


def _numbers(plan: _Plan) -> dict[tuple[int, AccountKey], int]:
    """Numbers of the value accounts that the batch touched."""
    return {
        key: account.account_id
        for key, account in plan.accounts.items()
        if key[1].role is Role.VALUE
    }


def _opened_lots(plan: _Plan) -> list[tuple[Any, ...]]:
    """Lots as they are at the end of the batch, and whether they were pending when opened."""
    numbers = _numbers(plan)
    return [
        (
            *lots_table.row_of(plan.lots[shard, number], lot),
            shard,
            numbers[shard, value_key(lot.owner, lot.unit, lot.issuer)],
            plan.lots[shard, number].remaining > 0,
            (shard, number) in plan.waiting,
        )
        for (shard, number), lot in plan.opened.items()
    ]


def _changed_lot(shard: int, lot: Lot) -> tuple[int, int, int, int, int]:
    return (shard, lot.lot, lot.remaining, lot.cost_left, lot.lapsed)


def _outcomes(decisions: Sequence[Posting]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for decision in decisions:
        command = decision.command
        rows.append((decision.sequence, command.shard, command.name, command.fingerprint))
        if decision.marked is not None:
            rows.append((decision.sequence, command.shard, decision.marked[0], None))
    return rows


def _consumption(decision: Posting, row: LotMovement) -> tuple[Any, ...]:
    return (decision.sequence, decision.command.shard, *leaf_rows.consumption_of(row))


def _dates(decision: Posting, row: leaves.DateRow) -> tuple[Any, ...]:
    return (decision.sequence, decision.command.shard, *row)


def _sends(decision: Posting) -> list[tuple[int, int, int, int]]:
    """Value that left a member's account for another's."""
    shard = decision.command.shard
    return [
        (decision.sequence, shard, body.from_account, to_shard)
        for to_shard, body in decision.sends
        if isinstance(body, ReceiveValue)
    ]


async def _write_originals(tx: Tx, book: BatchState, decisions: Sequence[Posting]) -> None:
    touched = {
        (decision.command.shard, decision.progress[0])
        for decision in decisions
        if decision.progress is not None
    }
    if touched:
        rows = [_original(key, book.originals[key]) for key in sorted(touched)]
        await state.upsert_originals(tx, rows)


def _original(key: tuple[int, str], original: PriorPosting) -> tuple[Any, ...]:
    progress = original.progress
    refunded = "{" + ",".join(map(str, progress.refunded)) + "}"
    return (
        key[0], key[1], original.sequence, original.total_rial, sum(progress.refunded), refunded,
        progress.full, progress.reversed, progress.verdict,
    )  # fmt: skip
