"""Reads of accounts with many open lots what a batch may need, and sums of the rest.

A till pays for what its command takes, not for how many lots strangers have put there. What is left
out keeps its standing for the whole batch: lots that are held, that slide, or whose dates lie among
the batch's decision times are read. Source: findings S16.
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

LOTS_READ: Final = 16  # of an account, before anything is asked of it
COSTS_READ: Final = 256

Place = tuple[int, int]  # shard, lot


@dataclass(slots=True)
class Cut:
    """A value account of which only the first lots in turn were read.

    since, until: decision times that the batch may come to.
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
    issuers: set[int] = field(default_factory=set[int])  # whose lots alone may be taken
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
        """As statements name it."""
        return self.shard, self.account_id, self.since, self.until

    def needs(self, debit: Debit) -> None:
        """Note what a command may take of the account."""
        if debit.unit is not self.unit or not 0 < debit.amount <= self.balance:
            return  # more than there is: sums say so
        if self.unit is Unit.MERCHANT_POINTS and debit.issuer != self.party:
            return
        self.debits.append(debit.amount)
        if debit.issuer is not None and self.unit is not Unit.MERCHANT_POINTS:
            self.issuers.add(debit.issuer)


def cut(book: BatchState, record: Record, last: Lot, fresh: Sequence[Command]) -> Cut:
    """An account of which no more lots are read in turn; last: the last that was.

    record: of list_members.
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
    """Complete what was cut, and read the lots that are named. Accounts' first are in the book."""
    wanted = set(named)
    _note_debits(book, cuts, fresh)
    await _read_next(tx, book, [cut for cut in cuts if _lacks(book, cut)])
    wanted |= await _read_issuers(tx, [cut for cut in cuts if cut.issuers])
    found = await turns.list_rests(
        tx,
        [
            (
                cut.key,
                cut.owner,
                cut.frontier,
                _end(cut),
                [lot for at, lot in wanted if at == cut.shard],
            )
            for cut in cuts
        ],
    )
    for record in found:
        place: int = record[0]
        cut = cuts[place - 1]
        cut.soon, cut.pending, cut.past, cut.dated = record[1:5]
        wanted |= {(cut.shard, lot) for lots_of in record[5:] for lot in lots_of or ()}
    await read_named(tx, book, wanted)
    await _read_costs(tx, [cut for cut in cuts if cut.previewed])
    for cut in cuts:
        _put_down(book, cut)


async def read_named(tx: Tx, book: BatchState, wanted: Collection[Place]) -> None:
    """Lots by number, where the book has them not."""
    if not wanted:
        return
    have = {(shard, lot) for (shard, _), m in book.members.items() for lot in m.lots}
    missing = sorted(set(wanted) - have)
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
    """What points of an account cost at least, as far as a basket could be paid with them."""
    most: int | None = COSTS_READ
    while cuts:
        asked = [cut.key for cut in cuts]
        lacking: list[Cut] = []
        for record in await turns.list_costs(tx, asked, most=most):
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
    for (shard, owner), mine in of_owner.items():
        for (unit, issuer), owed in book.member(shard, owner).debts.items():
            _note(mine, Debit(unit, issuer, -owed))
    for command in fresh:
        mine = of_owner.get(deciding.owner_of(book, command))
        if mine and type(command.body) is Inquire:
            for cut in mine:
                if cut.unit is Unit.NETWORK_POINTS:
                    cut.previewed = max(cut.previewed, inquiry.room_of(command.body))
        elif mine:
            original = book.originals.get((command.shard, command.facts.original))
            for debit in rules.kind_of(command.body).debits(command.body, original):
                _note(mine, debit)


def _note(cuts: Sequence[Cut], debit: Debit) -> None:
    for cut in cuts:
        cut.needs(debit)


def _lacks(book: BatchState, cut: Cut) -> bool:
    """Whether the lots at hand may run out: one more than is taken must be left."""
    own = _own(book.member(cut.shard, cut.owner), cut)
    if not any(lot.expires_at for lot in own):  # which is next to expire is not known yet
        return True
    return sum(cut.debits) >= sum([lot.remaining - lot.held for lot in own])


def _own(member: AccountState, cut: Cut) -> list[Lot]:
    """Lots at hand that the batch may take from, whenever it does."""
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
    asked = [(cut.key, cut.frontier, cut.debits) for cut in cuts]
    of_account = {(cut.shard, cut.account_id): cut for cut in cuts}
    for record in await turns.list_next(tx, asked):
        shard, account_id, owner = record[0], record[1], record[2]
        lot = lots_table.lot_of(record[3:], owner)
        book.member(shard, owner).lots[lot.lot] = lot
        cut = of_account[shard, account_id]
        cut.frontier = max(cut.frontier, lots.turn(lot))


async def _read_issuers(tx: Tx, cuts: Sequence[Cut]) -> set[Place]:
    """Lots of single issuers, for debts and for what a refund takes back."""
    asked = [(cut, issuer) for cut in cuts for issuer in sorted(cut.issuers)]
    if not asked:
        return set()
    for cut, issuer in asked:
        cut.reached[issuer] = None  # nothing usable of it, unless a row says otherwise
    found = await turns.list_of_issuers(
        tx, [(*cut.key, issuer, sum(cut.debits)) for cut, issuer in asked]
    )
    wanted: set[Place] = set()
    for record in found:
        place: int = record[0]
        lot, expires_at, born_at, is_last = record[1:]
        cut, issuer = asked[place - 1]
        wanted.add((cut.shard, lot))
        cut.reached[issuer] = None if is_last else lots.turn_of(expires_at, born_at, lot)
    return wanted


def _end(cut: Cut) -> datetime | None:
    """End of the Tehran day of the last lot that was read in turn."""
    return None if cut.frontier[0] == lots.FOR_EVER else lots.day_end(cut.frontier[0])
