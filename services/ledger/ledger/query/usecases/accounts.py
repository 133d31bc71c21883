"""A member's account at any moment: balance, lots, a lot's movements, statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from contracts.text import digits_fa
from contracts.values import ACCOUNT_FIRST, Unit, public_id
from kit.base import errors
from kit.base.db import Record, Tx
from ledger.book.errors import InvariantBroken, OnManyShards
from ledger.book.facts import Role
from ledger.log import store as log_store
from ledger.log.domain import records
from ledger.log.domain.leaves import Leaf
from ledger.log.usecases import log_read
from ledger.query.domain import balances
from ledger.query.domain.balances import Figures, Kin, LotAt
from ledger.query.store import accounts, history
from ledger.query.usecases import moments
from ledger.query.usecases.lots import lots_at
from ledger.query.usecases.moments import AsOf, Moment
from ledger.query.usecases.transit import in_transit

_INT_MAX: Final = 2**31 - 1
_NOTHING: Final = Figures()


class Range(Struct, frozen=True, kw_only=True):
    """The entries of a statement, and the end it is read from.

    after, before: numbers in the account, excluded. since, until: decision times, from since on,
    before until. sign: 1 credits, -1 debits, 0 both. shard: as in AsOf.
    """

    after: int = 0
    before: int = _INT_MAX
    since: datetime | None = None
    until: datetime | None = None
    sign: int = 0
    oldest_first: bool = False
    limit: int
    shard: int | None = None


async def balance_of(tx: Tx, account: int, requested: AsOf) -> dict[str, Any]:
    """Balance of a member's account, by unit and by issuer of each, at a moment.

    Zeros, of no shard, where nothing was ever booked: the book does not know who is a member.
    Raises Invalid `not-yet-reached`, `not-a-club-account`, OnManyShards; so do the others.
    """
    rows = await _value_accounts(tx, account, requested.shard)
    if not rows:
        _check_club_account(account)
        return _balance(account, None, requested.at or requested.now, {}, {})
    moment = await moments.moment_of(tx, rows[0], requested)
    values, debts = await _ends(tx, rows, moment)
    lots = [lot for _, lot in await lots_at(tx, account, _counts(values), moment)]
    sent = await in_transit(tx, account, moment)
    kins = balances.by_kin(lots, at=moment.at, debts=debts, in_transit=sent)
    units = balances.by_unit(lots, at=moment.at, debts=debts, in_transit=sent)
    _check_sum(values, units)
    return _balance(account, moment, moment.at, kins, units)


async def _value_accounts(tx: Tx, account: int, shard: int | None) -> list[Record]:
    """Value and debt accounts of one shard; begins the snapshot."""
    await log_store.begin_snapshot(tx)
    rows = await accounts.list_value_accounts(tx, account)
    if shard is not None:
        return [row for row in rows if row["shard"] == shard]
    shards = sorted({row["shard"] for row in rows})
    if len(shards) > 1:
        raise OnManyShards(account, shards)
    return rows


def _check_club_account(account: int) -> None:
    """Refuse a number without value that cannot be a member's account.

    Members' accounts count from ACCOUNT_FIRST. Numbers below are parties, whose money is on other
    accounts, so an answer of zero would be wrong (findings N6).
    """
    if account < ACCOUNT_FIRST:
        raise errors.Invalid(
            f"{account} is no club account: those count from {ACCOUNT_FIRST};"
            " what a party owes and is owed is at /v1/positions",
            code="not-a-club-account",
            fa=f"شمارهٔ {digits_fa(account)} حساب باشگاهی نیست و شاید از آنِ یک شخص حقوقی باشد؛"
            " بدهکاری و بستانکاری اشخاص در positions است.",
        )


async def list_lots(
    tx: Tx, account: int, requested: AsOf, *, only_open: bool, after: int, limit: int
) -> dict[str, Any]:
    """Lots of a member's account by number, as they were at a moment. only_open: not empty ones.

    Raises Invalid `not-yet-reached`.
    """
    rows = await _value_accounts(tx, account, requested.shard)
    if not rows:
        _check_club_account(account)
        return {"items": [], "next": None, "sequence": 0, "as_of": requested.at or requested.now}
    moment = await moments.moment_of(tx, rows[0], requested)
    stamp = {"sequence": moment.sequence, "as_of": moment.at}
    ends, _ = await _ends(tx, rows, moment)
    lots = await lots_at(tx, account, _counts(ends), moment, after=after, closed=not only_open)
    chosen = [
        _without(row, "account_id") | _as_it_was(lot)
        for row, lot in lots
        if lot.remaining or not only_open
    ]
    return _page(chosen[:limit], limit, "lot") | stamp


async def lot_of(
    tx: Tx, account: int, lot: int, *, after: tuple[int, int], limit: int, shard: int | None = None
) -> dict[str, Any]:
    """A lot of a member's account, open or not, with its movements in order. Raises NotFound."""
    rows = await _value_accounts(tx, account, shard)
    record = await history.find_lot(tx, rows[0]["shard"], lot) if rows else None
    if record is None or record["owner"] != account:
        raise errors.NotFound("the account has no such lot", code="unknown-lot")
    last: int = rows[0]["last_sequence"]
    moved = await history.list_consumptions(
        tx, shard=rows[0]["shard"], lot=lot, after=after, last=last, limit=limit
    )
    items = [dict(row) for row in moved]
    following = f"{items[-1]['sequence']}.{items[-1]['ordinal']}" if len(items) == limit else None
    whole = _without(record, "account_id", "owner")
    head = {"shard": rows[0]["shard"], "sequence": last, "lot": whole}
    return head | {"items": items, "next": following}


async def find_value_account(
    tx: Tx, account: int, unit: Unit, issuer: int, shard: int | None
) -> Record | None:
    """A member's value account of a unit (merchant points: of an issuer); a snapshot."""
    for row in await _value_accounts(tx, account, shard):
        if (row["role"], row["unit"], row["counterparty"]) == (Role.VALUE.value, unit, issuer):
            return row
    return None


async def list_statement(
    tx: Tx, account: int, chosen: tuple[Unit, int], part: Range
) -> dict[str, Any]:
    """Entries of a member's account in one unit, each with its running balance and command.

    chosen: unit, and issuer where the unit is a merchant's own points, else 0.
    """
    row = await find_value_account(tx, account, *chosen, part.shard)
    if row is None:
        _check_club_account(account)
        return {"items": [], "next": None, "shard": None, "sequence": 0}
    shard: int = row["shard"]
    after, before = await _bounds(tx, row, part)
    listed = history.list_entries_up if part.oldest_first else history.list_entries_down
    entries = await listed(
        tx, account=(shard, row["account_id"]), after=after, before=before, sign=part.sign,
        limit=part.limit,
    )  # fmt: skip
    sealed = await log_read.leaves_at(tx, {(shard, entry["sequence"]) for entry in entries})
    lines = [_statement_line(entry, sealed[shard, entry["sequence"]]) for entry in entries]
    stamp = {"shard": shard, "sequence": row["last_sequence"]}
    return _page(lines, part.limit, "account_sequence") | stamp


async def _bounds(tx: Tx, row: Record, part: Range) -> tuple[int, int]:
    """Numbers in the account between which the statement's entries lie."""
    after, before = part.after, part.before
    for at, is_since in ((part.since, True), (part.until, False)):
        if at is None:
            continue
        last = await moments.sequence_before(tx, row, at)
        place = (row["shard"], row["account_id"], row["entry_count"], last)
        number: int = (await history.list_entry_ends(tx, [place]))[0]["account_sequence"]
        if is_since:
            after = max(after, number)
        else:
            before = min(before, number + 1)
    return after, before


async def _ends(
    tx: Tx, rows: Sequence[Record], moment: Moment
) -> tuple[dict[int, tuple[Record, int, int]], dict[Kin, int]]:
    """Value accounts by number (row, entries and balance then), and debts, both at a moment."""
    places = [
        (row["shard"], row["account_id"], row["entry_count"], moment.sequence) for row in rows
    ]
    if moment.present:
        ends = [(row["entry_count"], row["balance"]) for row in rows]
    else:
        ends = [
            (r["account_sequence"], r["balance"]) for r in await history.list_entry_ends(tx, places)
        ]
    values: dict[int, tuple[Record, int, int]] = {}
    debts: dict[Kin, int] = {}
    for row, (count, balance) in zip(rows, ends, strict=True):
        if row["role"] == Role.VALUE.value:
            values[row["account_id"]] = (row, count, balance)
        else:
            debts[Unit(row["unit"]), row["counterparty"]] = -balance
    return values, debts


def _counts(values: Mapping[int, tuple[Record, int, int]]) -> dict[int, int]:
    return {number: count for number, (_, count, _) in values.items()}


def _without(row: Record, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _as_it_was(lot: LotAt) -> dict[str, Any]:
    return {
        "remaining": lot.remaining,
        "cost_left": lot.cost_left,
        "held": lot.held,
        "available_from": lot.available_from,
        "expires_at": lot.expires_at,
    }


def _check_sum(
    values: Mapping[int, tuple[Record, int, int]], units: Mapping[Unit, Figures]
) -> None:
    """Check that lots and entries give the same balance. Raises InvariantBroken."""
    entered: dict[Unit, int] = {}
    for row, _, balance in values.values():
        unit = Unit(row["unit"])
        entered[unit] = entered.get(unit, 0) + balance
    for unit, balance in entered.items():
        if units.get(unit, _NOTHING).balance != balance:
            raise InvariantBroken(f"entries say {balance} {unit.value}, lots another balance")


def _balance(
    account: int,
    moment: Moment | None,
    at: datetime,
    kins: Mapping[Kin, Figures],
    units: Mapping[Unit, Figures],
) -> dict[str, Any]:
    points = units.get(Unit.NETWORK_POINTS, _NOTHING)
    credit = units.get(Unit.CREDIT, _NOTHING)
    return {
        "account": account,
        "shard": moment.shard if moment else None,
        "sequence": moment.sequence if moment else 0,
        "as_of": at,
        "final": moment.final if moment else False,
        "points": points.total,
        "available_points": points.available,
        "held_points": points.held,
        "pending_points": points.pending,
        "in_transit_points": points.in_transit,
        "credit_rial": credit.available,
        "expiring_points": points.expiring,
        "expiring_at": points.expiring_at,
        "by_unit": [{"unit": unit, **asdict(figures)} for unit, figures in units.items()],
        "by_issuer": [
            {"issuer": issuer, "unit": unit, **asdict(kins[unit, issuer])}
            for issuer, unit in sorted((issuer, unit) for unit, issuer in kins)
        ],
    }


def _statement_line(row: Record, leaf: Leaf) -> dict[str, Any]:
    command = records.command_from(leaf.shard, leaf.command)
    return {
        "account_sequence": row["account_sequence"],
        "sequence": row["sequence"],
        "line": row["line"],
        "amount": row["amount"],
        "balance": row["balance"],
        "decided_at": leaf.decided_at,
        "occurred_at": command.occurred_at,
        "id": public_id(leaf.shard, command.name),
        "command": command.type,
        "kind": command.facts.kind,
        "merchant": command.facts.merchant,
    }


def _page(items: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    return {"items": items, "next": items[-1][key] if len(items) == limit else None}
