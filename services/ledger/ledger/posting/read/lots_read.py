"""Reads of an account with many open lots what a batch may need, and sums of the rest.

A till's time depends on what its command takes, not on how many lots an account has got. A lot left
out must keep its state for the whole batch. So lots are read that are held, that slide, or whose
dates fall among the batch's decision times. Source: findings S16.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.ledger import Inquire
from contracts.values import Unit
from kit.base.db import Record, Tx
from ledger.book import lots
from ledger.book.commands import Command
from ledger.book.facts import AccountState, Lot, Rest, Turn
from ledger.posting.decide import commands as deciding
from ledger.posting.decide import inquiry, rules
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.decide.debits import Debit
from ledger.posting.store import turns
from ledger.tables import lots as lots_table

LOTS_READ: Final = 16  # of an account, before its debits are known
COSTS_READ: Final = 256

Place = tuple[int, int]  # shard, lot


@dataclass(slots=True)
class Cut:
    """A value account of which only the first lots in turn were read.

    since, until: decision times that the batch may reach.
    """

    shard: int
    owner: int
    unit: Unit
    party: int
    account_id: int
    balance: int
    frontier: Turn
    since: datetime
    until: datetime
    debits: list[int] = field(default_factory=list[int])
    issuers: set[int] = field(default_factory=set[int])  # debits that take lots of one issuer only
    reached: dict[int, Turn | None] = field(default_factory=dict[int, Turn | None])
    previewed: int = 0  # points that an inquiry's basket could take
    soon: int = 0
    pending: int = 0
    past: int = 0
    dated: bool = False
    least_cost: float = 0.0
    rows: int = 0

    @property
    def key(self) -> turns.Account:
        """As SQL statements name it."""
        return self.shard, self.account_id, self.since, self.until

    def needs(self, debit: Debit) -> None:
        """Note what a command may take from the account."""
        if debit.unit is not self.unit or not 0 < debit.amount <= self.balance:
            return  # more than the balance: the sums decline it
        if self.unit is Unit.MERCHANT_POINTS and debit.issuer != self.party:
            return
        self.debits.append(debit.amount)
        if debit.issuer is not None and self.unit is not Unit.MERCHANT_POINTS:
            self.issuers.add(debit.issuer)


def cut(book: BatchState, record: Record, last: Lot, fresh: Sequence[Command]) -> Cut:
    """An account of which no more lots are read in turn.

    record: of list_members. last: the last lot that was read.
    """
    shard, owner, _, unit, party, account_id, balance = record[:7]
    since, until = _times(book, shard, fresh)
    return Cut(
        shard,
        owner,
        lots_table.UNITS[unit],
        party,
        account_id,
        balance,
        lots.turn(last),
        since,
        until,
    )


def _times(book: BatchState, shard: int, fresh: Sequence[Command]) -> tuple[datetime, datetime]:
    """From the first decision time that a shard's commands may have to the last."""
    since = book.shards[shard].decided_at
    stamps = [c.accepted_at or since for c in fresh if c.shard == shard and not c.ahead]
    return since, max(since, *stamps, since)


async def read(
    tx: Tx,
    book: BatchState,
    cuts: Sequence[Cut],
    fresh: Sequence[Command],
    named: Collection[Place],
) -> None:
    """Complete the cut accounts, and read named lots. The accounts' first lots are in the book."""
    lot_keys = set(named)
    _note_debits(book, cuts, fresh)
    await _read_next(tx, book, [cut for cut in cuts if _lacks(book, cut)])
    lot_keys |= await _read_issuers(tx, [cut for cut in cuts if cut.issuers])
    rests = await turns.list_rests(
        tx,
        [
            (
                cut.key,
                cut.owner,
                cut.frontier,
                _end(cut),
                [lot for at, lot in lot_keys if at == cut.shard],
            )
            for cut in cuts
        ],
    )
    for record in rests:
        place: int = record[0]
        cut = cuts[place - 1]
        cut.soon, cut.pending, cut.past, cut.dated = record[1:5]
        lot_keys |= {(cut.shard, lot) for lots_of in record[5:] for lot in lots_of or ()}
    await read_named(tx, book, lot_keys)
    await _read_costs(tx, [cut for cut in cuts if cut.previewed])
    for cut in cuts:
        _put_down(book, cut)


async def read_named(tx: Tx, book: BatchState, lot_keys: Collection[Place]) -> None:
    """Read lots by number that the book does not have."""
    if not lot_keys:
        return
    have = {(shard, lot) for (shard, _), m in book.members.items() for lot in m.lots}
    missing = sorted(set(lot_keys) - have)
    if not missing:
        return
    for record in await lots_table.list_named_lots(tx, missing):
        shard, owner, number = record[0], record[1], record[2]
        book.member(shard, owner).lots[number] = lots_table.lot_of(record[2:], owner)


def _put_down(book: BatchState, cut: Cut) -> None:
    member = book.member(cut.shard, cut.owner)
    total = cut.balance - sum([lot.remaining for lot in _of(member, cut)])
    member.rest[cut.unit, cut.party] = Rest(
        total, total - cut.pending - cut.past, cut.pending, cut.dated, cut.frontier, cut.soon,
        _end(cut), cut.least_cost, cut.rows, cut.reached,
    )  # fmt: skip


async def _read_costs(tx: Tx, cuts: Sequence[Cut]) -> None:
    """The least cost of an account's points, as far as a basket could be paid with them."""
    most: int | None = COSTS_READ
    while cuts:
        keys = [cut.key for cut in cuts]
        lacking: list[Cut] = []
        for record in await turns.list_costs(tx, keys, most=most):
            place: int = record[0]
            cut = cuts[place - 1]
            _, reached, cut.least_cost, cut.rows = record
            if cut.rows == most and reached < cut.previewed + sum(cut.debits):  # taken before it
                lacking.append(cut)
        cuts, most = lacking, None


def _note_debits(book: BatchState, cuts: Sequence[Cut], fresh: Sequence[Command]) -> None:
    of_owner: dict[tuple[int, int], list[Cut]] = {}
    for cut in cuts:
        of_owner.setdefault((cut.shard, cut.owner), []).append(cut)
    for (shard, owner), own_cuts in of_owner.items():
        for (unit, issuer), owed in book.member(shard, owner).debts.items():
            _note(own_cuts, Debit(unit, issuer, -owed))
    for command in fresh:
        own_cuts = of_owner.get(deciding.owner_of(book, command))
        if own_cuts and type(command.body) is Inquire:
            for cut in own_cuts:
                if cut.unit is Unit.NETWORK_POINTS:
                    cut.previewed = max(cut.previewed, inquiry.room_of(command.body))
        elif own_cuts:
            original = book.originals.get((command.shard, command.facts.original))
            for debit in rules.kind_of(command.body).debits(command.body, original):
                _note(own_cuts, debit)


def _note(cuts: Sequence[Cut], debit: Debit) -> None:
    for cut in cuts:
        cut.needs(debit)


def _lacks(book: BatchState, cut: Cut) -> bool:
    """Whether the lots at hand may run out: one more must be left than is taken."""
    own = _own(book.member(cut.shard, cut.owner), cut)
    if not any(lot.expires_at for lot in own):  # the next to expire is not known yet
        return True
    return sum(cut.debits) >= sum([lot.remaining - lot.held for lot in own])


def _own(member: AccountState, cut: Cut) -> list[Lot]:
    """Lots at hand that the batch may take from at any of its decision times."""
    return [
        lot
        for lot in _of(member, cut)
        if lots.available(lot, cut.since) and lots.in_date(lot, cut.until)
    ]


def _of(member: AccountState, cut: Cut) -> list[Lot]:
    """Lots at hand of the account."""
    own = cut.party if cut.unit is Unit.MERCHANT_POINTS else None
    return [
        lot
        for lot in member.lots.values()
        if lot.unit is cut.unit and (own is None or lot.issuer == own)
    ]


async def _read_next(tx: Tx, book: BatchState, cuts: Sequence[Cut]) -> None:
    if not cuts:
        return
    accounts = [(cut.key, cut.frontier, cut.debits) for cut in cuts]
    of_account = {(cut.shard, cut.account_id): cut for cut in cuts}
    for record in await turns.list_next(tx, accounts):
        shard, account_id, owner = record[0], record[1], record[2]
        lot = lots_table.lot_of(record[3:], owner)
        book.member(shard, owner).lots[lot.lot] = lot
        cut = of_account[shard, account_id]
        cut.frontier = max(cut.frontier, lots.turn(lot))


async def _read_issuers(tx: Tx, cuts: Sequence[Cut]) -> set[Place]:
    """Lots of single issuers, for debts and for what a refund claws back."""
    issuers = [(cut, issuer) for cut in cuts for issuer in sorted(cut.issuers)]
    if not issuers:
        return set()
    for cut, issuer in issuers:
        cut.reached[issuer] = None  # nothing usable, unless a row follows
    records = await turns.list_of_issuers(
        tx, [(*cut.key, issuer, sum(cut.debits)) for cut, issuer in issuers]
    )
    lot_keys: set[Place] = set()
    for record in records:
        place: int = record[0]
        lot, expires_at, born_at, is_last = record[1:]
        cut, issuer = issuers[place - 1]
        lot_keys.add((cut.shard, lot))
        cut.reached[issuer] = None if is_last else lots.turn_of(expires_at, born_at, lot)
    return lot_keys


def _end(cut: Cut) -> datetime | None:
    """End of the Tehran day of the last lot that was read in turn."""
    return None if cut.frontier[0] == lots.FOR_EVER else lots.day_end(cut.frontier[0])
