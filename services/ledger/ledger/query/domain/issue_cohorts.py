"""Vintages: what became of one issuer's points of one issue month, as of a vector."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from msgspec import Struct

from contracts.text import digits_fa
from contracts.values import Unit, tehran_day
from kit.base.errors import Invalid
from ledger.book import jalali
from ledger.book.errors import InvariantBroken
from ledger.book.facts import LOTS_PER_COMMAND_MAX, LotMovementKind
from ledger.book.jalali import Month

Vector = Mapping[int, int]  # shard -> last sequence number that counts


class Part(StrEnum):
    """What can become of issued points, and what is left of them."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    REVERSED = "reversed"
    RESTORED = "restored"
    EXPIRED = "expired"
    SENT = "sent"
    ARRIVED = "arrived"
    OUTSTANDING = "outstanding"


class LotRow(NamedTuple):
    """A lot as it was opened. amount: in unit; cost_rial: of the whole lot; parent 0: none.

    A child has its parent's issuer and born_at, and adds nothing to the issued amount. Its amount
    comes from the consumption row that restores it or lets it arrive.
    """

    shard: int
    lot: int
    issuer: int
    unit: Unit
    born_at: datetime
    amount: int
    cost_rial: int
    parent: int = 0


class MovementRow(NamedTuple):
    """One consumption row of the book: part of a lot moved. amount, cost_rial: >= 0."""

    shard: int
    sequence: int
    lot: int
    part: Part
    amount: int
    cost_rial: int


class Sum(NamedTuple):
    """Amount and cost of one part of the lots of an issuer born on one Tehran day.

    A database can compute these sums itself, without sending every row.
    """

    issuer: int
    unit: Unit
    born_on: date
    part: Part
    amount: int
    cost_rial: int


class Figures(Struct, frozen=True, kw_only=True):
    """One vintage in points, or in the Rial those points cost.

    issued - redeemed - reversed + restored - expired - in_transit = outstanding, and none below
    zero; both are checked here. redeemed: before refunds, which are in restored. reversed: clawed
    back, cancelled while pending, or used to repay a debt. in_transit: sent to another account and
    not yet arrived. outstanding: what lots have, pending value and value past its date but not yet
    swept included. Raises InvariantBroken.
    """

    issued: int = 0
    redeemed: int = 0
    reversed: int = 0
    restored: int = 0
    expired: int = 0
    in_transit: int = 0
    outstanding: int = 0

    def __post_init__(self) -> None:
        gone = self.redeemed + self.reversed + self.expired + self.in_transit
        if self.issued - gone + self.restored != self.outstanding:
            raise InvariantBroken(f"a vintage does not add up: {self}")
        if min(self.issued, self.redeemed, self.reversed, self.restored, self.expired) < 0 or (
            min(self.in_transit, self.outstanding, self.redeemed_net) < 0
        ):
            raise InvariantBroken(f"a vintage is below zero: {self}")

    @property
    def redeemed_net(self) -> int:
        """Redeemed and not refunded: the basis of revenue."""
        return self.redeemed - self.restored

    @property
    def issued_net(self) -> int:
        """Issued and not reversed: what the price of the points was paid for."""
        return self.issued - self.reversed


class Vintage(Struct, frozen=True, kw_only=True):
    """The lots of one issuer and unit that were born in one Solar Hijri month of Tehran."""

    issuer: int
    unit: Unit
    month: Month
    amount: Figures
    cost_rial: Figures


def part_of(kind: LotMovementKind) -> Part:
    """The part of a consumption row. A debt repaid from a lot undoes an earlier earning."""
    match kind:
        case LotMovementKind.REDEEMED | LotMovementKind.EXCHANGED:
            return Part.REDEEMED
        case LotMovementKind.RESTORED:
            return Part.RESTORED
        case LotMovementKind.EXPIRED:
            return Part.EXPIRED
        case (
            LotMovementKind.CLAWED_BACK
            | LotMovementKind.CANCELLED
            | LotMovementKind.REPAID
            | LotMovementKind.ADJUSTED
        ):
            return Part.REVERSED
        case LotMovementKind.SENT:
            return Part.SENT
        case LotMovementKind.ARRIVED:
            return Part.ARRIVED
        case _:
            assert_never(kind)


def fills(kind: LotMovementKind) -> bool:
    """Whether a consumption row gives to its lot; all others take from it."""
    return part_of(kind) in _ADDS


def vintages(
    lots: Iterable[LotRow], movements: Iterable[MovementRow], *, as_of: Vector
) -> list[Vintage]:
    """Vintages by issuer, unit and month, of the rows numbered up to as_of in their shard.

    lots, movements: in any order; each row's shard must be in as_of. Each lot's remainder is
    computed on its own and must not end below zero. The outstanding amount is their sum, so the
    figures' identity compares two ways of counting. Raises InvariantBroken on rows that no book has
    (a movement of a lot that was not yet opened, a lot opened twice or overdrawn). Raises Invalid
    as of_sums does, and on a shard that the vector does not name. Source: ledger reference 1
    (breakage, as-of balances).
    """
    return of_sums(_sums(lots, movements, as_of))


def of_sums(sums: Iterable[Sum]) -> list[Vintage]:
    """Vintages from sums by day of birth, in order of issuer, unit, month.

    sums: OUTSTANDING, the lots' remainders, among them. A vintage without any issue does not exist.
    Raises InvariantBroken where a vintage does not add up. Raises Invalid where more arrived of it
    than was sent: the vector cuts a transfer between its two shards.
    """
    parts: dict[tuple[int, Unit, Month], dict[Part, tuple[int, int]]] = {}
    for issuer, unit, born_on, part, amount, cost in sums:
        columns = parts.setdefault((issuer, unit, jalali.month_of_day(born_on)), {})
        before = columns.get(part, _ZERO)
        columns[part] = (before[0] + amount, before[1] + cost)
    return [
        Vintage(
            issuer=issuer,
            unit=unit,
            month=month,
            amount=_figures({part: pair[0] for part, pair in columns.items()}),
            cost_rial=_figures({part: pair[1] for part, pair in columns.items()}),
        )
        for (issuer, unit, month), columns in sorted(parts.items(), key=lambda item: item[0])
    ]


def total(figures: Sequence[Figures]) -> Figures:
    """The sum of several vintages' figures, of one unit (or all in Rial)."""
    return Figures(
        issued=sum(f.issued for f in figures),
        redeemed=sum(f.redeemed for f in figures),
        reversed=sum(f.reversed for f in figures),
        restored=sum(f.restored for f in figures),
        expired=sum(f.expired for f in figures),
        in_transit=sum(f.in_transit for f in figures),
        outstanding=sum(f.outstanding for f in figures),
    )


# ------------------------------------------------------------------------------------------- rows

_ZERO: Final = (0, 0)
_ADDS: Final = frozenset({Part.RESTORED, Part.ARRIVED})  # all other movements take from the lot


class _Kin(NamedTuple):
    issuer: int
    unit: Unit
    born_on: date


def _sums(lots: Iterable[LotRow], movements: Iterable[MovementRow], as_of: Vector) -> Iterator[Sum]:
    kin: dict[tuple[int, int], _Kin] = {}
    left: dict[tuple[int, int], tuple[int, int]] = {}
    for row in lots:
        if not _counts(row.shard, row.lot // LOTS_PER_COMMAND_MAX, as_of):
            continue
        key = (row.shard, row.lot)
        if key in kin:
            raise InvariantBroken(f"shard {row.shard}: lot {row.lot} opened twice")
        kin[key] = _Kin(row.issuer, row.unit, tehran_day(row.born_at))
        left[key] = _ZERO
        if row.parent == 0:
            left[key] = (row.amount, row.cost_rial)
            yield Sum(*kin[key], Part.ISSUED, row.amount, row.cost_rial)
    for row in movements:
        if not _counts(row.shard, row.sequence, as_of):
            continue
        key = (row.shard, row.lot)
        if key not in kin or row.part in (Part.ISSUED, Part.OUTSTANDING):
            raise InvariantBroken(f"shard {row.shard}: lot {row.lot} cannot be {row.part.value}")
        sign = 1 if row.part in _ADDS else -1
        amount, cost = left[key]
        left[key] = (amount + sign * row.amount, cost + sign * row.cost_rial)
        yield Sum(*kin[key], row.part, row.amount, row.cost_rial)
    for key, (amount, cost) in left.items():
        if amount < 0 or cost < 0:
            raise InvariantBroken(f"shard {key[0]}: lot {key[1]} below zero")
        yield Sum(*kin[key], Part.OUTSTANDING, amount, cost)


def _counts(shard: int, sequence: int, as_of: Vector) -> bool:
    last = as_of.get(shard)
    if last is None:
        raise Invalid(
            f"the vector of sequence numbers does not name shard {shard}",
            code="vector-lacks-a-shard",
            fa=f"بردار شماره‌ها شارد {digits_fa(shard)} را ندارد.",
        )
    return sequence <= last


def _figures(parts: Mapping[Part, int]) -> Figures:
    in_transit = parts.get(Part.SENT, 0) - parts.get(Part.ARRIVED, 0)
    if in_transit < 0:
        raise Invalid(
            "the vector counts points that arrived and not that they were sent: raise the"
            " sender's shard",
            code="vector-cuts-a-transfer",
            fa="بردار شماره‌ها امتیازی را رسیده می‌شمارد که فرستادنش را نشمرده است.",
        )
    return Figures(
        issued=parts.get(Part.ISSUED, 0),
        redeemed=parts.get(Part.REDEEMED, 0),
        reversed=parts.get(Part.REVERSED, 0),
        restored=parts.get(Part.RESTORED, 0),
        expired=parts.get(Part.EXPIRED, 0),
        in_transit=in_transit,
        outstanding=parts.get(Part.OUTSTANDING, 0),
    )
