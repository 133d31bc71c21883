"""Which version of a programme and of the terms counts, from those a process knows."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from contracts.merchants import Programme, Terms
from kit.base import versions


@dataclass(slots=True)
class Shelf:
    """Every version known, in memory, and the revision of the tables up to which it was read."""

    revision: int = 0
    programmes: dict[tuple[int, int], Programme] = field(
        default_factory=dict[tuple[int, int], Programme]
    )
    newest: dict[int, int] = field(default_factory=dict[int, int])
    terms: dict[int, Terms] = field(default_factory=dict[int, Terms])
    cheapest: Terms | None = None  # of all versions, in force or not


def shelve(shelf: Shelf, fact: Programme | Terms) -> None:
    """Put one version on the shelf; in any order, again and again."""
    match fact:
        case Programme():
            shelf.programmes[fact.merchant, fact.version] = fact
            known = shelf.newest.get(fact.merchant, 0)
            shelf.newest[fact.merchant] = max(known, fact.version)
        case Terms():
            shelf.terms[fact.version] = fact
            shelf.cheapest = min(shelf.terms.values(), key=_price)


def programme_as_of(shelf: Shelf, merchant: int, at: datetime) -> Programme | None:
    """The version in force at a time, as the gateway finds it; None before the first."""
    numbers = range(1, shelf.newest.get(merchant, 0) + 1)
    known = [p for n in numbers if (p := shelf.programmes.get((merchant, n))) is not None]
    return versions.in_force(versions.latest_first(known), at)


def terms_as_of(shelf: Shelf, at: datetime) -> Terms | None:
    """The network's terms in force at a time, chosen as programmes are; None before the first."""
    return versions.in_force(versions.latest_first(shelf.terms.values()), at)


def _price(terms: Terms) -> Fraction:
    return Fraction(terms.price_rial, terms.price_points)
