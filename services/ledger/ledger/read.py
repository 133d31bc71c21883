"""Everything a batch decides on, read once over the posting connection: names before bodies."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.ledger import ExpireLot, Inquire
from contracts.values import Status
from kit.db import Record, Tx
from ledger.decide import commands as deciding
from ledger.decide.book import Book, Known, ShardState, marked_original
from ledger.domain import records
from ledger.domain.book import Command, Original, Role, Row, original_of
from ledger.store import posting

_VALUE = Role.VALUE.value


class AccountRow(Struct, frozen=True, gc=False):
    """An account as stored."""

    account_id: int
    balance: int
    entry_count: int


class Reading(Struct, frozen=True):
    """book: what decisions need. accounts: members' rows by (shard, owner, role, unit, party)."""

    book: Book
    accounts: dict[tuple[int, int, str, str, int], AccountRow]


async def read(tx: Tx, batch: Sequence[Command]) -> Reading:
    """Lock the shards, look names up, then read what the fresh commands are about."""
    book = Book()
    await _read_shards(tx, book, {command.shard for command in batch})
    names = {(c.shard, c.name) for c in batch if not isinstance(c.body, Inquire)}
    targets = {(c.shard, t) for c in batch if (t := deciding.target_of(c))}
    found = {(r[0], r[1]): r for r in await posting.find_outcomes(tx, sorted(names | targets))}
    book.known.update({key: _known(key, row) for key, row in found.items()})
    fresh = [c for c in batch if isinstance(c.body, Inquire) or (c.shard, c.name) not in found]
    wanted = targets & {(c.shard, deciding.target_of(c)) for c in fresh}
    await _read_originals(tx, book, {key: found[key] for key in wanted & found.keys()})
    accounts = await _read_members(tx, book, _owners(book, fresh))
    await _read_named_lots(tx, book, fresh)
    return Reading(book, accounts)


async def _read_shards(tx: Tx, book: Book, shards: Collection[int]) -> None:
    rows = await posting.lock_shards(tx, sorted(shards))
    if len(rows) < len(shards):
        for shard in sorted(set(shards) - {row["shard"] for row in rows}):
            await posting.prepare_shard(tx, shard)
        rows = await posting.lock_shards(tx, sorted(shards))
    for shard, last_sequence, decided_at, account_count in rows:
        book.shards[shard] = ShardState(shard, last_sequence, decided_at, account_count)


def _known(key: tuple[int, str], row: Record) -> Known:
    _, _, sequence, fingerprint, _, _, _, answer, marked = row
    if marked is not None and fingerprint is None and _is_marked(key, row):
        return Known(sequence, None, marked)
    return Known(sequence, fingerprint, answer)


def _is_marked(key: tuple[int, str], row: Record) -> bool:
    return records.command_from(key[0], row["command"]).name != key[1]


async def _read_originals(tx: Tx, book: Book, found: dict[tuple[int, str], Record]) -> None:
    if not found:
        return
    sequences = sorted({(shard, row["sequence"]) for (shard, _), row in found.items()})
    rows: dict[tuple[int, int], list[Row]] = {}
    for record in await posting.list_redeemed(tx, sequences):
        rows.setdefault((record[0], record[1]), []).append(posting.row_of(record))
    for key, row in found.items():
        book.originals[key] = _original(key, row, rows.get((key[0], row["sequence"]), ()))
    for record in await posting.lock_originals(tx, sorted(found)):
        key = (record["shard"], record["name"])
        book.originals[key] = replace(book.originals[key], progress=posting.progress_of(record))


def _original(key: tuple[int, str], row: Record, rows: Iterable[Row]) -> Original:
    command = records.command_from(key[0], row["command"])
    now: datetime = row["decided_at"]
    if command.name != key[1]:
        return marked_original(key[1], row["sequence"], command.type)
    return original_of(
        command, Status(row["status"]), sequence=row["sequence"], now=now, rows=tuple(rows)
    )


def _owners(book: Book, fresh: Sequence[Command]) -> list[tuple[int, int]]:
    owners: set[tuple[int, int]] = set()
    accounts_of = {(c.shard, c.name): getattr(c.body, "account", 0) for c in fresh}
    for command in fresh:
        target = (command.shard, deciding.target_of(command))
        original = book.originals.get(target)
        owners.add((command.shard, deciding.account_of(command, original)))
        owners.add((command.shard, accounts_of.get(target, 0)))  # its original is in this batch
    return sorted(owner for owner in owners if owner[1])


async def _read_members(
    tx: Tx, book: Book, owners: Sequence[tuple[int, int]]
) -> dict[tuple[int, int, str, str, int], AccountRow]:
    accounts: dict[tuple[int, int, str, str, int], AccountRow] = {}
    owner_of: dict[tuple[int, int], int] = {}
    if not owners:
        return accounts
    for (
        shard,
        owner,
        role,
        unit,
        party,
        number,
        balance,
        count,
    ) in await posting.list_member_accounts(tx, owners):
        accounts[shard, owner, role, unit, party] = AccountRow(number, balance, count)
        if role == _VALUE:
            owner_of[shard, number] = owner
        elif balance:
            book.member(shard, owner).debts[posting.UNITS[unit], party] = balance
    if owner_of:
        for record in await posting.list_open_lots(tx, sorted(owner_of)):
            owner = owner_of[record[0], record[1]]
            book.member(record[0], owner).lots[record[2]] = posting.lot_of(record, owner)
    return accounts


async def _read_named_lots(tx: Tx, book: Book, fresh: Sequence[Command]) -> None:
    wanted = {(c.shard, c.body.lot) for c in fresh if isinstance(c.body, ExpireLot)}
    for (shard, _), original in book.originals.items():
        wanted |= {(shard, grant.lot) for grant in original.grants}
        wanted |= {(shard, row.lot) for row in original.rows}
    have = {(shard, lot) for (shard, _), m in book.members.items() for lot in m.lots}
    missing = sorted(wanted - have)
    if not missing:
        return
    for record in await posting.list_named_lots(tx, missing):
        shard, owner, number = record[0], record[1], record[2]
        book.member(shard, owner).lots[number] = posting.lot_of(record, owner)
