"""Which version of a programme and of the terms is in force, among those a process knows."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from contracts.merchants import Programme, Terms
from kit.base import versions


@dataclass(slots=True)
class ProgrammeCache:
    """Every version known, in memory, and the revision of the tables up to which it was read."""

    revision: int = 0
    programmes: dict[tuple[int, int], Programme] = field(
        default_factory=dict[tuple[int, int], Programme]
    )
    newest: dict[int, int] = field(default_factory=dict[int, int])
    terms: dict[int, Terms] = field(default_factory=dict[int, Terms])
    cheapest: Terms | None = None  # of all versions, in force or not


def keep(cache: ProgrammeCache, fact: Programme | Terms) -> None:
    """Put one version into the cache; in any order, again and again."""
    match fact:
        case Programme():
            cache.programmes[fact.merchant, fact.version] = fact
            known = cache.newest.get(fact.merchant, 0)
            cache.newest[fact.merchant] = max(known, fact.version)
        case Terms():
            cache.terms[fact.version] = fact
            cache.cheapest = min(cache.terms.values(), key=_price)


def programme_as_of(cache: ProgrammeCache, merchant: int, at: datetime) -> Programme | None:
    """The version in force at a time, as the gateway finds it; None before the first."""
    numbers = range(1, cache.newest.get(merchant, 0) + 1)
    known = [p for n in numbers if (p := cache.programmes.get((merchant, n))) is not None]
    return versions.in_force(versions.latest_first(known), at)


def terms_as_of(cache: ProgrammeCache, at: datetime) -> Terms | None:
    """The network's terms in force at a time, chosen as programmes are; None before the first."""
    return versions.in_force(versions.latest_first(cache.terms.values()), at)


def _price(terms: Terms) -> Fraction:
    return Fraction(terms.price_rial, terms.price_points)
