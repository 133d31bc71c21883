"""Readings over all shards, as of one vector: positions, vintages, revenue from points."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from contracts.values import Unit
from kit.base import errors
from kit.base.db import Record, Tx
from ledger.book.errors import InvariantBroken
from ledger.book.facts import LotMovementKind, Role
from ledger.book.jalali import Month
from ledger.log import store as log_store
from ledger.log.domain import as_of
from ledger.query.domain import issue_cohorts, revenue
from ledger.query.domain.issue_cohorts import Figures, Sum, Vintage
from ledger.query.store import history, network
from ledger.query.usecases import moments
from ledger.query.usecases.moments import AsOf, Cut

PERIODS_MAX: Final = 24
Pair = tuple[int, int]  # debtor, creditor
VintageKey = tuple[int, Unit, Month]
_FILLS: Final = tuple(kind.value for kind in LotMovementKind if issue_cohorts.fills(kind))


class Part(Struct, frozen=True, kw_only=True):
    """The vintages to list, at most limit; None: all. after: key of the last one listed."""

    issuer: int | None
    unit: Unit | None
    after: VintageKey | None
    limit: int


class Estimate(Struct, frozen=True, kw_only=True):
    """A party's estimate at the end of a period, of one vintage, to date.

    allocated_rial: of prices, to the points that were not reversed. redeemed_share_bp: the share of
    the issued points that will have been redeemed in the end.
    """

    at: datetime
    allocated_rial: int
    redeemed_share_bp: int


async def list_positions(tx: Tx, requested: AsOf, *, after: Pair, limit: int) -> dict[str, Any]:
    """The gross matrix of payables: what each debtor owes each creditor, the network's fee in it.

    Totals over shards are text. A page may be short of limit where pairs came later; next says
    whether more follow.
    """
    await log_store.begin_snapshot(tx)
    cut = await moments.cut_of(tx, requested)
    pairs: list[Pair] = [
        (row["debtor"], row["creditor"])
        for row in await network.list_pairs(tx, after=after, limit=limit)
    ]
    accounts = await network.list_pair_accounts(tx, pairs) if pairs else []
    sums = _pair_sums(accounts, await _pair_ends(tx, accounts, cut))
    items = [
        {
            "debtor": pair[0],
            "creditor": pair[1],
            "owed_rial": str(-sums[pair][0]),
            "fee_rial": str(sums[pair][1]),
        }
        for pair in pairs
        if pair in sums
    ]
    following = f"{pairs[-1][0]}.{pairs[-1][1]}" if len(pairs) == limit else None
    return {"items": items, "next": following} | cut.as_json()


async def list_vintages(tx: Tx, requested: AsOf, part: Part) -> dict[str, Any]:
    """What became of the points of each issuer's Solar Hijri issue month, in points and in cost.

    Totals are text. It sums every lot and movement of the issuer, or of all: a report, not a
    reading for the road. Raises Invalid `vector-cuts-a-transfer`, and as cut_of does.
    """
    await log_store.begin_snapshot(tx)
    cut = await moments.cut_of(tx, requested)
    await network.begin_analysis(tx)
    selected = [
        vintage
        for vintage in issue_cohorts.of_sums(await _sums(tx, cut.vector, part.issuer))
        if (part.unit is None or vintage.unit is part.unit)
        and (part.after is None or (vintage.issuer, vintage.unit, vintage.month) > part.after)
    ]
    items = [_vintage(vintage) for vintage in selected[: part.limit]]
    following = items[-1]["key"] if len(selected) > part.limit else None
    return {"items": items, "next": following} | cut.as_json()


async def revenue_of(
    tx: Tx, key: VintageKey, estimates: Sequence[Estimate], *, now: datetime
) -> dict[str, Any]:
    """IFRS 15 revenue of one vintage period by period, from the book's figures at each end.

    estimates: one a period, in order of time. Raises Invalid on times out of order or to come, and
    as domain.revenue does. Raises NotFound where nothing of the vintage was ever issued.
    """
    ends = [estimate.at for estimate in estimates]
    if ends != sorted(set(ends)):
        raise errors.Invalid(
            "ends of periods are given in order, each once",
            code="periods-out-of-order",
            fa="پایان دوره‌ها را به ترتیب و هر کدام را یک بار بدهید.",
        )
    await log_store.begin_snapshot(tx)
    await network.begin_analysis(tx)
    readings: list[revenue.Reading] = []
    periods: list[dict[str, Any]] = []
    for estimate in estimates:
        cut = await moments.cut_of(tx, AsOf(now=now, at=estimate.at))
        points = _figures_of(key, issue_cohorts.of_sums(await _sums(tx, cut.vector, key[0])))
        readings.append(
            revenue.reading_of(
                points,
                allocated=estimate.allocated_rial,
                redeemed_share_bp=estimate.redeemed_share_bp,
            )
        )
        periods.append(cut.as_json() | {"points": _texts(points)})
    if not int(periods[-1]["points"]["issued"]):
        raise errors.NotFound("nothing of this vintage was issued by then", code="unknown-vintage")
    for period, state, recognised in zip(
        periods, readings, revenue.recognise(readings), strict=True
    ):
        period |= asdict(state) | asdict(recognised) | {"revenue": recognised.revenue}
    return {"issuer": key[0], "unit": key[1], "month": str(key[2]), "periods": periods}


def vintage_key(text: str) -> VintageKey:
    """A vintage's key from the text of a list, "5.NP.1405-03". Raises Invalid."""
    issuer, _, rest = text.partition(".")
    unit, _, month = rest.partition(".")
    if unit not in _UNITS or not issuer.isascii() or not issuer.isdigit() or len(issuer) > 10:
        raise errors.Invalid("after is the next of the page before", code="bad-cursor")
    return int(issuer), Unit(unit), as_of.month_of(month)


async def _pair_ends(tx: Tx, accounts: Sequence[Record], cut: Cut) -> list[tuple[int, int]]:
    """Entries and balance of each account as of the cut."""
    if cut.present or not accounts:
        return [(row["entry_count"], row["balance"]) for row in accounts]
    places = [
        (row["shard"], row["account_id"], row["entry_count"], cut.vector[row["shard"]])
        for row in accounts
    ]
    return [
        (r["account_sequence"], r["balance"]) for r in await history.list_entry_ends(tx, places)
    ]


def _pair_sums(
    accounts: Sequence[Record], ends: Sequence[tuple[int, int]]
) -> dict[Pair, tuple[int, int]]:
    """Payable and fee of each pair of which anything was entered by then."""
    sums: dict[Pair, tuple[int, int]] = {}
    for row, (count, balance) in zip(accounts, ends, strict=True):
        pair = (row["debtor"], row["creditor"])
        if row["role"] == Role.PAYABLE.value and count:
            payable, fee = sums.get(pair, (0, 0))
            sums[pair] = (payable + balance, fee)
    for row, (_, balance) in zip(accounts, ends, strict=True):
        pair = (row["debtor"], row["creditor"])
        if row["role"] == Role.FEE.value and pair in sums:
            sums[pair] = (sums[pair][0], sums[pair][1] + balance)
    return sums


async def _sums(tx: Tx, vector: Mapping[int, int], issuer: int | None) -> list[Sum]:
    """All movements of lots up to a vector, summed by issuer, unit and day of birth.

    Issues and movements are summed apart from each lot's remainder; of_sums compares the two.
    """
    sums: list[Sum] = []
    for shard, last in vector.items():
        if not last:
            continue
        for row in await network.list_issued(tx, shard=shard, last=last, issuer=issuer):
            sums.append(_sum(row, issue_cohorts.Part.ISSUED))
        for row in await network.list_moved(tx, shard=shard, last=last, issuer=issuer):
            sums.append(_sum(row, issue_cohorts.part_of(LotMovementKind(row["what"]))))
        for row in await network.list_left(tx, shard=shard, last=last, issuer=issuer, adds=_FILLS):
            if row["below"]:
                raise InvariantBroken(f"shard {shard}: a lot of issuer {row['issuer']} below zero")
            sums.append(_sum(row, issue_cohorts.Part.OUTSTANDING))
    return sums


def _sum(row: Record, part: issue_cohorts.Part) -> Sum:
    return Sum(
        row["issuer"], Unit(row["unit"]), row["born_on"], part, int(row["amount"]),
        int(row["cost_rial"]),
    )  # fmt: skip


def _figures_of(key: VintageKey, vintages: Sequence[Vintage]) -> Figures:
    for vintage in vintages:
        if (vintage.issuer, vintage.unit, vintage.month) == key:
            return vintage.amount
    return Figures()


def _vintage(vintage: Vintage) -> dict[str, Any]:
    return {
        "key": f"{vintage.issuer}.{vintage.unit.value}.{vintage.month}",
        "issuer": vintage.issuer,
        "unit": vintage.unit,
        "month": str(vintage.month),
        "amount": _texts(vintage.amount),
        "cost_rial": _texts(vintage.cost_rial),
    }


def _texts(figures: Figures) -> dict[str, str]:
    return {name: str(number) for name, number in asdict(figures).items()}


_UNITS: Final = frozenset(unit.value for unit in Unit)
