"""Revenue from points under IFRS 15: allocation, breakage, re-estimates, the contract liability.

Integers throughout. A price is split by largest remainder, so its parts add up to it. Revenue is
rounded once, on the total to date, to the nearest unit (half up, as IFRS 15 IE267-IE270 prints
it); a period's revenue is the difference of two totals, so periods add up to the total and no
rounding is carried along.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Never

from msgspec import Struct
from msgspec.structs import replace

from contracts.values import BASIS_POINTS, largest_remainder
from kit.base.errors import Invalid
from ledger.query.domain.issue_cohorts import Figures

WHOLE_PERCENT: Final = 100  # ratio_parts with which KPMG's examples 10A and 10B are printed


class Reading(Struct, frozen=True, kw_only=True):
    """The figures at the end of a period, all to date, of one contract or one vintage.

    allocated: the part of the prices that was paid for the points which were not reversed, in the
    currency's smallest unit. expected_points: the points that will have been redeemed in the end,
    the estimate after breakage. 0 <= redeemed_points <= expected_points: an estimate below the
    redeemed points is not valid. Raises Invalid.
    """

    allocated: int
    redeemed_points: int
    expected_points: int

    def __post_init__(self) -> None:
        if self.allocated < 0:
            _refuse("a price below zero", "بهای تخصیص‌یافته منفی است.")
        if not 0 <= self.redeemed_points <= self.expected_points:
            _refuse(
                f"{self.redeemed_points} points are redeemed and {self.expected_points} expected"
                " to be in all: estimate anew",
                "برآورد امتیازهای مصرف‌شدنی کمتر از امتیازهای مصرف‌شده است؛ برآورد را تازه کنید.",
            )


class Recognised(Struct, frozen=True, kw_only=True):
    """One period of the contract liability, in the currency's smallest unit.

    opening + added - revenue = closing, none of opening and closing below zero. added: allocated
    in the period, less what refunds took back. by_redemption: revenue from what was redeemed in
    the period, at its closing estimate. by_catch_up: what the closing estimate and price change in
    the revenue of earlier periods; below zero where more redemptions are expected than were.
    to_date: revenue since the beginning.
    """

    opening: int
    added: int
    by_redemption: int
    by_catch_up: int
    closing: int
    to_date: int

    @property
    def revenue(self) -> int:
        """Of the period; below zero where the catch-up takes back more than was earned."""
        return self.by_redemption + self.by_catch_up


def allocate(price: int, standalone: Sequence[int], *, ratio_parts: int | None = None) -> list[int]:
    """Split a transaction price over what was sold, by relative stand-alone selling prices.

    price, standalone: >= 0, in the currency's smallest unit; the parts sum to price (largest
    remainder). ratio_parts: round the ratios to so many parts first, as a page that shows whole
    percents does (100); None, the platform's way: exact. Raises Invalid on nothing to split over.
    Source: IFRS 15.73-80.
    """
    if price < 0 or not standalone or min(standalone) < 0 or sum(standalone) == 0:
        _refuse(
            "a price is split over stand-alone prices of which one at least is above zero",
            "بهای معامله باید میان بهاهای مستقلی پخش شود که دست‌کم یکی از آن‌ها مثبت باشد.",
        )
    if ratio_parts is None:
        return largest_remainder(price, standalone)
    if ratio_parts < 1:
        _refuse("ratios have one part at least", "نسبت دست‌کم یک بخش دارد.")
    return largest_remainder(price, largest_remainder(ratio_parts, standalone))


def standalone_of_points(points: int, *, value_numerator: int, value_denominator: int = 1) -> int:
    """Stand-alone selling price of the points expected to be redeemed; not of those issued.

    points: expected, >= 0. value: what one point takes off a purchase, as a fraction of the
    currency's smallest unit. Nearest, half up. Raises Invalid. Source: IFRS 15.B42.
    """
    if points < 0 or value_numerator < 0 or value_denominator < 1:
        _refuse(
            "points and their value are not below zero",
            "تعداد امتیاز و ارزش آن منفی نیست.",
        )
    return _nearest(points * value_numerator, value_denominator)


def expected_points(issued_points: int, *, redeemed_share_bp: int) -> int:
    """Of points just issued, how many will be redeemed: nearest, half up.

    redeemed_share_bp: 10,000 less breakage, in basis points. Raises Invalid outside 0 to 10,000.
    """
    if issued_points < 0 or not 0 <= redeemed_share_bp <= BASIS_POINTS:
        _refuse(
            "a share redeemed lies between 0 and 10,000 basis points, of points not below zero",
            "سهم مصرف باید میان ۰ و ۱۰۰۰۰ واحد پایه باشد و امتیاز منفی نباشد.",
        )
    return _nearest(issued_points * redeemed_share_bp, BASIS_POINTS)


def reading_of(points: Figures, *, allocated: int, redeemed_share_bp: int) -> Reading:
    """A vintage as a reading: the estimate, held between what the book already makes certain.

    No less is expected than was redeemed, no more than was redeemed and still can be. So once
    nothing is outstanding or in transit, expected equals redeemed and all revenue is recognised.
    """
    estimate = expected_points(points.issued_net, redeemed_share_bp=redeemed_share_bp)
    redeemed = points.redeemed_net
    possible = redeemed + points.outstanding + points.in_transit
    return Reading(
        allocated=allocated,
        redeemed_points=redeemed,
        expected_points=min(max(estimate, redeemed), possible),
    )


def revenue_to_date(reading: Reading) -> int:
    """The price allocated to points, in proportion of redeemed to expected; nearest, half up.

    Where nothing is expected to be redeemed any more (0 of 0) it is all earned. Source: IFRS
    15.B46, IE267-IE270.
    """
    if reading.expected_points == 0:
        return reading.allocated
    return _nearest(reading.allocated * reading.redeemed_points, reading.expected_points)


def recognise(readings: Iterable[Reading]) -> list[Recognised]:
    """Revenue period by period: to date at each reading, less what was recognised before.

    readings: one at the end of each period, in order; the first period opens with nothing. A new
    estimate is a cumulative catch-up. Redeemed points may fall where a redemption was refunded.
    Source: IFRS 15.43 and B46; 116 and 118(b) ask for the parts of the liability's movement.
    """
    periods: list[Recognised] = []
    earlier = Reading(allocated=0, redeemed_points=0, expected_points=0)
    before = 0
    for reading in readings:
        to_date = revenue_to_date(reading)
        redeemed_before = min(earlier.redeemed_points, reading.expected_points)
        restated = revenue_to_date(replace(reading, redeemed_points=redeemed_before))
        periods.append(
            Recognised(
                opening=earlier.allocated - before,
                added=reading.allocated - earlier.allocated,
                by_redemption=to_date - restated,
                by_catch_up=restated - before,
                closing=reading.allocated - to_date,
                to_date=to_date,
            )
        )
        earlier, before = reading, to_date
    return periods


def _nearest(numerator: int, denominator: int) -> int:
    """Half up; both >= 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def _refuse(detail: str, fa: str) -> Never:
    raise Invalid(detail, code="revenue-not-valid", fa=fa)
