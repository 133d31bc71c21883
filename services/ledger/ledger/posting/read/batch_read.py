"""All that a batch decides on, read once over the posting connection: names before bodies."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from contracts.ledger import Inquire
from contracts.value import ReissueCard
from contracts.values import Status
from kit.base.db import Tx
from ledger.book.commands import Command
from ledger.book.facts import Lot, PriorPosting, Role
from ledger.log import store as log_store
from ledger.log.domain import prior_postings, records
from ledger.log.domain.leaves import Leaf
from ledger.log.domain.prior_postings import hold_of, reached, refund_rial
from ledger.log.usecases import log_read
from ledger.posting.decide import commands as deciding
from ledger.posting.decide import prefetch, rules
from ledger.posting.decide.batch_state import BatchState, Known, ShardState
from ledger.posting.domain.shard_registry import ShardRegistry, Successor
from ledger.posting.read import lots_read, registry_read
from ledger.posting.read.lots_read import Cut
from ledger.posting.store import reservations, state
from ledger.tables import lots as lots_table
from ledger.tables import originals

Place = tuple[int, int]  # shard, sequence

_VALUE = Role.VALUE.value


class AccountRow(Struct, frozen=True, gc=False):
    """An account as stored."""

    account_id: int
    balance: int
    entry_count: int


class Reading(Struct, frozen=True):
    """book: the state to decide on. accounts: members' rows, (shard, owner, role, unit, party)."""

    book: BatchState
    accounts: dict[tuple[int, int, str, str, int], AccountRow]


async def read(tx: Tx, batch: Sequence[Command], *, whole: bool = False) -> Reading:
    """Lock the shards, look names up, then read the state that the new commands need.

    whole: every open lot of the accounts, not only those that a batch is likely to need.
    """
    book = BatchState()
    await _read_shards(tx, book, {command.shard for command in batch})
    names = {(c.shard, c.name) for c in batch if type(c.body) is not Inquire}
    targets = {(c.shard, t) for c in batch if (t := c.facts.original)}
    rows = await log_store.find_outcomes(tx, sorted(names | targets))
    outcomes = {(r[0], r[1]): (r[2], r[3]) for r in rows}
    fresh = [c for c in batch if type(c.body) is Inquire or (c.shard, c.name) not in outcomes]
    await _read_known(tx, book, outcomes, _undone(fresh, targets))
    owners = _owners(book, fresh)
    accounts, cuts = await _read_members(tx, book, owners, fresh, whole=whole)
    named = _named_lots(book, fresh)
    if cuts:
        await lots_read.read(tx, book, cuts, fresh, named)
    else:
        await lots_read.read_named(tx, book, named)
    await _read_holds(tx, book)
    closed = await registry_read.read(tx, book, prefetch.of_batch(fresh, owners, book))
    for place, leaf in (await log_read.read_leaves(tx, closed)).items():
        _note_successor(book, closed[place], leaf)
    return Reading(book, accounts)


async def _read_shards(tx: Tx, book: BatchState, shards: Collection[int]) -> None:
    rows = await state.lock_shards(tx, sorted(shards))
    if len(rows) < len(shards):
        for shard in sorted(set(shards) - {row["shard"] for row in rows}):
            await state.prepare_shard(tx, shard)
        rows = await state.lock_shards(tx, sorted(shards))
    for shard, last_sequence, decided_at, account_count, peaks, guarded, window in rows:
        registry = ShardRegistry(window=window, watched=False)
        if guarded:
            book.guarded.add(shard)
        book.shards[shard] = ShardState(
            shard, last_sequence, decided_at, account_count, peaks, registry
        )


async def _read_known(
    tx: Tx,
    book: BatchState,
    outcomes: dict[tuple[int, str], tuple[int, bytes | None]],
    targets: Mapping[tuple[int, str], int | None],
) -> None:
    """First answers of known names, and the postings that commands name.

    targets: Rial that the batch may undo of each; None: all.
    """
    sealed = await log_read.read_leaves(
        tx, {(shard, seq) for (shard, _), (seq, _) in outcomes.items()}
    )
    original_leaves: dict[tuple[int, str], Leaf] = {}
    for key, (sequence, fingerprint) in outcomes.items():
        leaf = sealed[key[0], sequence]
        marked = leaf.marked if _is_marked(key[1], leaf) else None
        if marked is not None:
            book.known[key] = Known(sequence, None, marked)
        else:
            book.known[key] = Known(sequence, fingerprint, leaf.answer)
        if key in targets:
            original_leaves[key] = leaf
    await _read_originals(tx, book, original_leaves, targets)


def _note_successor(book: BatchState, account: int, leaf: Leaf) -> None:
    """Note the card that took a closed one's place, where its closing was a reissue."""
    body = prior_postings.command_in(leaf).body
    if type(body) is ReissueCard:
        to = Successor(body.to_shard, body.to_account)
        book.shards[leaf.shard].registry.successors[account] = to


def _is_marked(name: str, leaf: Leaf) -> bool:
    """Whether the name is that of the original, and not the reversal's own."""
    if leaf.marked is None:
        return False
    return records.command_from(leaf.shard, leaf.command).name != name


def _undone(
    fresh: Sequence[Command], targets: Collection[tuple[int, str]]
) -> dict[tuple[int, str], int | None]:
    """Rial that a batch may undo of each name that its commands refer to; None: all."""
    undoable: dict[tuple[int, str], int | None] = dict.fromkeys(targets, 0)
    for command in fresh:
        key = (command.shard, command.facts.original)
        if key in undoable:
            rial, before = refund_rial(command.body), undoable[key]
            undoable[key] = None if rial is None or before is None else before + rial
    return undoable


async def _read_originals(
    tx: Tx,
    book: BatchState,
    original_leaves: dict[tuple[int, str], Leaf],
    undone: Mapping[tuple[int, str], int | None],
) -> None:
    """Originals with their progress, and those of their rows that the batch can reach."""
    if not original_leaves:
        return
    holds = await _read_holds_named(tx, original_leaves)
    stored = await state.lock_originals(tx, sorted(original_leaves))
    progress = {(r["shard"], r["name"]): originals.progress_of(r) for r in stored}
    lots: set[Place] = set()
    for key, leaf in original_leaves.items():
        rows = tuple([prior_postings.row_of(row) for row in leaf.consumptions])
        original = prior_postings.original_in(leaf, key[1], rows, holds.get(key))
        original = replace(original, progress=progress.get(key, original.progress))
        rial = undone[key]
        if rial is not None and original.rows:
            original = replace(original, rows=reached(original, rial))
        book.originals[key] = original
        lots |= {(key[0], row.lot) for row in original.rows}
    if lots:
        await _read_units(tx, book, lots)


async def _read_units(tx: Tx, book: BatchState, lots: set[Place]) -> None:
    """Set the units of originals' rows, which their leaves do not have."""
    units = {
        (r[0], r[1]): lots_table.UNITS[r[2]] for r in await lots_table.list_units(tx, sorted(lots))
    }
    for (shard, name), original in book.originals.items():
        rows = tuple([replace(row, unit=units[shard, row.lot]) for row in original.rows])
        book.originals[shard, name] = replace(original, rows=rows)


async def _read_holds_named(
    tx: Tx, original_leaves: dict[tuple[int, str], Leaf]
) -> dict[tuple[int, str], PriorPosting]:
    """The holds that captures among some leaves name, by the name of the capture."""
    captures: dict[tuple[int, str], tuple[int, str]] = {}
    for key, leaf in original_leaves.items():
        if leaf.holds and (name := hold_of(prior_postings.command_in(leaf), Status(leaf.status))):
            captures[key] = (key[0], name)
    if not captures:
        return {}
    rows = await log_store.find_outcomes(tx, sorted(set(captures.values())))
    places = {(r[0], r[1]): (r[0], r[2]) for r in rows}
    sealed = await log_read.read_leaves(tx, set(places.values()))
    return {
        key: prior_postings.original_in(sealed[places[named]], named[1], ())
        for key, named in captures.items()
    }


def _owners(book: BatchState, fresh: Sequence[Command]) -> list[tuple[int, int]]:
    owners: set[tuple[int, int]] = set()
    accounts_of: dict[tuple[int, str], set[tuple[int, int]]] = {}
    for command in fresh:
        shard, target = command.shard, (command.shard, command.facts.original)
        named = (shard, deciding.account_of(command, book.originals.get(target)))
        touched = {named} | accounts_of.get(target, set())  # its original may be in this batch
        accounts_of.setdefault((shard, command.name), set()).update(touched)
        owners |= touched
    return sorted(owner for owner in owners if owner[1])


async def _read_members(
    tx: Tx,
    book: BatchState,
    owners: Sequence[Place],
    fresh: Sequence[Command],
    *,
    whole: bool,
) -> tuple[dict[tuple[int, int, str, str, int], AccountRow], list[Cut]]:
    """Members' accounts with their lots, and the accounts that have more lots than were read."""
    accounts: dict[tuple[int, int, str, str, int], AccountRow] = {}
    cuts: list[Cut] = []
    if not owners:
        return accounts, cuts
    most = None if whole else lots_read.LOTS_READ + 1
    key: tuple[int, int, str, str, int] | None = None
    lot: Lot | None = None
    rows = 0
    for record in await state.list_members(tx, owners, most=most):
        shard, owner, role, unit, party, number, balance, count = record[:8]
        if record[8] is not None:
            same = (shard, owner, role, unit, party) == key
            rows = rows + 1 if same else 1
            if rows == most and lot is not None:
                cuts.append(lots_read.cut(book, record, lot, fresh))
                continue
            lot = lots_table.lot_of(record[8:], owner)
            book.member(shard, owner).lots[lot.lot] = lot
            if same:
                continue
        key = (shard, owner, role, unit, party)
        accounts[key] = AccountRow(number, balance, count)
        if balance and role != _VALUE:
            book.member(shard, owner).debts[lots_table.UNITS[unit], party] = balance
    return accounts, cuts


def _named_lots(book: BatchState, fresh: Sequence[Command]) -> set[Place]:
    """Lots that commands name, or that their originals moved."""
    named = {
        (command.shard, lot_of(command.body))
        for command in fresh
        if (lot_of := rules.kind_of(command.body).lot) is not None
    }
    for (shard, _), original in book.originals.items():
        named |= {(shard, grant.lot) for grant in original.grants}
        named |= {(shard, row.lot) for row in original.rows}
    return named


async def _read_holds(tx: Tx, book: BatchState) -> None:
    """Standing holds of the accounts where any lot is held: few."""
    owners = [
        key for key, member in book.members.items() if any(x.held for x in member.lots.values())
    ]
    if owners:
        for record in await reservations.list_standing(tx, sorted(owners)):
            hold = reservations.hold_of(record)
            book.member(record[0], hold.owner).holds[hold.hold] = hold
