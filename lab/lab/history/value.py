"""What became of all value, read through the public API as of one moment of the book."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from peyvand import Operator
from peyvand.administration import Document

WORDS: Final = (
    *("issued", "reversed", "redeemed", "restored", "expired", "in_transit", "outstanding"),
)
POINTS: Final = "NP"

Value = Mapping[str, Mapping[str, int]]  # of a unit each of WORDS, in that unit


async def value(operator: Operator) -> Value:
    """Every unit's vintages added up; all pages are as of the vector that the first one names.

    Source: GET /v1/vintages (role auditor or money), whose sums are text of any length.
    """
    totals: dict[str, Counter[str]] = {}
    page: Document = await operator.vintages()
    vector: dict[str, int] = page["vector"]
    while True:
        for vintage in page["items"]:
            amount = vintage["amount"]
            totals.setdefault(vintage["unit"], Counter()).update({w: int(amount[w]) for w in WORDS})
        if page["next"] is None:
            return totals
        page = await operator.vintages(page["next"], as_of=vector)


def expired(totals: Value) -> int:
    """Points that are booked as expired."""
    return totals.get(POINTS, {}).get("expired", 0)


def remainder(of_unit: Mapping[str, int]) -> int:
    """What is left of what was issued, by what happened to it; it must be what is outstanding."""
    gone = of_unit["reversed"] + of_unit["redeemed"] + of_unit["expired"] + of_unit["in_transit"]
    return of_unit["issued"] - gone + of_unit["restored"]
